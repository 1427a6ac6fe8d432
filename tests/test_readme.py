"""What the README says is what the product does: its tables are made of the catalogue, the formats and the settings.

``pytest tests/test_readme.py --update-golden`` writes the tables anew.
"""

import re
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path

import click
import pytest

from provisioner.cli import main
from provisioner.config.settings import SECRETS, SETTINGS, default_of
from provisioner.formats import FORMATS
from provisioner.mdm import load_mdms
from provisioner.model import ConnectionSecurity, MailServer
from provisioner.texts import LANGUAGES
from tests.samples import PROVIDERS

README = Path(__file__).parents[1] / "README.md"
SECURITY = {ConnectionSecurity.IMPLICIT_TLS: "SSL/TLS", ConnectionSecurity.STARTTLS: "STARTTLS"}


def _table(*rows: Iterable[str]) -> str:
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, re.sub(r"[^|]+", "---", head), *body])


def _server(server: MailServer | None) -> str:
    return f"{server.hostname} {server.port} {SECURITY[server.security]}" if server else "not confirmed"


def servers() -> str:
    """The settings table, from the catalogue."""
    rows = [
        [
            f"{provider.name} (`{provider.id}`)",
            _server(provider.imap),
            _server(provider.pop3),
            _server(provider.submission),
            provider.activesync.hostname if provider.activesync else "not confirmed",
            provider.oauth.authority.removeprefix("https://"),
        ]
        for provider in PROVIDERS.values()
    ]
    return _table(["cloud", "IMAP", "POP3", "sending (SMTP)", "ActiveSync", "sign-in (OAuth2)"], *rows)


def formats() -> str:
    """What can be written, from the formats' own declarations."""
    return _table(
        ["format", "what it is", "for"],
        *([f"`{fmt.id}`", fmt.title, fmt.audience.value] for fmt in FORMATS.values()),
    )


def configuration() -> str:
    """The settings of the service, from their declarations."""
    return _table(
        ["setting", "environment", "what it is for", "default"],
        *(
            [
                f"`{name}`",
                f"`PROVISIONER_{name.upper()}`{', or `…_FILE`' if name in SECRETS else ''}",
                about.help,
                default_of(name),
            ]
            for name, about in SETTINGS.items()
        ),
    )


TABLES: dict[str, Callable[[], str]] = {"servers": servers, "formats": formats, "configuration": configuration}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_made_of_what_it_describes(name: str, pytestconfig: pytest.Config) -> None:
    table, text = TABLES[name](), README.read_text()
    block = re.search(rf"(<!-- {name}: [^>]*-->\n)(.*?)(\n?<!-- end of {name} -->)", text, re.DOTALL)
    assert block is not None
    if pytestconfig.getoption("--update-golden"):
        README.write_text(text.replace(block.group(), f"{block.group(1)}{table}\n<!-- end of {name} -->"))
        return
    assert table == block.group(2)


def _commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)
    lines = [line.partition("  #")[0].removesuffix("&").strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("provisioner ")]


@pytest.mark.parametrize("line", _commands())
def test_every_command_of_the_readme_exists_with_its_options(line: str) -> None:
    words = shlex.split(line)[1:]
    command: click.Command = main
    while isinstance(command, click.Group):
        known = command.commands
        assert words[0] in known
        command = known[words.pop(0)]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert [word for word in words if word.startswith("-") and word not in options] == []


def test_the_readme_counts_what_there_is() -> None:
    named = [mdm for mdm in load_mdms().values() if not mdm.asks_for_variables]
    beginning = README.read_text(encoding="utf-8").partition("## Quickstart")[0]
    assert f"to {len(named)} MDMs" in beginning
    assert f"speak {len(LANGUAGES)} languages" in beginning


def test_the_readme_has_its_parts_in_the_readers_order() -> None:
    expected = [
        "Quickstart",
        "The exact settings",
        "Journeys",
        "Configuration",
        "Operations",
        "Troubleshooting",
        "What this is not",
        "Glossary",
    ]
    assert expected == re.findall(r"^## (.+)$", README.read_text(), re.MULTILINE)
