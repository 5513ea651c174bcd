"""Reliability R18: any sequence of steps at masks leaves what a dict holds after the same steps.

Steps are: new mask, write, slice, savepoint, rollback, delete, crash (a process that kills itself
at some point of one of these), collect, doctor, reopen. Hypothesis chooses them, and shortens a
sequence after which a mask, a row or a file is not what it must be.

    python -m campaigns.pixels.state_machine [--full] [--database mariadb|sqlite] [--seed N]
        [--server URL]

`--full`: 10,000 steps. Prints the seed and the figures; exit code 1 when they diverge.
"""

# ruff: noqa: D102 - the names of the steps say it all

from __future__ import annotations

import signal
import sys
import traceback
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from attrs import frozen
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from campaigns.kit.crowd import context
from campaigns.kit.databases import campaign_url, fresh_database
from campaigns.kit.dying import Points, watch
from campaigns.kit.figures import Figures, command
from eyened_domain import Database, Segmentation
from eyened_domain.adapters.checkup import checkup_on
from eyened_domain.adapters.pixels.collect import Collector
from eyened_domain.adapters.sql.engine import url_of
from eyened_domain.adapters.sql.schema.pixels import zarr_slot
from eyened_domain.testing import Builder

SHAPES = {"volume": (3, 130, 130), "small volume": (3, 5, 6), "flat": (1, 9, 7)}
MOST_POINTS = 60
"""A process that is to crash passes fewer of them as a rule, and then comes to its end."""
DEEDS = ("new", "write", "slice", "delete")
Pixels = npt.NDArray[np.uint8]


@frozen
class Size:
    """How large a campaign is: at least so many steps, in sequences of so many."""

    steps: int
    each: int


SMALL, FULL = Size(steps=150, each=30), Size(steps=10_000, each=100)


def pixels_of(number: int, shape: tuple[int, ...]) -> Pixels:
    """Return pixels that belong to a number; of every fifth they are empty."""
    found = np.random.default_rng(number).integers(0, 2, shape, dtype=np.uint8)
    return found if number % 5 else np.zeros(shape, np.uint8)


@frozen
class Deed:
    """What is done to a mask, in a unit of work of its own."""

    kind: str
    """One of `DEEDS`."""
    number: int
    """Of the pixels."""
    columns: dict[str, Any]
    """Of a new segmentation."""
    identity: int = 0
    """Of the segmentation, where it is not new."""
    axis: int = 0
    slice_index: int = 0

    def do(self, database: Database, *, commits: bool = True) -> int:
        """Do it; return the id of the segmentation."""
        with database.unit_of_work() as uow:
            one = (
                uow.segmentations.add(Segmentation(**self.columns))
                if self.kind == "new"
                else uow.segmentations.get(self.identity)
            )
            if self.number % 3 == 0:  # with a change of the row before its pixels
                one.inactive = not one.inactive
                uow.flush()
            if self.kind == "delete":
                uow.segmentations.delete(one)
            elif self.kind == "slice":
                pixels = pixels_of(self.number, self._part(one.shape))
                one.write_data(pixels, axis=self.axis, slice_index=self.slice_index)
            else:
                one.write_data(pixels_of(self.number, one.shape))
            uow.flush()
            if commits:
                uow.commit()
            return int(one.segmentation_id)

    def result(self, before: Pixels | None, shape: tuple[int, ...]) -> Pixels | None:
        """Return what is there after it; None where nothing is."""
        if self.kind == "delete":
            return None
        if self.kind != "slice" or before is None:
            return pixels_of(self.number, shape)
        whole = before.copy()
        where = (slice(None),) * self.axis + (self.slice_index,)
        whole[where] = pixels_of(self.number, self._part(shape))
        return whole

    def _part(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape[: self.axis] + shape[self.axis + 1 :]


def crash(configuration: dict[str, str], deed: Deed, fatal: int) -> None:
    """Do it, and die at a point; in a process of its own."""
    points = Points(fatal)
    database = Database(configuration)
    watch(database.engine, points)
    points.is_armed = True
    deed.do(database)
    points.is_armed = False
    database.close()


class PixelMachine(RuleBasedStateMachine):
    """One database, its store, and what they must hold."""

    kind: ClassVar[str] = "sqlite"
    url: ClassVar[str] = ""
    steps: ClassVar[Counter[str]] = Counter()
    """How many steps all machines have taken, by their names."""

    @initialize()
    def open(self) -> None:
        self.stack = ExitStack()
        self.database = self.stack.enter_context(fresh_database(self.kind, self.url))
        configured = self.database.settings
        self.settings = {
            "database_url": url_of(configured).render_as_string(hide_password=False),
            "secret_key": "campaign",
            "images_basepath": str(configured.images_basepath),
            "segmentations_zarr_store": str(configured.segmentations_zarr_store),
        }
        self.expected: dict[int, Pixels] = {}
        self.number = 0
        builder = Builder()
        with self.database.unit_of_work() as uow:
            images = {}
            for name, (depth, height, width) in SHAPES.items():
                image = builder.an_image(nr_of_frames=depth, rows_y=height, columns_x=width)
                images[name] = uow.images.add(image)
            creator = uow.creators.add(builder.a_creator())
            feature = uow.features.add(builder.a_feature())
            uow.commit()
            self.columns = {
                name: {
                    "image_instance_id": image.image_instance_id,
                    "creator_id": creator.creator_id,
                    "feature_id": feature.feature_id,
                    "data_representation": "Binary",
                    "data_type": "R8UI",
                    **dict(zip(("depth", "height", "width"), SHAPES[name], strict=True)),
                }
                for name, image in images.items()
            }

    def deed(self, kind: str, data: st.DataObject) -> Deed:
        """Return something that can be done now."""
        self.number += 1
        shape_name = data.draw(st.sampled_from(sorted(SHAPES)))
        if kind == "new":
            return Deed(kind, self.number, self.columns[shape_name])
        identity = data.draw(st.sampled_from(sorted(self.expected)))
        axis = data.draw(st.integers(0, 2))
        slice_index = data.draw(st.integers(0, self.expected[identity].shape[axis] - 1))
        return Deed(kind, self.number, {}, identity, axis, slice_index)

    def after(self, deed: Deed) -> Pixels | None:
        """Return what a mask is after a deed."""
        before = self.expected.get(deed.identity)
        told = deed.columns
        shape = (told["depth"], told["height"], told["width"]) if before is None else before.shape
        return deed.result(before, shape)

    def hold(self, identity: int, pixels: Pixels | None) -> None:
        """Expect a mask, or none."""
        if pixels is None:
            del self.expected[identity]
        else:
            self.expected[identity] = pixels

    @rule(data=st.data(), commits=st.booleans())
    def draw(self, data: st.DataObject, commits: bool) -> None:
        self.steps["new" if commits else "new, rolled back"] += 1
        deed = self.deed("new", data)
        identity = deed.do(self.database, commits=commits)
        if commits:
            self.hold(identity, self.after(deed))

    @precondition(lambda self: bool(self.expected))
    @rule(data=st.data(), kind=st.sampled_from(DEEDS[1:]), commits=st.booleans())
    def change(self, data: st.DataObject, kind: str, commits: bool) -> None:
        self.steps[kind if commits else f"{kind}, rolled back"] += 1
        deed = self.deed(kind, data)
        deed.do(self.database, commits=commits)
        if commits:
            self.hold(deed.identity, self.after(deed))

    @precondition(lambda self: bool(self.expected))
    @rule(data=st.data(), keeps=st.booleans(), dirty=st.booleans())
    def write_in_a_savepoint(self, data: st.DataObject, keeps: bool, dirty: bool) -> None:
        self.steps["savepoint"] += 1
        deed = self.deed("write", data)
        with self.database.get_session() as session:
            one = Segmentation.by_id(session, deed.identity)
            if dirty:
                one.inactive = not one.inactive
                session.flush()
            whole = pixels_of(deed.number, one.shape)
            with session.begin_nested() as savepoint:
                one.write_data(whole)
                assert (one.read_data() == whole).all()
                if not keeps:
                    savepoint.rollback()
            session.commit()
        if keeps:
            self.hold(deed.identity, whole)

    @precondition(lambda self: bool(self.expected))
    @rule(data=st.data(), kind=st.sampled_from(DEEDS), fatal=st.integers(1, MOST_POINTS))
    def crash(self, data: st.DataObject, kind: str, fatal: int) -> None:
        deed = self.deed(kind, data)
        process = context().Process(target=crash, args=(self.settings, deed, fatal))
        process.start()
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL)
        self.steps["crash" if process.exitcode else "crash that came too late"] += 1
        wanted = self.after(deed)
        with self.database.get_session(include_inactive=True) as session:
            found = {one.segmentation_id: one for one in Segmentation.fetch_all(session)}
            if kind == "new":
                new = found.keys() - self.expected.keys()
                assert len(new) <= 1
                for identity in new:
                    self.hold(identity, wanted)
            elif kind == "delete":
                if deed.identity not in found:
                    self.hold(deed.identity, None)
            elif wanted is not None and (found[deed.identity].read_data() == wanted).all():
                self.hold(deed.identity, wanted)
            if process.exitcode == 0:
                assert kind == "delete" or any(one is wanted for one in self.expected.values())

    @precondition(lambda self: bool(self.expected))  # nobody's store is collected from
    @rule()
    def collect(self) -> None:
        self.steps["collect"] += 1
        self._reopen()  # without patience, it takes the positions in hand as well
        shelf = self.database.pixel_shelf
        Collector(self.database.engine, shelf.files, grace_s=0).collect(dry_run=False)
        files, states = self.files_and_states()
        assert len(files) == len(states) == len(self.expected)
        assert set(states) <= {"live"}

    @precondition(lambda self: bool(self.expected))
    @rule(fixes=st.booleans())
    def doctor(self, fixes: bool) -> None:
        self.steps["doctor"] += 1
        report = checkup_on(self.database, young_s=0).run(3, fix=fixes)
        pixels = [one for one in report.defects if "image" not in one.kind.value]
        assert not pixels, [(one.kind.value, one.message, one.path) for one in pixels]

    @precondition(lambda self: bool(self.expected))
    @rule()
    def reopen(self) -> None:
        self.steps["reopen"] += 1
        self._reopen()

    def _reopen(self) -> None:
        self.database.close()  # and opens again when it is used

    @invariant()
    def all_pixels_are_what_they_must_be(self) -> None:
        if not hasattr(self, "database"):
            return
        with self.database.get_session(include_inactive=True) as session:
            found = {one.segmentation_id: one for one in Segmentation.fetch_all(session)}
            assert found.keys() == self.expected.keys()
            for identity, one in found.items():
                assert (one.read_data() == self.expected[identity]).all()
        files, states = self.files_and_states()
        assert states.count("live") == len(self.expected)
        assert len(files) <= len(states)

    def files_and_states(self) -> tuple[list[Path], list[str]]:
        """Return the files of the store, and what the database says of its positions."""
        root = Path(str(self.database.settings.segmentations_zarr_store))
        files = [file for file in root.rglob("c/*/0/0/0") if file.is_file()]
        with self.database.engine.connect() as connection:
            return files, [*connection.execute(select(zarr_slot.c.state)).scalars()]

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.stack.close()


def run(kind: str, size: Size, seed_: int, server: str = "") -> Figures:
    """Run the campaign.

    Args:
        kind: ``mariadb`` or ``sqlite``.
        size: how many steps.
        seed_: what hypothesis begins with.
        server: URL of another server.
    """
    figures = Figures()
    url = f"{server.rstrip('/')}/test_campaign_machine" if server else campaign_url("machine")
    steps: Counter[str] = Counter()
    how = settings(
        max_examples=5,
        stateful_step_count=size.each,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    divergences = 0
    round_ = 0
    while steps.total() < size.steps and not divergences:
        machine = type("Machine", (PixelMachine,), {"kind": kind, "url": url, "steps": steps})
        seed(seed_ + round_)(machine)
        round_ += 1
        try:
            run_state_machine_as_test(machine, settings=how)
        except Exception as error:  # noqa: BLE001 - whatever a step has raised is a divergence
            divergences += 1
            where = traceback.extract_tb(error.__traceback__)[-1]
            figures.quote([f"{type(error).__name__}: {error} ({where.name}: {where.line})"])
    for name, count in sorted(steps.items()):
        figures.tell(name, count)
    figures.at_least("steps", steps.total(), size.steps)
    figures.zero("divergences", divergences)
    return figures


if __name__ == "__main__":
    sys.exit(command("any sequence of steps at masks", run, small=SMALL, full=FULL))
