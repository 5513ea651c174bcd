"""A group of commands that loads a command only when it is run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import click
from attrs import frozen

from eyened_domain.errors import EyenedError

DEBUG = "eyened_domain.debug"
"""In the context's meta: whether an error is to be shown with its traceback."""


@frozen
class LazyCommand:
    """Where a command is, and what the list of commands says of it."""

    place: str
    """``module:attribute``."""
    short_help: str

    def load(self) -> click.Command:
        """Import the command."""
        module, _, attribute = self.place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


class LazyGroup(click.Group):
    """Commands by name, none of which is imported to list them.

    What goes wrong is one line on stderr, ``eorm: ...``, and an exit code that is not 0.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, LazyCommand], **options: Any) -> None:
        super().__init__(*args, **options)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order in which they were given."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        found = self.lazy.get(cmd_name)
        return None if found is None else found.load()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands from what is known without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.short_help) for name, command in self.lazy.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what this library refuses becomes one line for the reader."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort, click.ClickException, BrokenPipeError):
            raise
        except Exception as error:
            if ctx.meta.get(DEBUG):
                raise
            raise click.ClickException(_in_a_line(error)) from error

    def main(  # type: ignore[override]  # click's two overloads in one
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        *,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line, and leave the process with its exit code."""
        if not standalone_mode:
            return super().main(args, prog_name, standalone_mode=False, **extra)
        try:
            returned = super().main(args, prog_name, standalone_mode=False, **extra)
        except click.UsageError as error:
            _say(error.format_message() + _hint(error.ctx))
            sys.exit(error.exit_code)
        except click.ClickException as error:
            _say(error.format_message())
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            _say("stopped")
            sys.exit(130)
        except BrokenPipeError:
            _leave_closed_pipe()
        sys.exit(returned if isinstance(returned, int) else 0)


def _in_a_line(error: Exception) -> str:
    if isinstance(error, EyenedError):
        return str(error)
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first} (--debug shows where)"


def _say(message: str) -> None:
    click.echo(f"eorm: {' '.join(message.split())}", err=True)


def _hint(ctx: click.Context | None) -> str:
    return "" if ctx is None else f" (`{ctx.command_path} --help` tells more)"


def _leave_closed_pipe() -> None:
    """Leave as programs do whose reader (`head`) has gone; nothing more can be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(141)  # what a shell shows for SIGPIPE
