"""``provisioner apply``: the directory becomes what a file declares, and what changes is shown like a plan."""

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provisioner.cli.context import PathOf, actor, open_services, settings_from
from provisioner.cli.languages import warn_of_languages
from provisioner.cli.output import print_json

if TYPE_CHECKING:
    from provisioner.directory import Change, Entry, Plan

_PLAIN = re.compile(r"[A-Za-z0-9#.-]{1,64}")  # a word, a number, a colour, a SHA-256
_MAX_SHOWN = 60  # characters of a text in a plan's line
_SIGNS = {"add": "+", "change": "~", "remove": "-"}
_DONE = {"add": "added", "change": "changed", "remove": "removed"}
_TO_DO = {"add": "to add", "change": "to change", "remove": "to remove"}


@click.command()
@click.argument("file", type=PathOf(dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
@click.option("--prune", is_flag=True, help="Remove the organisations and domains that FILE does not name.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_context
def apply(ctx: click.Context, *, file: Path, dry_run: bool, prune: bool, as_json: bool) -> None:
    """Make the organisations and domains what FILE declares.

    All of it or nothing. FILE is TOML with [[organisation]] and [[domain]] tables; 'provisioner export-config' writes
    one. What FILE does not name is left alone; a setting that FILE leaves out has its default.
    """
    from provisioner.cli.directoryfile import faults_of, read_directory

    wanted = read_directory(file)
    if prune and not wanted.organisations:
        raise click.UsageError(f"{file} declares no organisation, and --prune would remove all there are.", ctx)
    with open_services(settings_from(ctx)) as services, faults_of(file):
        directory = services.directory
        plan = directory.plan(wanted, prune=prune) if dry_run else directory.apply(wanted, prune=prune, actor=actor())
    for organisation in wanted.organisations.values():
        warn_of_languages(organisation)
    if as_json:
        print_json(_report(plan, applied=not dry_run))
    else:
        _print(plan, file, applied=not dry_run)


def _report(plan: "Plan", *, applied: bool) -> dict[str, Any]:
    """The plan as JSON has it."""
    return {
        "applied": applied,
        "changes": [_reported(change) for change in plan.changes],
        "left_alone": [_named(entry) for entry in plan.left_alone],
    }


def _reported(change: "Change") -> dict[str, Any]:
    settings = {name: {"before": old, "after": new} for name, (old, new) in change.settings.items()}
    return {"action": change.action, **_named(change.entry), "settings": settings}


def _named(entry: "Entry") -> dict[str, str]:
    from provisioner.directory import id_of, thing_of

    return {"kind": thing_of(entry), "id": id_of(entry)}


def _name(entry: "Entry") -> str:
    return " ".join(_named(entry).values())


def _print(plan: "Plan", file: Path, *, applied: bool) -> None:
    for change in plan.changes:
        for line in _lines(change):
            click.echo(line)
    for entry in plan.left_alone:
        click.echo(f"Left alone: {_name(entry)}, which {file} does not name.", err=True)
    if not plan.changes:
        click.echo("Nothing to change.")
        return
    words = _DONE if applied else _TO_DO
    counts = Counter[str](change.action for change in plan.changes)
    sums = ", ".join(f"{counts[action]} {words[action]}" for action in words if counts[action])
    click.echo(f"Done: {sums}." if applied else f"Nothing was changed (--dry-run): {sums}.")


def _lines(change: "Change") -> list[str]:
    """One line for what is added or removed, and one for each setting that changes."""
    head = f"{_SIGNS[change.action]} {_name(change.entry)}"
    if change.action != "change":
        return [head]
    return [
        f"{head}: {name} {_shown(before)} -> {_shown(after)}"
        for setting, (old, new) in change.settings.items()
        for name, before, after in _parts(setting, old, new)
    ]


def _parts(setting: str, before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    """The setting; of one that is a table, each entry that differs."""
    from provisioner.directory import differs

    if not isinstance(before, dict) or not isinstance(after, dict):
        return [(setting, before, after)]
    return [
        (f"{setting}.{key}", before.get(key), after.get(key))
        for key in sorted(before | after)
        if differs(before.get(key), after.get(key))
    ]


def _shown(value: Any) -> str:
    """A value in a word, or as a quotation where it is no word."""
    from provisioner.errors import printable

    if value is None or value in ("", []):
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(str, value))
    text = str(value)
    return text if _PLAIN.fullmatch(text) else printable(text, _MAX_SHOWN)
