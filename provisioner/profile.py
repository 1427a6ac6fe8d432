"""An Apple configuration profile: the envelope that every payload for iPhone, iPad and Mac travels in.

Keys: Apple device-management schema, mdm/profiles/TopLevel.yaml and CommonPayloadKeys.yaml. A device replaces a
profile that has the same PayloadIdentifier and updates a payload that has the same identifier and UUID, so both are
derived from the format and the mailbox alone: whatever way a profile reaches a phone, it updates and never doubles.
Where an MDM's list would have the same profile for phone and Mac, the kind of device is told too.
"""

import plistlib
from collections.abc import Mapping
from enum import Enum
from uuid import UUID, uuid5

from provisioner.format import Context, Platform, Variables
from provisioner.model import Account, MailServer, Protocol, RetiringWebService
from provisioner.organisation import Organisation

MEDIA_TYPE = "application/x-apple-aspen-config"
SUFFIX = "mobileconfig"
MAIL_PAYLOAD = "com.apple.mail.managed"

# Fixed for ever: another value would make every installed profile a second one.
_NAMESPACE = UUID("6f0b7a52-2f5c-5d0e-9a59-3f2f9c1d7e46")

_EMAIL_ACCOUNT_TYPE = {Protocol.IMAP: "EmailTypeIMAP", Protocol.POP3: "EmailTypePOP"}

Value = str | int | bool | bytes | list["Value"] | dict[str, "Value"]


class TargetDevice(Enum):
    """TopLevel.TargetDeviceType; naming it spares iOS's question which device the profile is for."""

    IPHONE_AND_IPAD = 1
    MAC = 5


_TARGETS = {
    Platform.IPHONE: TargetDevice.IPHONE_AND_IPAD,
    Platform.IPAD: TargetDevice.IPHONE_AND_IPAD,
    Platform.MAC: TargetDevice.MAC,
}
_NAMES = {TargetDevice.IPHONE_AND_IPAD: "iPhone and iPad", TargetDevice.MAC: "Mac"}


def profile_uuid(format_id: str, account: Account | Variables) -> UUID:
    """The UUID that stands for one mailbox in one format, always the same (UUIDv5, RFC 9562 section 5.5)."""
    return uuid5(_NAMESPACE, f"{format_id}/{account.key}")


def part_uuid(format_id: str, account: Account | Variables, part: str) -> UUID:
    """The UUID of a named part (a payload, a declaration) inside that profile."""
    return uuid5(profile_uuid(format_id, account), part)


def render_profile(
    *,
    format_id: str,
    account: Account | Variables,
    context: Context,
    payload_type: str,
    settings: Mapping[str, Value],
    description: str,
    target: TargetDevice | None,
) -> bytes:
    """The unsigned profile with its one payload as an XML property list with sorted keys, in UTF-8.

    ``context`` supplies the texts ``title`` and ``account``; ``target`` is None for a profile that serves both iPhone
    and Mac. What an MDM installs is for one of them, and has the scope that the MDM wants there.
    """
    installation, title = context.for_mdm, context.text("title")
    if installation is not None:
        serves_both, target = target is None, _TARGETS[installation.platform]
        # An MDM's list has those of all domains, people and devices, and tells them apart by name and identifier.
        whom = account.domain if isinstance(account, Variables) else account.address
        title = f"{title} ({whom}, {_NAMES[target]})"
        format_id = f"{format_id}-{installation.platform.value}" if serves_both else format_id
    identifier = f"provisioner.{format_id}.{profile_uuid(format_id, account)}"
    payload: dict[str, Value] = {
        **settings,
        "PayloadType": payload_type,
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{identifier}.account",
        "PayloadUUID": str(part_uuid(format_id, account, "account")).upper(),
        "PayloadDisplayName": context.text("account"),
        "PayloadOrganization": context.organisation.name,
    }
    profile: dict[str, Value] = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier,
        "PayloadUUID": str(profile_uuid(format_id, account)).upper(),
        "PayloadDisplayName": title,
        "PayloadDescription": description,
        "PayloadOrganization": context.organisation.name,
        "PayloadScope": installation.scope if installation is not None else "User",
        "PayloadContent": [payload],
    }
    if target is not None:
        profile["TargetDeviceType"] = target.value
    if consent := _consent(context.organisation):
        profile["ConsentText"] = consent
    return plistlib.dumps(profile, fmt=plistlib.FMT_XML, sort_keys=True)


def _consent(organisation: Organisation) -> dict[str, Value]:
    """TopLevel.ConsentText: what the person agrees to, by language."""
    consent: dict[str, Value] = dict(organisation.consent_texts)
    return consent | {"default": organisation.consent_text} if organisation.consent_text else consent


def mail_settings(
    account: Account | Variables, context: Context, *, incoming: MailServer, submission: MailServer
) -> dict[str, Value]:
    """The settings of a com.apple.mail.managed payload (Apple's schema, com.apple.mail.managed.yaml).

    UseSSL is its only switch for encryption: true means TLS, and the port decides whether from the first byte (993,
    995) or by STARTTLS (587). Its sign-in methods are all passwords; there is no value for OAuth and no password here.
    """
    return {
        "EmailAccountType": _EMAIL_ACCOUNT_TYPE[incoming.protocol],
        "EmailAccountName": account.shown_name,
        "EmailAccountDescription": context.text("account"),
        "EmailAddress": account.address,
        "IncomingMailServerHostName": incoming.hostname,
        "IncomingMailServerPortNumber": incoming.port,
        "IncomingMailServerUseSSL": True,
        "IncomingMailServerAuthentication": "EmailAuthPassword",
        "IncomingMailServerUsername": account.username,
        "OutgoingMailServerHostName": submission.hostname,
        "OutgoingMailServerPortNumber": submission.port,
        "OutgoingMailServerUseSSL": True,
        "OutgoingMailServerAuthentication": "EmailAuthPassword",
        "OutgoingMailServerUsername": account.username,
        "OutgoingPasswordSameAsIncomingPassword": True,
    }


def ews_ending(ews: RetiringWebService, context: Context) -> str:
    """The days on which Exchange Web Services is blocked and ends, said by the format's text ``ews_ending``."""
    return context.text("ews_ending", blocked_since=ews.blocked_since.isoformat(), ends=ews.ends.isoformat())
