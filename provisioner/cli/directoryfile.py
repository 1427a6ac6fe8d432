"""Organisation and domains as a TOML file declares them: what ``render --context`` reads.

::

    [organisation]
    id = "contoso"
    name = "Contoso"
    support_contact = "help@contoso.com"     # optional
    consent_text = "…"                       # optional, adds a tap

    [[domain]]
    name = "contoso.com"
    provider = "office365"                   # optional, as is everything below
    autodiscover = "auto"                    # auto, settings or redirect
    account_kinds = ["exchange", "imap"]
    smtp_password = false
    ews = "blocked"                          # blocked or allowed
    sign_in_urls = "auto"                    # auto, always or never

An unknown key is refused with a suggestion, as in every file of ours.
"""

import tomllib
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TypeVar

from provisioner.directory import Snapshot
from provisioner.errors import InvalidInput, InvalidSetting, printable, suggestion
from provisioner.organisation import AutodiscoverPolicy, Domain, EwsAccess, Kind, Organisation, SignInUrls

DEFAULT_PROVIDER = "office365"

_ORGANISATION = ("id", "name", "support_contact", "consent_text")
_DOMAIN = ("name", "provider", "autodiscover", "account_kinds", "smtp_password", "ews", "sign_in_urls")

_Choice = TypeVar("_Choice", bound=Enum)
_Table = Mapping[str, object]


def read_directory(file: Path) -> Snapshot:
    """The organisation and domains that ``file`` declares. Raises InvalidSetting naming the file and the key."""
    try:
        declared = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as failure:
        raise InvalidSetting(f"The file {file} cannot be read: {failure.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidSetting(f"The file {file} is not UTF-8 text.") from None
    except tomllib.TOMLDecodeError as failure:
        raise InvalidSetting(f"The file {file} is not valid TOML: {failure}.") from None
    except RecursionError:
        raise InvalidSetting(f"The file {file} is nested too deeply to be read.") from None
    try:
        return parse_directory(declared)
    except InvalidInput as refusal:
        raise InvalidSetting(f"{file}: {refusal}") from None


def parse_directory(declared: _Table) -> Snapshot:
    """The organisation and domains of a file's content. Raises InvalidInput naming the key."""
    _only(declared, ("organisation", "domain"), "the file")
    organisation = _organisation(_table(declared.get("organisation"), "[organisation]"))
    domains = declared.get("domain")
    if not isinstance(domains, list) or not domains:
        raise InvalidSetting("at least one [[domain]] was expected, with two brackets on each side.")
    read = [_domain(_table(table, "[[domain]]"), organisation) for table in domains]
    if len({domain.name for domain in read}) != len(read):
        raise InvalidSetting("a domain is declared twice; keep one of them.")
    return Snapshot(organisations={organisation.id: organisation}, domains={domain.name: domain for domain in read})


def _organisation(table: _Table) -> Organisation:
    _only(table, _ORGANISATION, "[organisation]")
    return Organisation(
        id=_text(table, "id", required=True),
        name=_text(table, "name", required=True),
        support_contact=_text(table, "support_contact"),
        consent_text=_text(table, "consent_text"),
    )


def _domain(table: _Table, organisation: Organisation) -> Domain:
    _only(table, _DOMAIN, "[[domain]]")
    kinds = table.get("account_kinds", ["exchange"])
    if not isinstance(kinds, list):
        raise InvalidSetting('account_kinds: a list such as ["exchange", "imap"] was expected.')
    smtp_password = table.get("smtp_password", False)
    if not isinstance(smtp_password, bool):
        raise InvalidSetting("smtp_password: true or false was expected.")
    return Domain(
        name=_text(table, "name", required=True),
        organisation_id=organisation.id,
        provider_id=_text(table, "provider") or DEFAULT_PROVIDER,
        autodiscover=choice(AutodiscoverPolicy, "autodiscover", table.get("autodiscover", "auto")),
        account_kinds=tuple(choice(Kind, "account_kinds", kind) for kind in kinds),
        smtp_password=smtp_password,
        ews=choice(EwsAccess, "ews", table.get("ews", "blocked")),
        sign_in_urls=choice(SignInUrls, "sign_in_urls", table.get("sign_in_urls", "auto")),
    )


def choice(kind: type[_Choice], key: str, value: object) -> _Choice:
    """The member of ``kind`` that is spelled ``value``. Raises InvalidSetting with a suggestion."""
    try:
        return kind(value)
    except ValueError:
        known = [str(member.value) for member in kind]
        raise InvalidSetting(f"{key}: unknown value {printable(str(value))}. {suggestion(str(value), known)}") from None


def _table(value: object, what: str) -> _Table:
    if not isinstance(value, dict):
        raise InvalidSetting(f"the table {what} is missing.")
    return value


def _only(table: _Table, known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise InvalidSetting(f"{where} has the unknown key {printable(key)}. {suggestion(key, known)}")


def _text(table: _Table, key: str, *, required: bool = False) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or (required and not value):
        raise InvalidSetting(
            f"{key}: a text in quotation marks was expected{', and it is needed' if required else ''}."
        )
    return value
