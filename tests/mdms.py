"""Reads an export as each MDM would: out of its wrapping, with the person filled in by the MDM's own rules.

The rules are those of docs/mdm.md's sources, written anew here: what they find has to be in the files as it is.
"""

import json
import plistlib
import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring
from xml.sax.saxutils import escape

from provisioner.model import Account

Fill = Callable[[bytes], bytes]


def _by_pattern(pattern: str, values: Mapping[str, str], *, unresolved: str | None = None) -> Fill:
    """Replaces what the pattern finds; a variable that is not known stays as it is, or becomes ``unresolved``."""

    def fill(content: bytes) -> bytes:
        def value(match: re.Match[str]) -> str:
            return values.get(match[0], match[0] if unresolved is None else unresolved)

        return re.sub(pattern, value, content.decode()).encode()

    return fill


def _fleet(person: Account) -> Fill:
    """Fleet escapes each value for XML, and a profile with a variable that it does not know fails."""
    values = {
        "$FLEET_VAR_HOST_END_USER_IDP_USERNAME": person.address,
        "$FLEET_VAR_HOST_END_USER_IDP_FULL_NAME": person.display_name,
    }

    def fill(content: bytes) -> bytes:
        return re.sub(r"\$[A-Z_]+", lambda match: escape(values[match[0]]), content.decode()).encode()

    return fill


def _zentral(person: Account) -> Fill:
    """Zentral replaces plain text in every text of the parsed property list, the longer name first."""
    values = {
        "$REALM_USER.EMAIL_PREFIX": person.address.partition("@")[0],
        "$REALM_USER.EMAIL": person.address,
        "$REALM_USER.USERNAME": person.username,
        "$REALM_USER.FULL_NAME": person.display_name,
    }

    def replaced(value: Any) -> Any:
        if isinstance(value, str):
            for name, text in values.items():
                value = value.replace(name, text)
            return value
        if isinstance(value, dict):
            return {key: replaced(part) for key, part in value.items()}
        return [replaced(part) for part in value] if isinstance(value, list) else value

    def fill(content: bytes) -> bytes:
        if content.startswith(b"<?xml"):
            return plistlib.dumps(replaced(plistlib.loads(content)))
        if content.startswith(b"<dict>"):  # the configuration of an app
            return plistlib.dumps(replaced(plistlib.loads(_whole(content))))
        return json.dumps(replaced(json.loads(content))).encode()

    return fill


def filler(mdm_id: str, person: Account) -> Fill:
    """How this MDM fills ``person`` in on one device."""
    address, username, name = person.address, person.username, person.display_name
    dollars = r"\$\{[A-Za-z.]+\}"
    percents = r"%[A-Za-z]+%"
    fillers: dict[str, Fill] = {
        "intune": _by_pattern(
            r"\{\{[A-Za-z]+\}\}", {"{{mail}}": address, "{{userprincipalname}}": username, "{{username}}": name}
        ),
        "jamf-pro": _by_pattern(r"\$[A-Z]+", {"$EMAIL": address, "$USERNAME": username, "$FULLNAME": name}),
        "jamf-school": _by_pattern(percents, {"%Email%": address, "%Username%": "anna", "%FullName%": name}),
        "workspace-one": _by_pattern(r"\{[A-Za-z]+\}", {"{EmailAddress}": address, "{EnrollmentUser}": "anna"}),
        "iru": _by_pattern(r"\$[A-Z_]+", {"$EMAIL": address, "$USERNAME": username, "$FULL_NAME": name}),
        "mosyle": _by_pattern(percents, {"%Email%": address, "%UserId%": username, "%FullName%": name}),
        "addigy": _by_pattern(
            r'\{\{\.User "[a-z_]+"\}\}',
            {'{{.User "emails_primary"}}': address, '{{.User "user_name"}}': username},
            unresolved="",
        ),
        "fleet": _fleet(person),
        "zentral": _zentral(person),
        "sophos": _by_pattern(r"%_[A-Z]+_%", {"%_EMAILADDRESS_%": address, "%_USERNAME_%": username}),
        "citrix": _by_pattern(dollars, {"${user.mail}": address, "${user.userprincipalname}": username}),
        "manageengine": _by_pattern(percents, {"%email%": address, "%upn%": username, "%username%": "anna"}),
        "ivanti": _by_pattern(dollars, {"${userEmailAddress}": address}),
        "maas360": _by_pattern(percents, {"%email%": address, "%upn%": username}),
        "generic": _by_pattern(r"\[\[[a-z]+\]\]", {"[[mail]]": address, "[[upn]]": username}),
    }
    return fillers[mdm_id]


def unwrapped(name: str, content: bytes) -> bytes:
    """The document inside one of the set's files, as the MDM takes it out."""
    folder = name.partition("/")[0]
    if folder == "jamf":
        payloads = fromstring(content).findtext("general/payloads")
        assert payloads is not None
        return payloads.encode()
    if folder == "commands":
        command = plistlib.loads(content)["Command"]
        assert "InstallProfile" == command["RequestType"]
        return bytes(command["Payload"])
    if name.endswith(".json") and folder in {"intune", "micromdm", "zentral", "apple-business", "policies"}:
        return _out_of_json(json.loads(content))
    if name.startswith("apps/android/") and {"managedConfiguration"} == json.loads(content).keys():
        return json.dumps(json.loads(content)["managedConfiguration"]).encode()
    return content


def _out_of_json(body: dict[str, Any]) -> bytes:
    for key in ("payload", "source", "encodedSettingXml", "payloadJson"):
        if key in body:
            return b64decode(body[key], validate=True)
    if "data" in body:
        text = body["data"]["attributes"]["customSettingsValues"]["configurationProfile"]
        assert isinstance(text, str)
        return text.encode()
    (application,) = body["applications"]
    return json.dumps(application["managedConfiguration"]).encode()


# What no setting is: identifiers differ between a person and everybody of a domain, and with them what names them.
_IDENTITY = {
    "PayloadIdentifier",
    "PayloadUUID",
    "Identifier",
    "ServerToken",
    "UserIdentityAssetReference",
    "StandardConfigurations",
}


def settings(content: bytes, *, everything: bool = False) -> Any:
    """Every setting of a document, whatever it is written in; with what names the document only on request."""
    if content.lstrip().startswith((b"{", b"[")):
        found = json.loads(content)
    else:
        found = plistlib.loads(content if b"<plist" in content else _whole(content))
    return found if everything else _without_identity(found)


def _whole(dictionary: bytes) -> bytes:
    assert "dict" == fromstring(dictionary).tag
    return b'<plist version="1.0">' + dictionary + b"</plist>"


# What an MDM's list tells the profiles of domains, people and devices apart by.
_FOR_WHOM = re.compile(r" \([^()\s]+, (iPhone and iPad|Mac)\)$")


def _without_identity(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_identity(_named(key, part)) for key, part in value.items() if key not in _IDENTITY}
    return [_without_identity(part) for part in value] if isinstance(value, list) else value


def _named(key: str, value: Any) -> Any:
    return _FOR_WHOM.sub("", value) if key == "PayloadDisplayName" else value


# The checker applies this rule of the Mac's channels to every device; an MDM wants System for a phone's mail too.
OF_MACS = "RUL-SCOPE"


def judged(
    checker: Path, files: Sequence[Path], *, platform: str, more: Sequence[str] = ()
) -> list[tuple[str, str, str]]:
    """What the checker finds wrong: file, code and words."""
    judge = [
        sys.executable,
        str(checker),
        *map(str, files),
        *more,
        "--channel",
        "mdm",
        "--platform",
        platform,
        "--json",
    ]
    answer = subprocess.run(judge, capture_output=True, text=True, check=False)
    reports = json.loads(answer.stdout)
    assert len(files) == len(reports)
    return [
        (Path(report["file"]).name, issue["code"], issue["message"])
        for report in reports
        for issue in report["issues"]
        if issue["severity"] == "ERROR"
    ]
