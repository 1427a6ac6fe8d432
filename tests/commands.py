"""Runs the command line as a person does: with an empty environment of ours and a data directory of its own."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from provisioner.cli import main

PUBLIC_URL = "https://setup.contoso.example"


@dataclass(frozen=True)
class Shell:
    """One administrator at one machine."""

    data_dir: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def variables(self, **more: str) -> dict[str, str | None]:
        """The environment: no PROVISIONER_ variable of whoever runs the tests, the data directory, and ``more``."""
        removed: dict[str, str | None] = {name: None for name in os.environ if name.startswith("PROVISIONER_")}
        return removed | {"PROVISIONER_DATA_DIR": str(self.data_dir)} | dict(self.environ) | more

    def run(self, *arguments: str | Path, exit_code: int = 0, **more: str) -> Result:
        """What the command says; it must end with ``exit_code``, and never with an exception that nobody expected."""
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], env=self.variables(**more))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert exit_code == result.exit_code, result.output
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: str | Path, **more: Any) -> Any:
        """What the command says with ``--json``."""
        return json.loads(self.run(*arguments, "--json", **more).stdout)

    def refusal(self, *arguments: str | Path, exit_code: int = 2, **more: str) -> str:
        """The one line that the command is refused with, without its ``Error:``; standard output stays empty."""
        result = self.run(*arguments, exit_code=exit_code, **more)
        assert "" == result.stdout
        *_, line = result.stderr.splitlines()
        assert line.startswith("Error: ")
        return line.removeprefix("Error: ")


def names(directory: Path) -> list[str]:
    """The names of what lies in ``directory``, in order."""
    return sorted(path.name for path in directory.iterdir())


def shell_with_contoso(data_dir: Path, **environ: str) -> Shell:
    """A shell whose service knows contoso.example and its own public URL."""
    shell = Shell(data_dir, {"PROVISIONER_PUBLIC_URL": PUBLIC_URL, **environ})
    shell.run("organisation", "add", "contoso", "--name", "Contoso")
    shell.run("domain", "add", "contoso.example", "--organisation", "contoso")
    return shell
