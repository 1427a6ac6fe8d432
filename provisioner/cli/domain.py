"""``provisioner domain``: the mail domains of an organisation and what their people are offered, by hand."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from provisioner.cli.context import Refusal, actor, open_services, settings_from
from provisioner.cli.output import plain, print_fields, print_json, print_table, say_none_yet

if TYPE_CHECKING:
    from provisioner.model import MailProvider
    from provisioner.organisation import Domain

_Command = TypeVar("_Command", bound=Callable[..., Any])

_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


def _settings(command: _Command) -> _Command:
    """The options that ``add`` and ``set`` share; what is not given is None."""
    for option in (
        click.option(
            "--self-service",
            metavar="invite|open",
            help="Whether people are invited, or the start page gives anyone of the domain a link.",
        ),
        click.option("--prefer", metavar="builtin|outlook", help="Which app is shown first on Apple devices."),
        click.option("--sign-in-urls", metavar="auto|always|never", help="Name the sign-in page in Exchange profiles."),
        click.option("--ews", metavar="blocked|allowed", help="Whether Exchange Online lets Apple's Mac apps use EWS."),
        click.option("--smtp-password/--no-smtp-password", default=None, help="Whether sending takes a password."),
        click.option("--account-kinds", metavar="KINDS", help="What people are offered, such as exchange,imap."),
        click.option("--autodiscover", metavar="auto|settings|redirect", help="How Autodiscover answers."),
        click.option("--provider", metavar="ID", help="The mail service; see 'provisioner providers'."),
    ):
        command = option(command)
    return command


@click.group()
def domain() -> None:
    """Mail domains of the organisations."""


@domain.command("add")
@click.argument("name", metavar="DOMAIN")
@click.option("--organisation", required=True, metavar="ID", help="The organisation it belongs to.")
@_settings
@click.pass_context
def add(ctx: click.Context, /, *, name: str, organisation: str, **given: Any) -> None:
    """Add DOMAIN to an organisation."""
    from provisioner.cli.directoryfile import DEFAULT_PROVIDER
    from provisioner.organisation import Domain

    changes = {"provider_id": DEFAULT_PROVIDER, **_changes(given)}
    added = Domain(name=name, organisation_id=organisation, **changes)
    with open_services(settings_from(ctx)) as services:
        services.directory.add_domain(added, actor=actor())
    _print_next_steps(added, services.providers[added.provider_id])


def _print_next_steps(added: "Domain", provider: "MailProvider") -> None:
    click.echo(f"Added the domain {added.name}, with its mail at {provider.name}. Two things outside:")
    click.echo(
        "- An administrator of the organisation consents once for Apple's mail app: it is the enterprise application "
        "'iOS Accounts' in Microsoft Entra. Without that, the first sign-in on an iPhone fails."
    )
    stays = (
        f"stays where it is, at Microsoft ({provider.dns.autodiscover_cname})" if provider.dns else "stays where it is"
    )
    click.echo(f"- The DNS record autodiscover.{added.name} {stays}. Do not point it to this service.")
    _tell_self_service(added)
    click.echo(f"Next: provisioner link create NAME@{added.name}")


def _tell_self_service(shown: "Domain") -> None:
    from provisioner.organisation import SelfService

    if shown.self_service is SelfService.OPEN:
        click.echo(
            f"Self-service is open: whoever enters an address of {shown.name} on the start page gets a setup link for "
            "one device and one hour, without an invitation; to sign in they still need the account. Close it with "
            f"'provisioner domain set {shown.name} --self-service invite'."
        )


@domain.command("list")
@_JSON
@click.pass_context
def list_all(ctx: click.Context, *, as_json: bool) -> None:
    """List the domains."""
    with open_services(settings_from(ctx)) as services:
        known = list(services.directory.read().domains.values())
    if as_json:
        print_json([_named(each) for each in known])
    elif known:
        print_table(["DOMAIN", "ORGANISATION", "PROVIDER", "KINDS", "PREFER", "SELF-SERVICE"], map(_row, known))
    else:
        say_none_yet("domain", services.settings.data_dir)


@domain.command("show")
@click.argument("name", metavar="DOMAIN")
@_JSON
@click.pass_context
def show(ctx: click.Context, *, name: str, as_json: bool) -> None:
    """Show DOMAIN and its settings."""
    with open_services(settings_from(ctx)) as services:
        _print(services.directory.read().domain(name), as_json=as_json)


@domain.command("set")
@click.argument("name", metavar="DOMAIN")
@click.option("--organisation", metavar="ID", help="The organisation it belongs to.")
@_settings
@click.pass_context
def change(ctx: click.Context, /, *, name: str, organisation: str | None, **given: Any) -> None:
    """Change what is given of DOMAIN's settings."""
    changes = _changes(given) | ({"organisation_id": organisation} if organisation is not None else {})
    with open_services(settings_from(ctx)) as services:
        after = replace(services.directory.read().domain(name), **changes)
        if not changes:
            raise Refusal(f"Nothing to change: name a setting of {after.name} and its new value.", exit_code=2)
        services.directory.change_domain(after, actor=actor())
    _print(after, as_json=False)
    if "self_service" in changes:
        _tell_self_service(after)


@domain.command("remove")
@click.argument("name", metavar="DOMAIN")
@click.pass_context
def remove(ctx: click.Context, *, name: str) -> None:
    """Remove DOMAIN, which has no open setup links any more."""
    with open_services(settings_from(ctx)) as services:
        services.directory.remove_domain(name, actor=actor())
    click.echo(f"Removed the domain {name}.")


def _changes(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, as the fields of a Domain. Raises InvalidSetting with a suggestion."""
    from provisioner.cli.directorykeys import choice
    from provisioner.organisation import AutodiscoverPolicy, EwsAccess, Kind, Preference, SelfService, SignInUrls

    readers: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "provider": ("provider_id", str),
        "autodiscover": ("autodiscover", lambda value: choice(AutodiscoverPolicy, "autodiscover", value)),
        "account_kinds": (
            "account_kinds",
            lambda value: tuple(choice(Kind, "account_kinds", kind.strip()) for kind in value.split(",")),
        ),
        "smtp_password": ("smtp_password", bool),
        "ews": ("ews", lambda value: choice(EwsAccess, "ews", value)),
        "sign_in_urls": ("sign_in_urls", lambda value: choice(SignInUrls, "sign_in_urls", value)),
        "prefer": ("prefer", lambda value: choice(Preference, "prefer", value)),
        "self_service": ("self_service", lambda value: choice(SelfService, "self_service", value)),
    }
    return {readers[name][0]: readers[name][1](value) for name, value in given.items() if value is not None}


def _named(shown: "Domain") -> dict[str, Any]:
    """The domain under the names that its options have."""
    names = {"organisation_id": "organisation", "provider_id": "provider"}
    return {names.get(name, name): value for name, value in plain(shown).items()}


def _row(shown: "Domain") -> list[str]:
    choices = [shown.prefer.value, shown.self_service.value]
    return [shown.name, shown.organisation_id, shown.provider_id, _kinds(shown), *choices]


def _kinds(shown: "Domain") -> str:
    return ",".join(kind.value for kind in shown.account_kinds)


def _print(shown: "Domain", *, as_json: bool) -> None:
    if as_json:
        print_json(_named(shown))
        return
    fields = _named(shown) | {"account_kinds": _kinds(shown), "smtp_password": "yes" if shown.smtp_password else "no"}
    print_fields({name.replace("_", " "): value for name, value in fields.items()})
