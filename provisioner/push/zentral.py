"""Zentral's API: each profile is a version of an artifact that is found by its name; the same content makes no new one.

Zentral's MDM API (zentral/contrib/mdm: api_views, serializers, and their tests). Who gets an artifact is decided by the
blueprints that it stands in, and not here.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from provisioner.errors import PushFailed, PushUnclear
from provisioner.export import listed_as
from provisioner.mdm import PushApi
from provisioner.push.calls import LOOK_UPS, Call, Connection, Item, Language, Options, Outcome, call_to, with_json
from provisioner.push.exported import ExportedFile, not_as_exported, plist_in

_TYPE = "Profile"
_CHANNEL = {"System": "Device", "User": "User"}  # PayloadScope -> Artifact.channel
# TargetDeviceType -> Artifact.platforms; a version has them as members in lower case.
_PLATFORMS = {1: ("iOS", "iPadOS"), 5: ("macOS",)}


def _items(api: PushApi, files: Sequence[ExportedFile], _: Options) -> Sequence[Item]:
    return [_item(api, file) for file in files]


def _item(api: PushApi, file: ExportedFile) -> Item:
    profile = plist_in(file, "PayloadScope", "TargetDeviceType")
    name, scope, platforms = listed_as(file.name), profile["PayloadScope"], _PLATFORMS.get(profile["TargetDeviceType"])
    if scope not in _CHANNEL or platforms is None:
        raise not_as_exported(file)
    artifact = {
        api.fields["name"]: name,
        "type": _TYPE,
        "channel": _CHANNEL[scope],
        "platforms": list(platforms),
    }
    create = with_json(call_to(api.calls["create"], repeatable=False), artifact)
    version = {
        api.fields["content"]: b64encode(file.content).decode(),
        **{platform.lower(): True for platform in platforms},
    }
    return Item(
        name=file.name,
        rehearsal=(
            _search(api, name),
            f"Where no artifact is called {name}:",
            create,
            call_to(api.calls["versions"]),
            "Where its newest version is another profile, or there is none:",
            _publish(api, version, "ITS-ID", 1),
        ),
        deliver=partial(_deliver, api=api, name=name, create=create, version=version),
    )


def _search(api: PushApi, name: str) -> Call:
    return call_to(api.calls["find"], parts={"name": name})


def _publish(api: PushApi, version: Mapping[str, object], artifact_id: str, number: int) -> Call:
    numbered = {**version, api.fields["artifact"]: artifact_id, api.fields["version"]: number}
    return with_json(call_to(api.calls["publish"], repeatable=False), numbered)


def _deliver(
    connection: Connection, *, api: PushApi, name: str, create: Call, version: Mapping[str, object]
) -> Outcome:
    """Each round looks at what is there, so that a lost answer makes neither a second artifact nor a second version."""
    sent: Outcome | None = None
    for attempt in range(1, LOOK_UPS + 1):
        try:
            artifact_id = _artifact_id(connection, api, name, create)
            number, content = _newest(connection, api, artifact_id)
            if content == version[api.fields["content"]]:
                return sent or Outcome.UNCHANGED
            sent = Outcome.UPDATED if number else Outcome.CREATED
            connection.send(_publish(api, version, artifact_id, number + 1))
        except PushUnclear:
            if attempt == LOOK_UPS:
                raise
            connection.wait(attempt)
        else:
            return sent
    raise AssertionError  # the last round returns or raises


def _artifact_id(connection: Connection, api: PushApi, name: str, create: Call) -> str:
    for each in _list(connection, _search(api, name)):
        if each.get(api.fields["name"]) == name:
            if each.get("type") != _TYPE:
                raise PushFailed(f"There is an artifact called {name} that is no profile. Rename it, and push again.")
            return _id_of(each, api)
    made = connection.send(create).json()
    return _id_of(made, api)


def _id_of(artifact: object, api: PushApi) -> str:
    if not isinstance(artifact, dict) or api.fields["id"] not in artifact:
        raise _strange()
    return str(artifact[api.fields["id"]])


def _newest(connection: Connection, api: PushApi, artifact_id: str) -> tuple[int, str]:
    """The newest version's number and content; 0 where there is none."""
    fields = api.fields
    versions = _list(connection, call_to(api.calls["versions"]))
    try:
        mine = [each for each in versions if each[fields["artifact"]] == artifact_id]
        return max(((int(each[fields["version"]]), str(each[fields["content"]])) for each in mine), default=(0, ""))
    except (KeyError, TypeError, ValueError):
        raise _strange() from None


def _list(connection: Connection, call: Call) -> list[dict[str, Any]]:
    answer = connection.send(call).json()
    if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
        raise _strange()
    return answer


def _strange() -> PushFailed:
    return PushFailed("The answer is not as Zentral documents it. Is this the URL of Zentral?")


LANGUAGE = Language(
    calls=frozenset({"find", "create", "versions", "publish"}),
    fields=frozenset({"id", "name", "artifact", "content", "version"}),
    wants=lambda name: name.endswith(".mobileconfig"),
    items=_items,
)
