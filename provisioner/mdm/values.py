"""What is known of one MDM: how it spells "this user's address", what it takes, and where that is imported.

Values alone; ``loader`` reads them from the MDM's fact file. What has no source is not here: an empty text, a None or
``Answer.UNKNOWN`` means that nobody has said it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum

from provisioner.format import Platform
from provisioner.model import Evidence


class Answer(Enum):
    """What the sources say to a question."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableNames:
    """How the MDM spells the user of a device, in its exact case."""

    address: str
    username: str  # of the user principal name, or the nearest to it that the MDM has
    full_name: str = ""
    username_is_upn: Answer  # whether a device that is told ``username`` can sign in with it
    escaped: Answer  # whether the MDM escapes a value that it writes into XML
    in_profiles: Answer  # whether it is confirmed that variables are filled in inside an imported profile
    reserved: tuple[str, ...]  # what starts a variable: no text of ours may hold it
    unresolved: str = ""  # what becomes of a variable that has no value
    notes: tuple[str, ...] = ()  # what an administrator has to know of a set with variables
    evidence: Evidence

    @property
    def sign_in(self) -> str:
        """The variable that a document has where it wants the user principal name."""
        return self.address if self.username_is_upn is Answer.NO else self.username

    @property
    def all(self) -> tuple[str, ...]:
        """Every variable, the longest first, so that none is taken for the start of another."""
        names = {self.address, self.username, self.full_name} - {""}
        return tuple(sorted(names, key=lambda name: (-len(name), name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileImport:
    """How the MDM takes Apple's profiles."""

    signed: Answer
    scopes: Mapping[Platform, str]  # PayloadScope to write, by platform
    forms: tuple[str, ...]  # the files to hand over, by the ids of export/forms
    limit: int = 0  # bytes of one file; 0: none is known
    unsafe: tuple[str, ...] = ()  # characters that the MDM escapes anew in a text, and thereby breaks
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class AppImport:
    """How the MDM takes managed configuration of apps, and declarations."""

    forms: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How a file gets into the MDM: steps for a person, or commands for a shell."""

    lines: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One thing that an API can be asked: a method, and a path below the server's URL with ``{parts}`` in it."""

    method: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PushApi:
    """The API by which the MDM is handed files: its endpoints and the names in its JSON, by what they are for.

    ``speaks`` names the module of ``push`` that knows how to use them, and thereby which there must be.
    """

    speaks: str
    scheme: str  # of the header Authorization: Bearer, Token or Basic
    user: str = ""  # of Basic
    server: str = ""  # the URL, where there is one for everybody
    calls: Mapping[str, Endpoint]
    fields: Mapping[str, str]
    kinds: Mapping[str, str]  # what a file is -> where its kind lies
    notes: tuple[str, ...] = ()  # what comes after a push, or has to be known before it
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Mdm:
    """One MDM. Its ``id`` is the name of its fact file."""

    id: str
    name: str
    asks_for_variables: bool = False  # whoever exports says how the MDM spells them
    variables: VariableNames | None = None
    profiles: ProfileImport | None = None
    apps: AppImport | None = None
    console: Route | None = None
    api: Route | None = None
    push: PushApi | None = None
    notes: tuple[str, ...] = ()  # what an administrator has to know before the import

    @property
    def forms(self) -> tuple[str, ...]:
        """The ids of every form that this MDM takes."""
        return (*(self.profiles.forms if self.profiles else ()), *(self.apps.forms if self.apps else ()))

    @property
    def checked(self) -> date:
        """The day on which one of these facts was checked last."""
        facts = (self.variables, self.profiles, self.apps, self.console, self.api, self.push)
        return max(part.evidence.checked for part in facts if part)

    @property
    def takes_signed(self) -> bool:
        """Whether a source says that a signed profile can be imported."""
        return self.profiles is not None and self.profiles.signed is Answer.YES
