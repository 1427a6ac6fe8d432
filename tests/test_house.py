"""What keeps the house in order and no tool checks by itself."""

import ast
import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from provisioner.formats import FORMATS
from provisioner.model import Evidence
from tests.checkout import CHECKOUT, MODULES, project_files
from tests.samples import PROVIDERS

FORMAT_FILES = [path for path in MODULES if path.parent.name == "formats" and path.stem != "__init__"]
MAX_LINES = 300
# Addresses of package and image indexes: a lock file or script that names one installs nothing anywhere else.
REGISTRIES = [
    f"{name}.{end}" for name, end in (("pypi", "org"), ("pythonhosted", "org"), ("docker", "io"), ("ghcr", "io"))
]
HOME_OF_A_MACHINE = re.compile(r"(?<![\w./-])/(?:home|root|Users|work|opt/pypi)/\w")
PRIVATE_KEY = re.compile("-{5}BEGIN [A-Z ]*" + "PRIVATE KEY-{5}")


def _name(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def _facts(value: object) -> Iterator[str | int]:
    """Every text and number among a provider's facts; where a fact was read (Evidence) is not one."""
    if isinstance(value, str | int):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _facts(part)
    elif isinstance(value, tuple):
        for part in value:
            yield from _facts(part)
    elif dataclasses.is_dataclass(value) and not isinstance(value, Evidence):
        for field in dataclasses.fields(value):
            yield from _facts(getattr(value, field.name))


def _hostnames() -> set[str]:
    """The hosts of every provider, also those that stand in a URL."""
    texts = {fact for provider in PROVIDERS.values() for fact in _facts(provider) if isinstance(fact, str)}
    hosts = {re.sub(r"^https://|/.*$", "", text) for text in texts}
    consumer_domains = {domain for provider in PROVIDERS.values() for domain in provider.consumer_domains}
    return {host for host in hosts if re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", host)} - consumer_domains


def _ports() -> set[int]:
    return {server.port for provider in PROVIDERS.values() for server in provider.servers}


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_no_code_names_a_host_or_a_port_of_a_provider(module: Path) -> None:
    source = module.read_text()
    assert [] == [host for host in _hostnames() if re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", source)]
    constants = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    assert set() == {port for port in _ports() if port in constants or str(port) in constants}


def test_the_facts_searched_for_are_the_ones_phones_are_told() -> None:
    assert {993, 995, 587} == _ports()
    assert {server.hostname for provider in PROVIDERS.values() for server in provider.servers} < _hostnames()


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_a_module_is_short_and_says_what_it_is(module: Path) -> None:
    source = module.read_text()
    assert MAX_LINES >= source.count("\n")
    assert ast.get_docstring(ast.parse(source)), "its first line says in one sentence what the module is"


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_no_handler_goes_on_after_an_error_it_does_not_know(module: Path) -> None:
    for handler in (node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.ExceptHandler)):
        caught = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else {""}
        if caught & {"", "Exception", "BaseException"}:
            assert isinstance(handler.body[-1], ast.Raise), f"line {handler.lineno}: {ast.unparse(handler)}"


def test_imports_point_down() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    judged = subprocess.run([linter, "--no-cache"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert 0 == judged.returncode, judged.stdout


@pytest.mark.parametrize("module", FORMAT_FILES, ids=_name)
def test_a_format_file_ends_in_its_declaration_and_is_named_by_its_id(module: Path) -> None:
    last = ast.parse(module.read_text()).body[-1]
    assert isinstance(last, ast.Assign)
    assert "FORMAT" == ast.unparse(last.targets[0])
    assert module.stem.replace("_", "-") in FORMATS


def test_every_format_has_its_own_id() -> None:
    assert len(FORMAT_FILES) == len(FORMATS)


def test_nothing_secret_and_nothing_of_one_machine_is_in_the_project() -> None:
    found = []
    for file in project_files():
        text = file.read_bytes().decode(errors="replace")
        if PRIVATE_KEY.search(text) or HOME_OF_A_MACHINE.search(text) or any(host in text for host in REGISTRIES):
            found.append(_name(file))
    assert [] == found
