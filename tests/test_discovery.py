"""The desk where mail clients ask: which format answers, about which domain, and what no format ever sees."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.discovery import MailClientDesk, remember
from provisioner.format import AnyoneAt, Audience, Context, Discovery, Format, Found, Lookup, Reply, Request, Subject
from provisioner.formats import FORMATS
from provisioner.model import Account, MailProvider
from tests.samples import NOW, PROVIDERS, contoso_context

TEXT = "text/plain; charset=utf-8"
_TOY = FORMATS["autoconfig"]


class Toy:
    """A format that remembers what it was asked, and answers as it is told."""

    def __init__(self, format_id: str, *paths: str, methods: str = "GET", replies: bool = True) -> None:
        self.asked: list[Request] = []
        self.looked_up: list[Found | None] = []
        self._id = format_id
        self._replies = replies
        discovery = Discovery(paths=paths, methods=frozenset(methods.split()), answer=self._answer, refuse=self._refuse)
        self.format = replace(_TOY, id=format_id, audience=Audience.CLIENT, discovery=discovery)

    def _answer(self, request: Request, lookup: Lookup, now: datetime) -> Reply | None:
        assert NOW == now
        self.asked.append(request)
        for domain in request.query.get("domains", request.host_domain).split(","):
            self.looked_up.append(lookup(domain))
        return self._reply("answer") if self._replies else None

    def _refuse(self, request: Request, now: datetime) -> Reply:  # noqa: ARG002  # as every refusal
        return self._reply("refusal")

    def _reply(self, what: str) -> Reply:
        return Reply(status=200, body=f"{what} of {self._id}".encode(), media_type="text/toy")


FOUND = Found(PROVIDERS["office365"], contoso_context(_TOY))


class Desk:
    """A desk with toys, where contoso.example is configured."""

    def __init__(self, *toys: Toy) -> None:
        self.unknown: list[str] = []
        self.desk = MailClientDesk(
            formats={toy.format.id: toy.format for toy in toys},
            find=lambda domain, _: FOUND if domain == "contoso.example" else None,
            clock=lambda: NOW,
            unknown=self.unknown.append,
        )

    def ask(
        self, path: str = "/toy.xml", query: str = "", *, method: str = "GET", host: str = "", body: bytes = b""
    ) -> Reply:
        headers = {"host": host} if host else {}
        return self.desk.answer(
            method=method, path=path, query=query, headers=headers, body=body, plain_http=method == "HEAD"
        )


def toy(*paths: str, **how: str) -> Toy:
    """A toy at /toy.xml."""
    return Toy("toy", *(paths or ("/toy.xml",)), **how)  # type: ignore[arg-type]  # texts only


# --- paths and methods


@pytest.mark.parametrize(
    "path", ["/toy.xml", "/Toy.XML", "/TOY.XML", "/below/", "/Below/x", "/below/x/y", "/below/\u017f"]
)
def test_a_path_is_served_in_any_case_and_with_all_that_lies_below(path: str) -> None:
    desk = Desk(toy("/toy.xml", "/below/"))
    assert "toy" == desk.desk.route(path)
    assert b"answer of toy" == desk.ask(path).body


@pytest.mark.parametrize("path", ["", "/", "/toy", "/toy.xml/", "/toy.xml\0", "//toy.xml", "/below", "/toy.xml/x"])
def test_any_other_path_is_a_plain_404(path: str) -> None:
    one = toy("/toy.xml", "/below/")
    desk = Desk(one)
    assert "" == desk.desk.route(path)
    reply = desk.ask(path)
    assert (404, TEXT) == (reply.status, reply.media_type)
    assert [] == one.asked


def test_every_path_that_a_format_declares_is_served() -> None:
    desk = MailClientDesk(formats=FORMATS, find=lambda *_: None, clock=lambda: NOW, unknown=lambda _: None)
    served = {path for fmt in FORMATS.values() if fmt.discovery for path in fmt.discovery.paths}
    assert served
    assert all(desk.route(path) for path in served)


@pytest.mark.parametrize(
    ("methods", "allowed"),
    [("GET", "GET, HEAD, OPTIONS"), ("POST", "OPTIONS, POST"), ("GET POST", "GET, HEAD, OPTIONS, POST")],
)
def test_what_is_allowed_is_said_to_whoever_asks_and_to_whoever_does_something_else(methods: str, allowed: str) -> None:
    desk = Desk(toy(methods=methods))
    options = desk.ask(method="OPTIONS")
    assert (204, b"", allowed) == (options.status, options.body, options.headers["Allow"])
    for method in {"GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "FOO", ""} - set(allowed.split(", ")):
        reply = desk.ask(method=method)
        assert (405, TEXT, allowed) == (reply.status, reply.media_type, reply.headers["Allow"])


def test_head_is_asked_like_get() -> None:
    one = toy()
    assert b"answer of toy" == Desk(one).ask(method="HEAD").body
    assert ["HEAD"] == [request.method for request in one.asked]


# --- several formats at one path


def test_the_first_by_id_that_understands_answers() -> None:
    second, first, third = Toy("b", "/toy.xml"), Toy("a", "/toy.xml", replies=False), Toy("c", "/toy.xml")
    assert b"answer of b" == Desk(second, third, first).ask().body
    assert [1, 1, 0] == [len(one.asked) for one in (first, second, third)]


def test_where_none_understands_the_first_refuses() -> None:
    desk = Desk(Toy("b", "/toy.xml", replies=False), Toy("a", "/toy.xml", replies=False))
    assert b"refusal of a" == desk.ask().body


def test_a_format_is_never_asked_by_a_method_it_has_not_declared() -> None:
    reader, writer = Toy("a", "/toy.xml", methods="GET", replies=False), Toy("b", "/toy.xml", methods="POST")
    desk = Desk(reader, writer)
    assert b"answer of b" == desk.ask(method="POST").body
    assert b"refusal of a" == desk.ask(method="GET").body
    assert (["GET"], ["POST"]) == tuple([request.method for request in one.asked] for one in (reader, writer))
    assert "GET, HEAD, OPTIONS, POST" == desk.ask(method="PUT").headers["Allow"]


# --- what a format is told


def test_a_request_arrives_with_its_query_decoded_and_its_path_in_the_clients_case() -> None:
    one = toy(methods="POST")
    Desk(one).ask("/TOY.xml", "Email=anna%40contoso.example", method="POST", host="Contoso.Example:443", body=b"\xff")
    expected = Request(
        method="POST",
        path="/TOY.xml",
        query={"email": "anna@contoso.example"},
        headers={"host": "Contoso.Example:443"},
        body=b"\xff",
        host_domain="contoso.example",
        plain_http=False,
    )
    assert [expected] == one.asked


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("contoso.example", "contoso.example"),
        ("CONTOSO.example", "contoso.example"),
        ("contoso.example.", "contoso.example"),
        ("contoso.example:8443", "contoso.example"),
        ("contoso.example.:443", "contoso.example"),
        ("contoso.example:", "contoso.example"),
        ("autoconfig.contoso.example", "contoso.example"),
        ("AutoDiscover.Contoso.Example:80", "contoso.example"),
        ("autodiscover.autoconfig.contoso.example", "autoconfig.contoso.example"),
        ("mail.autoconfig.contoso.example", "mail.autoconfig.contoso.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("xn--strae-oqa.example", "xn--strae-oqa.example"),
        ("", ""),
        ("localhost", ""),
        ("127.0.0.1", ""),
        ("127.0.0.1:80", ""),
        ("[::1]:80", ""),
        ("contoso.example:80:80", ""),
        ("contoso.example:x", ""),
        ("anna@contoso.example", ""),
        ("a b.example", ""),
        ("..", ""),
        ("autoconfig.", ""),
        ("x" * 5000, ""),
    ],
)
def test_the_host_speaks_for_the_domain_it_is_in(host: str, expected: str) -> None:
    one = toy()
    Desk(one).ask(host=host)
    assert [expected] == [request.host_domain for request in one.asked]


@pytest.mark.parametrize(
    "query",
    ["password=hunter2", "P=hunter2", "a=1&%70assword=hunter2", "a=%ff", "a=%zz", "a=1&A=2"],
)
def test_what_cannot_be_read_or_holds_a_password_is_refused_before_any_format_sees_it(query: str) -> None:
    one = toy()
    reply = Desk(one).ask(query=query)
    assert (400, TEXT) == (reply.status, reply.media_type)
    assert b"hunter2" not in reply.body
    assert [] == one.asked


# --- domains


def test_a_domain_that_is_asked_for_in_vain_is_told_once_for_each_request() -> None:
    one, other = Toy("a", "/toy.xml", replies=False), Toy("b", "/toy.xml")
    desk = Desk(one, other)
    desk.ask(query="domains=fabrikam.example,contoso.example,fabrikam.example,tailspin.example,")
    assert ["fabrikam.example", "tailspin.example"] == desk.unknown
    assert [None, FOUND, None, None, None] == one.looked_up == other.looked_up
    desk.ask(host="autoconfig.fabrikam.example")
    assert ["fabrikam.example", "tailspin.example", "fabrikam.example"] == desk.unknown
    desk.ask(host="contoso.example")
    assert 3 == len(desk.unknown)


class Counted:
    """Finds contoso.example and counts how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, domain: str, fmt: Format) -> Found | None:
        self.times += 1
        return Found(PROVIDERS["office365"], contoso_context(fmt)) if domain == "contoso.example" else None


def _remembering() -> tuple[Counted, list[object], Callable[[str, Format], Found | None]]:
    find, state = Counted(), [object()]
    return find, state, remember(find, lambda: state[0])


def test_what_was_found_is_found_once_for_each_domain_and_format_and_state_of_the_directory() -> None:
    find, state, remembering = _remembering()
    first = remembering("contoso.example", _TOY)
    assert first is remembering("contoso.example", _TOY)
    assert 1 == find.times
    assert first is not remembering("contoso.example", FORMATS["autodiscover"])
    assert 2 == find.times
    state[0] = object()
    assert first is not remembering("contoso.example", _TOY)
    assert 3 == find.times


def test_nothing_is_remembered_of_what_strangers_make_up() -> None:
    find, _, remembering = _remembering()
    for _ in range(3):
        assert remembering("fabrikam.example", _TOY) is None
    assert 3 == find.times


# --- anything at all


@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "TRACE", ""]) | st.text(max_size=8),
    path=st.sampled_from([path for fmt in FORMATS.values() if fmt.discovery for path in fmt.discovery.paths]),
    below=st.just("") | st.text(max_size=20),
    query=st.text(max_size=60) | st.sampled_from(["emailaddress=", "Protocol=EWS&Email=", "Email=%00&Protocol=%00"]),
    headers=st.dictionaries(st.sampled_from(["host", "user-agent", "content-type"]), st.text(max_size=40)),
    body=st.binary(max_size=200),
    plain_http=st.booleans(),
)
def test_whatever_is_asked_there_is_a_reply_that_asks_nobody_to_sign_in(
    method: str, path: str, below: str, query: str, headers: dict[str, str], body: bytes, plain_http: bool
) -> None:
    desk = MailClientDesk(
        formats=FORMATS,
        find=lambda domain, fmt: Found(PROVIDERS["office365"], contoso_context(fmt)) if domain else None,
        clock=lambda: NOW,
        unknown=lambda _: None,
    )
    reply = desk.answer(
        method=method, path=path + below, query=query, headers=headers, body=body, plain_http=plain_http
    )
    assert reply.status in {200, 204, 302, 400, 404, 405}
    assert not {"www-authenticate", "set-cookie"} & {name.lower() for name in reply.headers}
    assert not reply.media_type.startswith("text/html")


# --- what a found domain has written

LOCAL_PARTS = st.from_regex(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}){0,2}", fullmatch=True
)
_WRITING = [pytest.param(FORMATS[name], id=name) for name in ("autodiscover", "mobilesync")]


@pytest.mark.parametrize("fmt", _WRITING)
@given(local=LOCAL_PARTS)
def test_filling_in_an_address_is_writing_the_whole_document(fmt: Format, local: str) -> None:
    found = Found(PROVIDERS["office365"], contoso_context(fmt))
    found.write(Account("somebody@contoso.example"), fmt.render)
    account = Account(f"{local}@contoso.example")
    assert fmt.render(account, found.provider, found.context) == found.write(account, fmt.render)


def test_a_document_is_written_once_for_each_writer_and_kind_of_subject() -> None:
    written: list[Subject] = []

    def render(subject: Subject, provider: MailProvider, context: Context) -> bytes:
        written.append(subject)
        return b"of " + (subject.address if isinstance(subject, Account) else subject.domain).encode()

    found = Found(PROVIDERS["office365"], contoso_context(_TOY))
    for name in ("anna", "bob&son"):
        assert f"of {name}@contoso.example".replace("&", "&amp;").encode() == found.write(
            Account(f"{name}@contoso.example"), render
        )
        assert b"of contoso.example" == found.write(AnyoneAt("contoso.example"), render)
    assert [Account, AnyoneAt] == [type(subject) for subject in written]
