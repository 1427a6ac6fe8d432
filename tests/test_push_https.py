"""The way to an MDM: its certificate is verified, waiting has bounds, and nobody is told the token."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.errors import InvalidInput, PushFailed, PushRefused, PushUnclear
from provisioner.push import HttpsConnection
from provisioner.push.calls import Answer, Call
from provisioner.push.https import authorization, server_url
from tests.mdm_servers import TOKEN, Asked, Authority, Said, make_authority, serving
from tests.pushing import CASES, MDMS, Place, administrator

FLEET = next(case for case in CASES if case.id == "fleet")
QUESTION = Call(method="GET", path="/api/x?page=0")
CREATION = Call(method="POST", path="/api/x", body=b"{}", media_type="application/json", repeatable=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def place(tmp_path: Path, authority: Authority) -> Iterator[Place]:
    with administrator(tmp_path, authority) as place:
        yield place


class Script:
    """A server that says what it is told to say, in that order, and then that all is well."""

    def __init__(self, *said: Said) -> None:
        self.said = list(said)
        self.asked: list[Asked] = []

    def answer(self, asked: Asked) -> Said:
        """The next thing that is said."""
        self.asked.append(asked)
        return self.said.pop(0) if self.said else Said(200, {"all": "well"})


def _connected(place: Place, *said: Said) -> tuple[HttpsConnection, Script]:
    script = Script(*said)
    server = place.running.enter_context(serving(script.answer, place.authority.context))
    return place.connection(FLEET, server), script


def test_each_request_says_who_asks_and_what_it_carries(place: Place) -> None:
    connection, script = _connected(place)
    assert {"all": "well"} == connection.send(CREATION).json()
    (asked,) = script.asked
    assert ("POST", "/api/x", b"{}") == (asked.method, asked.path, asked.body)
    expected = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json", "accept": "application/json"}
    assert expected == {name: asked.headers[name] for name in expected}
    assert asked.headers["user-agent"].startswith("provisioner/")


@pytest.mark.parametrize("call", [QUESTION, CREATION], ids=["question", "creation"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_has_not_begun_is_waited_for_as_long_as_it_wishes(place: Place, call: Call, status: int) -> None:
    busy = [Said(status, None, {"Retry-After": wish}) for wish in ("3", "60", "0")]
    connection, script = _connected(place, *busy)
    assert 200 == connection.send(call).status
    assert [3.0, 60.0] == place.slept
    assert 4 == len(script.asked)


def test_without_a_wish_the_wait_doubles_and_has_an_end(place: Place) -> None:
    connection, script = _connected(place, *[Said(503)] * 9)
    with pytest.raises(PushFailed, match=r"answered 503 to GET /api/x\."):
        connection.send(QUESTION)
    assert [1.0, 2.0, 4.0, 8.0, 16.0] == place.slept
    assert 6 == len(script.asked)


def test_a_wish_in_the_past_is_no_wait(place: Place) -> None:
    connection, _ = _connected(place, Said(429, None, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}))
    assert 200 == connection.send(QUESTION).status
    assert [] == place.slept


def test_a_server_that_wishes_for_an_hour_is_left_alone(place: Place) -> None:
    connection, script = _connected(place, Said(429, None, {"Retry-After": "3600"}))
    with pytest.raises(PushFailed, match=r"asks to be left alone for 3600 seconds\. Push again after that\."):
        connection.send(QUESTION)
    assert ([], 1) == (place.slept, len(script.asked))


@pytest.mark.parametrize("wish", ["soon", "-5", "1.5", " ", "9" * 5000, "Fri, 31 Dec 99999 23:59:59 GMT"])
def test_a_wish_that_cannot_be_read_is_none(place: Place, wish: str) -> None:
    connection, script = _connected(place, Said(429, None, {"Retry-After": wish}))
    assert 200 == connection.send(CREATION).status
    assert ([1.0], 2) == (place.slept, len(script.asked))


def test_an_answer_that_cannot_be_unpacked_is_not_said_to_be_no_answer(place: Place) -> None:
    connection, script = _connected(place, Said(200, b"no gzip", {"Content-Encoding": "gzip"}))
    with pytest.raises(PushFailed, match=r"answered something that is no HTTP\.$"):
        connection.send(QUESTION)
    assert 1 == len(script.asked)


def test_json_of_a_hundred_thousand_brackets_is_none() -> None:
    with pytest.raises(PushFailed, match="The answer is no JSON"):
        Answer(200, b"[" * 100_000).json()


def test_a_question_is_repeated_after_a_failure_and_a_creation_is_not(place: Place) -> None:
    for trouble in (Said(500), Said(502), Said(504), Said(cut_off=True)):
        connection, script = _connected(place, trouble)
        assert 200 == connection.send(QUESTION).status
        assert 2 == len(script.asked)
        connection, script = _connected(place, trouble)
        with pytest.raises(PushUnclear):
            connection.send(CREATION)
        assert 1 == len(script.asked)


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_refusal_is_told_in_the_servers_words_and_not_repeated(place: Place, status: int) -> None:
    connection, script = _connected(place, Said(status, {"message": "the name\nis taken"}))
    with pytest.raises(PushRefused, match=rf"answered {status} to GET /api/x: .*the name\\\\nis taken.*\.$"):
        connection.send(QUESTION)
    assert 1 == len(script.asked)


@pytest.mark.parametrize("scheme", ["fleet", "nanomdm"])
@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_a_server_that_repeats_the_token_or_an_address_does_not_make_us_show_it(
    place: Place, scheme: str, status: int
) -> None:
    basic = b64encode(f"nanomdm:{TOKEN}".encode()).decode()
    said = Said(status, f"token {TOKEN} or {basic} of anna@contoso.example")
    server = place.running.enter_context(serving(Script(*[said] * 9).answer, place.authority.context))
    case = next(case for case in CASES if case.id == scheme)
    with pytest.raises((PushRefused, PushFailed)) as refused:
        place.connection(case, server).send(QUESTION)
    text = str(refused.value)
    assert "token ********" in text
    for secret in (TOKEN, "anna", *((basic,) if scheme == "nanomdm" else ())):
        assert secret not in text
        assert secret not in repr(refused.value.__cause__)


def test_a_certificate_that_nobody_trusts_is_refused_before_the_token_is_sent(place: Place) -> None:
    script = Script()
    server = place.running.enter_context(serving(script.answer, place.authority.context))
    with pytest.raises(PushFailed, match="certificate that can be verified"):
        place.connection(FLEET, server, ca_file=None).send(QUESTION)
    other = make_authority(place.directory)
    with pytest.raises(PushFailed, match="--ca-file"):
        place.connection(FLEET, server, ca_file=other.ca_file).send(QUESTION)
    assert ([], []) == (script.asked, place.slept)


def test_a_certificate_of_another_name_is_refused(place: Place) -> None:
    script = Script()
    server = place.running.enter_context(serving(script.answer, place.authority.context))
    with pytest.raises(PushFailed, match="certificate that can be verified"):
        place.connection(FLEET, server.replace("127.0.0.1", "localhost")).send(QUESTION)
    assert [] == script.asked


def test_a_server_that_is_not_there_is_told_so(place: Place) -> None:
    with serving(Script().answer, place.authority.context) as server:
        pass
    with pytest.raises(PushFailed, match="could not be reached"):
        place.connection(FLEET, server).send(CREATION)
    assert 5 == len(place.slept)  # nothing was sent, so that this can be repeated


def test_plain_http_is_for_this_machine_alone(place: Place) -> None:
    server = place.running.enter_context(serving(Script().answer, None))
    assert 200 == place.connection(FLEET, server).send(QUESTION).status
    with pytest.raises(InvalidInput, match="https://"):
        place.connection(FLEET, "http://mdm.contoso.example")


def test_a_file_without_certificates_is_told_by_name(place: Place) -> None:
    (place.directory / "empty.pem").write_text("nothing")
    with pytest.raises(InvalidInput, match=r"empty\.pem holds no certificates"):
        place.connection(FLEET, "https://mdm.contoso.example", ca_file=place.directory / "empty.pem")


@pytest.mark.parametrize(
    "text",
    [
        *("", "mdm.contoso.example", "http://mdm.contoso.example", "ftp://mdm.contoso.example", "https://"),
        *("https://user:pass@mdm.contoso.example", "https://mdm.contoso.example/?x=1", "https://mdm.contoso.example#x"),
        *("http://127.0.0.1.contoso.example", "http://localhost.contoso.example", "https://[::1", "https://a b"),
    ],
)
def test_what_is_no_server_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        server_url(text)
    assert "pass" not in str(refused.value)


@given(st.text(max_size=40) | st.from_regex(r"\Ahttps?://[a-z0-9.:\[\]@/?#-]{0,30}\Z"))
def test_a_server_is_https_or_on_this_machine_and_has_no_final_slash(text: str) -> None:
    try:
        url = server_url(text)
    except InvalidInput:
        return
    assert url.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]"))
    assert not url.endswith("/")
    assert not set(url) & set("?# \n")
    assert "@" not in urlsplit(url).netloc


@given(st.text(max_size=30) | st.text("abc 0-\r\n\t", max_size=9))
def test_whatever_the_token_is_it_never_makes_a_second_header(token: str) -> None:
    for mdm in ("fleet", "micromdm", "zentral"):
        api = MDMS[mdm].push
        assert api is not None
        try:
            header = authorization(api, token)
        except InvalidInput:
            continue
        assert header.isascii()
        assert header.isprintable()
        assert 2 == len(header.split(" "))
