"""Mail clients ask over HTTP, on any host: the right answer to every input, in the protocol's own words.

Each row of ANSWERS is one kind of input; the values are what each protocol answers: status, media type and kind.
"""

import gzip
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.sax.saxutils import escape

import pytest
from gunicorn.http.errors import InvalidChunkSize  # type: ignore[import-untyped]  # it ships no types
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app
from werkzeug.wrappers import Request

from provisioner.directory import Directory
from provisioner.errors import StoreUnavailable
from provisioner.formats import FORMATS
from provisioner.organisation import AutodiscoverPolicy
from provisioner.store import Store, sqlite_url
from provisioner.web import create_web
from tests.asking import IN_URL, IN_XML, JSON, PROTOCOLS, TEXT, XML, Question, autoconfig, kind_of, pox, v2
from tests.samples import PROVIDERS, contoso_domain
from tests.test_discovery import LOCAL_PARTS
from tests.test_web_hardening import ChunkedBody
from tests.websites import PUBLIC_URL, Website, make_website

Answer = tuple[int, str, str]

NOWHERE = "nowhere.example"  # a host that speaks for no configured domain
SERVED_XML, SERVED_JSON = (200, XML, "settings"), (200, JSON, "settings")
SERVED: Mapping[str, Answer] = {name: (SERVED_JSON if name.startswith("v2") else SERVED_XML) for name in PROTOCOLS}
NOT_OURS: Mapping[str, Answer] = {
    "pox": (200, XML, "500"),
    "mobilesync": (200, XML, "500"),
    "soap": (200, XML, "InvalidUser"),
    "autoconfig": (404, TEXT, "text"),
    "v2": (404, JSON, "UserNotFound"),
    "v2 path": (404, JSON, "UserNotFound"),
}
MALFORMED: dict[str, Answer] = {
    "pox": (200, XML, "600"),
    "mobilesync": (200, XML, "600"),
    "soap": (200, XML, "InvalidUser"),
    "autoconfig": (404, TEXT, "text"),
    "v2": (400, JSON, "InvalidUserId"),
    "v2 path": (400, JSON, "InvalidUserId"),
}
NOT_XML = MALFORMED | {"soap": (400, XML, "fault")}  # what XML 1.0 cannot hold is no XML at all


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Website:
    """One site for tests that only ask."""
    return make_website(tmp_path_factory.mktemp("website"))


def ask(website: Website, question: Question, /, *, host: str | None = NOWHERE, **environ: object) -> TestResponse:
    """The answer; ``environ`` is sent as it is, None for what is not sent."""
    builder = EnvironBuilder("/", base_url=PUBLIC_URL, input_stream=None, data=question.body or None)
    asked = builder.get_environ() | {
        "REQUEST_METHOD": question.method,
        "PATH_INFO": _unquoted(question.path),
        "QUERY_STRING": question.query,
        "HTTP_HOST": host,
        **{_variable(name): value for name, value in question.headers.items()},
        **environ,
    }
    sent = {name: value for name, value in asked.items() if value is not None}
    answer = TestResponse(*run_wsgi_app(website.web, sent), Request(sent))
    assert answer.status_code not in {401, 500}
    assert "no-store" == answer.headers["Cache-Control"]
    assert "nosniff" == answer.headers["X-Content-Type-Options"]
    assert not {"Set-Cookie", "WWW-Authenticate", "Strict-Transport-Security", "Vary"} & set(answer.headers.keys())
    return answer


def _unquoted(path: str) -> str:
    return unquote_to_bytes(path).decode("latin-1")


def _variable(name: str) -> str:
    variable = name.upper().replace("-", "_")
    return variable if variable == "CONTENT_TYPE" else f"HTTP_{variable}"


def _chunked(body: ChunkedBody) -> dict[str, Any]:
    return {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": body}


def answer_of(response: TestResponse) -> Answer:
    return response.status_code, response.headers.get("Content-Type", ""), kind_of(response.data)


# --- addresses

ADDRESSES: dict[str, tuple[list[str], Mapping[str, Answer]]] = {
    "served": (["anna@contoso.example"], SERVED),
    "anybody of a served domain": (["nobody.at.all@contoso.example", "EVOLUTIONUSER@contoso.example"], SERVED),
    "strange but good": (
        [
            f"{local}@contoso.example"
            for local in ("anna+phone", "o'neil", "a=b", "a/b", "a&b", "!#$%*?^_`{|}~-", "x" * 64)
        ],
        SERVED,
    ),
    "blanks around it": ([" anna@contoso.example", "anna@contoso.example "], SERVED),
    "a domain in another spelling": (["anna@CONTOSO.Example", "anna@contoso.example."], SERVED),
    "another domain": (
        ["anna@fabrikam.example", "anna@mail.contoso.example", "anna@contoso.example.evil.example"],
        NOT_OURS,
    ),
    "letters beyond ASCII in another domain": (["anna@straße.example", "anna@xn--strae-oqa.example"], NOT_OURS),
    "malformed": (
        [
            "anna",
            "@contoso.example",
            "anna@",
            "a@b@contoso.example",
            ".anna@contoso.example",
            "an..na@contoso.example",
            "an(na@contoso.example",
            '"anna"@contoso.example',
            "anna@[127.0.0.1]",
            "anna@127.0.0.1",
            "x" * 65 + "@contoso.example",
            "x" * 64 + "@" + "x." * 90 + "contoso.example",
            "jürgen@contoso.example",
            "anna\u202e@contoso.example",
            "anna\u2028@contoso.example",
            "anna\x85@contoso.example",
        ],
        MALFORMED,
    ),
    "what XML cannot hold": (
        ["an\x00na@contoso.example", "an\x1bna@contoso.example", "an\ufffena@contoso.example"],
        NOT_XML,
    ),
}
_ADDRESSES = [
    pytest.param(protocol, address, answers[protocol], id=f"{what}-{protocol}-{number}")
    for what, (addresses, answers) in ADDRESSES.items()
    for protocol in PROTOCOLS
    for number, address in enumerate(addresses)
]


@pytest.mark.parametrize(("protocol", "address", "expected"), _ADDRESSES)
def test_an_address_gets_its_right_answer_in_each_protocol(
    shared: Website, protocol: str, address: str, expected: Answer
) -> None:
    assert expected == answer_of(ask(shared, PROTOCOLS[protocol](address)))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(local=LOCAL_PARTS)
def test_everybody_of_a_domain_gets_the_same_answer_but_for_the_login_that_is_echoed(
    shared: Website, protocol: str, local: str
) -> None:
    known, other = (f"{name}@contoso.example" for name in ("anna", local))
    expected, found = (ask(shared, PROTOCOLS[protocol](address)) for address in (known, other))
    assert expected.status_code == found.status_code
    assert expected.data == found.data.replace(escape(other).encode(), known.encode())
    assert [name for name, _ in expected.headers] == [name for name, _ in found.headers]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(address=st.text() | st.text().map(lambda text: f"{text}@contoso.example"))
def test_any_text_for_an_address_is_answered_in_the_protocols_own_words(
    shared: Website, protocol: str, address: str
) -> None:
    answer = answer_of(ask(shared, PROTOCOLS[protocol](address)))
    assert answer in (SERVED[protocol], NOT_OURS[protocol], MALFORMED[protocol], NOT_XML[protocol])


# --- queries

REFUSED: Answer = (400, TEXT, "text")


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("extra", ["password=hunter2", "P=hunter2", "%70assWord=hunter2", "x=%ff", "x=%zz", "x=1&X=1"])
def test_a_query_with_a_password_or_that_can_be_read_in_two_ways_is_refused(
    shared: Website, protocol: str, extra: str
) -> None:
    question = PROTOCOLS[protocol]("anna@contoso.example")
    answer = ask(shared, replace(question, query=f"{question.query}&{extra}"))
    assert REFUSED == answer_of(answer)
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("protocol", ["autoconfig", "v2"])
@pytest.mark.parametrize("change", ["{0}&{0}", "{0}%ff", "{0}%", "{0}\xff"])
def test_an_address_is_given_once_and_in_utf_8(shared: Website, protocol: str, change: str) -> None:
    question = PROTOCOLS[protocol]("anna@contoso.example")
    name, _, rest = question.query.partition("&")
    assert REFUSED == answer_of(ask(shared, replace(question, query=f"{change.format(name)}&{rest}")))


def test_octets_in_a_path_that_are_no_utf_8_make_the_address_malformed(shared: Website) -> None:
    question = PROTOCOLS["v2 path"]("anna@contoso.example")
    assert MALFORMED["v2 path"] == answer_of(ask(shared, replace(question, path=question.path + "%ff")))


def test_a_plus_that_became_a_blank_is_a_plus_again(shared: Website) -> None:
    for question in (autoconfig(""), v2("")):
        name = question.query.partition("=")[0]
        sent = replace(question, query=f"{name}=anna+phone@contoso.example&Protocol=EWS")
        assert 200 == ask(shared, sent).status_code


# --- bodies

_XML_10 = '<?xml version="1.0" encoding="utf-8"?>'
BODIES: dict[str, tuple[Callable[[bytes], bytes], Mapping[str, Answer]]] = {
    "a byte-order mark": (lambda body: b"\xef\xbb\xbf" + body, SERVED),
    "UTF-16": (lambda body: _declared(body, "utf-16").encode("utf-16"), SERVED),
    "ISO-8859-1": (lambda body: _declared(body, "iso-8859-1").encode("latin-1"), SERVED),
    "no declaration": (lambda body: body.replace(_XML_10.encode(), b""), SERVED),
    "CDATA": (lambda body: body.replace(b"anna@contoso.example", b"<![CDATA[anna@contoso.example]]>"), SERVED),
    "a character reference": (lambda body: body.replace(b"anna@", b"&#97;nna&#x40;"), SERVED),
    "comments": (lambda body: body.replace(b"anna@", b"an<!-- x -->na@"), SERVED),
    "blanks around the address": (
        lambda body: body.replace(b"anna@contoso.example", b"\n anna@contoso.example\n"),
        SERVED,
    ),
    "another spelling of the schemas": (
        lambda body: body.replace(b"http://schemas.microsoft", b"https://schemas.microsoft"),
        SERVED,
    ),
    "nothing": (lambda _: b"", NOT_XML),
    "no XML": (lambda _: b"EMailAddress=anna@contoso.example", NOT_XML),
    "HTML": (lambda _: b"<!doctype html><html></html>", NOT_XML),
    "half of it": (lambda body: body[: len(body) // 2], NOT_XML),
    "a DOCTYPE": (lambda body: body.replace(b"?>", b"?><!DOCTYPE Autodiscover>", 1), NOT_XML),
    "an entity": (lambda body: body.replace(b"?>", b'?><!DOCTYPE a [<!ENTITY x "y">]>', 1), NOT_XML),
    "an external entity": (lambda body: body.replace(b"?>", b'?><!DOCTYPE a SYSTEM "file:///etc/passwd">', 1), NOT_XML),
    "a DOCTYPE in UTF-16": (
        lambda body: _declared(body, "utf-16").replace("?>", "?><!DOCTYPE a>", 1).encode("utf-16"),
        NOT_XML,
    ),
    "an encoding nobody knows": (lambda body: _declared(body, "x-nobody").encode(), NOT_XML),
    "octets that are no text": (lambda body: body.replace(b"anna", b"\xff\xfe"), NOT_XML),
    "another root": (lambda _: b"<a/>", NOT_XML),
    "nesting without end": (lambda _: b"<a>" * 10_000, NOT_XML),
    "the largest body there may be": (lambda body: body + b" " * (64 * 1024 - len(body)), SERVED),
}


def _declared(body: bytes, encoding: str) -> str:
    return body.decode().replace('encoding="utf-8"', f'encoding="{encoding}"')


@pytest.mark.parametrize("protocol", IN_XML)
@pytest.mark.parametrize(("change", "answers"), BODIES.values(), ids=BODIES)
def test_a_body_is_read_as_octets_and_never_trusted(
    shared: Website, protocol: str, change: Callable[[bytes], bytes], answers: Mapping[str, Answer]
) -> None:
    question = PROTOCOLS[protocol]("anna@contoso.example")
    assert answers[protocol] == answer_of(ask(shared, replace(question, body=change(question.body))))


@pytest.mark.parametrize("protocol", IN_XML)
@pytest.mark.parametrize(
    "media_type", ["", "text/xml", "application/xml", "application/x-www-form-urlencoded", "a/b;;=", "\xff"]
)
def test_what_the_body_says_it_is_does_not_matter(shared: Website, protocol: str, media_type: str) -> None:
    question = PROTOCOLS[protocol]("anna@contoso.example")
    assert SERVED[protocol] == answer_of(ask(shared, question, CONTENT_TYPE=media_type or None))


def test_two_addresses_in_one_question_are_an_invalid_one(shared: Website) -> None:
    question = pox("anna@contoso.example")
    element = b"<EMailAddress>anna@contoso.example</EMailAddress>"
    assert MALFORMED["pox"] == answer_of(
        ask(shared, replace(question, body=question.body.replace(element, 2 * element)))
    )


@pytest.mark.parametrize(
    "schema", ["http://schemas.example/x", "2006a", "http://schemas.microsoft.com/exchange/autodiscover"]
)
def test_a_response_schema_that_nobody_speaks_is_named_so(shared: Website, schema: str) -> None:
    assert (200, XML, "601") == answer_of(ask(shared, replace(pox("anna@contoso.example"), body=_asking_for(schema))))


def _asking_for(schema: str) -> bytes:
    body = pox("anna@contoso.example").body
    before, _, after = body.partition(b"<AcceptableResponseSchema>")
    return before + b"<AcceptableResponseSchema>" + schema.encode() + after[after.index(b"</") :]


@pytest.mark.parametrize("protocol", PROTOCOLS)
class TestSizeAndCoding:
    """What a request's body may be in HTTP, whatever it says."""

    TOO_LARGE: Answer = (413, TEXT, "text")

    @pytest.mark.parametrize("size", [64 * 1024 + 1, 20_000_000])
    def test_too_much_is_refused(self, shared: Website, protocol: str, size: int) -> None:
        question = replace(PROTOCOLS[protocol]("anna@contoso.example"), body=b"x" * size)
        assert self.TOO_LARGE == answer_of(ask(shared, question))

    def test_too_much_is_refused_unread_where_it_is_only_said(self, shared: Website, protocol: str) -> None:
        question = PROTOCOLS[protocol]("anna@contoso.example")
        for length in ("65537", "9" * 5000):
            assert self.TOO_LARGE == answer_of(ask(shared, question, CONTENT_LENGTH=length))

    @pytest.mark.parametrize(("size", "fits"), [(64 * 1024, True), (64 * 1024 + 1, False), (5_000_000, False)])
    def test_a_body_without_a_length_has_the_same_limit(
        self, shared: Website, protocol: str, size: int, fits: bool
    ) -> None:
        body = ChunkedBody(size)
        answer = ask(shared, PROTOCOLS[protocol]("anna@contoso.example"), **_chunked(body))
        assert fits is (self.TOO_LARGE != answer_of(answer))

    @pytest.mark.parametrize("error", [OSError("cut"), ConnectionResetError(), TimeoutError(), InvalidChunkSize(b"zz")])
    def test_a_broken_body_is_the_clients_fault(self, shared: Website, protocol: str, error: Exception) -> None:
        question = PROTOCOLS[protocol]("anna@contoso.example")
        assert REFUSED == answer_of(ask(shared, question, **_chunked(ChunkedBody(1, error=error))))

    def test_a_body_that_is_cut_off_is_the_clients_fault(self, shared: Website, protocol: str) -> None:
        question = PROTOCOLS[protocol]("anna@contoso.example")
        assert REFUSED == answer_of(ask(shared, question, CONTENT_LENGTH=str(len(question.body) + 1)))

    @pytest.mark.parametrize("length", ["x", "-1", "1.5", "\u00b2", "+5"])
    def test_a_length_that_is_none_is_the_clients_fault(self, shared: Website, protocol: str, length: str) -> None:
        assert REFUSED == answer_of(ask(shared, PROTOCOLS[protocol]("anna@contoso.example"), CONTENT_LENGTH=length))

    @pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "GZIP", "gzip, gzip", "x"])
    def test_a_packed_body_is_not_taken_and_the_answer_says_what_is(
        self, shared: Website, protocol: str, coding: str
    ) -> None:
        question = PROTOCOLS[protocol]("anna@contoso.example")
        answer = ask(shared, replace(question, body=gzip.compress(question.body)), HTTP_CONTENT_ENCODING=coding)
        assert (415, TEXT, "text") == answer_of(answer)
        assert "identity" == answer.headers["Accept-Encoding"]

    def test_a_body_that_is_said_to_be_as_it_is_is_taken(self, shared: Website, protocol: str) -> None:
        question = PROTOCOLS[protocol]("anna@contoso.example")
        assert SERVED[protocol] == answer_of(ask(shared, question, HTTP_CONTENT_ENCODING="Identity"))


# --- methods, paths and hosts

PATHS = sorted({path for fmt in FORMATS.values() if fmt.discovery for path in fmt.discovery.paths})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("spelling", [str.upper, str.title, str.swapcase])
def test_a_path_is_found_in_any_case_and_on_any_host(
    shared: Website, path: str, spelling: Callable[[str], str]
) -> None:
    for host in ("contoso.example", "autodiscover.contoso.example:443", NOWHERE, "setup.contoso.example", "127.0.0.1"):
        plain, other = (ask(shared, Question("GET", each), host=host) for each in (path, spelling(path)))
        assert answer_of(plain) == answer_of(other)
        assert not plain.headers.get("Content-Type", "").startswith("text/html")


@pytest.mark.parametrize("path", PATHS)
def test_options_are_told_and_other_methods_refused_with_them(shared: Website, path: str) -> None:
    options = ask(shared, Question("OPTIONS", path))
    assert (204, b"") == (options.status_code, options.data)
    allowed = options.headers["Allow"]
    assert "OPTIONS" in allowed.split(", ")
    assert not {"Content-Type", "Content-Length"} & set(options.headers.keys())
    for method in {"PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "CONNECT", "FOO"}:
        answer = ask(shared, Question(method, path))
        assert (405, TEXT, "text") == answer_of(answer)
        assert allowed == answer.headers["Allow"]


@pytest.mark.parametrize(
    "question",
    [*(PROTOCOLS[name]("anna@contoso.example") for name in IN_URL), Question("GET", "/autodiscover/autodiscover.xml")],
)
@pytest.mark.parametrize("host", ["contoso.example", NOWHERE])
def test_head_is_get_without_the_body(shared: Website, question: Question, host: str) -> None:
    answer, head = (ask(shared, replace(question, method=method), host=host) for method in ("GET", "HEAD"))
    assert b"" == head.data
    assert (answer.status_code, dict(answer.headers)) == (head.status_code, dict(head.headers))
    assert str(len(answer.data)) == head.headers["Content-Length"]


@pytest.mark.parametrize(
    "host",
    [
        "contoso.example",
        "CONTOSO.EXAMPLE.",
        "contoso.example:8080",
        "autoconfig.contoso.example",
        "AutoDiscover.contoso.example.",
    ],
)
@pytest.mark.parametrize(
    "question",
    [Question("GET", path) for path in ("/mail/config-v1.1.xml", "/autodiscover/autodiscover.xml")]
    + [Question("GET", "/autodiscover/autodiscover.json", "Protocol=EWS")],
    ids=lambda question: question.path,
)
def test_where_no_address_is_given_the_host_says_which_domain(shared: Website, question: Question, host: str) -> None:
    assert (200, "settings") == (
        ask(shared, question, host=host).status_code,
        kind_of(ask(shared, question, host=host).data),
    )
    assert 404 == ask(shared, question, host=NOWHERE).status_code
    assert 404 == ask(shared, question, host=None).status_code


def test_the_address_goes_before_the_host(shared: Website) -> None:
    for name, protocol in PROTOCOLS.items():
        assert SERVED[name] == answer_of(ask(shared, protocol("anna@contoso.example"), host="fabrikam.example"))
        assert NOT_OURS[name] == answer_of(ask(shared, protocol("anna@fabrikam.example"), host="contoso.example"))


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/autodiscover",
        "/autodiscover/",
        "/autodiscover/autodiscover.xml/",
        "/mail/config-v1.1.xml%00",
        "/x.xml",
        "/s/x",
    ],
)
def test_any_other_path_of_such_a_host_is_a_plain_404(shared: Website, path: str) -> None:
    for host in ("contoso.example", "autoconfig.contoso.example", NOWHERE):
        answer = shared.browser().get(path, base_url=f"https://{host}")
        assert (404, TEXT, b"Not found.\n") == (answer.status_code, answer.headers["Content-Type"], answer.data)


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Original-Host", "Forwarded", "X-Host"])
def test_no_header_but_host_says_which_host_was_asked(tmp_path: Path, name: str) -> None:
    website = make_website(tmp_path, trusted_proxies=(ip_network("127.0.0.0/8"),))
    question = replace(Question("GET", "/mail/config-v1.1.xml"), headers={name: "contoso.example"})
    assert 404 == ask(website, question).status_code


# --- credentials


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "value", ["Basic YW5uYTpodW50ZXIy", "Bearer x", "Negotiate", "NTLM TlRMTVNTUAAB", "Basic \xff", ""]
)
def test_credentials_change_nothing_and_nobody_is_asked_for_them(shared: Website, protocol: str, value: str) -> None:
    question = PROTOCOLS[protocol]("anna@contoso.example")
    plain, with_credentials = ask(shared, question), ask(shared, question, HTTP_AUTHORIZATION=value)
    assert plain.data == with_credentials.data
    assert dict(plain.headers) == dict(with_credentials.headers)


# --- plain http


@pytest.mark.parametrize(
    ("peer", "proto", "status"),
    [
        ("10.0.0.1", "http", 302),
        ("10.0.0.1", "https", 200),
        ("10.0.0.1", None, 200),
        ("192.0.2.1", "http", 200),
    ],
)
def test_plain_http_is_what_a_trusted_proxy_says_and_is_never_guessed(
    tmp_path: Path, peer: str, proto: str | None, status: int
) -> None:
    website = make_website(tmp_path, trusted_proxies=(ip_network("10.0.0.0/8"),))
    environ = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_PROTO": proto, "wsgi.url_scheme": "http"}
    answer = ask(website, Question("GET", "/autodiscover/autodiscover.xml"), host="contoso.example", **environ)
    assert status == answer.status_code


def test_settings_are_told_over_plain_http_too(tmp_path: Path) -> None:
    website = make_website(tmp_path, trusted_proxies=(ip_network("127.0.0.0/8"),))
    for name, protocol in PROTOCOLS.items():
        answer = ask(website, protocol("anna@contoso.example"), HTTP_X_FORWARDED_PROTO="http")
        assert SERVED[name] == answer_of(answer)


# --- what stands behind it


def test_the_database_may_be_gone(tmp_path: Path) -> None:
    website = make_website(tmp_path)
    website.directory.snapshot()
    website.store.close()
    for file in tmp_path.iterdir():
        file.unlink()
    with pytest.raises(StoreUnavailable), website.store.read():
        pass
    website.directory.refresh()
    for name, protocol in PROTOCOLS.items():
        assert SERVED[name] == answer_of(ask(website, protocol("anna@contoso.example")))
        assert NOT_OURS[name] == answer_of(ask(website, protocol("anna@fabrikam.example")))


def test_the_database_may_be_locked(tmp_path: Path) -> None:
    website = make_website(tmp_path)
    (file,) = tmp_path.glob("*.sqlite3")
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        for name, protocol in PROTOCOLS.items():
            assert SERVED[name] == answer_of(ask(website, protocol("anna@contoso.example")))


def test_until_the_directory_was_read_once_a_client_is_told_to_come_back(tmp_path: Path) -> None:
    website = make_website(tmp_path)
    unread = Directory(Store.open(sqlite_url(tmp_path / "none")), PROVIDERS, clock=website.clock)
    provisioner = replace(website.site.provisioner, snapshot=unread.snapshot)
    website.web = create_web(replace(website.site, directory=unread, provisioner=provisioner))
    answer = ask(website, pox("anna@contoso.example"))
    assert (503, TEXT, "text") == answer_of(answer)
    assert "30" == answer.headers["Retry-After"]


def test_a_provider_that_is_known_no_longer_makes_no_broken_answer(tmp_path: Path) -> None:
    website = make_website(tmp_path)
    del website.providers["office365"]
    with capture_logs() as log:
        assert (503, TEXT, "text") == answer_of(ask(website, pox("anna@contoso.example")))
    assert ("unavailable", "UnknownProvider") == (log[0]["event"], log[0]["reason"])


def test_a_change_of_the_directory_is_seen_at_the_next_request(tmp_path: Path) -> None:
    website = make_website(tmp_path)
    assert "settings" == kind_of(ask(website, pox("anna@contoso.example")).data)
    redirecting = replace(contoso_domain(), autodiscover=AutodiscoverPolicy.REDIRECT)
    website.directory.change_domain(redirecting, actor="test")
    assert "redirect" == kind_of(ask(website, pox("anna@contoso.example")).data)


# --- what is logged


def test_one_line_per_request_names_the_protocol_and_nothing_of_the_client(shared: Website) -> None:
    with capture_logs() as log:
        ask(
            shared,
            autoconfig("anna@contoso.example"),
            HTTP_USER_AGENT="Thunderbird of Anna",
            HTTP_AUTHORIZATION="Basic x",
        )
    (event,) = log
    assert 0 <= event.pop("milliseconds") < 60_000
    assert {
        "event": "request",
        "log_level": "info",
        "route": "discovery.autoconfig",
        "method": "GET",
        "status": 200,
    } == event


def test_a_domain_that_is_not_ours_is_named_in_the_log_and_counted_and_no_address_is(tmp_path: Path) -> None:
    website = make_website(tmp_path)
    with capture_logs() as log:
        for protocol in PROTOCOLS.values():
            ask(website, protocol("anna.secret@fabrikam.example"))
        ask(website, Question("GET", "/mail/config-v1.1.xml"), host="autoconfig.tailspin.example")
    assert ["fabrikam.example", "tailspin.example"] == [
        event["domain"] for event in log if event["event"] == "unknown_domain"
    ]
    assert "secret" not in str(log)
    counted = website.get("/metrics").text
    assert 'provisioner_unknown_total{kind="domain",name="fabrikam.example"} 6.0' in counted
    assert 'provisioner_unknown_total{kind="domain",name="tailspin.example"} 1.0' in counted


def test_a_domain_of_ours_whose_provider_lacks_a_service_is_not_unknown(tmp_path: Path) -> None:
    lacking = replace(PROVIDERS["office365"], activesync=None)
    website = make_website(tmp_path, provider=lacking)
    with capture_logs() as log:
        assert NOT_OURS["v2"] == answer_of(ask(website, v2("anna@contoso.example")))
    assert ["request"] == [event["event"] for event in log]
