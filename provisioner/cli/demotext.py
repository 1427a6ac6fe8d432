"""What the demonstration says when it is ready: the link, what a phone makes of it, and what to try next."""

import json
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import click

from provisioner.cli.output import abandon_standard_output, plain
from provisioner.qr import qr_terminal

_PATIENCE = 30.0  # seconds
_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What somebody who tries it needs to know; these are also the names in its JSON."""

    base_url: str
    setup_link: str
    ca_certificate: Path
    domain: str
    address: str


def announce_when_ready(shown: Demonstration, *, as_json: bool, unheard: Callable[[], None]) -> None:
    """Write to standard output as soon as the setup link really answers, without waiting for it here.

    ``unheard`` is called, and the reason told, where that cannot be written.
    """
    Thread(target=_announce, args=(shown, as_json, unheard), name="announce", daemon=True).start()


def _announce(shown: Demonstration, as_json: bool, unheard: Callable[[], None]) -> None:
    if not _answers(shown.setup_link):
        click.echo("Error: The demonstration started, but its link does not answer. See the messages above.", err=True)
        return
    try:
        click.echo(json.dumps(plain(shown)) if as_json else _for_people(shown))
    except BrokenPipeError:
        abandon_standard_output()  # where nobody reads any more the service goes on
    except OSError as failure:
        abandon_standard_output()
        click.echo(f"Error: The answer could not be written: {failure.strerror}.", err=True)
        unheard()


def _answers(link: str) -> bool:
    url = urlsplit(link)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        connection = HTTPConnection(url.netloc, timeout=_PATIENCE)
        try:
            connection.request("GET", url.path)
            if connection.getresponse().status == 200:
                return True
        except (OSError, HTTPException):
            pass  # it is starting
        finally:
            connection.close()
        time.sleep(_PAUSE)
    return False


def _for_people(shown: Demonstration) -> str:
    directory, authority = shlex.quote(str(shown.ca_certificate.parent.parent)), shlex.quote(str(shown.ca_certificate))
    command = shlex.quote(_command())
    return f"""
{qr_terminal(shown.setup_link, colour=sys.stdout.isatty())}

The setup link of {shown.address}:

  {shown.setup_link}

Open it in a browser of this machine. A phone cannot: to a phone, 127.0.0.1 is the phone itself. For that, run
`provisioner serve` behind an https proxy that the phone reaches.

A real phone would show the profile as Not Verified: this demonstration has made its own signing authority a moment
ago, and no phone knows it. Its certificate: {shown.ca_certificate}

What to try next, in another terminal:

  curl -s -A iPhone {shown.setup_link}
  curl -s -o mail.mobileconfig {shown.setup_link}/ios-exchange.mobileconfig
  openssl cms -verify -inform DER -in mail.mobileconfig -CAfile {authority} -purpose any

  export PROVISIONER_DATA_DIR={directory} PROVISIONER_PUBLIC_URL={shown.base_url}
  {command} link create bob@{shown.domain}
  {command} link list

Ctrl-C stops everything.
"""


def _command() -> str:
    """This program as it can be typed in any directory."""
    program = sys.argv[0]
    return str(Path(program).absolute()) if "/" in program else program
