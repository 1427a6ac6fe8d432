"""NanoMDM's API: a command that installs the profile, queued for the enrolments that are named.

NanoMDM's operations guide ("Enqueue") and docs/openapi.yaml: the command as a property list; the answer names for each
enrolment what went wrong, also where all failed (500). A device replaces an installed profile that has the same
PayloadIdentifier, so pushing again updates.
"""

import plistlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from provisioner.errors import InvalidInput, PushFailed, PushUnclear, printable
from provisioner.mdm import PushApi
from provisioner.push.calls import LOOK_UPS, Answer, Call, Connection, Item, Language, Options, Outcome
from provisioner.push.exported import ExportedFile, not_as_exported, plist_in

_PLIST = "text/plain"  # as openapi.yaml has it
_INSTALL = "InstallProfile"  # RequestType
_ALL_FAILED = 500


def _items(api: PushApi, files: Sequence[ExportedFile], options: Options) -> Sequence[Item]:
    devices = _checked(options.devices)
    return [_item(api, file, devices, options) for file in files]


def _checked(devices: Sequence[str]) -> str:
    """The enrolment ids as the path has them. Raises InvalidInput for one that would be read as two."""
    if any("," in each for each in devices):
        raise InvalidInput("A device's id holds no comma. Give --device once for each.")
    return ",".join(quote(each, safe="") for each in devices)


def _item(api: PushApi, file: ExportedFile, devices: str, options: Options) -> Item:
    profile = _profile_in(file)
    endpoint = api.calls["send"]

    def call() -> Call:
        """NanoMDM takes each CommandUUID once, so that every attempt is a command of its own."""
        command = {"RequestType": _INSTALL, "Payload": profile}
        body = plistlib.dumps({"Command": command, "CommandUUID": str(options.new_uuid())})
        return Call(
            method=endpoint.method,
            path=endpoint.path.replace("{devices}", devices),
            body=body,
            media_type=_PLIST,
            repeatable=False,
            tells=frozenset({_ALL_FAILED}),
        )

    return Item(file.name, (call(),), partial(_deliver, api=api, call=call))


def _profile_in(file: ExportedFile) -> bytes:
    """The profile that the command installs. Raises InvalidInput for any other command, such as one that erases."""
    command = plist_in(file, "Command")["Command"]
    profile = command.get("Payload") if isinstance(command, dict) and command.get("RequestType") == _INSTALL else None
    if not isinstance(profile, bytes):
        raise not_as_exported(file)
    return profile


def _deliver(connection: Connection, *, api: PushApi, call: Callable[[], Call]) -> Outcome:
    for attempt in range(1, LOOK_UPS + 1):
        try:
            failures = list(_failures(api, connection.send(call())))
        except PushUnclear:
            if attempt == LOOK_UPS:
                raise
            connection.wait(attempt)
        else:
            break
    if failures:
        raise PushFailed(f"NanoMDM could not queue the command, or not tell the device of it: {'; '.join(failures)}.")
    return Outcome.SENT


def _failures(api: PushApi, answer: Answer) -> Iterator[str]:
    """What went wrong, by enrolment. Raises PushUnclear for a 500 that names nothing: the command was not read."""
    devices = api.fields["devices"]
    reasons = (api.fields["command_error"], api.fields["push_error"])
    told = _told(answer, devices)
    if not told.keys() & {devices, *reasons}:
        raise PushUnclear("NanoMDM did not say what it has done with the command.")
    for device, status in [("all devices", told), *(told.get(devices) or {}).items()]:
        for reason in reasons:
            if status.get(reason):
                yield f"{device.partition(':')[0]}: {printable(str(status[reason]), 120)}"  # without its user


def _told(answer: Answer, devices: str) -> dict[str, Any]:
    try:
        told = answer.json()
    except PushFailed:
        if answer.status == _ALL_FAILED:  # of a proxy before it, or before the command was read
            return {}
        raise
    by_device = (told.get(devices) or {}) if isinstance(told, dict) else None
    if not isinstance(by_device, dict) or not all(isinstance(status, dict) for status in by_device.values()):
        raise PushFailed("The answer is not as NanoMDM documents it. Is this the URL of NanoMDM?")
    assert isinstance(told, dict)
    return told


LANGUAGE = Language(
    calls=frozenset({"send"}),
    fields=frozenset({"devices", "command_error", "push_error"}),
    wants=lambda name: name.endswith(".plist"),
    items=_items,
    for_devices=True,
)
