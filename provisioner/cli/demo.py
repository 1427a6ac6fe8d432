"""``provisioner demo``: the whole service on this machine, in one command, with everything it needs made on the spot.

A throw-away signing authority, the organisation Contoso and one invited person. Nothing of the environment's or a
file's settings is used, so that a demonstration never touches a real service's data.
"""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from mmap import mmap
from pathlib import Path
from tempfile import mkdtemp
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from provisioner.cli.context import PathOf
from provisioner.errors import AlreadyExists

if TYPE_CHECKING:
    import socket

    from provisioner.app import Services
    from provisioner.cli.demotext import Demonstration
    from provisioner.config import Settings

_HOST = "127.0.0.1"
_FIRST_PORT, _PORTS = 8080, 20
_GRACE = 3  # seconds to finish requests
_ORGANISATION, _DOMAIN = "contoso", "contoso.example"
_ADDRESS, _NAME = f"anna@{_DOMAIN}", "Anna Example"
_DEVICES = 20  # enough to try every document several times
_ACTOR = "demo"
_LOG_VARIABLES = ("PROVISIONER_LOG_LEVEL", "PROVISIONER_LOG_FORMAT")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write one line of JSON when it is ready, and nothing else.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Port; 0 for any. [default: 8080 or the next]")
@click.option(
    "--dir",
    "directory",
    type=PathOf(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep everything there; a second start continues it. [default: a temporary directory]",
)
@click.pass_context
def demo(ctx: click.Context, *, as_json: bool, port: int | None, directory: Path | None) -> None:
    """Try everything out on this machine; Ctrl-C stops it."""
    signal.signal(signal.SIGTERM, _stop)
    if not as_json:
        click.echo("Preparing a signing authority, an organisation and an invitation to try out …", err=True)
    try:
        with _place(directory) as place, _listener(port) as listener:
            settings = _settings(place, listener)
            shown = _prepare(settings)
            ctx.exit(_serve(settings, listener, shown, as_json=as_json))
    except KeyboardInterrupt:
        ctx.exit(0)


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # as the signal module calls it
    raise KeyboardInterrupt


@contextmanager
def _place(directory: Path | None) -> Iterator[Path]:
    """The directory of the demonstration, held by this process alone; a temporary one is removed at the end."""
    from provisioner.cli.demoplace import hold

    parent = os.getpid()
    place = directory.absolute() if directory else Path(mkdtemp(prefix="provisioner-demo-"))
    try:
        with hold(place):
            yield place
    finally:
        if directory is None and os.getpid() == parent:  # the workers, which are forked meanwhile, come by here too
            shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _listener(port: int | None) -> Iterator["socket.socket"]:
    from provisioner.cli.server import CannotListen, listen

    candidates = [port] if port is not None else [*range(_FIRST_PORT, _FIRST_PORT + _PORTS), 0]
    for candidate in candidates[:-1]:
        try:
            listener = listen(_HOST, candidate)
            break
        except CannotListen:
            continue
    else:
        listener = listen(_HOST, candidates[-1])
    with listener:
        yield listener


def _settings(place: Path, listener: "socket.socket") -> "Settings":
    from provisioner.cli.logs import start_log
    from provisioner.config import load_configuration

    port = listener.getsockname()[1]
    chosen = {
        "public_url": f"http://{_HOST}:{port}",
        "host": _HOST,
        "port": port,
        "data_dir": place,
        "trusted_proxies": "127.0.0.0/8, ::1",
        "workers": 1,
        "link_devices": _DEVICES,
    }
    environ = {"PROVISIONER_LOG_LEVEL": "warning"} | {n: os.environ[n] for n in _LOG_VARIABLES if os.environ.get(n)}
    settings = load_configuration(file=None, environ=environ, overrides=chosen).settings
    start_log(level=settings.log_level, form=settings.log_format)
    return settings


def _prepare(settings: "Settings") -> "Demonstration":
    """Make what is missing, so that a start after any end, also a sudden one, goes on where that one was."""
    from provisioner.cli.context import open_services
    from provisioner.cli.demoplace import make_identity
    from provisioner.cli.demotext import Demonstration

    authority = make_identity(settings)
    with open_services(settings) as services:
        _add_directory(services)
        return Demonstration(
            base_url=settings.public_url,
            setup_link=settings.public_url + _link_path(services),
            ca_certificate=authority,
            domain=_DOMAIN,
            address=_ADDRESS,
        )


def _add_directory(services: "Services") -> None:
    from provisioner.cli.directoryfile import DEFAULT_PROVIDER
    from provisioner.organisation import Domain, Kind, Organisation

    organisation = Organisation(_ORGANISATION, "Contoso", support_contact=f"helpdesk@{_DOMAIN}")
    domain = Domain(_DOMAIN, _ORGANISATION, DEFAULT_PROVIDER, account_kinds=(Kind.EXCHANGE, Kind.IMAP))
    with suppress(AlreadyExists):  # a second start: what was changed by hand stays
        services.directory.add_organisation(organisation, actor=_ACTOR)
    with suppress(AlreadyExists):
        services.directory.add_domain(domain, actor=_ACTOR)


def _link_path(services: "Services") -> str:
    """The person's newest open link, or a new one where none is open any more."""
    from provisioner.links import LinkState
    from provisioner.model import Account

    anna = Account(_ADDRESS, display_name=_NAME)
    for link in reversed(services.links.list(domain=_DOMAIN)):
        if link.account.key == anna.key and link.state(services.clock()) is LinkState.OPEN:
            return link.path
    lifetime = timedelta(days=services.settings.link_days)
    return services.links.create(anna, lifetime=lifetime, devices=_DEVICES, actor=_ACTOR).path


def _serve(settings: "Settings", listener: "socket.socket", shown: "Demonstration", *, as_json: bool) -> int:
    from provisioner.cli.demotext import announce_when_ready
    from provisioner.cli.server import run

    def stop_with_terminal(arbiter: Any) -> None:
        # gunicorn would reload; but who closes the terminal wants the demonstration to end.
        signal.signal(signal.SIGHUP, lambda *_: arbiter.SIG_QUEUE.put_nowait(signal.SIGTERM))

    def announce(worker: Any) -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal tells the workers too; the arbiter ends them
        if worker.age == 1:  # the first worker only, not one that replaces it
            announce_when_ready(shown, as_json=as_json, unheard=end_unheard)

    failed = mmap(-1, 1)  # memory that the workers share with us
    parent = os.getpid()

    def end_unheard() -> None:
        failed[0] = 1
        os.kill(parent, signal.SIGTERM)

    ended = run(settings, listener, grace=_GRACE, when_ready=stop_with_terminal, post_worker_init=announce)
    return failed[0] or ended
