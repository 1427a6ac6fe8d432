"""Prometheus is told how often what was asked for, and nobody else is told anything."""

import re
from ipaddress import ip_network
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.asking import TEXT
from tests.websites import PUBLIC_URL, Website, make_website

LOCAL = "127.0.0.1"


@pytest.fixture
def website(tmp_path: Path) -> Website:
    return make_website(tmp_path, trusted_proxies=(ip_network("10.0.0.0/8"),))


def counters(website: Website) -> dict[tuple[str, ...], float]:
    """Each counter by its name and the values of its labels."""
    answer = website.get("/metrics")
    assert (200, "text/plain; version=0.0.4; charset=utf-8") == (answer.status_code, answer.headers["Content-Type"])
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name.endswith("_total")
    }


def test_requests_are_counted_by_what_was_asked_for_and_the_answers_status(website: Website) -> None:
    for path in ("/", "/", "/s/x", "/none", "/mail/config-v1.1.xml", "/?password=x", "/help"):
        website.get(path)
    assert {
        ("provisioner_requests_total", "start.show", "200"): 2,
        ("provisioner_requests_total", "start.show", "400"): 1,
        ("provisioner_requests_total", "pages.setup", "404"): 1,
        ("provisioner_requests_total", "pages.help_with_mail_apps", "200"): 1,
        ("provisioner_requests_total", "none", "404"): 1,
        ("provisioner_requests_total", "discovery.autoconfig", "404"): 1,
        ("provisioner_unknown_total", "domain", "setup.contoso.example"): 1,
    } == counters(website)
    assert 1 == counters(website)["provisioner_requests_total", "health.metrics", "200"]


def test_the_hosts_that_are_asked_for_and_are_none_of_ours_are_counted(website: Website) -> None:
    for host in ("www.fabrikam.example", "WWW.Fabrikam.Example.:443", "192.0.2.1", "evil\x1b", "anna@contoso.example"):
        website.browser().get("/", base_url="https://x.example", headers={"Host": host})
    found = {key[2]: value for key, value in counters(website).items() if key[1] == "host"}
    assert {"www.fabrikam.example": 2, "192.0.2.1": 1, "invalid": 2} == found


def test_no_label_holds_what_a_stranger_wrote_into_a_path(website: Website) -> None:
    website.get("/anna@contoso.example")
    website.get("/s/abcdefghijklmnopqrstuvwxyz/anna.mobileconfig", method="ANNA")
    assert not re.search("anna|abcdef", website.get("/metrics").text, re.IGNORECASE)


@pytest.mark.parametrize(
    ("peer", "forwarded", "seen"),
    [
        (LOCAL, "", True),
        ("192.0.2.1", "", False),
        ("", "", False),
        ("10.0.0.1", "", False),
        ("10.0.0.1", LOCAL, True),
        ("10.0.0.1", "192.0.2.1", False),
        ("10.0.0.1", f"{LOCAL}, 192.0.2.1", False),
        (LOCAL, "192.0.2.1", False),  # a proxy on this machine that nobody has named
        (LOCAL, LOCAL, False),
    ],
)
def test_only_the_metrics_networks_see_them(website: Website, peer: str, forwarded: str, seen: bool) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    answer = website.browser().get("/metrics", base_url=PUBLIC_URL, environ_base={"REMOTE_ADDR": peer}, headers=headers)
    if seen:
        assert 200 == answer.status_code
    else:
        assert (404, TEXT, b"Not found.\n") == (answer.status_code, answer.headers["Content-Type"], answer.data)


def test_they_are_told_wherever_they_are_asked_for(website: Website) -> None:
    assert 200 == website.browser().get("/metrics", base_url="http://10.1.2.3:8080").status_code


def test_other_networks_may_be_named(tmp_path: Path) -> None:
    website = make_website(tmp_path, metrics_networks=(ip_network("192.0.2.0/24"),))
    for peer, status in {"192.0.2.7": 200, LOCAL: 404}.items():
        answer = website.browser().get("/metrics", base_url=PUBLIC_URL, environ_base={"REMOTE_ADDR": peer})
        assert status == answer.status_code
