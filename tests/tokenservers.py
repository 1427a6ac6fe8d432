"""Microsoft's token endpoint on this machine, over https, as strict as the real one about what it is asked.

Client credentials: RFC 6749 section 4.4; an assertion instead of a secret: RFC 7523 section 3. Errors have Entra ID's
shape: an AADSTS code, then lines of traces.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import Certificate

from tests.tlsservers import HOST, server_tls

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TRACES = "\r\nTrace ID: 0b1c\r\nCorrelation ID: 2d3e\r\nTimestamp: 2026-11-25 12:00:00Z"


@dataclass
class TokenServer:
    """One tenant with one application, and what was asked. ``authority`` is where it is."""

    tenant: str = "contoso.example"
    client_id: str = "11111111-2222-3333-4444-555555555555"
    scope: str = "https://outlook.example/.default"
    secret: str = "s3cr3t~of.the_application"
    certificate: Certificate | None = None
    lifetime: int = 3599  # seconds
    answers: list[tuple[int, str]] = field(default_factory=list)  # instead of the right one, the first first
    descriptions: list[object] = field(default_factory=list)  # of the tenant, likewise
    asked: list[Mapping[str, str]] = field(default_factory=list)
    discovered: list[str] = field(default_factory=list)
    authority: str = ""

    @property
    def endpoint(self) -> str:
        """Where tokens are asked for."""
        return f"{self.authority}/{self.tenant}/oauth2/v2.0/token"

    def configuration(self, path: str) -> tuple[int, object]:
        """The answer to a GET: OpenID Connect Discovery 1.0 section 4."""
        self.discovered.append(path)
        if path != f"/{self.tenant}/v2.0/.well-known/openid-configuration":
            return 400, {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found." + _TRACES}
        if self.descriptions:
            return 200, self.descriptions.pop(0)
        return 200, {
            "issuer": f"{self.authority}/{self.tenant}/v2.0",
            "authorization_endpoint": f"{self.authority}/{self.tenant}/oauth2/v2.0/authorize",
            "token_endpoint": self.endpoint,
        }

    def token(self, path: str, form: Mapping[str, str]) -> tuple[int, object]:
        """The answer to a POST."""
        self.asked.append(form)
        if path != f"/{self.tenant}/oauth2/v2.0/token" or form.get("grant_type") != "client_credentials":
            return _refused("unsupported_grant_type", "AADSTS70003: The grant is not supported.")
        if form.get("client_id") != self.client_id:
            return _refused("unauthorized_client", "AADSTS700016: Application was not found in the directory.")
        if form.get("scope") != self.scope:
            return _refused("invalid_scope", "AADSTS70011: The provided value for scope is not valid.")
        if refusal := self._identified(form):
            return refusal
        token = f"token {len(self.asked)}"
        return 200, {"token_type": "Bearer", "expires_in": self.lifetime, "access_token": token}

    def _identified(self, form: Mapping[str, str]) -> tuple[int, object] | None:
        if self.certificate is None:
            if form.get("client_secret") == self.secret:
                return None
            # The real one names the secret's id, and has been seen to quote what it was sent.
            text = f"AADSTS7000215: Invalid client secret provided: {form.get('client_secret')}."
            return _refused("invalid_client", text)
        assert "client_secret" not in form
        if form.get("client_assertion_type") != ASSERTION_TYPE or not self._signed(form["client_assertion"]):
            return _refused("invalid_client", "AADSTS700027: The certificate with identifier used is not registered.")
        return None

    def _signed(self, assertion: str) -> bool:
        assert self.certificate is not None
        header = jwt.get_unverified_header(assertion)
        thumbprint = jwt.utils.base64url_encode(self.certificate.fingerprint(SHA256())).decode()
        if header.get("x5t#S256", "").rstrip("=") != thumbprint:  # MSAL pads it, and the real one does not mind
            return False
        key: Any = self.certificate.public_key()
        claims = jwt.decode(
            assertion,
            key,
            algorithms=["PS256"],
            audience=self.endpoint,
            issuer=self.client_id,
            options={"require": ["exp", "iss", "sub", "jti", "aud"]},
        )
        return bool(claims["sub"] == self.client_id and claims["exp"] <= time.time() + 3600)


def _refused(error: str, description: str) -> tuple[int, object]:
    return 401, {"error": error, "error_description": description + _TRACES, "error_codes": [1]}


@contextmanager
def token_server(**how: Any) -> Iterator[TokenServer]:
    """A running token server."""
    server = TokenServer(**how)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(*server.configuration(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, said = server.token(self.path, {name: value for name, (value,) in parse_qs(body).items()})
            if server.answers:
                status, text = server.answers.pop(0)
                self._write(status, text)
            else:
                self._say(status, said)

        def _say(self, status: int, said: object) -> None:
            self._write(status, json.dumps(said))

        def _write(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer((HOST, 0), Handler) as listener:
        listener.daemon_threads = True
        listener.socket = server_tls().wrap_socket(listener.socket, server_side=True)
        server.authority = f"https://{HOST}:{listener.server_port}"
        thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()
