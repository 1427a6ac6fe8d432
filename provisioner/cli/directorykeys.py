"""The keys that an organisation and a domain have in a file, and how the value of each is read."""

import base64
import binascii
import stat
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from provisioner.errors import InvalidInput, InvalidSetting, printable, suggestion
from provisioner.organisation import (
    AutodiscoverPolicy,
    EwsAccess,
    Kind,
    Logo,
    Preference,
    SelfService,
    SignInUrls,
)

Table = Mapping[str, object]
Reader = Callable[[str, Any], Any]  # of a key and its value; raises InvalidInput, naming the key

_Choice = TypeVar("_Choice", bound=Enum)

_MAX_PICTURE = 1024 * 1024  # octets looked at; a logo is far smaller, and says so itself


def read_table(table: Table, readers: Mapping[str, Reader], *, needed: Iterable[str]) -> dict[str, Any]:
    """What stands in ``table``, each key read. Raises InvalidSetting with a line for each mistake."""
    fields: dict[str, Any] = {}
    faults = [f"{key}: a text in quotation marks was expected, and it is needed." for key in needed if key not in table]
    for key, value in table.items():
        if key not in readers:
            faults.append(f"unknown key {printable(key)}. {suggestion(key, readers)}")
            continue
        try:
            fields[key] = readers[key](key, value)
        except InvalidInput as refusal:
            faults.append(str(refusal))
    if faults:
        raise InvalidSetting("\n".join(faults))
    return fields


def choice(kind: type[_Choice], key: str, value: object) -> _Choice:
    """The member of ``kind`` that is spelled ``value``. Raises InvalidSetting with a suggestion."""
    spelled = _text(key, value)
    try:
        return kind(spelled)
    except ValueError:
        known = [str(member.value) for member in kind]
        raise InvalidSetting(f"{key}: unknown value {printable(spelled)}. {suggestion(spelled, known)}") from None


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidSetting(f"{key}: a text in quotation marks was expected.")
    return value


def _flag(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidSetting(f"{key}: true or false was expected.")
    return value


def _languages(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise InvalidSetting(f'{key}: a list such as ["en", "de"] was expected.')
    return tuple(value)


def _texts(key: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise InvalidSetting(f'{key}: a table by language was expected, such as {key} = {{ de = "…" }}.')
    return {tag: _text(f"{key}.{tag}", text) for tag, text in value.items()}


def _app_settings(key: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise InvalidSetting(f"{key}: a table of app configuration keys was expected.")
    for name, setting in value.items():
        if not isinstance(setting, (str, bool, int)):
            raise InvalidSetting(
                f"{key}: {printable(name)}: a text, true or false, or a whole number was expected. A key with dots "
                "stands in quotation marks."
            )
    return value


def _kinds(key: str, value: object) -> tuple[Kind, ...]:
    if not isinstance(value, list):
        raise InvalidSetting(f'{key}: a list such as ["exchange", "imap"] was expected.')
    return tuple(choice(Kind, key, kind) for kind in value)


def _one_of(kind: type[Enum]) -> Reader:
    return lambda key, value: choice(kind, key, value)


def organisation_keys(beside: Path) -> Mapping[str, Reader]:
    """The keys of an organisation; a logo's file is looked for in ``beside``."""
    return {
        "id": _text,
        "name": _text,
        "support_contact": _text,
        "help_text": _text,
        "help_texts": _texts,
        "consent_text": _text,
        "consent_texts": _texts,
        "languages": _languages,
        "logo": lambda key, value: _logo(key, _text(key, value), beside),
        "accent_colour": _text,
        "outlook": _app_settings,
    }


DOMAIN_KEYS: Mapping[str, Reader] = {
    "name": _text,
    "organisation": _text,
    "provider": _text,
    "autodiscover": _one_of(AutodiscoverPolicy),
    "account_kinds": _kinds,
    "smtp_password": _flag,
    "ews": _one_of(EwsAccess),
    "sign_in_urls": _one_of(SignInUrls),
    "prefer": _one_of(Preference),
    "self_service": _one_of(SelfService),
}


def _logo(key: str, value: str, beside: Path) -> Logo | None:
    """The picture in a file or a data: URL; none where the text is empty."""
    if not value:
        return None
    try:
        return _logo_in(value) if value.startswith("data:") else read_logo(beside / value)
    except InvalidSetting as refusal:
        raise InvalidSetting(f"{key}: {refusal}") from None


def _logo_in(url: str) -> Logo:
    """The picture in a data: URL (RFC 2397)."""
    head, _, content = url.partition(",")
    try:
        logo = Logo(base64.b64decode(content, validate=True))
    except binascii.Error:
        raise InvalidSetting("what follows the comma of the data: URL is no base64.") from None
    if head != f"data:{logo.media_type};base64":
        raise InvalidSetting(f"the data: URL begins with {printable(head)}, its picture is {logo.media_type}.")
    return logo


def url_of(logo: Logo) -> str:
    """The picture as a data: URL (RFC 2397)."""
    return f"data:{logo.media_type};base64,{base64.b64encode(logo.content).decode('ascii')}"


def read_logo(file: Path) -> Logo:
    """The picture in ``file``. Raises InvalidSetting."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise InvalidSetting(f"{file} is no file.")
        with file.open("rb") as opened:
            return Logo(opened.read(_MAX_PICTURE))
    except OSError as failure:
        raise InvalidSetting(f"The file {file} cannot be read: {failure.strerror}.") from None
    except ValueError:  # of the path: it holds a NUL
        raise InvalidSetting(f"{printable(str(file))} is no name of a file.") from None
