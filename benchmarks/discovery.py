"""What mail clients ask, beside automx2, a constant in Flask and a constant in bare WSGI.

All are served by gunicorn with the same settings, in slices that alternate. automx2 comes from the package index into a
virtual environment of its own, and answers for its own example domain; where it cannot be had, the rest is measured.
The constants are as long as an Autodiscover answer. Ours writes its log line for each request, as in production.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask

from benchmarks.serving import Cost, Request, Server, elsewhere, get, post, serving
from benchmarks.timing import Row
from provisioner.app import build, create_app
from provisioner.cli.counters import shared_counters
from provisioner.cli.logs import start_log
from provisioner.config import Settings
from provisioner.organisation import Domain, Organisation

_PLACE = "BENCHMARK_PLACE"
_CONSTANT = b"x" * 1084  # octets
_LEAST = 32  # requests of a slice
_ROUNDS = 45  # many and short: what else this machine does changes within a second
_WSGI, _FLASK = "a constant in bare WSGI", "a constant in Flask"
_POST, _GET, _JSON = "POST Autodiscover", "GET autoconfig", "GET Autodiscover v2 (JSON)"
_OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook"
_QUESTION = (
    '<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{schema}/requestschema/2006"><Request>'
    "<EMailAddress>{address}</EMailAddress>"
    "<AcceptableResponseSchema>{schema}/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>"
)


@dataclass(frozen=True, slots=True)
class _Contestant:
    name: str
    server: Server
    request: Request
    beside: tuple[str, ...] = ()


def measure(seconds: float) -> list[Row]:
    """Our three answers, each beside whatever there is to compare it with."""
    with TemporaryDirectory(prefix="provisioner-benchmark-") as place, ExitStack() as running:
        automx2 = _install_automx2(Path(place))
        running.enter_context(elsewhere())
        running.enter_context(shared_counters(Path(place)))
        return _compare([*_constants(running), *_automx2(running, automx2), *_ours(running, Path(place))], seconds)


def _constants(running: ExitStack) -> Iterator[_Contestant]:
    for name, application, beside in ((_WSGI, "bare_wsgi", ()), (_FLASK, "bare_flask()", (_WSGI,))):
        server = running.enter_context(serving(f"benchmarks.discovery:{application}"))
        yield _Contestant(name, server, get("/"), (f"automx2: {_POST}", *beside))


def bare_wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:  # noqa: ARG001  # as WSGI
    """The least that a server can be asked for."""
    start_response("200 OK", [("Content-Type", "text/xml"), ("Content-Length", str(len(_CONSTANT)))])
    return [_CONSTANT]


def bare_flask() -> Flask:
    """The least that Flask can be asked for."""
    web = Flask(__name__)
    web.add_url_rule("/", view_func=lambda: (_CONSTANT, {"Content-Type": "text/xml"}))
    return web


def _ours(running: ExitStack, place: Path) -> Iterator[_Contestant]:
    address = "anna@contoso.example"
    services = build(_settings(place))
    services.store.upgrade()
    services.directory.add_organisation(Organisation(id="contoso", name="Contoso"), actor="benchmark")
    services.directory.add_domain(Domain("contoso.example", "contoso", "office365"), actor="benchmark")
    services.close()
    server = running.enter_context(serving("benchmarks.discovery:ours()", environ={_PLACE: str(place)}))
    constants = (_FLASK, _WSGI)
    for name, request in _questions(address).items():
        yield _Contestant(name, server, request, (f"automx2: {name}", *constants))
    json = get(f"/autodiscover/autodiscover.json?Email={address}&Protocol=ActiveSync")
    yield _Contestant(_JSON, server, json, (f"automx2: {_GET}", *constants))


def ours() -> Flask:
    """The service, as ``provisioner serve`` makes it."""
    settings = _settings(Path(os.environ[_PLACE]))
    start_log(level=settings.log_level, form=settings.log_format)
    return create_app(settings)


def _settings(place: Path) -> Settings:
    return Settings(public_url="https://setup.contoso.example", data_dir=place)


def _questions(address: str) -> dict[str, Request]:
    body = _QUESTION.format(schema=_OUTLOOK, address=address)
    return {
        _POST: post("/autodiscover/autodiscover.xml", body),
        _GET: get(f"/mail/config-v1.1.xml?emailaddress={address.replace('@', '%40')}"),
    }


def _install_automx2(place: Path) -> Path | None:
    """A Python that has automx2 and our gunicorn; None, and a sentence, where they cannot be had."""
    python = place / "automx2" / "bin" / "python"
    wanted = ["automx2", f"gunicorn=={version('gunicorn')}"]
    try:
        subprocess.run([sys.executable, "-m", "venv", place / "automx2"], check=True, capture_output=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        print("automx2 could not be installed from the package index: it is left out.", file=sys.stderr)
        return None
    return python


def _automx2(running: ExitStack, python: Path | None) -> Iterator[_Contestant]:
    if python is None:
        return
    settings = python.parent / "automx2.conf"
    settings.write_text(f"[automx2]\nloglevel = WARNING\ndb_uri = sqlite:///{settings.with_suffix('.sqlite')}\n")
    server = running.enter_context(
        serving("automx2.server:app", python=python, environ={"AUTOMX2_CONF": str(settings)})
    )
    server.ask(get("/initdb/"), 1)  # makes its own example data
    for name, request in _questions("abc@example.com").items():
        yield _Contestant(f"automx2: {name}", server, request)


def _compare(contestants: Sequence[_Contestant], seconds: float) -> list[Row]:
    """Slices of all in turn, each of about ``seconds`` of its server's CPU time in all."""
    times = [_times(each, seconds / _ROUNDS) for each in contestants]
    rounds: list[dict[str, Cost]] = []
    for number in range(_ROUNDS):
        order = list(zip(contestants, times, strict=True))
        rounds.append(
            {each.name: each.server.ask(each.request, count) for each, count in order[:: -1 if number % 2 else 1]}
        )
    return [
        _row(each.name, beside, rounds)
        for each in contestants
        for beside in ([name for name in each.beside if name in rounds[0]] or [each.name])
    ]


def _times(contestant: _Contestant, seconds: float) -> int:
    """How many requests take ``seconds`` of the server's CPU time; also warms it up."""
    times = _LEAST
    while (cost := contestant.server.ask(contestant.request, times)).cpu < seconds / 4:
        times *= 2
    return max(_LEAST, round(times * seconds / cost.cpu))


def _row(name: str, beside: str, rounds: Sequence[dict[str, Cost]]) -> Row:
    ratios = [each[name].rate / each[beside].rate for each in rounds]
    waits = quantiles((wait for each in rounds for wait in each[name].waits), n=100)
    return Row(
        operation=name,
        per_second=median(each[name].rate for each in rounds),
        beside="" if beside == name else beside,
        ratio=median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        waits=(waits[49], waits[98]),
    )
