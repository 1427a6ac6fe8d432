"""The fixture of the tests with real mail clients: a small internet with the service in it, and no way out."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

import pytest
from cryptography.x509 import DNSName, SubjectAlternativeName

from tests import pki
from tests.capabilities import absent, require_program
from tests.checkout import CHECKOUT
from tests.clients import places
from tests.commands import Shell
from tests.samples import CONTOSO

DRIVERS = Path(__file__).parent / "drivers"

_PATIENCE = 90  # seconds for one client
_UNSHARE = ("unshare", "--user", "--map-root-user", "--net", "--mount", "--")
_ENTER = ("nsenter", "--user", "--net", "--mount")


class Request(NamedTuple):
    """One request of a client, as the proxy saw it."""

    method: str
    url: str  # without the query
    parameters: tuple[str, ...]
    signs_in: bool  # it sent a password

    def about(self, domain: str) -> str:
        """The request in one line, with ``D`` where it names the domain."""
        query = f"?{'&'.join(f'{name}=' for name in self.parameters)}" if self.parameters else ""
        return f"{self.method} {self.url.replace(domain, 'D')}{query}"


@dataclass(frozen=True, slots=True)
class Internet:
    """A running small internet."""

    directory: Path
    process: "subprocess.Popen[str]"

    @property
    def log(self) -> str:
        """Everything that the service has written into its log."""
        return (self.directory / "log").read_text()

    @property
    def authority(self) -> Path:
        """The certificate (PEM) of whoever certified every server in here."""
        return self.directory / "ca.pem"

    def run(self, *command: str | Path, **environ: str) -> Any:
        """What ``command`` prints as JSON, run inside, in a new directory that is its home and working directory."""
        self._requests.unlink(missing_ok=True)
        scratch = mkdtemp(dir=self.directory)
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        process = subprocess.Popen(
            [*_ENTER, "--target", str(self.process.pid), f"--wd={scratch}", "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=kept | {"HOME": scratch, "TMPDIR": scratch} | environ,
            text=True,
            start_new_session=True,  # so that everything it starts ends with it
        )
        try:
            out, errors = process.communicate(timeout=_PATIENCE)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        assert 0 == process.returncode, errors
        return json.loads(out)

    def requests(self) -> list[Request]:
        """What was asked by the client that ran last."""
        lines = self._requests.read_text().splitlines() if self._requests.exists() else []
        return [Request(**said | {"parameters": tuple(said["parameters"])}) for said in map(json.loads, lines)]

    def asked_about(self, domain: str) -> tuple[str, ...]:
        """The same as the client matrix writes it, each request once."""
        return tuple(dict.fromkeys(request.about(domain) for request in self.requests()))

    @property
    def _requests(self) -> Path:
        return self.directory / "requests.jsonl"


@pytest.fixture(scope="session")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    """The small internet, with the service in it; skipped where this machine gives us no namespaces."""
    _require_namespaces()
    directory = tmp_path_factory.mktemp("internet")
    _certify(directory)
    environ = _fill_directory(directory / "data")
    log = (directory / "log").open("w")
    process = subprocess.Popen(
        [*_UNSHARE, sys.executable, "-m", "tests.clients.world", directory],
        cwd=CHECKOUT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PROVISIONER_")} | environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert "ready\n" == process.stdout.readline(), (directory / "log").read_text()
        yield Internet(directory, process)
        process.stdin.close()
        process.wait(30)
    finally:
        for pipe in (process.stdin, process.stdout, log):
            pipe.close()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _require_namespaces() -> None:
    for program in ("unshare", "nsenter"):
        require_program("namespaces", package="util-linux", binaries=[program])
    tried = subprocess.run([*_UNSHARE, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        absent("namespaces", reason=f"this machine gives us no namespaces: {tried.stderr.strip()}")


def _certify(directory: Path) -> None:
    """``ca.pem``, and ``server.pem`` with chain and key, for every name in the small internet."""
    root = pki.make_root("Throw-away authority")
    names = SubjectAlternativeName([DNSName(name) for name in places.CERTIFIED])
    server = root.issue(places.CERTIFIED[0], extensions=(*pki.usual_extensions(ca=False), names))
    pki.replace_file(directory / "server.pem", pki.certificates_pem(server.certificate) + pki.key_pem(server.key))
    pki.write_root(directory / "ca.pem", server)


def _fill_directory(data_dir: Path) -> dict[str, str]:
    """The organisation and its domains in a new store; returns the service's environment."""
    shell = Shell(
        data_dir,
        {
            "PROVISIONER_PUBLIC_URL": places.PUBLIC_URL,
            "PROVISIONER_TRUSTED_PROXIES": "127.0.0.0/8",
            "PROVISIONER_WORKERS": "1",
        },
    )
    shell.run("organisation", "add", CONTOSO.id, "--name", CONTOSO.name)
    for domain in places.DOMAINS:
        options = ["--provider", domain.provider_id, "--autodiscover", domain.autodiscover.value]
        shell.run("domain", "add", domain.name, "--organisation", CONTOSO.id, *options)
    return {name: value for name, value in shell.variables().items() if value is not None}
