"""Starts Thunderbird without a window and lets its account set-up look for somebody's settings. Writes JSON.

Marionette, Mozilla's protocol for tests (remote/marionette in its source): packets of ``length:JSON`` on a TCP
connection, [0, id, command, parameters] there and [1, id, error, result] back. The function asked is the one behind the
first page of Thunderbird's account hub.
"""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_PORT = 2828

_PREFERENCES = {
    "marionette.port": _PORT,
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "mailnews.start_page.enabled": False,
}

_LOOK = """
const [authority, address, password, done] = arguments;
(async () => {
  if (authority) {
    const known = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
    known.addCertFromBase64(authority, "CT,,");
  }
  const { FindConfig } = ChromeUtils.importESModule("resource:///modules/accountcreation/FindConfig.sys.mjs");
  const signal = new AbortController().signal;
  const search = FindConfig.parallelAutoDiscovery(address.split("@")[1], address, signal, password);
  const { value } = await search.next();
  return value && {
    source: value.subSource,
    servers: [value.incoming, ...value.incomingAlternatives, value.outgoing, ...value.outgoingAlternatives].map(
      server => [server.type, server.hostname, server.port, server.socketType, server.auth, server.username]
    ),
  };
})().then(done, error => done({ failed: String(error) }));
"""


class _Marionette:
    """A session in Thunderbird's own context."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream = connection.makefile("rb")
        self._read()
        self.call("WebDriver:NewSession")
        self.call("Marionette:SetContext", value="chrome")
        self.call("WebDriver:SetTimeouts", script=60_000)

    def call(self, command: str, **parameters: Any) -> Any:
        """The result of ``command``."""
        packet = json.dumps([0, 1, command, parameters]).encode()
        self._connection.sendall(b"%d:%b" % (len(packet), packet))
        _, _, error, result = self._read()
        if error:
            sys.exit(f"{command}: {error}")
        return result

    def _read(self) -> Any:
        length = b""
        while b":" != (octet := self._stream.read(1)):
            if not octet:
                sys.exit("Thunderbird has hung up")
            length += octet
        return json.loads(self._stream.read(int(length)))


def _connect(thunderbird: "subprocess.Popen[bytes]") -> socket.socket:
    while thunderbird.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", _PORT))
        except OSError:
            time.sleep(0.05)
    sys.exit("Thunderbird has ended")


def main(binary: str, address: str, password: str, authority: str) -> None:
    """``authority`` is a PEM file, or empty where Thunderbird is to trust nobody."""
    profile = Path("profile")
    profile.mkdir()
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in _PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    options = ["--headless", "--marionette", "--remote-allow-system-access", "--no-remote"]
    thunderbird = subprocess.Popen([binary, *options, "--profile", profile.absolute()], stdout=sys.stderr)
    marionette = _Marionette(_connect(thunderbird))
    pem = Path(authority).read_text().splitlines() if authority else []
    encoded = "".join(line for line in pem if not line.startswith("-"))
    found = marionette.call("WebDriver:ExecuteAsyncScript", script=_LOOK, args=[encoded, address, password])
    marionette.call("Marionette:Quit", flags=["eForceQuit"])
    thunderbird.wait()
    json.dump(found["value"], sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
