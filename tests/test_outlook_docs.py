"""docs/outlook.md says of each key what its fact says; ``--update-golden`` writes the table anew."""

import re

import pytest

from provisioner.catalogue import app_facts
from provisioner.catalogue.apps import AppKey
from provisioner.managed import AppPlatform, Channel, Value
from tests.checkout import CHECKOUT

DOCUMENT = CHECKOUT / "docs" / "outlook.md"
HEAD = ["key", "values", "default", "on", "reaches", "who sets it"]
PLATFORMS = {AppPlatform.IOS: "iPhone, iPad", AppPlatform.ANDROID: "Android"}
CHANNELS = {Channel.MANAGED_DEVICES: "device", Channel.MANAGED_APPS: "app"}


def _value(value: Value | None) -> str:
    if value is None:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _who(key: AppKey) -> str:
    if "Exchange Server" in key.refusal:
        return "nobody: only for Exchange Server"
    return "we, for each person" if key.refusal else "you"


def _row(key: AppKey) -> list[str]:
    return [
        f"`{key.name}`",
        " or ".join(map(_value, key.accepted)) or key.form,
        _value(key.default),
        ", ".join(name for platform, name in PLATFORMS.items() if platform in key.platforms),
        ", ".join(name for channel, name in CHANNELS.items() if channel in key.channels),
        _who(key),
    ]


def test_the_table_of_keys_is_made_of_their_facts(pytestconfig: pytest.Config) -> None:
    rows = [HEAD, ["---"] * len(HEAD), *map(_row, app_facts("outlook").keys.values())]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    text = DOCUMENT.read_text()
    block = re.search(r"(<!-- keys: [^>]*-->\n)(.*?)(\n?<!-- end of keys -->)", text, re.DOTALL)
    assert block is not None
    if pytestconfig.getoption("--update-golden"):
        DOCUMENT.write_text(text.replace(block.group(), f"{block.group(1)}{table}\n<!-- end of keys -->"))
        return
    assert table == block.group(2)
