"""``provisioner organisation``: whose people are provisioned, by hand."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from provisioner.cli.context import PathOf, Refusal, actor, open_services, settings_from
from provisioner.cli.languages import warn_of_languages
from provisioner.cli.output import plain, print_fields, print_json, print_table, say_none_yet

if TYPE_CHECKING:
    from provisioner.organisation import Organisation

_Command = TypeVar("_Command", bound=Callable[..., Any])

_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
_TEXT_IN: Mapping[str, Any] = {"type": (str, str), "multiple": True, "metavar": "LANGUAGE TEXT"}


def _settings(command: _Command) -> _Command:
    """The options that ``add`` and ``set`` share; what is not given is None or empty."""
    for option in (
        click.option("--accent-colour", metavar="#RRGGBB", help="The colour of the setup page's button."),
        click.option(
            "--logo",
            type=PathOf(dir_okay=False, path_type=Path),
            help="A PNG or JPEG of 64 KiB at most, for its pages.",
        ),
        click.option("--languages", metavar="TAGS", help="What people are offered, the usual first, such as en,de."),
        click.option("--consent-text-in", **_TEXT_IN, help="The consent text in one language; repeat it for others."),
        click.option("--consent-text", help="Text that a person agrees to before installing; it adds a tap."),
        click.option("--help-text-in", **_TEXT_IN, help="The help text in one language; repeat it for others."),
        click.option("--help-text", help="Shown beside the contact: opening hours, what to have ready."),
        click.option(
            "--outlook",
            type=(str, str),
            multiple=True,
            metavar="KEY VALUE",
            help="An app configuration key of Outlook, for an MDM; repeat it for others.",
        ),
        click.option("--support-contact", help="Whom people ask for help: a name, an address, a telephone number."),
    ):
        command = option(command)
    return command


@click.group()
def organisation() -> None:
    """Organisations: whose people are provisioned."""


@organisation.command("add")
@click.argument("organisation_id", metavar="ID")
@click.option("--name", required=True, help="The name people know it by; it stands in every profile.")
@_settings
@click.pass_context
def add(ctx: click.Context, /, *, organisation_id: str, name: str, **given: Any) -> None:
    """Add the organisation ID."""
    from provisioner.organisation import Organisation

    bare = Organisation(organisation_id, name)
    added = replace(bare, **_changes(bare, given))
    with open_services(settings_from(ctx)) as services:
        services.directory.add_organisation(added, actor=actor())
    warn_of_languages(added)
    click.echo(f"Added the organisation {added.id}. Next: provisioner domain add DOMAIN --organisation {added.id}")


@organisation.command("list")
@_JSON
@click.pass_context
def list_all(ctx: click.Context, *, as_json: bool) -> None:
    """List the organisations."""
    with open_services(settings_from(ctx)) as services:
        known = list(services.directory.read().organisations.values())
    if as_json:
        print_json([_named(each) for each in known])
    elif known:
        print_table(["ID", "NAME", "SUPPORT CONTACT"], [[each.id, each.name, each.support_contact] for each in known])
    else:
        say_none_yet("organisation", services.settings.data_dir)


@organisation.command("show")
@click.argument("organisation_id", metavar="ID")
@_JSON
@click.pass_context
def show(ctx: click.Context, *, organisation_id: str, as_json: bool) -> None:
    """Show the organisation ID and its settings.

    The picture is shown by its type, size and SHA-256.
    """
    with open_services(settings_from(ctx)) as services:
        _print(services.directory.read().organisation(organisation_id), as_json=as_json)


@organisation.command("set")
@click.argument("organisation_id", metavar="ID")
@click.option("--name", help="The name people know it by.")
@click.option("--no-logo", is_flag=True, help="Show no picture any more.")
@_settings
@click.pass_context
def change(ctx: click.Context, /, *, organisation_id: str, **given: Any) -> None:
    """Change what is given of the organisation ID.

    An empty text takes a text away.
    """
    with open_services(settings_from(ctx)) as services:
        before = services.directory.read().organisation(organisation_id)
        changes = _changes(before, given)
        if not changes:
            raise Refusal(f"Nothing to change: name a setting of {before.id} and its new value.", exit_code=2)
        after = replace(before, **changes)
        services.directory.change_organisation(after, actor=actor())
    warn_of_languages(after)
    _print(after, as_json=False)


@organisation.command("remove")
@click.argument("organisation_id", metavar="ID")
@click.pass_context
def remove(ctx: click.Context, *, organisation_id: str) -> None:
    """Remove the organisation ID, which has no domains any more."""
    with open_services(settings_from(ctx)) as services:
        services.directory.remove_organisation(organisation_id, actor=actor())
    click.echo(f"Removed the organisation {organisation_id}.")


def _changes(before: "Organisation", given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, as the fields of an Organisation. Raises InvalidSetting, and UsageError for a contradiction."""
    from provisioner.cli.directorykeys import read_logo

    texts = ("name", "support_contact", "help_text", "consent_text", "accent_colour")
    changes: dict[str, Any] = {name: given[name] for name in texts if given.get(name) is not None}
    for name in ("help_text", "consent_text"):
        if given[f"{name}_in"]:
            changes[f"{name}s"] = _merged(getattr(before, f"{name}s"), given[f"{name}_in"])
    if given["languages"] is not None:
        changes["languages"] = tuple(filter(None, map(str.strip, given["languages"].split(","))))
    if given["logo"] is not None and given.get("no_logo"):
        raise click.UsageError("--logo and --no-logo contradict each other; leave one out.")
    if given["logo"] is not None:
        changes["logo"] = read_logo(given["logo"])
    if given.get("no_logo"):
        changes["logo"] = None
    if given["outlook"]:
        changes["outlook"] = _configured(before.outlook, given["outlook"])
    return changes


def _configured(before: Mapping[str, Any], given: tuple[tuple[str, str], ...]) -> Mapping[str, Any]:
    """Outlook's keys with those that were given; an empty value takes a key away. Raises InvalidSetting."""
    from provisioner.catalogue import app_facts

    outlook = app_facts("outlook")
    kept = {key: value for key, value in before.items() if key not in dict(given)}
    return kept | {key: outlook.read(key, text).value for key, text in given if text}


def _merged(before: Mapping[str, str], given: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """The texts by language with those that were given; an empty one takes a language away."""
    texts = {**before, **dict(given)}
    return MappingProxyType({language: text for language, text in texts.items() if text.strip()})


def _named(shown: "Organisation") -> dict[str, Any]:
    """The organisation as JSON has it, its picture described."""
    logo = shown.logo and {
        "media_type": shown.logo.media_type,
        "size": len(shown.logo.content),
        "sha256": sha256(shown.logo.content).hexdigest(),
    }
    return {**plain(replace(shown, logo=None)), "logo": logo}


def _print(shown: "Organisation", *, as_json: bool) -> None:
    if as_json:
        print_json(_named(shown))
        return
    logo = shown.logo and f"{shown.logo.media_type}, {len(shown.logo.content)} octets"
    print_fields(
        {
            "id": shown.id,
            "name": shown.name,
            "support contact": shown.support_contact or "none",
            "help text": shown.help_text or "none",
            **{f"help text in {language}": text for language, text in shown.help_texts.items()},
            "consent text": shown.consent_text or "none",
            **{f"consent text in {language}": text for language, text in shown.consent_texts.items()},
            "languages": ", ".join(shown.languages) or "all there are",
            "logo": logo or "none",
            "accent colour": shown.accent_colour or "none",
            **{f"outlook {key}": str(value) for key, value in shown.outlook.items()},
        }
    )
