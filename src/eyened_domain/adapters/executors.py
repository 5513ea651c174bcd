"""Who does long work: this process, worker processes beside it, or a dask cluster."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from typing import Any

from attrs import frozen

from eyened_domain.adapters.kept_memory import keep_memory
from eyened_domain.errors import ConfigurationError, StorageError
from eyened_domain.services.batches import IN_FLIGHT

_SECRETS = ("SECRET_KEY", "DATABASE_PASSWORD", "DATABASE_URL")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_DASK_WAIT = 60


@frozen(kw_only=True)
class Crew:
    """An executor and how much it takes to keep it busy; see `services.batches.RunOptions`.

    Attributes:
        executor: None for the work to be done in this thread.
        in_flight: how many items it should have at a time.
    """

    executor: Executor | None = None
    in_flight: int = 1


@contextmanager
def crew(*, workers: int = 1, dask: str | None = None) -> Iterator[Crew]:
    """Give those who do the work, and send them home afterwards.

    Args:
        workers: processes on this machine; 1 is this process.
        dask: the address of a dask scheduler, ``tcp://host:8786``; its workers must have
            this package and see the same folders under the same paths.

    Raises:
        ConfigurationError: distributed is not installed.
        StorageError: there is no cluster at the address, or it has no workers.
    """
    if dask is not None:
        with _client(dask) as client:
            threads = sum(client.nthreads().values())
            # pure: a task that is tried again after its worker died must not be looked up.
            executor = client.get_executor(pure=False)
            yield Crew(executor=executor, in_flight=max(IN_FLIGHT, 2 * threads))
    elif workers == 1:
        yield Crew()
    else:
        with ProcessWorkers(workers) as processes:
            yield Crew(executor=processes, in_flight=max(IN_FLIGHT, 2 * workers))


class ProcessWorkers(Executor):
    """Worker processes that are replaced when one of them dies.

    They begin as fresh interpreters: a fork of this process would have its memory, with the
    key and the connections in it.

    Args:
        workers: how many.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool = self._new_pool()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a worker call the function."""
        return self._pool.submit(fn, *args, **kwargs)

    def restart(self) -> None:
        """Begin anew with fresh workers; what the old ones had is cancelled."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = self._new_pool()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Send the workers home."""
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _new_pool(self) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(
            self._workers, mp_context=get_context("spawn"), initializer=_begin_worker
        )
        for _ in range(self._workers):  # they begin with the first task that each is given
            pool.submit(_load)
        return pool


def _load() -> None:
    """Import what most work will need."""
    from eyened_domain.adapters.files import (  # noqa: F401, PLC0415
        image_hashes,
        thumbnail_files,
        thumbnail_pictures,
    )


def _begin_worker() -> None:
    """Prepare a worker process: one thread, no secrets, and an end when its parent ends."""
    # Ctrl-C reaches the whole group of processes; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in _SECRETS:
        os.environ.pop(name, None)
    for name in _THREADS:
        os.environ[name] = "1"
    keep_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the parent to die: a worker whose parent was killed would wait for ever."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _client(address: str) -> Iterator[Any]:
    try:
        import distributed  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigurationError(
            "distributed is not installed, a dask cluster needs it: "
            "pip install 'eyened-domain[dask]'"
        ) from error
    try:
        client_class: Any = distributed.Client  # which has no types
        client = client_class(address, set_as_default=False, timeout="10s")
    except (OSError, ValueError) as error:
        raise StorageError(
            f"there is no dask scheduler at {address!a}: {str(error)[:200]}; give an address "
            "such as tcp://host:8786"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_DASK_WAIT)
        except TimeoutError as error:
            raise StorageError(f"the dask cluster at {address!a} has no workers") from error
        yield client
