"""Microsoft Graph, for Intune: a body is made where no policy of its kind has its name, and patched where one has.

Microsoft Graph: list, create and update of deviceManagement/deviceConfigurations and of
deviceAppManagement/mobileAppConfigurations; v1.0, and beta for the kinds that v1.0 does not have.
"""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from provisioner.errors import InvalidInput, PushFailed, printable
from provisioner.export import FORMS
from provisioner.mdm import Endpoint, PushApi
from provisioner.push.calls import (
    MOST_PAGES,
    Call,
    Connection,
    Item,
    Language,
    Options,
    call_to,
    create_or_update,
    with_json,
)
from provisioner.push.exported import ExportedFile, json_in

_TYPE = "#microsoft.graph."  # before the name of every kind
_HOLDERS = {name: what for form in FORMS.values() for name, what in form.placeholders.items()}


def _items(api: PushApi, files: Sequence[ExportedFile], options: Options) -> Sequence[Item]:
    _refuse_unknown(options.fill)
    bodies = [(file, _filled(json_in(file, api.fields["kind"], api.fields["name"]), options.fill)) for file in files]
    _refuse_unfilled(bodies)
    return [_item(api, file, body) for file, body in bodies]


def _refuse_unknown(fill: Mapping[str, str]) -> None:
    for name in fill:
        if name not in _HOLDERS:
            raise InvalidInput(f"--fill {printable(name, 80)} is nothing that a set waits for; its README lists them.")


def _refuse_unfilled(bodies: Sequence[tuple[ExportedFile, Any]]) -> None:
    left = {file.name: name for file, body in bodies for name in _HOLDERS if json.dumps(name) in json.dumps(body)}
    if left:
        lines = [
            f"{file} waits for a value of your own tenant: --fill {name}=… ({_HOLDERS[name]}). "
            "Or leave it out, with --only."
            for file, name in left.items()
        ]
        raise InvalidInput("\n".join(lines))


def _filled(body: Any, fill: Mapping[str, str]) -> Any:
    if isinstance(body, dict):
        return {name: _filled(value, fill) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, fill) for value in body]
    return fill.get(body, body) if isinstance(body, str) else body


def _item(api: PushApi, file: ExportedFile, body: Mapping[str, Any]) -> Item:
    kind, name = str(body[api.fields["kind"]]), str(body[api.fields["name"]])
    short = kind.removeprefix(_TYPE)
    if short not in api.kinds:
        raise InvalidInput(f"{file.name} is a {printable(short, 80)}; {', '.join(api.kinds)} are pushed.")
    create = with_json(_asked(api, "create", short, repeatable=False), body)

    def update(found: str) -> Call:
        return with_json(_asked(api, "update", short, id=found), body)

    return Item(
        name=file.name,
        rehearsal=(
            _asked(api, "list", short),
            f"Where no {short} is called {name}:",
            create,
            "Where one is:",
            update("ITS-ID"),
        ),
        deliver=partial(
            create_or_update, find=partial(_find, api=api, kind=kind, name=name), create=create, update=update
        ),
    )


def _asked(api: PushApi, call: str, kind: str, *, repeatable: bool = True, **parts: str) -> Call:
    """The call for a kind, whose place is a path of its own."""
    endpoint = api.calls[call]
    placed = Endpoint(method=endpoint.method, path=endpoint.path.replace("{kind}", api.kinds[kind]))
    return call_to(placed, repeatable=repeatable, parts=parts)


def _find(connection: Connection, *, api: PushApi, kind: str, name: str) -> str | None:
    """The id of the policy of this kind and name. Raises PushFailed where two are called so."""
    fields, found = api.fields, list[str]()
    call: Call | None = _asked(api, "list", kind.removeprefix(_TYPE))
    for _ in range(MOST_PAGES):
        if call is None:
            break
        answer = connection.send(call).json()
        try:
            found += [
                str(each[fields["id"]])
                for each in answer[fields["items"]]
                if (each[fields["kind"]], each[fields["name"]]) == (kind, name)
            ]
            call = _next(answer.get(fields["next"]))
        except (AttributeError, KeyError, TypeError):
            raise PushFailed("The list is not as Graph documents it. Is this the URL of Microsoft Graph?") from None
    if call is not None:
        raise PushFailed(f"The list does not end after {MOST_PAGES} pages. Is this the URL of Microsoft Graph?")
    if len(found) > 1:
        raise PushFailed(f"There are {len(found)} policies called {name}. Rename or delete all but one and push again.")
    return found[0] if found else None


def _next(link: object) -> Call | None:
    """The list's next page, of the same server whatever the link says: the token goes nowhere else."""
    if not isinstance(link, str):
        return None
    url = urlsplit(link)
    return Call(method="GET", path=f"{url.path}?{url.query}" if url.query else url.path)


LANGUAGE = Language(
    calls=frozenset({"list", "create", "update"}),
    fields=frozenset({"items", "id", "name", "kind", "next"}),
    wants=lambda name: name.startswith("intune/") and name.endswith(".json"),
    items=_items,
    takes=frozenset({"fill"}),
)
