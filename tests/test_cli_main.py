"""The command line as a whole: quick help, helpful refusals, exit codes, and no traceback for anybody."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from provisioner import __version__
from provisioner.cli import main
from tests.commands import Shell

PROVISIONER = Path(sys.executable).parent / "provisioner"
HEAVY = {"sqlalchemy", "alembic", "flask", "gunicorn", "cryptography", "pydantic", "structlog", "qrcode"}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data")


def python(*lines: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter without any PROVISIONER_ variable of ours."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PROVISIONER_")}
    command = [sys.executable, "-W", "error", "-c", "\n".join(lines)]
    return subprocess.run(command, env=clean | environ, capture_output=True, text=True, check=False, timeout=60)


def test_help_loads_nothing_heavy() -> None:
    ended = python(
        "import sys",
        "from provisioner.cli import main",
        "main(['--help'], standalone_mode=False)",
        f"print(sorted({HEAVY} & set(sys.modules)))",
    )
    assert "[]" == ended.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", main.commands)
def test_every_command_explains_itself(name: str, shell: Shell) -> None:
    assert f"Usage: main {name}" in shell.run(name, "--help").stdout
    assert main.commands[name].get_short_help_str(100).endswith(".")


@pytest.mark.parametrize(
    "group", ["", *(name for name, each in main.commands.items() if isinstance(each, click.Group))]
)
def test_a_list_of_commands_cuts_no_sentence_off(group: str, shell: Shell) -> None:
    _, _, listed = shell.run(*group.split(), "--help").stdout.partition("Commands:\n")
    assert [] == [line for line in listed.splitlines() if not line.endswith(".")]
    assert "..." not in listed


def test_the_version_is_told(shell: Shell) -> None:
    assert f"provisioner, version {__version__}\n" == shell.run("--version").stdout


@pytest.mark.parametrize(
    ("arguments", "suggested"),
    [
        (["formts"], "Did you mean 'formats'?"),
        (["formats", "--jsn"], "Did you mean '--json'?"),
        (["link", "crate", "anna@contoso.example"], "Did you mean 'create'?"),
        (["render", "ios-exchnge", "anna@contoso.example"], "Did you mean 'ios-exchange'?"),
    ],
)
def test_what_is_mistyped_is_misuse_and_gets_a_suggestion(arguments: list[str], suggested: str, shell: Shell) -> None:
    assert shell.refusal(*arguments).endswith(suggested)


def test_a_mistaken_configuration_is_misuse_and_told_one_line_each(shell: Shell) -> None:
    result = shell.run("organisation", "list", exit_code=2, PROVISIONER_PROT="1", PROVISIONER_THREADS="x")
    assert [
        "Error: PROVISIONER_PROT is not a setting. Did you mean 'PROVISIONER_PORT'?",
        "Error: PROVISIONER_THREADS was expected to be a number from 1 to 256, found 'x'.",
    ] == result.stderr.splitlines()


def test_a_database_that_does_not_answer_could_not_be_done(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    url = f"sqlite:///{tmp_path}/file/x.sqlite3"
    refusal = shell.refusal("organisation", "list", exit_code=1, PROVISIONER_DATABASE_URL=url)
    assert refusal.startswith(f"The database file {tmp_path}/file/x.sqlite3 cannot be opened: ")


# what nobody expected


_BROKEN = (
    "from provisioner.cli import main",
    "import click",
    "@main.command('broken')",
    "def broken():",
    "    raise LookupError('anna@contoso.example')",
    "main(['broken'])",
)


def test_a_bug_is_one_line_without_what_was_worked_on() -> None:
    ended = python(*_BROKEN)
    assert 1 == ended.returncode
    assert ended.stderr.startswith(
        "Error: This should not have happened (LookupError). Set PROVISIONER_LOG_LEVEL=debug"
    )
    assert 1 == len(ended.stderr.splitlines())
    assert "anna" not in ended.stderr


def test_a_bug_shows_where_at_level_debug() -> None:
    ended = python(*_BROKEN, PROVISIONER_LOG_LEVEL="debug")
    assert 1 == ended.returncode
    assert "LookupError" in ended.stderr.splitlines()[-1]
    assert "Traceback" in ended.stderr


def test_an_interruption_ends_quietly() -> None:
    ended = python(
        "from provisioner.cli import main",
        "import os, signal",
        "@main.command('slow')",
        "def slow():",
        "    os.kill(os.getpid(), signal.SIGINT)",
        "main(['slow'])",
    )
    assert (128 + signal.SIGINT, "", "") == (ended.returncode, ended.stdout, ended.stderr)


def test_a_reader_that_stops_reading_is_no_reason_to_complain() -> None:
    with subprocess.Popen(
        [PROVISIONER, "providers", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"" == process.stderr.read()
        process.wait(60)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("providers", "--json"),
        ("render", "ios-exchange", "anna@contoso.example", "--unsigned"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (">/dev/full", "The answer could not be written: No space left on device."),
        (">&-", "Standard output is closed. Leave it open, or send it to /dev/null."),
    ],
)
def test_an_answer_that_cannot_be_written_is_one_sentence(
    output: str, reason: str, unbuffered: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    ended = subprocess.run(
        ["sh", "-c", f'exec "$@" {output}', "sh", PROVISIONER, *arguments],
        env=os.environ | {"PROVISIONER_DATA_DIR": str(tmp_path), "PYTHONUNBUFFERED": unbuffered},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    assert (1, f"Error: {reason}\n") == (ended.returncode, ended.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        ("demo", "--dir", ""),
        ("render", "ios-exchange", "anna@contoso.example", "--identity", ""),
        ("identity", "create-demo", "--identity", ""),
    ],
    ids=" ".join,
)
def test_an_empty_name_is_not_the_current_directory(arguments: tuple[str, ...], shell: Shell) -> None:
    assert "A name was expected, found none" in shell.refusal(*arguments)


# terminals


def terminal(*arguments: str | Path, **environ: str) -> tuple[int, str]:
    """Exit code and output of a command whose standard output is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [PROVISIONER, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=dict(os.environ) | environ,
    )
    os.close(theirs)
    shown = b""
    try:
        while block := os.read(ours, 65536):
            shown += block
    except OSError:
        pass  # Linux: the other end is closed
    finally:
        os.close(ours)
    return process.wait(60), shown.decode().replace("\r\n", "\n")


def test_binary_is_not_written_to_a_terminal(tmp_path: Path) -> None:
    code, shown = terminal("render", "ios-exchange", "anna@contoso.example", PROVISIONER_DATA_DIR=str(tmp_path))
    assert 2 == code
    assert "write it with -o FILE, or read it with --unsigned" in shown


def test_text_is_written_to_a_terminal(tmp_path: Path) -> None:
    arguments = ("render", "ios-exchange", "anna@contoso.example", "--unsigned")
    code, shown = terminal(*arguments, PROVISIONER_DATA_DIR=str(tmp_path))
    assert 0 == code
    assert shown.startswith("<?xml")


def test_a_new_link_is_shown_as_a_qr_code_where_there_is_a_terminal(tmp_path: Path) -> None:
    environ = {"PROVISIONER_DATA_DIR": str(tmp_path), "PROVISIONER_PUBLIC_URL": "https://setup.contoso.example"}
    terminal("organisation", "add", "contoso", "--name", "Contoso", **environ)
    terminal("domain", "add", "contoso.example", "--organisation", "contoso", **environ)
    code, shown = terminal("link", "create", "anna@contoso.example", **environ)
    assert 0 == code
    assert "█▀" in shown
