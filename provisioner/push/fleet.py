"""Fleet's API: each profile is a custom OS setting, found again by its PayloadIdentifier and then changed in place.

Fleet's REST API, "OS settings" (a multipart form with the file; the list comes a page at a time), and Fleet's release
notes for changing one in place. Only profiles: of declarations and Android settings the list is not documented to show
a name that the file has, so they would be made twice.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import PurePosixPath

from urllib3.filepost import encode_multipart_formdata

from provisioner.errors import PushFailed
from provisioner.mdm import PushApi
from provisioner.push.calls import MOST_PAGES, Call, Connection, Item, Language, Options, call_to, create_or_update
from provisioner.push.exported import ExportedFile, not_as_exported, plist_in

_PER_PAGE = 100


def _items(api: PushApi, files: Sequence[ExportedFile], options: Options) -> Sequence[Item]:
    team = {api.fields["team"]: options.team} if options.team else {}
    return [_item(api, file, team) for file in files]


def _item(api: PushApi, file: ExportedFile, team: dict[str, str]) -> Item:
    identifier = plist_in(file, "PayloadIdentifier")["PayloadIdentifier"]
    if not isinstance(identifier, str):
        raise not_as_exported(file)
    create = _with_file(api, call_to(api.calls["create"], repeatable=False), file, team)

    def update(found: str) -> Call:
        return _with_file(api, call_to(api.calls["update"], parts={"id": found}), file, {})

    return Item(
        name=file.name,
        rehearsal=(
            _page(api, 0, team),
            f"Where the list has no profile with the {api.fields['name']} {identifier}:",
            create,
            "Where it has one:",
            update("ITS-ID"),
        ),
        deliver=partial(
            create_or_update,
            find=partial(_find, api=api, identifier=identifier, team=team),
            create=create,
            update=update,
        ),
    )


def _page(api: PushApi, number: int, team: dict[str, str]) -> Call:
    paging = {api.fields["page"]: str(number), api.fields["per_page"]: str(_PER_PAGE)}
    return call_to(api.calls["list"], query={**paging, **team})


def _find(connection: Connection, *, api: PushApi, identifier: str, team: dict[str, str]) -> str | None:
    fields = api.fields
    for number in range(MOST_PAGES):
        answer = connection.send(_page(api, number, team)).json()
        try:
            profiles = answer[fields["items"]] or []
            for profile in profiles:
                if profile.get(fields["name"]) == identifier:
                    return str(profile[fields["id"]])
            more = bool((answer.get(fields["meta"]) or {}).get(fields["more"]))
        except (AttributeError, KeyError, TypeError):
            raise PushFailed("The list of profiles is not as Fleet documents it. Is this the URL of Fleet?") from None
        if not more or not profiles:
            return None
    raise PushFailed(f"The list of profiles does not end after {MOST_PAGES} pages. Is this the URL of Fleet?")


def _with_file(api: PushApi, call: Call, file: ExportedFile, fields: dict[str, str]) -> Call:
    name = PurePosixPath(file.name).name
    boundary = sha256(file.content).hexdigest()  # the same every time, and not in the content whose digest it is
    body, media_type = encode_multipart_formdata(
        {**fields, api.fields["file"]: (name, file.content, "application/octet-stream")}, boundary=boundary
    )
    return replace(call, body=body, media_type=media_type)


LANGUAGE = Language(
    calls=frozenset({"list", "create", "update"}),
    fields=frozenset({"items", "id", "name", "file", "team", "page", "per_page", "meta", "more"}),
    wants=lambda name: name.endswith(".mobileconfig"),
    items=_items,
    takes=frozenset({"team"}),
)
