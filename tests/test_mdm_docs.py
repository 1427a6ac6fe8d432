"""docs/mdm.md says of each MDM what its fact file says; ``pytest tests/test_mdm_docs.py --update-golden`` writes it."""

import re

import pytest

from provisioner.mdm import Answer, Mdm, load_mdms
from tests.checkout import CHECKOUT

DOCUMENT = CHECKOUT / "docs" / "mdm.md"
BLANK = {Answer.UNKNOWN: "", Answer.YES: "yes", Answer.NO: "no"}
HEAD = [
    "MDM",
    "address",
    "user name",
    "full name",
    "inside profiles",
    "signed",
    "limit (bytes)",
    "files",
    "push",
    "checked",
    "how it is known",
]


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _row(mdm: Mdm) -> list[str]:
    names, profiles = mdm.variables, mdm.profiles
    facts = [part.evidence for part in (names, profiles, mdm.apps, mdm.console, mdm.api, mdm.push) if part]
    return [
        f"{mdm.name} (`{mdm.id}`)",
        _code(names.address) if names else ("you name it" if mdm.asks_for_variables else "none"),
        _code(names.username) if names else ("you name it" if mdm.asks_for_variables else "none"),
        _code(names.full_name) if names else "",
        BLANK[names.in_profiles] if names else "",
        BLANK[profiles.signed] if profiles else "",
        f"{profiles.limit:,}" if profiles and profiles.limit else "",
        ", ".join(map(_code, mdm.forms)),
        "yes" if mdm.push else "",
        mdm.checked.isoformat(),
        ", ".join(sorted({evidence.confidence for evidence in facts})),
    ]


def test_the_table_of_mdms_is_made_of_their_fact_files(pytestconfig: pytest.Config) -> None:
    rows = [HEAD, ["---"] * len(HEAD), *map(_row, load_mdms().values())]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    text = DOCUMENT.read_text()
    block = re.search(r"(<!-- mdms: [^>]*-->\n)(.*?)(\n?<!-- end of mdms -->)", text, re.DOTALL)
    assert block is not None
    if pytestconfig.getoption("--update-golden"):
        DOCUMENT.write_text(text.replace(block.group(), f"{block.group(1)}{table}\n<!-- end of mdms -->"))
        return
    assert table == block.group(2)


def test_every_key_of_a_fact_file_is_explained() -> None:
    keys = {
        match[1].partition(".")[0]
        for file in (CHECKOUT / "provisioner" / "mdm").glob("*.toml")
        for match in re.finditer(r"^([a-z_.]+) = ", file.read_text(), re.MULTILINE)
    }
    explained = {key.partition(".")[0] for key in re.findall(r"`([a-z_.]+)`", DOCUMENT.read_text())}
    assert set() == keys - explained
