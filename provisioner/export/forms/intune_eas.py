"""Intune's own mail profile for iPhone and iPad, which Microsoft prefers to a custom one: Exchange with OAuth.

``iosEasEmailProfileConfiguration`` (Graph beta alone). Host and encryption are those of the document that it stands
for; the person comes from the directory and from no variable.
"""

import plistlib

from provisioner.export.form import JSON, File, Form, Piece, Share, listed_as, named, one_file_each
from provisioner.export.writing import write_json

_EXCHANGE = named("ios-exchange")


def _write(share: Share, piece: Piece) -> File:
    name, profile = f"intune/native/{share.stem}-{piece.fmt.id}.json", plistlib.loads(piece.content)
    (payload,) = profile["PayloadContent"]
    body = {
        "@odata.type": "#microsoft.graph.iosEasEmailProfileConfiguration",
        "displayName": listed_as(name),
        "description": profile["PayloadDescription"],
        "accountName": payload["PayloadDisplayName"],
        "hostName": payload["Host"],
        "requireSsl": payload["SSL"],
        "useOAuth": payload["OAuth"],
        "authenticationMethod": "usernameAndPassword",  # with OAuth and no certificate; no password is in it
        "emailAddressSource": "primarySmtpAddress",
        "usernameSource": "userPrincipalName",
        "durationOfEmailToSync": "unlimited",
        # Everything, and the person may change it, as with the profile. A set of members: OData JSON 4.01, section 7.1.
        "easServices": "calendars,contacts,email,notes,reminders",
        "easServicesUserOverrideEnabled": True,
        "requireSmime": False,
    }
    return File(name, JSON, write_json(body), piece.content, piece.fmt.id)


FORM = Form(
    id="intune-eas",
    title="the Graph body of Intune's own mail profile for iPhone and iPad: prefer it to a custom profile",
    wraps=_EXCHANGE,
    write=lambda share: one_file_each(share, _EXCHANGE, _write),
    for_person=False,
)
