"""``provisioner demo``: one command, everything running, nothing left behind, and what it says is true."""

import json
import os
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from provisioner.signing import create_demo_identity
from tests.capabilities import require_program
from tests.commands import Shell, names
from tests.pki import content_openssl_verified, make_signer, write_identity
from tests.processes import PROVISIONER, Running, running, until

pytestmark = pytest.mark.journey


def get(url: str, *, user_agent: str = "iPhone") -> tuple[int, bytes]:
    """Status and body of a GET, without any proxy of this machine."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request("GET", parts.path, headers={"User-Agent": user_agent})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@contextmanager
def demo(*arguments: str | Path, **environ: str) -> Iterator[tuple[Running, dict[str, str]]]:
    """``provisioner demo --json``, ready, and what its line says."""
    with running("demo", "--json", *arguments, **environ) as process:
        until(lambda: process.stdout.endswith("\n"), of=process)
        yield process, json.loads(process.stdout)


def test_one_line_says_what_is_ready_and_it_answers(tmp_path: Path) -> None:
    with demo("--port", "0", TMPDIR=str(tmp_path)) as (process, said):
        assert ["base_url", "setup_link", "ca_certificate", "domain", "address"] == list(said)
        assert ("contoso.example", "anna@contoso.example") == (said["domain"], said["address"])
        assert said["base_url"].startswith("http://127.0.0.1:")
        assert said["setup_link"].startswith(f"{said['base_url']}/s/")
        assert 200 == get(said["setup_link"])[0]
        assert 200 == get(f"{said['base_url']}/readyz")[0]
        for format_id in ("ios-exchange", "apple-imap"):  # the demonstration's domain offers both kinds
            status, signed = get(f"{said['setup_link']}/{format_id}.mobileconfig")
            assert 200 == status
            assert content_openssl_verified(signed, root=Path(said["ca_certificate"])).startswith(b"<?xml")
        assert 1 == len(process.stdout.splitlines())
        assert "" == process.stderr
        assert 0 == process.end(signal.SIGTERM)
        assert process.is_gone
        assert 1 == len(process.stdout.splitlines())
    assert [] == names(tmp_path), "the temporary directory is removed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_and_closing_the_terminal_stop_everything(number: signal.Signals, tmp_path: Path) -> None:
    with demo("--port", "0", TMPDIR=str(tmp_path)) as (process, _):
        os.killpg(process.process.pid, number)  # as a terminal does: to everybody in front
        assert 0 == process.process.wait(30)
        until(lambda: process.is_gone)
        assert "" == process.stderr
    assert [] == names(tmp_path)


def test_stopping_it_before_it_is_ready_leaves_nothing(tmp_path: Path) -> None:
    with running("demo", "--port", "0", TMPDIR=str(tmp_path)) as process:
        until(lambda: list(tmp_path.glob("provisioner-demo-*/DEMO.txt")), of=process)
        assert 0 == process.end()
        assert process.is_gone
    assert [] == names(tmp_path)


# a directory that is kept


def test_a_second_start_continues_the_first(tmp_path: Path) -> None:
    with demo("--port", "0", "--dir", tmp_path / "kept") as (process, first):
        authority = Path(first["ca_certificate"]).read_bytes()
        process.end()
    with demo("--port", "0", "--dir", tmp_path / "kept") as (_, second):
        assert urlsplit(first["setup_link"]).path == urlsplit(second["setup_link"]).path
        assert (first["ca_certificate"], authority) == (
            second["ca_certificate"],
            Path(second["ca_certificate"]).read_bytes(),
        )
        assert 200 == get(second["setup_link"])[0]


def test_a_link_that_no_longer_opens_is_replaced_at_the_next_start(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "kept", {"PROVISIONER_PUBLIC_URL": "http://127.0.0.1"})
    with demo("--port", "0", "--dir", shell.data_dir) as (process, first):
        (link,) = shell.json("link", "list")
        shell.run("link", "revoke", link["id"])
        assert 410 == get(first["setup_link"])[0]
        process.end()
    with demo("--port", "0", "--dir", shell.data_dir) as (_, second):
        assert urlsplit(first["setup_link"]).path != urlsplit(second["setup_link"]).path
        assert 200 == get(second["setup_link"])[0]
    assert ["revoked", "open"] == [each["state"] for each in shell.json("link", "list")]


def test_what_was_changed_by_hand_stays(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "kept")
    with demo("--port", "0", "--dir", shell.data_dir) as (process, _):
        shell.run("organisation", "set", "contoso", "--name", "Contoso Ltd")
        process.end()
    with demo("--port", "0", "--dir", shell.data_dir) as (_, said):
        assert b"Contoso Ltd" in get(said["setup_link"])[1]


_MOMENTS = {
    "when the directory is marked": ["DEMO.txt"],
    # A busy machine may look only after that short moment has passed: then what follows it counts.
    "when the identity is being made": [".demo-identity-*", "identity/certificate.pem"],
    "when the identity is there": ["identity/certificate.pem"],
    "when the key is there": ["link.key"],
    "when the store is there": ["provisioner.sqlite3"],
}


@pytest.mark.parametrize("signs", _MOMENTS.values(), ids=list(_MOMENTS))
def test_a_sudden_end_at_any_moment_leaves_nothing_broken(signs: list[str], tmp_path: Path) -> None:
    with running("demo", "--json", "--port", "0", "--dir", tmp_path) as process:
        until(lambda: any(list(tmp_path.glob(sign)) for sign in signs), of=process)
        process.end(signal.SIGKILL)
    with demo("--port", "0", "--dir", tmp_path) as (process, said):
        assert 200 == get(f"{said['setup_link']}/ios-exchange.mobileconfig")[0]
        assert [] == list(tmp_path.glob(".demo-identity-*"))
        process.end(signal.SIGKILL)
        until(lambda: process.is_gone)  # the workers notice by themselves
    with demo("--port", "0", "--dir", tmp_path) as (_, again):
        assert urlsplit(said["setup_link"]).path == urlsplit(again["setup_link"]).path


def test_a_directory_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").touch()
    with running("demo", "--dir", tmp_path) as process:
        assert 2 == process.process.wait(30)
        assert f"Error: {tmp_path} holds something that is no demonstration" in process.stderr
    assert ["letters"] == names(tmp_path)


@pytest.mark.parametrize("mark", ["", "Notes for the demonstration on Friday.\n"], ids=["empty", "another text"])
def test_a_directory_is_no_demonstrations_because_of_a_name(mark: str, tmp_path: Path) -> None:
    (tmp_path / "DEMO.txt").write_text(mark)
    (tmp_path / "letters").touch()
    with running("demo", "--dir", tmp_path) as process:
        assert 2 == process.process.wait(30)
        assert f"Error: {tmp_path} holds something that is no demonstration" in process.stderr
    assert ["DEMO.txt", "letters"] == names(tmp_path)
    assert mark == (tmp_path / "DEMO.txt").read_text()


def _marked(place: Path) -> Path:
    """A demonstration's directory in which nothing else is yet."""
    place.mkdir()
    (place / "DEMO.txt").write_text(
        "A throw-away demonstration of Provisioner. Everything in this directory may be deleted.\n"
    )
    return place


def test_an_expired_identity_of_its_own_is_made_anew_and_what_lies_beside_it_stays(tmp_path: Path) -> None:
    identity = _marked(tmp_path / "kept") / "identity"
    create_demo_identity(identity, now=datetime(2020, 1, 1, tzinfo=UTC), organisation="Contoso")
    (identity / "notes").write_text("mine")
    with demo("--port", "0", "--dir", tmp_path / "kept") as (_, said):
        assert 200 == get(f"{said['setup_link']}/ios-exchange.mobileconfig")[0]
    assert "mine" == (identity / "notes").read_text()
    assert ["ca.pem", "certificate.pem", "chain.pem", "key.pem", "notes"] == names(identity)


@pytest.mark.parametrize("with_authority", [True, False])
def test_an_expired_identity_of_somebody_else_is_left_alone(with_authority: bool, tmp_path: Path) -> None:
    identity = _marked(tmp_path / "kept") / "identity"
    if with_authority:  # somebody has put their own identity where a demonstration's was
        create_demo_identity(identity, now=datetime(2020, 1, 1, tzinfo=UTC), organisation="Contoso")
    write_identity(identity, make_signer(not_after=datetime(2025, 1, 1, tzinfo=UTC)))
    before = {file.name: file.read_bytes() for file in identity.iterdir()}
    with running("demo", "--json", "--dir", tmp_path / "kept") as process:
        assert 1 == process.process.wait(30)
        (line,) = process.stderr.splitlines()
        assert f"The identity in {identity} is not the demonstration's own and is left alone" in line
    assert before == {file.name: file.read_bytes() for file in identity.iterdir()}


def test_two_demonstrations_do_not_share_a_directory(tmp_path: Path) -> None:
    with demo("--port", "0", "--dir", tmp_path), running("demo", "--json", "--port", "0", "--dir", tmp_path) as second:
        assert 1 == second.process.wait(30)
        assert f"Error: A demonstration is running in {tmp_path} already." in second.stderr
        assert "" == second.stdout


def test_a_directory_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with running("demo", "--json", "--dir", tmp_path / "file" / "demo") as process:
        assert 1 == process.process.wait(30)
        assert f"Error: The directory {tmp_path}/file/demo cannot be used: Not a directory.\n" == process.stderr


@pytest.mark.parametrize("arguments", [(), ("--json",)], ids=["text", "json"])
def test_where_what_it_has_to_say_cannot_be_written_it_ends(arguments: tuple[str, ...], tmp_path: Path) -> None:
    command: list[str | Path] = [
        "sh",
        "-c",
        'exec "$@" >/dev/full',
        "sh",
        PROVISIONER,
        "demo",
        *arguments,
        "--port",
        "0",
    ]
    environ = os.environ | {"TMPDIR": str(tmp_path)}
    ended = subprocess.run(command, env=environ, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    *progress, line = ended.stderr.splitlines()
    assert (1, "Error: The answer could not be written: No space left on device.") == (ended.returncode, line)
    assert len(progress) == (0 if arguments else 1)
    assert [] == names(tmp_path)


# ports


def test_a_port_that_was_asked_for_and_is_taken_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with running("demo", "--json", "--port", port, TMPDIR=str(tmp_path)) as process:
            assert 1 == process.process.wait(30)
            assert process.stderr.startswith(
                f"Error: Port {port} on 127.0.0.1 cannot be listened on: Address already in use"
            )
            assert 1 == len(process.stderr.splitlines())
            assert "" == process.stdout
    assert [] == names(tmp_path)


def test_without_a_wish_a_taken_port_is_passed_over(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", 8080))
        except OSError:
            pass  # somebody has it already, which is what this test is about
        else:
            other.listen()
        with demo(TMPDIR=str(tmp_path)) as (_, said):
            assert 8080 != urlsplit(said["base_url"]).port
            assert 200 == get(said["setup_link"])[0]


# isolation and words


def test_it_uses_no_setting_of_a_real_service(tmp_path: Path) -> None:
    real = tmp_path / "real"
    environ = {
        "PROVISIONER_DATA_DIR": str(real),
        "PROVISIONER_DATABASE_URL": f"sqlite:///{real}/x.sqlite3",
        "PROVISIONER_PUBLIC_URL": "https://mail.contoso.example",
        "PROVISIONER_CONFIG": str(tmp_path / "missing.toml"),
        "PROVISIONER_UNKNOWN": "x",
    }
    with demo("--port", "0", TMPDIR=str(tmp_path), **environ) as (_, said):
        assert said["base_url"].startswith("http://127.0.0.1:")
        assert not real.exists()


def test_it_says_what_a_newcomer_needs_and_every_line_it_offers_works(tmp_path: Path) -> None:
    require_program("curl", package="curl", binaries=["curl"])
    require_program("openssl", package="openssl", binaries=["openssl"])
    place, elsewhere = tmp_path / "a directory", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with running("demo", "--port", "0", "--dir", place) as process:
        until(lambda: "Ctrl-C stops everything." in process.stdout, of=process)
        said = process.stdout
        assert "█▀" in said, "a QR code"
        assert "to a phone, 127.0.0.1 is the phone itself" in said
        assert "Not Verified" in said
        assert f"Its certificate: {place}/identity/ca.pem" in said
        offered = [
            line
            for line in said.splitlines()
            if line.startswith(("  curl ", "  openssl ", "  export ", f"  {shlex.quote(str(PROVISIONER))}"))
        ]
        assert 6 == len(offered)
        script = "set -euo pipefail\n" + "\n".join(offered)
        environ = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        done = subprocess.run(
            ["bash", "-c", script], cwd=elsewhere, env=environ, capture_output=True, text=True, check=False, timeout=60
        )
        assert 0 == done.returncode, done.stderr
        assert "bob@contoso.example" in done.stdout
        assert "CMS Verification successful" in done.stderr
        assert ["mail.mobileconfig"] == names(elsewhere)


def test_the_lines_it_offers_are_safe_to_paste(tmp_path: Path) -> None:
    from provisioner.cli.demotext import Demonstration, _for_people

    authority = tmp_path / "it's; rm -r *" / "identity" / "ca.pem"
    shown = Demonstration(
        "http://127.0.0.1:1", "http://127.0.0.1:1/s/x", authority, "contoso.example", "a@contoso.example"
    )
    (line,) = [line for line in _for_people(shown).splitlines() if "openssl" in line]
    assert str(authority) in shlex.split(line)
