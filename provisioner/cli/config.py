"""``provisioner config``: the settings in use, where each comes from, and whether the service would start with them."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provisioner.cli.context import configuration_from
from provisioner.cli.output import print_json, print_table
from provisioner.errors import ConfigurationError, ProvisionerError

if TYPE_CHECKING:
    from provisioner.config import Settings

_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


@click.group()
def config() -> None:
    """Settings: what is set, from where, and whether it is good."""


@config.command("show")
@_JSON
@click.pass_context
def show(ctx: click.Context, *, as_json: bool) -> None:
    """Show every setting and where its value comes from.

    Secrets are masked.
    """
    from provisioner.config import SETTINGS

    configuration = configuration_from(ctx)
    entries = [
        {"name": name, "value": configuration.shown(name), "origin": configuration.origins[name]} for name in SETTINGS
    ]
    if as_json:
        print_json(entries)
    else:
        rows = [[entry["name"], _in_words(entry["name"], entry["value"]), entry["origin"]] for entry in entries]
        print_table(["SETTING", "VALUE", "FROM"], rows)


def _in_words(name: str, value: Any) -> str:
    from provisioner.config import default_of

    if value is None or value in ("", []):
        return f"({default_of(name)})".replace("`", "")
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, list) else str(value)


@dataclass(frozen=True, slots=True)
class _Result:
    check: str
    ok: bool
    message: str


@config.command("check")
@_JSON
@click.pass_context
def check(ctx: click.Context, *, as_json: bool) -> None:
    """Tell whether the service would start and could sign.

    It changes nothing.
    """
    results = list(_results(ctx))
    if as_json:
        print_json(results)
    else:
        print_table(
            ["CHECK", "RESULT", ""],
            [
                [each.check, "ok" if each.ok else "PROBLEM", line]
                for each in results
                for line in each.message.split("\n")
            ],
        )
    ctx.exit(0 if all(each.ok for each in results) else 1)


def _results(ctx: click.Context) -> Iterator[_Result]:
    try:
        configuration = configuration_from(ctx)
    except ProvisionerError as problem:
        yield _Result("settings", ok=False, message=str(problem))
        return
    yield _Result("settings", ok=True, message=str(configuration.file or "No configuration file."))
    for name, judge in (
        ("public URL", _public_url),
        ("catalogue", _catalogue),
        ("data directory", _data_directory),
        ("link key", _link_key),
        ("store", _store),
        ("identity", _identity),
    ):
        yield _judged(name, judge, configuration.settings)


def _judged(name: str, judge: Callable[["Settings"], str], settings: "Settings") -> _Result:
    try:
        return _Result(name, ok=True, message=judge(settings))
    except ProvisionerError as problem:
        return _Result(name, ok=False, message=str(problem))


def _exists(path: Path) -> bool:
    """Raises ConfigurationError where that cannot be told, as in a directory that this user may not look into."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as failure:
        raise ConfigurationError(f"{path} cannot be looked at: {failure.strerror}.") from None
    return True


def _data_directory(settings: "Settings") -> str:
    existing = next(path for path in (settings.data_dir, *settings.data_dir.parents) if _exists(path))
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise ConfigurationError(f"{existing} is not a directory that this user may write to.")
    return str(existing) if existing == settings.data_dir else f"{settings.data_dir} is made at first start."


def _public_url(settings: "Settings") -> str:
    from provisioner.app import require_public_url

    return require_public_url(settings)


def _catalogue(settings: "Settings") -> str:  # noqa: ARG001  # as every check
    from provisioner.catalogue import load_catalogue

    return ", ".join(load_catalogue())


def _link_key(settings: "Settings") -> str:
    from provisioner.links import load_link_key

    if not _exists(settings.link_key_file):
        return f"{settings.link_key_file} is made at first start."
    load_link_key(settings.link_key_file)
    return str(settings.link_key_file)


def _store(settings: "Settings") -> str:
    from provisioner.app import database_url, has_present_schema
    from provisioner.config import mask_database
    from provisioner.store import Store

    url = database_url(settings)
    store = Store.open(url)
    scheme, _, path = url.partition(":///")
    if scheme.startswith("sqlite") and not _exists(Path(path)):
        return f"{path} is made at first start."
    try:
        upgraded = has_present_schema(store)
    finally:
        store.close()
    return mask_database(url) + ("" if upgraded else "; its tables are brought to this version at the next start.")


def _identity(settings: "Settings") -> str:
    from provisioner.app import signing_identity

    identity = signing_identity(settings)
    return f"{identity.subject_name}, until {identity.not_after:%Y-%m-%d}."
