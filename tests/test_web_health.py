"""Load balancers and operators learn whether the process runs, whether it can serve, and what it is."""

from pathlib import Path

import pytest

from provisioner import __version__
from tests.websites import make_website, no_identity


def test_a_running_process_is_healthy_whatever_else_is_broken(tmp_path: Path) -> None:
    website = make_website(tmp_path, identity=no_identity, ready=lambda: {"store": "gone"})
    answer = website.get("/healthz")
    assert (200, {"status": "ok"}) == (answer.status_code, answer.json)


@pytest.mark.parametrize(
    ("checks", "status"),
    [
        ({"store": "ok", "identity": "ok", "directory": "ok"}, 200),
        ({"store": "ok", "identity": "The certificate expired.", "directory": "ok"}, 503),
        ({"store": "The database does not answer.", "identity": "ok", "directory": "stale"}, 503),
    ],
)
def test_readiness_names_what_is_missing_and_why(tmp_path: Path, checks: dict[str, str], status: int) -> None:
    answer = make_website(tmp_path, ready=lambda: checks).get("/readyz")
    assert (status, checks) == (answer.status_code, answer.json)
    assert "application/json" == answer.headers["Content-Type"]


def test_what_works_but_wants_a_look_keeps_the_service_in_rotation(tmp_path: Path) -> None:
    checks = {"store": "ok", "identity": "ok, but new files are refused"}
    answer = make_website(tmp_path, ready=lambda: checks).get("/readyz")
    assert (200, checks) == (answer.status_code, answer.get_json())


def test_the_version_is_told(tmp_path: Path) -> None:
    assert {"version": __version__} == make_website(tmp_path).get("/version").json
