"""MicroMDM's API: a command for each device that installs the profile.

MicroMDM's user guide, "API and webhooks": JSON with the device, the kind of command and the profile as base64. A device
replaces an installed profile that has the same PayloadIdentifier, so pushing again updates, and a command that came
twice does the same as one.
"""

from base64 import b64encode
from collections.abc import Sequence
from functools import partial

from provisioner.mdm import PushApi
from provisioner.push.calls import Call, Connection, Item, Language, Options, Outcome, call_to, with_json
from provisioner.push.exported import ExportedFile


def _items(api: PushApi, files: Sequence[ExportedFile], options: Options) -> Sequence[Item]:
    return [_item(api, file, options.devices) for file in files]


def _item(api: PushApi, file: ExportedFile, devices: Sequence[str]) -> Item:
    command = {api.fields["kind"]: "InstallProfile", api.fields["content"]: b64encode(file.content).decode()}
    calls = [with_json(call_to(api.calls["send"]), {**command, api.fields["device"]: device}) for device in devices]
    return Item(file.name, calls, partial(_deliver, calls=calls))


def _deliver(connection: Connection, *, calls: Sequence[Call]) -> Outcome:
    for call in calls:
        connection.send(call)
    return Outcome.SENT


LANGUAGE = Language(
    calls=frozenset({"send"}),
    fields=frozenset({"device", "kind", "content"}),
    wants=lambda name: name.endswith(".mobileconfig"),
    items=_items,
    for_devices=True,
)
