"""A small internet for real mail clients, in namespaces of its own: names, TLS, the service behind a proxy.

Linux namespaces (unshare(1): user, network, mount): ports 53, 80 and 443 are free in there, no file of this machine is
changed, and nothing gets out, so that no test asks Microsoft or anybody else. This module is the program inside; it
ends with its standard input.
"""

import fcntl
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from socketserver import BaseServer
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from threading import Thread
from urllib.parse import urlsplit

from provisioner.organisation import AutodiscoverPolicy
from tests.clients import places
from tests.clients.front import Asked, Front, Said, relay_to
from tests.clients.names import NameServer
from tests.desks import Desk
from tests.processes import PROVISIONER

_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1  # netdevice(7)

_MICROSOFT = Desk(places.PROVIDER.id, AutodiscoverPolicy.SETTINGS, domain=places.REDIRECTED)


def main(directory: Path) -> None:
    """Be the internet until standard input ends; says "ready" when it is there."""
    _raise_loopback()
    _resolve_with(places.NAME_SERVER, directory)
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.pem")
    log = directory / "requests.jsonl"
    relay = relay_to(places.SERVICE_PORT)
    _start(NameServer((places.NAME_SERVER, 53), places.ZONE))  # first: a web server asks for its own name
    _start(Front((places.HERE, 443), relay, log=log, context=context))
    _start(Front((places.HERE, 80), relay, log=log))
    _start(Front((places.CLOUD, 443), _cloud, log=log, context=context))
    _start(Front((places.WEBSITE, 443), _website, log=log, context=context))
    _start(Front((places.WEBSITE, 80), _website, log=log))
    with _service() as service:
        try:
            _wait_for(service)
            print("ready", flush=True)  # noqa: T201  # the word that is waited for
            sys.stdin.read()
        finally:
            service.terminate()


def _start(server: BaseServer) -> None:
    Thread(target=server.serve_forever, daemon=True).start()


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name = b"lo"
        (flags,) = struct.unpack("16xh", fcntl.ioctl(control, _GET_FLAGS, struct.pack("16sh", name, 0))[:18])
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh", name, flags | _UP))


def _resolve_with(server: str, directory: Path) -> None:
    """Lay files over the machine's own: seen in this mount namespace alone."""
    for name, content in {
        "resolv.conf": f"nameserver {server}\n",
        "hosts": "127.0.0.1 localhost\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    }.items():
        (directory / name).write_text(content)
        if Path("/etc", name).exists():
            subprocess.run(["mount", "--bind", directory / name, f"/etc/{name}"], check=True)


def _service() -> subprocess.Popen[bytes]:
    """The service, as its administrator starts it; PROVISIONER_… variables come from the test."""
    return subprocess.Popen([PROVISIONER, "serve", "--port", str(places.SERVICE_PORT)], stdin=subprocess.DEVNULL)


def _wait_for(service: subprocess.Popen[bytes]) -> None:
    while service.poll() is None:
        with socket.socket() as connection:
            if 0 == connection.connect_ex(("127.0.0.1", places.SERVICE_PORT)):
                return
        time.sleep(0.02)
    sys.exit("the service has ended")


def _cloud(asked: Asked) -> Said:
    """Stands for Microsoft's own Autodiscover, which never sends on what we have sent there."""
    parts = urlsplit(asked.target)
    reply = _MICROSOFT.ask(asked.body, method=asked.method, path=parts.path, query=parts.query, headers=asked.headers)
    headers = {"Content-Type": reply.media_type, "X-SOAP-Enabled": "True", **reply.headers}
    return Said(reply.status, headers, reply.body)


def _website(asked: Asked) -> Said:
    return Said(404, {"Content-Type": "text/html"}, b"<!doctype html><title>Not found</title>\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
