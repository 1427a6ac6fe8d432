"""What every command shares: the settings it runs with, and how an error is told.

Exit codes: 0 done, 1 a finding or could not be done, 2 misuse (what was given is wrong or not known here).
"""

import errno
import getpass
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click

from provisioner.cli.output import abandon_standard_output
from provisioner.errors import ConfigurationError, InvalidInput, NotFound, ProvisionerError

if TYPE_CHECKING:
    from provisioner.app import Services
    from provisioner.config import Configuration, Settings

_MISUSE = (InvalidInput, NotFound, ConfigurationError)
_UNWRITABLE = (errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC)
INTERRUPTED = 128 + 2  # as shells report a program ended by SIGINT


class PathOf(click.Path):
    """A path that has a name: an empty one would mean the current directory, which nobody has written."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path. Raises BadParameter for an empty name."""
        if value == "":
            self.fail("A name was expected, found none; a dot is the current directory.", param, ctx)
        if value == "-" and not self.allow_dash:
            self.fail("'-' is no file, and standard input and output do not serve here.", param, ctx)
        return super().convert(value, param, ctx)


class Refusal(click.ClickException):
    """An error of ours as the command line tells it: one line for each problem, no traceback."""

    def __init__(self, message: str, *, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click declares one code per class

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the error to ``file``, or to standard error."""
        for line in self.message.splitlines():
            click.echo(f"Error: {line}", file=file, err=file is None)


class CommandLine(click.Group):
    """The ``provisioner`` command: every error of ours, of any command, ends here."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line, where its answer can be written; click itself ends quietly if nobody reads any more."""
        if sys.stdout is None:
            _end("Standard output is closed. Leave it open, or send it to /dev/null.")
        try:
            return super().main(*args, **kwargs)
        except OSError as failure:
            if failure.errno not in _UNWRITABLE:
                raise
            abandon_standard_output()
            _end(f"The answer could not be written: {failure.strerror}.")

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; our errors become Refusals, and an interruption ends quietly."""
        try:
            return super().invoke(ctx)
        except ProvisionerError as error:
            raise Refusal(str(error), exit_code=2 if isinstance(error, _MISUSE) else 1) from error
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None


def _end(message: str) -> NoReturn:
    Refusal(message, exit_code=1).show()
    sys.exit(1)


def tell_bugs_briefly() -> None:
    """Let an exception that nobody expected end the program with one line, or with its traceback at level debug."""
    sys.excepthook = _tell_bug


def _tell_bug(kind: type[BaseException], bug: BaseException, trace: TracebackType | None) -> None:
    if os.environ.get("PROVISIONER_LOG_LEVEL", "").lower() == "debug":
        traceback.print_exception(kind, bug, trace)
        return
    click.echo(
        f"Error: This should not have happened ({kind.__name__}). Set PROVISIONER_LOG_LEVEL=debug to see where, and "
        "report it, please.",
        err=True,
    )


def configuration_from(ctx: click.Context, **overrides: object) -> "Configuration":
    """The settings with their origins; ``overrides`` are the command line's, by name, None where not given.

    Also starts the log as the settings say. Raises ConfigurationError.
    """
    from provisioner.cli.logs import start_log
    from provisioner.config import load_configuration

    configuration = load_configuration(file=config_file(ctx), environ=os.environ, overrides=overrides)
    start_log(level=configuration.settings.log_level, form=configuration.settings.log_format)
    return configuration


def settings_from(ctx: click.Context, **overrides: object) -> "Settings":
    """The settings of this run. Raises ConfigurationError."""
    return configuration_from(ctx, **overrides).settings


def config_file(ctx: click.Context) -> Path | None:
    """The file that ``--config`` names, if it was given."""
    file: Path | None = ctx.find_root().params.get("config_path")
    return file


@contextmanager
def open_services(settings: "Settings") -> Iterator["Services"]:
    """Every service while the block runs, with the store brought to this version's schema.

    Raises CatalogueError, ConfigurationError and StoreUnavailable.
    """
    from provisioner.app import build

    services = build(settings)
    try:
        services.store.upgrade()
        yield services
    finally:
        services.close()


def actor() -> str:
    """Who stands in the audit trail for what the command line does: the user of this machine."""
    try:
        return f"command line, user {getpass.getuser()}"
    except (KeyError, OSError):  # a container's user often has no name
        return f"command line, user {os.getuid()}"
