"""Organisations and domains as a TOML file declares them, for ``apply``, ``export-config`` and ``render --context``.

::

    [[organisation]]
    id = "contoso"
    name = "Contoso"
    support_contact = "help@contoso.example" # optional, as is everything below
    help_text = "Monday to Friday, 8 to 17"
    consent_text = "…"                       # adds a tap
    languages = ["en", "de"]                 # the usual one first; none: all there are
    logo = "contoso.png"                     # a file beside this one, or a data: URL
    accent_colour = "#0b57d0"

    [organisation.help_texts]                # by language; so is consent_texts
    de = "Montag bis Freitag, 8 bis 17 Uhr"

    [organisation.outlook]                   # app configuration keys of Outlook, for an MDM
    "com.microsoft.outlook.Mail.FocusedInbox" = false

    [[domain]]
    name = "contoso.example"
    organisation = "contoso"                 # may be left out where the file has one organisation
    provider = "office365"                   # optional, as is everything below
    autodiscover = "auto"                    # auto, settings or redirect
    account_kinds = ["exchange", "imap"]
    smtp_password = false
    ews = "blocked"                          # blocked or allowed
    sign_in_urls = "auto"                    # auto, always or never
    prefer = "builtin"                       # builtin or outlook
    self_service = "invite"                  # invite or open

A file with one organisation may write ``[organisation]`` with one bracket. A key that is left out has its default. All
mistakes are told at once, an unknown key with a suggestion, as in every file of ours.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from provisioner.cli.directorykeys import DOMAIN_KEYS, Reader, Table, organisation_keys, read_table
from provisioner.directory import Snapshot, id_of
from provisioner.errors import InvalidInput, InvalidSetting, printable, suggestion
from provisioner.organisation import Domain, Organisation

DEFAULT_PROVIDER = "office365"

_TOP = ("organisation", "domain")
_MAX_SHOWN = 100  # characters of a name in a message

_Entry = TypeVar("_Entry", Organisation, Domain)


def read_directory(file: Path) -> Snapshot:
    """What ``file`` declares. Raises InvalidSetting, each of whose lines names the file, and the key that is wrong."""
    try:
        declared = tomllib.loads(file.read_text(encoding="utf-8-sig"))  # editors on Windows put a mark first
    except OSError as failure:
        raise InvalidSetting(f"The file {file} cannot be read: {failure.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidSetting(f"The file {file} is not UTF-8 text.") from None
    except ValueError as failure:  # TOMLDecodeError, or a number with too many digits
        raise InvalidSetting(f"The file {file} is not valid TOML: {failure}.") from None
    except RecursionError:
        raise InvalidSetting(f"The file {file} is nested too deeply to be read.") from None
    with faults_of(file):
        return parse_directory(declared, beside=file.parent)


@contextmanager
def faults_of(file: Path) -> Iterator[None]:
    """Put the file's name before each line of an InvalidInput."""
    try:
        yield
    except InvalidInput as refusal:
        raise InvalidSetting("\n".join(f"{file}: {line}" for line in str(refusal).splitlines())) from None


def parse_directory(declared: Table, *, beside: Path) -> Snapshot:
    """What a file's content declares; pictures are looked for in ``beside``.

    Raises InvalidSetting with a line for each mistake, which names the key.
    """
    faults = [
        f"the file has the unknown key {printable(key)}. {suggestion(key, _TOP)}" for key in declared if key not in _TOP
    ]
    tables = [_tables(declared.get("organisation", []), "organisation", faults, single=True)]
    tables += [_tables(declared.get("domain", []), "domain", faults, single=False)]
    ids = [table.get("id") for table in tables[0]]
    keys = organisation_keys(beside)
    organisations = _read_each(tables[0], "organisation", "id", lambda table: _organisation(table, keys), faults)
    domains = _read_each(tables[1], "domain", "name", lambda table: _domain(table, ids), faults)
    if faults:
        raise InvalidSetting("\n".join(faults))
    return Snapshot(organisations=organisations, domains=domains)


def _tables(value: object, name: str, faults: list[str], *, single: bool) -> list[Table]:
    if single and isinstance(value, dict):
        return [value]
    if isinstance(value, list) and all(isinstance(table, dict) for table in value):
        return value
    faults.append(f"{name}: a table [[{name}]] was expected, with two brackets on each side.")
    return []


def _read_each(
    tables: list[Table], what: str, key: str, read: Callable[[Table], _Entry], faults: list[str]
) -> dict[str, _Entry]:
    """Every entry that can be read, by its id or name; a line in ``faults`` for each mistake in the others."""
    entries: dict[str, _Entry] = {}
    for number, table in enumerate(tables, 1):
        where = _where(what, table.get(key), number)
        try:
            entry = read(table)
        except InvalidInput as refusal:
            faults.extend(f"{where}: {line}" for line in str(refusal).splitlines())
            continue
        if id_of(entry) in entries:
            faults.append(f"{where} is declared twice; keep one of them.")
        entries[id_of(entry)] = entry
    return entries


def _where(what: str, name: object, number: int) -> str:
    """``[[domain]] contoso.example``, or its number where that is no name one can print."""
    if isinstance(name, str) and name.isprintable() and 0 < len(name) <= _MAX_SHOWN:
        return f"[[{what}]] {name}"
    return f"[[{what}]] number {number}"


def _organisation(table: Table, keys: Mapping[str, Reader]) -> Organisation:
    from provisioner.catalogue import check_app_settings

    organisation = Organisation(**read_table(table, keys, needed=("id", "name")))
    check_app_settings(organisation)
    return organisation


def _domain(table: Table, organisation_ids: list[object]) -> Domain:
    fields = read_table(table, DOMAIN_KEYS, needed=("name",))
    given = fields.pop("organisation", "")
    provider_id = fields.pop("provider", "") or DEFAULT_PROVIDER
    return Domain(organisation_id=_owner(given, organisation_ids), provider_id=provider_id, **fields)


def _owner(given: str, declared: list[object]) -> str:
    """The id of the organisation that a domain belongs to. Raises InvalidSetting where the file does not tell."""
    ids = [each for each in declared if isinstance(each, str)]
    if given in ids:
        return given
    if given:
        raise InvalidSetting(
            f"organisation: this file declares no organisation {printable(given)}. {suggestion(given, ids)}"
        )
    if len(declared) == 1:
        return ids[0] if ids else ""
    if not declared:
        raise InvalidSetting("the file declares no [organisation] that this domain could belong to.")
    raise InvalidSetting(f"organisation: this file declares {len(declared)}; name the one this domain belongs to.")
