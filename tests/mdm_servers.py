"""MDM servers for tests: over real TLS on this machine, as strict as the documentation of the real ones.

Each keeps what it is given, refuses what the real one is documented to refuse, and can be made to fail first.
"""

import json
import plistlib
import ssl
import sys
import threading
from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID, uuid4

from cryptography.x509 import IPAddress, SubjectAlternativeName

from tests.pki import certificates_pem, key_pem, make_root, usual_extensions

TOKEN = "wonder-token-4711"


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Said:
    """One answer. ``cut_off`` is a server that does what it is asked, and dies before it says so."""

    status: int = 200
    body: object = None  # bytes as they are, everything else as JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_off: bool = False
    done: bool = False  # what was asked has been done all the same


class Mdm(ABC):
    """What every server has: the requests that came, and the troubles that come first."""

    authorization = f"Bearer {TOKEN}"

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.troubles: dict[str, list[Said]] = {}  # method -> what is said before anything is done

    def answer(self, asked: Asked) -> Said:
        """What is said to a request."""
        self.asked.append(asked)
        if self.authorization != asked.headers.get("authorization"):
            return Said(401, {"message": f"no such token: {asked.headers.get('authorization')}"})
        troubles = self.troubles.get(asked.method)
        if not troubles:
            return self.serve(asked)
        trouble = troubles.pop(0)
        if trouble.done:
            self.serve(asked)
        return trouble

    @abstractmethod
    def serve(self, asked: Asked) -> Said:
        """Do what is asked."""

    @property
    @abstractmethod
    def contents(self) -> list[bytes]:
        """What there is, and would be there twice if it had been made twice."""

    def changes(self) -> list[Asked]:
        """The requests that were no mere question."""
        return [asked for asked in self.asked if asked.method != "GET"]


class Fleet(Mdm):
    """Fleet's "OS settings": profiles by uuid, each of one team."""

    base = "/api/v1/fleet/configuration_profiles"
    page_size = 1  # so that there is always a second page

    def __init__(self) -> None:
        super().__init__()
        self.profiles: dict[str, tuple[str, bytes]] = {}  # uuid -> team, content

    def serve(self, asked: Asked) -> Said:
        if (asked.method, asked.path) == ("GET", self.base):
            return self._list(asked)
        if (asked.method, asked.path) == ("POST", self.base):
            form = _form(asked)
            return self._add(form.get("team_id", b"0").decode(), form["profile"])
        uuid = asked.path.removeprefix(f"{self.base}/")
        if asked.method != "PATCH" or uuid not in self.profiles:
            return Said(404, {"message": "Resource Not Found"})
        team, before = self.profiles[uuid]
        content = _form(asked)["profile"]
        if _identifier(before) != _identifier(content):
            return Said(400, {"message": "The PayloadIdentifier must match."})
        self.profiles[uuid] = (team, content)
        return Said(200, {"profile_uuid": uuid})

    def _list(self, asked: Asked) -> Said:
        assert "100" == asked.query["per_page"]
        number, team = int(asked.query["page"]), asked.query.get("team_id", "0")
        of_team = [(uuid, content) for uuid, (theirs, content) in self.profiles.items() if theirs == team]
        page = of_team[number * self.page_size : (number + 1) * self.page_size]
        more = len(of_team) > (number + 1) * self.page_size
        profiles = [
            {
                "profile_uuid": uuid,
                "team_id": int(team),
                "name": plistlib.loads(content)["PayloadDisplayName"],
                "platform": "darwin",
                "identifier": _identifier(content),
            }
            for uuid, content in page
        ]
        return Said(200, {"profiles": profiles or None, "meta": {"has_next_results": more}})

    def _add(self, team: str, content: bytes) -> Said:
        new = plistlib.loads(content)
        for theirs, other in self.profiles.values():
            known = plistlib.loads(other)
            for key in ("PayloadDisplayName", "PayloadIdentifier"):
                if theirs == team and known[key] == new[key]:
                    return Said(409, {"message": "Conflict", "errors": [{"name": key, "reason": "exists"}]})
        uuid = f"a{uuid4()}"
        self.profiles[uuid] = (team, content)
        return Said(200, {"profile_uuid": uuid})

    @property
    def contents(self) -> list[bytes]:
        """Every profile."""
        return [content for _, content in self.profiles.values()]


class Graph(Mdm):
    """The parts of Microsoft Graph where Intune's policies are, a policy on each page."""

    kinds: Mapping[str, tuple[str, ...]] = {
        "/v1.0/deviceManagement/deviceConfigurations": ("iosCustomConfiguration", "macOSCustomConfiguration"),
        "/beta/deviceManagement/deviceConfigurations": (
            *("iosCustomConfiguration", "macOSCustomConfiguration", "iosEasEmailProfileConfiguration"),
        ),
        "/v1.0/deviceAppManagement/mobileAppConfigurations": ("iosMobileAppConfiguration",),
        "/beta/deviceAppManagement/mobileAppConfigurations": (
            *("iosMobileAppConfiguration", "androidManagedStoreAppConfiguration"),
        ),
    }

    def __init__(self) -> None:
        super().__init__()
        self.policies: dict[str, dict[str, Any]] = {}

    def serve(self, asked: Asked) -> Said:
        place, _, uuid = (asked.path, "", "") if asked.path in self.kinds else asked.path.rpartition("/")
        if place not in self.kinds:
            return Said(404, {"error": {"code": "ResourceNotFound"}})
        if asked.method == "GET":
            return self._list(place, int(asked.query.get("$skiptoken", "0")))
        body = json.loads(asked.body)
        assert "application/json" == asked.headers["content-type"]
        if reason := self._reason(place, body):
            return Said(400, {"error": {"code": "BadRequest", "message": reason}})
        if asked.method == "POST" and not uuid:
            uuid = str(uuid4())
            self.policies[uuid] = {**body, "id": uuid, "version": 1, "_place": place.rpartition("/")[2]}
            return Said(201, self.policies[uuid])
        if asked.method == "PATCH" and self.policies.get(uuid, {}).get("@odata.type") == body["@odata.type"]:
            self.policies[uuid] |= body
            return Said(200, self.policies[uuid])
        return Said(404, {"error": {"code": "ResourceNotFound"}})

    def _reason(self, place: str, body: dict[str, Any]) -> str:
        kind = body["@odata.type"].removeprefix("#microsoft.graph.")
        if kind not in self.kinds[place]:
            return f"{kind} is no type here"
        if place.startswith("/v1.0/") and "deploymentChannel" in body:
            return "The property 'deploymentChannel' does not exist"
        if {"id", "version", "roleScopeTagIds"} & body.keys() or not body["displayName"]:
            return "id, version and displayName"
        for name in ("payload", "payloadJson", "encodedSettingXml"):
            if name in body and not b64decode(body[name], validate=True):
                return f"{name} is empty"
        for app in body.get("targetedMobileApps", []):
            UUID(app)  # raises for a placeholder
        return ""

    def _list(self, place: str, number: int) -> Said:
        here = [each for each in self.policies.values() if each["_place"] == place.rpartition("/")[2]]
        here = [each for each in here if each["@odata.type"].removeprefix("#microsoft.graph.") in self.kinds[place]]
        # The link names Microsoft's own host whatever was asked, as a proxy's backend does.
        further = {"@odata.nextLink": f"https://graph.invalid{place}?$skiptoken={number + 1}"}
        return Said(200, {"value": here[number : number + 1], **(further if len(here) > number + 1 else {})})

    @property
    def contents(self) -> list[bytes]:
        """Every policy as it was given."""
        own = ("id", "version", "_place")
        given = [{name: value for name, value in each.items() if name not in own} for each in self.policies.values()]
        return [json.dumps(each, sort_keys=True).encode() for each in given]


class Zentral(Mdm):
    """Zentral's artifacts, and the profiles that are their versions."""

    authorization = f"Token {TOKEN}"

    def __init__(self) -> None:
        super().__init__()
        self.artifacts: list[dict[str, Any]] = []
        self.versions: list[dict[str, Any]] = []

    def serve(self, asked: Asked) -> Said:
        match asked.method, asked.path:
            case "GET", "/api/mdm/artifacts/":
                name = asked.query.get("name")
                return Said(200, [each for each in self.artifacts if name in (None, each["name"])])
            case "POST", "/api/mdm/artifacts/":
                return self._add_artifact(json.loads(asked.body))
            case "GET", "/api/mdm/profiles/":
                return Said(200, self.versions)
            case "POST", "/api/mdm/profiles/":
                return self._add_version(json.loads(asked.body))
        return Said(404, {"detail": "Not found."})

    def _add_artifact(self, body: dict[str, Any]) -> Said:
        if any(each["name"] == body["name"] for each in self.artifacts):
            return Said(400, {"name": ["Artifact with this Name already exists."]})
        assert {"Device", "User"} >= {body["channel"]}
        assert {"iOS", "iPadOS", "macOS", "tvOS"} >= set(body["platforms"])
        self.artifacts.append({"id": str(uuid4()), **body})
        return Said(201, self.artifacts[-1])

    def _add_version(self, body: dict[str, Any]) -> Said:
        (artifact,) = (each for each in self.artifacts if each["id"] == body["artifact"])
        on = {name for name in ("ios", "ipados", "macos", "tvos") if body.get(name)}
        if not on:
            return Said(400, {"non_field_errors": ["You need to activate at least one platform"]})
        if not on <= {platform.lower() for platform in artifact["platforms"]}:
            return Said(400, {"ios": ["Platform not available for this artifact"]})
        if any((each["artifact"], each["version"]) == (artifact["id"], body["version"]) for each in self.versions):
            return Said(400, {"version": ["A version with the same version number already exists"]})
        content = plistlib.loads(b64decode(body["source"], validate=True))
        assert {"System": "Device", "User": "User"}[content["PayloadScope"]] == artifact["channel"]
        self.versions.append({"id": str(uuid4()), "ios": False, "ipados": False, "macos": False, **body})
        return Said(201, self.versions[-1])

    @property
    def contents(self) -> list[bytes]:
        """The newest version of each artifact."""
        newest = {each["artifact"]: each["source"] for each in sorted(self.versions, key=lambda each: each["version"])}
        return [b64decode(newest[artifact["id"]]) for artifact in self.artifacts]


class NanoMdm(Mdm):
    """NanoMDM's queue: a command is taken once, by its UUID, for the enrolments that there are."""

    authorization = f"Basic {b64encode(f'nanomdm:{TOKEN}'.encode()).decode()}"
    enrolments: tuple[str, ...] = ("8b3b8ba3783e9ade1dae4fbb944ab3afc0ce5b69", "470E005B:F151140B")

    def __init__(self) -> None:
        super().__init__()
        self.queue: dict[str, tuple[str, bytes]] = {}  # CommandUUID and enrolment -> kind, profile

    def serve(self, asked: Asked) -> Said:
        if asked.method != "PUT" or not asked.path.startswith("/v1/enqueue/"):
            return Said(404)
        command = plistlib.loads(asked.body)
        status, uuid = {}, command["CommandUUID"]
        for device in unquote(asked.path.removeprefix("/v1/enqueue/")).split(","):
            if device not in self.enrolments:
                status[device] = {"command_error": "no rows: unknown id"}
            elif f"{uuid} {device}" in self.queue:
                status[device] = {"command_error": "duplicate CommandUUID"}
            else:
                self.queue[f"{uuid} {device}"] = (command["Command"]["RequestType"], command["Command"]["Payload"])
                status[device] = {"push_result": str(uuid4())}
        failed = sum("command_error" in each for each in status.values())
        code = 200 if not failed else 500 if failed == len(status) else 207
        return Said(code, {"status": status, "command_uuid": uuid, "request_type": command["Command"]["RequestType"]})

    @property
    def contents(self) -> list[bytes]:
        """The profiles that devices install, the same one once."""
        assert {kind for kind, _ in self.queue.values()} <= {"InstallProfile"}
        return list(dict.fromkeys(profile for _, profile in self.queue.values()))


class MicroMdm(Mdm):
    """MicroMDM's commands, one for each device."""

    authorization = f"Basic {b64encode(f'micromdm:{TOKEN}'.encode()).decode()}"

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[dict[str, str]] = []

    def serve(self, asked: Asked) -> Said:
        if (asked.method, asked.path) != ("POST", "/v1/commands"):
            return Said(404)
        command = json.loads(asked.body)
        if {"udid", "request_type", "payload"} != command.keys():
            return Said(400, {"error": "udid, request_type, payload"})
        self.commands.append(command)
        return Said(201, {"payload": {"command_uuid": str(uuid4()), "command": {"request_type": "InstallProfile"}}})

    @property
    def contents(self) -> list[bytes]:
        """The profiles that devices install, the same one once."""
        assert {each["request_type"] for each in self.commands} <= {"InstallProfile"}
        return list(dict.fromkeys(b64decode(each["payload"]) for each in self.commands))


@dataclass(frozen=True)
class Authority:
    """Whoever issued the servers' certificate: its file for ``--ca-file``, and the servers' context."""

    ca_file: Path
    context: ssl.SSLContext


def make_authority(directory: Path) -> Authority:
    """An authority, and with it a certificate for 127.0.0.1."""
    root = make_root("Test MDM authority")
    names = SubjectAlternativeName([IPAddress(ip_address("127.0.0.1"))])
    server = root.issue("127.0.0.1", extensions=[*usual_extensions(ca=False), names])
    (directory / "ca.pem").write_bytes(certificates_pem(root.certificate))
    (directory / "server.pem").write_bytes(certificates_pem(server.certificate) + key_pem(server.key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.pem")
    return Authority(directory / "ca.pem", context)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever does not trust the certificate goes away in the middle of the handshake."""
        if not isinstance(sys.exception(), (ssl.SSLError, ConnectionError)):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # a socket, as it came


@contextmanager
def serving(answer: Callable[[Asked], Said], context: ssl.SSLContext | None) -> Iterator[str]:
    """The URL at which ``answer`` answers while the block runs; plain http without a context."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one piece

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            said = answer(self._asked())
            if said.cut_off:
                self.close_connection = True
                return
            body = _octets(said.body)
            self.send_response(said.status)
            for name, value in {**said.headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def _asked(self) -> Asked:
            url = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(url.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0")))
            return Asked(self.command, url.path, query, headers, body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is http.server's
            pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"{'https' if context is not None else 'http'}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _octets(body: object) -> bytes:
    if isinstance(body, bytes):
        return body
    return b"" if body is None else json.dumps(body).encode()


def _identifier(content: bytes) -> str:
    return str(plistlib.loads(content)["PayloadIdentifier"])


def _form(asked: Asked) -> dict[str, bytes]:
    """The parts of a multipart form by name (RFC 7578)."""
    kind = asked.headers["content-type"]
    assert kind.startswith("multipart/form-data; boundary=")
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    parts = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + asked.body).iter_parts():
        disposition = part["content-disposition"]
        assert (part.get_filename() or ".mobileconfig").endswith(".mobileconfig")
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        parts[str(disposition.params["name"])] = content
    return parts
