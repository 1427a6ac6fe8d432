"""What no honest client sends is refused shortly, and nothing that must stay secret reaches a page or the log."""

import logging
import re
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from secrets import token_urlsafe
from wsgiref.types import WSGIEnvironment

import pytest
import structlog
from flask import Flask, request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app
from werkzeug.wrappers import Request

from tests.samples import ANNA
from tests.test_web_pages import Page
from tests.websites import IPHONE, PUBLIC_URL, Website, make_website

PROTECTED = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


@pytest.fixture
def website(tmp_path: Path) -> Website:
    return make_website(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Website:
    """One site for tests that only ask."""
    return make_website(tmp_path_factory.mktemp("website"))


# --- headers


@pytest.mark.parametrize("part", ["", "/qr.svg", "/qr.png", "/none.mobileconfig", "/ios-exchange.mobileconfig?p=x"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "TRACE"])
def test_every_answer_is_kept_nowhere_and_told_nobody(shared: Website, part: str, method: str) -> None:
    headers = shared.get(shared.link().path + part, method=method).headers
    assert PROTECTED == {name: headers[name] for name in PROTECTED}
    assert not {"Set-Cookie", "WWW-Authenticate", "Server"} & {name for name, _ in headers}


def test_a_page_may_load_its_own_style_and_pictures_and_do_nothing_else(shared: Website) -> None:
    answer = shared.get(shared.link().path)
    policy = dict(each.split(" ", 1) for each in answer.headers["Content-Security-Policy"].split("; "))
    assert {
        "default-src": "'none'",
        "script-src": "'nonce-unguessable'",
        "style-src": "'nonce-unguessable'",
        "img-src": "'self' data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    } == policy


def test_each_answer_has_a_nonce_of_its_own_that_its_style_and_script_name(tmp_path: Path) -> None:
    website = make_website(tmp_path, nonce=token_urlsafe)
    link, nonces = website.link(), set()
    for _ in range(3):
        answer = website.get(link.path)
        (nonce,) = set(re.findall(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"]))
        assert [nonce, nonce] == re.findall(r'<(?:style|script) nonce="([^"]+)">', answer.text)
        nonces.add(nonce)
    assert 3 == len(nonces)
    assert all(len(nonce) >= 22 for nonce in nonces)  # 128 bits at least


def test_only_the_page_of_a_link_differs_by_browser(shared: Website) -> None:
    link = shared.link()
    assert "Accept-Language, User-Agent" == shared.get(link.path).headers["Vary"]
    for path in ("/", "/help", "/s/unknown"):
        assert "Accept-Language" == shared.get(path).headers["Vary"]


@pytest.mark.parametrize(
    ("public_url", "expected"), [(PUBLIC_URL, "max-age=31536000"), ("http://127.0.0.1:8000", None)]
)
def test_https_is_insisted_on_only_where_it_is_spoken(tmp_path: Path, public_url: str, expected: str | None) -> None:
    website = make_website(tmp_path, public_url=public_url)
    answer = website.browser().get("/", base_url=public_url, headers={"X-Forwarded-Proto": "https"})
    assert (200, expected) == (answer.status_code, answer.headers.get("Strict-Transport-Security"))


@pytest.mark.parametrize("host", ["contoso.example", "autoconfig.contoso.example", "evil.example", ""])
def test_the_hosts_of_whole_domains_are_told_nothing_of_https(shared: Website, host: str) -> None:
    for path in ("/", "/none", "/healthz"):
        assert "Strict-Transport-Security" not in _ask(shared, path, HTTP_HOST=host).headers


# --- hosts

OUR_HOSTS = ["setup.contoso.example", "SETUP.Contoso.Example", "setup.contoso.example.", "setup.contoso.example:8443"]
OTHER_HOSTS = [
    "evil.example",
    "contoso.example",
    "www.setup.contoso.example",
    "setup.contoso.example.evil.example",
    "setup.contoso.example@evil.example",
    "127.0.0.1",
    "[::1]:80",
    "evil.example:80:80",
    "a b",
    "\"'<>",
    "..",
    "",
    None,
]


def _ask(website: Website, path: str, **environ: object) -> TestResponse:
    """The answer to exactly this, where a client of the framework would mend the request first; None: not sent."""
    asked = EnvironBuilder("/", base_url=PUBLIC_URL).get_environ() | {"PATH_INFO": path} | environ
    sent = {name: value for name, value in asked.items() if value is not None}
    return TestResponse(*run_wsgi_app(website.web, sent), Request(sent))


@pytest.mark.parametrize("host", OUR_HOSTS)
def test_pages_answer_on_the_public_host_in_any_spelling_and_on_any_port(shared: Website, host: str) -> None:
    link = shared.link()
    assert 200 == _ask(shared, link.path, HTTP_HOST=host).status_code
    assert 200 == _ask(shared, f"{link.path}/ios-exchange.mobileconfig", HTTP_HOST=host).status_code


@pytest.mark.parametrize("host", OTHER_HOSTS)
def test_elsewhere_there_is_nothing(shared: Website, host: str | None) -> None:
    link = shared.link()
    for path in ("/", link.path, f"{link.path}/ios-exchange.mobileconfig", f"{link.path}/qr.svg", "/none"):
        answer = _ask(shared, path, HTTP_HOST=host, SERVER_NAME="elsewhere.example")
        assert (404, "text/plain; charset=utf-8", b"Not found.\n") == (
            answer.status_code,
            answer.headers["Content-Type"],
            answer.data,
        )
    assert 0 == shared.used(link)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/version"])
@pytest.mark.parametrize("host", ["10.1.2.3:8000", "[::1]:80", "pod.cluster.local", "localhost", None])
def test_health_answers_wherever_it_is_asked(shared: Website, path: str, host: str | None) -> None:
    assert 200 == _ask(shared, path, HTTP_HOST=host).status_code


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Forwarded-Server", "X-Host", "Forwarded", "X-Original-URL"])
def test_no_header_puts_another_host_into_a_page_or_code(tmp_path: Path, name: str) -> None:
    website = make_website(tmp_path, trusted_proxies=(ip_network("127.0.0.0/8"),))
    link = website.link()
    for part in ("", "/qr.svg", "/qr.png"):
        plain = website.get(link.path + part)
        poisoned = website.get(link.path + part, **{name.replace("-", "_"): "host=evil.example"})
        assert (200, plain.data) == (poisoned.status_code, poisoned.data)


def test_no_answer_is_a_redirect_that_a_request_could_steer(shared: Website) -> None:
    for path in ("", "//evil.example", "//s//x", "/s/x/", "/\\evil.example", "/https:/evil.example", "/healthz/"):
        assert "Location" not in _ask(shared, path, HTTP_HOST="setup.contoso.example:9999").headers


# --- proxies


def _environment(web: Flask, environ: WSGIEnvironment) -> WSGIEnvironment:
    """What a view sees of a request."""
    seen: WSGIEnvironment = {}

    @web.before_request
    def remember() -> None:
        seen.update(request.environ)

    web.test_client().open(environ_base=environ, base_url=PUBLIC_URL)
    return seen


_FORWARDED = {"HTTP_X_FORWARDED_FOR": "198.51.100.1, 203.0.113.9", "HTTP_X_FORWARDED_PROTO": "http"}


@pytest.mark.parametrize(
    ("peer", "expected"), [("10.0.0.1", ("203.0.113.9", "http")), ("192.0.2.1", ("192.0.2.1", "https"))]
)
def test_only_a_trusted_proxy_speaks_for_a_client(tmp_path: Path, peer: str, expected: tuple[str, str]) -> None:
    website = make_website(tmp_path, trusted_proxies=(ip_network("10.0.0.0/8"),))
    seen = _environment(website.web, {"REMOTE_ADDR": peer} | _FORWARDED)
    assert expected == (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"])


def test_credentials_are_dropped_before_anything_reads_them(website: Website) -> None:
    credentials = {"HTTP_AUTHORIZATION": "Basic YW5uYTpzZWNyZXQ=", "HTTP_PROXY_AUTHORIZATION": "Basic c2VjcmV0"}
    seen = _environment(website.web, credentials)
    assert [] == [name for name in seen if "AUTHORIZATION" in name]


@pytest.mark.parametrize("value", ["Basic YW5uYTpzZWNyZXQ=", "Bearer x", "Negotiate", "Basic \xff", "", "Digest a=b"])
def test_nobody_is_ever_asked_to_sign_in(shared: Website, value: str) -> None:
    link = shared.link()
    for path in ("/", link.path, f"{link.path}/ios-exchange.mobileconfig", "/none"):
        answer = shared.get(path, Authorization=value)
        assert answer.status_code in {200, 404}
        assert "WWW-Authenticate" not in answer.headers


# --- bad input


@pytest.mark.parametrize("query", ["password=hunter2", "p=hunter2", "PassWord=hunter2", "%70=hunter2", "a=1&p", "P="])
def test_a_password_in_the_address_is_refused_without_repeating_it(shared: Website, query: str) -> None:
    for path in ("/", shared.link().path, "/none", "/healthz"):
        answer = shared.get(f"{path}?{query}")
        assert 400 == answer.status_code
        assert "hunter2" not in answer.text
        assert "No password in the address" in Page(answer).text


@pytest.mark.parametrize(
    "query",
    ["device=%ff", "device=%", "device=%zz", "%c3=1", "a=%00", "a=%0d%0aSet-Cookie:x", "a=1&a=2", "a=1&A=2", "\xff=1"],
)
def test_a_malformed_query_is_refused(shared: Website, query: str) -> None:
    assert 400 == _ask(shared, shared.link().path, QUERY_STRING=query).status_code


@pytest.mark.parametrize(
    "query", ["", "device=iphone", "device=caf%C3%A9", "utm_source=mail&x=%26", "&&", "=", "a+b=c+d"]
)
def test_a_strange_but_honest_query_is_no_reason_to_refuse(shared: Website, query: str) -> None:
    assert 200 == shared.get(f"{shared.link().path}?{query}").status_code


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "FOO"])
@pytest.mark.parametrize("path", ["/help", "/s/x", "/s/x/ios-exchange.mobileconfig", "/s/x/qr.svg", "/healthz"])
def test_what_can_only_be_read_cannot_be_written(shared: Website, path: str, method: str) -> None:
    answer = shared.get(path, method=method)
    assert (405, "GET, HEAD, OPTIONS") == (answer.status_code, answer.headers["Allow"])


def test_options_says_what_is_allowed_of_a_link_that_exists_or_not(shared: Website) -> None:
    for path in (shared.link().path, "/s/x"):
        answer = shared.get(path, method="OPTIONS")
        assert (204, b"") == (answer.status_code, answer.data)
        assert {"GET", "HEAD", "OPTIONS"} == set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("path", ["/", "/s/x", "/none", "/healthz"])
@pytest.mark.parametrize(("size", "status"), [(64 * 1024, {200, 404}), (64 * 1024 + 1, {413}), (20_000_000, {413})])
def test_a_body_has_a_limit(shared: Website, path: str, size: int, status: set[int]) -> None:
    answer = shared.browser().get(path, base_url=PUBLIC_URL, data=b"x" * size)
    assert answer.status_code in status


class ChunkedBody:
    """What a server hands over of a body without a length: octets, or an error in the middle."""

    def __init__(self, size: int, *, error: Exception | None = None) -> None:
        self._left = size
        self._error = error

    def read(self, size: int = -1) -> bytes:
        if self._error is not None:
            raise self._error
        taken = self._left if size < 0 else min(size, self._left)
        self._left -= taken
        return b"x" * taken


def _send_chunked(website: Website, body: ChunkedBody) -> TestResponse:
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": body, "wsgi.input_terminated": True}
    return _ask(website, "/", CONTENT_LENGTH=None, **chunked)


@pytest.mark.parametrize(("size", "status"), [(0, 200), (64 * 1024, 200), (64 * 1024 + 1, 413), (5_000_000, 413)])
def test_a_body_without_a_length_has_the_same_limit(shared: Website, size: int, status: int) -> None:
    assert status == _send_chunked(shared, ChunkedBody(size)).status_code


@pytest.mark.parametrize("error", [OSError("cut"), ConnectionResetError(), TimeoutError()])
def test_a_broken_body_is_the_clients_fault(shared: Website, error: Exception) -> None:
    assert 400 == _send_chunked(shared, ChunkedBody(1, error=error)).status_code


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.text(st.characters(max_codepoint=255), max_size=60).map(lambda text: "/" + text) | st.just("/s/x"),
    query=st.text(st.characters(max_codepoint=255), max_size=60),
    host=st.sampled_from(["setup.contoso.example", "evil.example"]) | st.text(st.characters(max_codepoint=255)),
    method=st.sampled_from(["GET", "HEAD", "POST", "FOO", ""]),
)
def test_nothing_that_can_be_asked_breaks_the_site(
    shared: Website, path: str, query: str, host: str, method: str
) -> None:
    answer = _ask(shared, path, QUERY_STRING=query, HTTP_HOST=host, REQUEST_METHOD=method)
    assert answer.status_code in {200, 400, 404, 405}


# --- what is logged


@pytest.fixture
def log() -> Iterator[list[structlog.typing.EventDict]]:
    with capture_logs() as events:
        yield events


def _broken(website: Website) -> None:
    @website.web.get("/broken/<secret>")
    def broken(secret: str) -> str:
        raise RuntimeError("out of cheese")


def test_one_line_per_request_names_the_route_and_nothing_of_the_client(
    website: Website, log: list[structlog.typing.EventDict]
) -> None:
    link = website.link()
    website.get(
        f"{link.path}?device=mac", Referer="https://intranet.contoso.example/anna", user_agent="Browser of Anna"
    )
    (event,) = log
    milliseconds = event.pop("milliseconds")
    assert {"event": "request", "log_level": "info", "route": "pages.setup", "method": "GET", "status": 200} == event
    assert 0 <= milliseconds < 60_000


@pytest.mark.parametrize(
    ("path", "method", "expected"),
    [
        ("/s/x", "GET", ("pages.setup", "GET", 404)),
        ("/s/x/none.exe", "HEAD", ("downloads.download", "HEAD", 404)),
        ("/anna@contoso.example", "GET", ("none", "GET", 404)),
        ("/", "ANNA", ("none", "other", 405)),
        ("/healthz", "GET", ("health.healthz", "GET", 200)),
        ("/?password=hunter2", "GET", ("start.show", "GET", 400)),
    ],
)
def test_a_refused_request_is_one_line_too(
    website: Website, log: list[structlog.typing.EventDict], path: str, method: str, expected: tuple[str, str, int]
) -> None:
    website.get(path, method=method)
    assert [expected] == [(event["route"], event["method"], event["status"]) for event in log]


def test_the_unexpected_is_logged_with_its_traceback_and_shown_as_nothing_but_an_apology(
    website: Website, log: list[structlog.typing.EventDict], caplog: pytest.LogCaptureFixture
) -> None:
    _broken(website)
    with caplog.at_level(logging.DEBUG):
        answer = website.get("/broken/hunter2")
    assert 500 == answer.status_code
    assert "This is our fault, not yours" in Page(answer).text
    assert "cheese" not in answer.text
    failure, line = log
    assert ("unexpected_error", "broken") == (failure["event"], failure["route"])
    assert RuntimeError is failure["exc_info"][0]
    assert ("request", 500) == (line["event"], line["status"])
    assert "hunter2" not in str(log)
    assert "" == caplog.text
    assert PROTECTED == {name: answer.headers[name] for name in PROTECTED}


def test_nothing_secret_is_logged_on_the_way_to_a_profile(
    website: Website, log: list[structlog.typing.EventDict]
) -> None:
    link = website.link()
    for part in ("", "/ios-exchange.mobileconfig", "/qr.svg", "/none.txt"):
        website.get(link.path + part, Authorization="Basic aHVudGVyMg==", Cookie="a=hunter2")
    website.links.revoke(link.id, actor="test")
    website.get(link.path)
    text = str(log).lower()
    for secret in (link.token, link.id, ANNA.address.lower(), "o'neil", "hunter2", "ahvudgvymg", IPHONE.lower()):
        assert secret not in text
