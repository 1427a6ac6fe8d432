"""constraints.txt and requirements.lock: complete, agreeing with pyproject.toml and each other, of no one machine."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.checkout import CHECKOUT

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
PIN = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>[^\s;]+)(?: ; [^\\\n]+?)?(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})*)$"
)


def _pins(name: str) -> dict[str, Version]:
    return {pin["name"]: Version(pin["version"]) for pin in _entries(name)}


def _entries(name: str) -> list[re.Match[str]]:
    """The pins of a file, which holds nothing else but comments."""
    text = re.sub(r"^#.*\n", "", (CHECKOUT / name).read_text(), flags=re.MULTILINE)
    entries = [PIN.match(entry) for entry in re.split(r"\n(?=\S)", text.rstrip())]
    assert None not in entries
    return [entry for entry in entries if entry]


def _wanted(extras: Iterable[str]) -> Iterator[Requirement]:
    for line in [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]:
        yield Requirement(line)


def _closure(wanted: Iterable[Requirement]) -> set[str]:
    """Everything that ``wanted`` brings with it on this machine, as the installed packages say."""
    found: set[tuple[str, str]] = set()
    waiting = [(requirement, extra) for requirement in wanted for extra in ("", *requirement.extras)]
    while waiting:
        requirement, extra = waiting.pop()
        if (requirement.name, extra) in found:
            continue
        found.add((requirement.name, extra))
        for line in requires(requirement.name) or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(needed, deeper) for deeper in ("", *needed.extras)]
    return {canonicalize_name(name) for name, _ in found}


@pytest.mark.parametrize(("file", "extras"), [("constraints.txt", list(EXTRAS)), ("requirements.lock", ["postgres"])])
def test_every_dependency_is_pinned_within_its_range_with_all_it_brings(file: str, extras: list[str]) -> None:
    pins = _pins(file)
    outside = [str(r) for r in _wanted(extras) if not r.specifier.contains(pins[canonicalize_name(r.name)])]
    assert [] == outside, "run scripts/lock"
    assert set() == _closure(_wanted(extras)) - pins.keys(), "run scripts/lock"


def test_the_image_gets_the_versions_that_were_tested() -> None:
    tested, image = _pins("constraints.txt"), _pins("requirements.lock")
    assert image == {name: tested[name] for name in image}


def test_the_image_installs_nothing_without_a_hash() -> None:
    assert [] == [entry["name"] for entry in _entries("requirements.lock") if not entry["hashes"]]


@pytest.mark.parametrize("file", ["constraints.txt", "requirements.lock"])
def test_no_pin_says_where_it_came_from(file: str) -> None:
    assert not re.search(
        r"://|file:|--\w*index|--find-links|--trusted-host| @ |\s-[ef]\s", (CHECKOUT / file).read_text()
    )
