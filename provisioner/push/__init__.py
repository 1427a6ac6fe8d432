"""Handing a set to the MDM itself: over HTTPS, with a token, updating by name what is there already.

Where an API is and what it calls things is data (``[push]`` of an MDM's fact file); each kind of API has one module
here that speaks it. What has no documented API that finds a thing again is not pushed.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from provisioner.errors import CatalogueError, InvalidInput, printable, suggestion
from provisioner.mdm import Mdm, PushApi
from provisioner.push import fleet, graph, micromdm, nanomdm, zentral
from provisioner.push.calls import Connection, Item, Language, Options, Outcome
from provisioner.push.exported import ExportedFile, read_export
from provisioner.push.https import HttpsConnection
from provisioner.push.rehearsal import rehearse

__all__ = [
    "LANGUAGES",
    "Connection",
    "ExportedFile",
    "HttpsConnection",
    "Item",
    "Language",
    "Options",
    "Outcome",
    "items_of",
    "push_api",
    "read_export",
    "rehearse",
]

LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {
        "fleet": fleet.LANGUAGE,
        "graph": graph.LANGUAGE,
        "micromdm": micromdm.LANGUAGE,
        "nanomdm": nanomdm.LANGUAGE,
        "zentral": zentral.LANGUAGE,
    }
)


def push_api(mdms: Mapping[str, Mdm], mdm: Mdm) -> tuple[PushApi, Language]:
    """The API of ``mdm``, and how it is spoken.

    Raises InvalidInput for an MDM that nothing can be pushed to, naming those that are, and CatalogueError where its
    fact file names a kind of API that is not spoken here, or not all that it needs.
    """
    api = mdm.push
    if api is None:
        known = ", ".join(each.id for each in mdms.values() if each.push is not None)
        raise InvalidInput(
            f"Nothing can be pushed to {mdm.name}: no source documents an API that finds again what was pushed. "
            f"Import the files that 'provisioner export --mdm {mdm.id}' writes. There is one of: {known}."
        )
    return api, _spoken(mdm, api)


def _spoken(mdm: Mdm, api: PushApi) -> Language:
    file = f"{mdm.id}.toml"
    if api.speaks not in LANGUAGES:
        reason = f"is {printable(api.speaks)}. {suggestion(api.speaks, LANGUAGES)}"
        raise CatalogueError(file=file, key="push.speaks", reason=reason)
    language = LANGUAGES[api.speaks]
    for table, given, due in (("calls", api.calls, language.calls), ("fields", api.fields, language.fields)):
        if given.keys() != due:
            reason = f"has {', '.join(sorted(given)) or 'nothing'}; {', '.join(sorted(due))} were expected."
            raise CatalogueError(file=file, key=f"push.{table}", reason=reason)
    return language


def items_of(mdm: Mdm, api: PushApi, language: Language, files: Sequence[ExportedFile], options: Options) -> list[Item]:
    """What is pushed, in the order of the set. Raises InvalidInput where files and options do not fit the MDM."""
    given = {name for name, value in (("team", options.team), ("fill", options.fill)) if value}
    for name in sorted(given - language.takes):
        raise InvalidInput(f"{mdm.name} knows no --{name}. Leave it out.")
    if not language.for_devices and options.devices:
        raise InvalidInput(f"{mdm.name} decides itself which devices get what. Leave --device out.")
    if language.for_devices:
        _refuse_scattered(mdm, files, options)
    return list(language.items(api, files, options))


def _refuse_scattered(mdm: Mdm, files: Sequence[ExportedFile], options: Options) -> None:
    if not options.devices:
        raise InvalidInput(f"{mdm.name} has to be told the person's devices: --device ID, once for each.")
    if any(not device or " " in device for device in options.devices):
        raise InvalidInput("--device is empty or holds a blank, which no device's id has.")
    if len(files) > 1:
        names = ", ".join(file.name for file in files[:3])
        raise InvalidInput(
            f"{mdm.name} is told the devices of one file at a time, and {len(files)} are meant ({names}, …). Choose "
            "one with --only NAME."
        )
