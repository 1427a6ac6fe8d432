"""The README of a set: numbered steps for the MDM's console, its API's commands, and what is not certain."""

import re
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

from provisioner.export.form import Form
from provisioner.format import Platform
from provisioner.mdm import Answer, Mdm

_FILE = re.compile(r"([a-z][a-z/-]*)/FILE(\.[a-z]+)")
_WIDTH = 100
_FOR_ONE = "Each file is for one person: wherever it is assigned, choose that person or their devices alone."
_UNTOLD = (
    "Open the place in your console where custom configuration profiles are imported. Where it is cannot be said here: "
    "no source was found.",
    "Import the file from iphone-ipad/ or mac/, and assign it to one device first.",
    "Look on that device whether the account shows the person's own address, before more devices get it.",
)


def write_readme(
    mdm: Mdm, forms: Iterable[Form], *, title: str, for_domain: bool, signed: bool, files: Sequence[str]
) -> bytes:
    """The text in UTF-8. ``files`` are the names of the set's files where there are few, or one person's."""
    present = list(forms)
    lines = [title, "=" * len(title), "", *_what_it_is(mdm, present, for_domain=for_domain, signed=signed), ""]
    lines += ["Before you begin", "----------------", "", *_cautions(mdm, for_domain=for_domain), ""]
    lines += ["In the console", "--------------", "", *_numbered(_console(mdm, for_domain=for_domain)), ""]
    commands = list(_commands(mdm, files, for_domain=for_domain))
    if commands:
        lines += ["Or by its API", "-------------", "", *_api_words(commands, for_domain=for_domain), "", *commands, ""]
    holders = {name: what for form in present for name, what in form.placeholders.items()}
    if holders:
        lines += ["To be filled in", "---------------", ""]
        lines += [line for name, what in holders.items() for line in _item(f"{name}: {what}.")] + [""]
    lines += ["Where this is known from", "------------------------", "", *_sources(mdm)]
    return "\n".join([*lines, ""]).encode()


def _what_it_is(mdm: Mdm, forms: Iterable[Form], *, for_domain: bool, signed: bool) -> Iterator[str]:
    whom = (
        "Every file serves everybody of the domain: the MDM fills the person in on each device. None is signed: "
        "a signature and variables exclude each other."
        if for_domain
        else "Each person has files of their own; " + ("profiles are signed." if signed else "none is signed.")
    )
    yield from wrap(f"This set is for {mdm.name}. {whom} manifest.json lists every file with its SHA-256.", _WIDTH)
    yield ""
    for form in forms:
        yield from _item(f"{form.id}: {form.title}.")


def _cautions(mdm: Mdm, *, for_domain: bool) -> Iterator[str]:
    notes = list(mdm.notes)
    if for_domain and mdm.variables is not None:
        names = mdm.variables
        notes += names.notes
        notes.append(f"The files have {names.address} for the address and {names.sign_in} for the sign-in name.")
        if names.in_profiles is not Answer.YES:
            notes.append(
                "It is not confirmed that this MDM fills variables in inside a profile that was imported. Try one "
                "device first: the account there has to show the person's own address."
            )
        if names.username_is_upn is Answer.UNKNOWN:
            notes.append(f"Make sure that {names.sign_in} is what people sign in to Microsoft 365 with, their UPN.")
        if names.unresolved:
            notes.append(f"What becomes of a variable without a value: {names.unresolved}")
    if mdm.profiles and mdm.profiles.signed is Answer.UNKNOWN and not for_domain:
        notes.append("Whether this MDM takes signed profiles has no source, so none is signed.")
    if mdm.profiles and Platform.MAC in mdm.profiles.scopes:
        notes.append(
            "A file for the Mac is here only where the organisation still allows Exchange Web Services, or offers IMAP "
            "or POP; Outlook needs none."
        )
    for note in notes or ["Nothing is known that would have to be said."]:
        yield from _item(note)


def _console(mdm: Mdm, *, for_domain: bool) -> Sequence[str]:
    return _steps(mdm) if for_domain else (_FOR_ONE, *_steps(mdm))


def _steps(mdm: Mdm) -> Sequence[str]:
    if mdm.console:
        return mdm.console.lines
    if mdm.variables is None and mdm.api:
        return ("No source says how a console of it would take these files: use its API, as below.",)
    return _UNTOLD


def _api_words(commands: Sequence[str], *, for_domain: bool) -> list[str]:
    words = "Each command is one line. What begins with a dollar sign is yours to set; the token stays in a variable."
    is_for_each = not for_domain and any("/FILE." in command for command in commands)
    return wrap(words + (" Put a file's name for FILE, for each person." if is_for_each else ""), _WIDTH)


def _commands(mdm: Mdm, files: Sequence[str], *, for_domain: bool) -> Iterator[str]:
    number = 0
    for line in mdm.api.lines if mdm.api else ():
        for command in _for_files(line, files, for_domain=for_domain):
            number += 1
            yield f"{number}. {command}"


def _for_files(line: str, files: Sequence[str], *, for_domain: bool) -> list[str]:
    """The command once for each file that it can be for; of none, it is not shown."""
    place = _FILE.search(line)
    if place is None:
        return [line]
    mine = [name for name in files if name.startswith(f"{place[1]}/") and name.endswith(place[2])]
    names = mine if for_domain else dict.fromkeys(f"{name.rpartition('/')[0]}/FILE{place[2]}" for name in mine)
    return [line.replace(place[0], name) for name in names]


def _sources(mdm: Mdm) -> Iterator[str]:
    known: dict[str, str] = {}
    for part in (mdm.variables, mdm.profiles, mdm.apps, mdm.console, mdm.api):
        if part is not None:
            for source in part.evidence.sources:
                known[source] = f"{source} ({part.evidence.confidence}, checked {part.evidence.checked.isoformat()})"
    for line in known.values():
        yield f"- {line}"


def _numbered(steps: Sequence[str]) -> Iterator[str]:
    for number, step in enumerate(steps, start=1):
        yield from wrap(f"{number}. {step}", _WIDTH, subsequent_indent="   ")


def _item(text: str) -> list[str]:
    return wrap(f"- {text}", _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
