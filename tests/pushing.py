"""An administrator's machine from which sets are pushed, and each MDM that a test pushes to."""

import json
import plistlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZipFile

from click.testing import Result

from provisioner.mdm import load_mdms
from provisioner.push import HttpsConnection, Item, Options, items_of, push_api, read_export
from tests.commands import Shell
from tests.mdm_servers import TOKEN, Authority, Fleet, Graph, Mdm, MicroMdm, NanoMdm, Zentral, serving
from tests.pki import make_signer, write_identity

MDMS = load_mdms()
DIRECTORY = """
[[organisation]]
id = "contoso"
name = "{name}"
consent_text = "{consent}"
languages = [{languages}]
outlook = {{ "com.microsoft.outlook.Mail.FocusedInbox" = false }}
[[domain]]
name = "contoso.example"
ews = "allowed"
account_kinds = ["exchange", "imap"]
[[domain]]
name = "fabrikam.example"
"""
APPS = {
    "PUT-THE-ID-OF-OUTLOOK-FOR-IOS-IN-YOUR-TENANT-HERE": "0d6b5a5e-0000-4000-8000-000000000001",
    "PUT-THE-ID-OF-OUTLOOK-FOR-ANDROID-IN-YOUR-TENANT-HERE": "0d6b5a5e-0000-4000-8000-000000000002",
    "PUT-THE-ID-OF-GMAIL-IN-YOUR-TENANT-HERE": "0d6b5a5e-0000-4000-8000-000000000003",
}
PEOPLE = "email,name\nanna.oneil@contoso.example,Anna O'Neil & Söhne\n"


@dataclass(frozen=True)
class Case:
    """One MDM: its server, and what has to be said besides the set."""

    id: str
    server: type[Mdm]
    options: tuple[str, ...] = ()
    for_people: bool = False
    again: str = "updated"

    @property
    def only(self) -> tuple[str, ...]:
        """The one file that is meant of a set with people's own."""
        return ("*iphone-ipad/*ios-exchange*",) if self.for_people else ()


_FILL = tuple(part for name, app in APPS.items() for part in ("--fill", f"{name}={app}"))
_DEVICES = tuple(part for device in NanoMdm.enrolments for part in ("--device", device))
CASES = [
    Case("fleet", Fleet, ("--team", "7")),
    Case("intune", Graph, _FILL),
    Case("micromdm", MicroMdm, _DEVICES, for_people=True, again="sent"),
    Case("nanomdm", NanoMdm, _DEVICES, for_people=True, again="sent"),
    Case("zentral", Zentral, again="unchanged"),
]


@dataclass
class Place:
    """An administrator's machine, and MDM servers that it can reach."""

    shell: Shell
    directory: Path
    authority: Authority
    running: ExitStack
    slept: list[float] = field(default_factory=list)

    def start(self, mdm: Mdm) -> str:
        """The URL of ``mdm``, which runs until the test ends."""
        return self.running.enter_context(serving(mdm.answer, self.authority.context))

    def export(
        self,
        case: Case,
        *,
        domain: str = "contoso.example",
        name: str = "Contoso",
        consent: str = "Call 4711.",
        language: str = "en",
    ) -> Path:
        """A set for this MDM."""
        context = self.directory / "contoso.toml"
        place = self.directory / f"{case.id}-{domain}.zip"
        context.write_text(DIRECTORY.format(name=name, consent=consent, languages=f'"{language}"'))
        whom: tuple[str | Path, ...] = (
            ("--csv", self.directory / "people.csv") if case.for_people else ("--domain", domain)
        )
        self.shell.run("export", "--mdm", case.id, *whom, "--context", context, "-o", place)
        return place

    def push(self, case: Case, export: Path, server: str, *options: str | Path, **more: Any) -> Result:
        """What the command says."""
        known: tuple[str | Path, ...] = ("--server", server, "--ca-file", self.authority.ca_file, *case.options)
        known += tuple(part for pattern in case.only for part in ("--only", pattern))
        return self.shell.run("push", export, "--mdm", case.id, *known, *options, **more)

    def connection(self, case: Case, server: str, **more: Any) -> HttpsConnection:
        """A connection whose waiting is written down instead of waited for."""
        api = MDMS[case.id].push
        assert api is not None
        known: dict[str, Any] = {"token": TOKEN, "ca_file": self.authority.ca_file, "sleep": self.slept.append}
        return HttpsConnection(server, api, **{**known, **more})

    def items(self, case: Case, export: Path) -> Sequence[Item]:
        """What the set would push."""
        mdm = MDMS[case.id]
        api, language = push_api(MDMS, mdm)
        files = read_export(export, mdm, wants=language.wants, for_people=language.for_devices, only=case.only)
        numbers = iter(range(1, 100))
        options = Options(
            new_uuid=lambda: UUID(int=next(numbers)),
            devices=NanoMdm.enrolments if case.for_people else (),
            team="7" if case.id == "fleet" else "",
            fill=APPS if case.id == "intune" else {},
        )
        return items_of(mdm, api, language, files, options)


@contextmanager
def administrator(directory: Path, authority: Authority) -> Iterator[Place]:
    """Somebody with a token in a file, a signing identity and a list of people, while the block runs."""
    (directory / "token").write_text(f"{TOKEN}\n")
    (directory / "people.csv").write_text(PEOPLE)
    write_identity(directory / "data" / "identity", make_signer())
    shell = Shell(directory / "data", {"PROVISIONER_PUSH_TOKEN_FILE": str(directory / "token")})
    with ExitStack() as running:
        yield Place(shell, directory, authority, running)


def expected(case: Case, export: Path) -> list[bytes]:
    """What the MDM has to hold in the end: the set's files as they are."""
    with ZipFile(export) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    if case.id == "intune":
        bodies = [json.loads(content) for name, content in files.items() if name.startswith("intune/")]
        for body in bodies:
            if "targetedMobileApps" in body:
                body["targetedMobileApps"] = [APPS[name] for name in body["targetedMobileApps"]]
        return [json.dumps(body, sort_keys=True).encode() for body in bodies]
    if case.id == "nanomdm":
        (command,) = (content for name, content in files.items() if name.endswith("ios-exchange.plist"))
        return [plistlib.loads(command)["Command"]["Payload"]]
    suffix = "ios-exchange.mobileconfig" if case.for_people else ".mobileconfig"
    return [content for name, content in files.items() if name.endswith(suffix)]
