"""``provisioner config``: what is set, from where, and whether the service would start; secrets stay secret."""

from pathlib import Path
from typing import Any

import pytest

from provisioner.config import SETTINGS
from tests.commands import Shell, shell_with_contoso
from tests.pki import make_signer, write_identity


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data", {"PROVISIONER_PUBLIC_URL": "https://setup.contoso.example"})


def test_show_tells_every_setting_and_where_it_comes_from(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "provisioner.toml"
    file.write_text("port = 9000\nqr_capitals = true\n")
    shown = {entry["name"]: entry for entry in shell.json("--config", file, "config", "show")}
    assert list(SETTINGS) == list(shown)
    assert {"name": "port", "value": 9000, "origin": f"{file}: port"} == shown["port"]
    assert (True, False) == (shown["qr_capitals"]["value"], SETTINGS["qr_capitals"].expected == "")
    assert "PROVISIONER_PUBLIC_URL" == shown["public_url"]["origin"]
    assert "default" == shown["threads"]["origin"]
    table = shell.run("--config", file, "config", "show").stdout
    assert f"port 9000 {file}: port" in " ".join(table.split())
    assert "qr_capitals true" in " ".join(table.split())
    assert "identity_passphrase (none) default" in " ".join(table.split())


def test_show_masks_secrets(shell: Shell) -> None:
    secret: dict[str, Any] = {
        "PROVISIONER_IDENTITY_PASSPHRASE": "horse",
        "PROVISIONER_DATABASE_URL": "postgresql://u:staple@h/d",
    }
    for arguments in (("config", "show"), ("config", "show", "--json"), ("config", "check")):
        said = shell.run(*arguments, exit_code=1 if "check" in arguments else 0, **secret).output
        assert "horse" not in said
        assert "staple" not in said
    assert "postgresql://u:********@h/d" in shell.run("config", "show", **secret).stdout


def test_check_is_content_with_a_service_that_would_start(tmp_path: Path) -> None:
    shell = shell_with_contoso(tmp_path / "data")
    write_identity(shell.data_dir / "identity", make_signer("Contoso IT"))
    shell.run("link", "list")
    results = shell.json("config", "check")
    assert all(result["ok"] for result in results)
    assert ["settings", "public URL", "catalogue", "data directory", "link key", "store", "identity"] == [
        result["check"] for result in results
    ]
    assert "Contoso IT, until 2049-12-31." == results[-1]["message"]


def test_check_writes_nothing(shell: Shell) -> None:
    said = shell.run("config", "check", exit_code=1).stdout
    assert not shell.data_dir.exists()
    assert f"{shell.data_dir} is made at first start." in said
    assert f"{shell.data_dir / 'link.key'} is made at first start." in said
    assert f"{shell.data_dir / 'provisioner.sqlite3'} is made at first start." in said


def _problems(shell: Shell, **environ: str) -> dict[str, str]:
    results = shell.json("config", "check", exit_code=1, **environ)
    return {result["check"]: result["message"] for result in results if not result["ok"]}


def test_check_finds_what_is_missing(shell: Shell) -> None:
    problems = _problems(shell, PROVISIONER_PUBLIC_URL="")
    assert {"public URL", "identity"} == set(problems)
    assert problems["public URL"].startswith("There is no public URL")
    assert problems["identity"].startswith("There is no signing identity in")


def test_check_finds_settings_that_cannot_be_used(shell: Shell) -> None:
    problems = _problems(shell, PROVISIONER_PORT="x", PROVISIONER_PROT="1")
    assert 2 == len(problems["settings"].splitlines())
    shown = shell.run("config", "check", exit_code=1, PROVISIONER_PORT="x", PROVISIONER_PROT="1").stdout
    assert 2 == shown.count("PROBLEM")


def test_check_finds_a_store_and_a_key_that_cannot_be_used(shell: Shell) -> None:
    shell.data_dir.mkdir()
    (shell.data_dir / "provisioner.sqlite3").write_bytes(b"This is no database." * 100)
    (shell.data_dir / "link.key").write_bytes(b"short")
    problems = _problems(shell)
    assert {"store", "link key", "identity"} == set(problems)
    assert "file is not a database" in problems["store"]


def test_check_says_that_tables_will_be_upgraded(shell: Shell) -> None:
    shell.data_dir.mkdir()
    (shell.data_dir / "provisioner.sqlite3").touch()
    results = {result["check"]: result for result in shell.json("config", "check", exit_code=1)}
    assert results["store"]["ok"]
    assert "its tables are brought to this version at the next start" in results["store"]["message"]
    assert 0 == (shell.data_dir / "provisioner.sqlite3").stat().st_size


def test_check_finds_a_data_directory_that_is_none(shell: Shell) -> None:
    shell.data_dir.touch()
    assert f"{shell.data_dir} is not a directory that this user may write to." == _problems(shell)["data directory"]


def test_check_finds_what_cannot_be_looked_at(shell: Shell, tmp_path: Path) -> None:
    place = tmp_path / ("x" * 300)
    result = shell.run("config", "check", PROVISIONER_DATA_DIR=str(place), exit_code=1)
    for path in (place, place / "link.key", place / "provisioner.sqlite3"):
        assert f"PROBLEM  {path} cannot be looked at: File name too long." in result.stdout
