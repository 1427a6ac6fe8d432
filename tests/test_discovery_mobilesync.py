"""A phone that asks Autodiscover is told where the cloud's ActiveSync is; [MS-ASCMD] is what it reads by."""

from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.errors import InvalidInput
from provisioner.format import AnyoneAt
from provisioner.formats import find_format
from provisioner.organisation import AutodiscoverPolicy
from tests.desks import Desk
from tests.samples import PROVIDERS

SCHEMAS = "http://schemas.microsoft.com/exchange/autodiscover"
RESPONSE = f"{SCHEMAS}/mobilesync/responseschema/2006"
MINIMAL = (
    f'<Autodiscover xmlns="{SCHEMAS}/mobilesync/requestschema/2006"><Request>'
    "<EMailAddress>anna@contoso.example</EMailAddress>"
    f"<AcceptableResponseSchema>{RESPONSE}</AcceptableResponseSchema>"
    "</Request></Autodiscover>"
).encode()
CLOUDS = [name for name, provider in PROVIDERS.items() if provider.activesync]


def changed(old: str, new: str) -> bytes:
    """The minimal request with one thing changed."""
    assert old.encode() in MINIMAL
    return MINIMAL.replace(old.encode(), new.encode())


def texts(content: bytes) -> dict[str, list[str]]:
    """What each element without children says."""
    found: dict[str, list[str]] = {}
    for element in fromstring(content).iter():
        if not len(element):
            found.setdefault(element.tag.rpartition("}")[2], []).append(element.text or "")
    return found


def _without_text(element: Element) -> Element:
    for part in element.iter():
        part.text = None
    return element


@pytest.mark.parametrize("policy", AutodiscoverPolicy)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_phone_is_told_the_clouds_activesync_under_every_policy(cloud: str, policy: AutodiscoverPolicy) -> None:
    activesync = PROVIDERS[cloud].activesync
    assert activesync is not None
    reply = Desk(cloud, policy).ask(MINIMAL)
    assert (200, "text/xml; charset=utf-8") == (reply.status, reply.media_type)
    assert {
        "Culture": ["en:us"],
        "EMailAddress": ["anna@contoso.example"],
        "Type": ["MobileSync"],
        "Url": [activesync.url],
        "Name": [activesync.url],
    } == texts(reply.body)


def test_the_answer_has_the_shape_of_the_specifications_example() -> None:
    # [MS-ASCMD] 4.2.4, without the optional DisplayName, CertEnroll and ServerData
    inner = (
        "<Culture/><User><EMailAddress/></User><Action><Settings><Server><Type/><Url/><Name/></Server>"
        "</Settings></Action>"
    )
    example = fromstring(
        f'<Autodiscover xmlns="{SCHEMAS}/responseschema/2006"><Response xmlns="{RESPONSE}">{inner}</Response>'
        "</Autodiscover>"
    )
    answer = _without_text(fromstring(Desk().ask(MINIMAL).body))
    assert [element.tag for element in example.iter()] == [element.tag for element in answer.iter()]
    assert Desk().ask(MINIMAL).body.startswith(b'<?xml version="1.0" encoding="utf-8"?>\n<Autodiscover ')


@pytest.mark.parametrize(
    "user_agent", ["Microsoft Office/16.0 (Windows NT 10.0; MAPI 16.0.9001; Pro)", "Outlook-iOS/2.0"]
)
def test_outlook_that_asks_for_activesync_gets_activesync(user_agent: str) -> None:
    headers = {"user-agent": user_agent, "x-mapihttpcapability": "1"}
    assert Desk().ask(MINIMAL).body == Desk().ask(MINIMAL, headers=headers).body


def test_the_request_schema_may_be_outlooks() -> None:
    assert Desk().ask(MINIMAL).body == Desk().ask(changed("mobilesync/requestschema", "outlook/requestschema")).body


def test_plain_http_is_answered_as_https_is() -> None:
    assert Desk().ask(MINIMAL) == Desk().ask(MINIMAL, plain_http=True)


def test_the_address_comes_back_with_its_own_spelling_and_a_normal_domain() -> None:
    body = changed("anna@contoso.example", " O&apos;Neil+a&amp;b@CONTOSO.Example. ")
    assert ["O'Neil+a&b@contoso.example"] == texts(Desk().ask(body).body)["EMailAddress"]


def test_people_who_exist_and_people_who_do_not_get_the_same_bytes() -> None:
    nobody = Desk().ask(changed("anna@", "nobody@"))
    assert Desk().ask(MINIMAL).body == nobody.body.replace(b"nobody@", b"anna@")


def test_settings_are_not_mixed_with_those_of_mail_servers_unlike_monogramms() -> None:
    content = Desk().ask(MINIMAL).body
    assert [b"Protocol", b"IMAP", b"SMTP"] == [word for word in (b"Protocol", b"IMAP", b"SMTP") if word not in content]


@pytest.mark.parametrize("provider_id", ["office365", "outlook-com"])
def test_a_domain_that_has_no_activesync_here_is_an_error_in_the_schema_that_errors_have(provider_id: str) -> None:
    # [MS-ASCMD] 6.4: Autodiscover holds either the phone's Response or one of its own with Error.
    body = MINIMAL if provider_id == "outlook-com" else changed("contoso", "fabrikam")
    reply = Desk(provider_id).ask(body)
    error = fromstring(reply.body).find(f"{{{SCHEMAS}/responseschema/2006}}Response/*")
    assert error is not None
    assert (200, "500", "09:00:00.0000000", "1") == (
        reply.status,
        error.findtext("*"),
        error.get("Time"),
        error.get("Id"),
    )


def test_an_unknown_domain_is_told_to_whoever_counts_them() -> None:
    desk = Desk()
    desk.ask(changed("contoso", "fabrikam"))
    assert ["fabrikam.example"] == desk.unknown


def test_a_phone_that_names_nobody_is_not_answered_with_somebody() -> None:
    assert b"<ErrorCode>600</ErrorCode>" in Desk().ask(changed("anna@contoso.example", "")).body


def test_it_is_written_for_one_person_because_its_user_must_have_an_address() -> None:
    with pytest.raises(InvalidInput, match="a whole address was expected"):
        find_format("mobilesync").accept(AnyoneAt("contoso.example"))


@given(st.binary(max_size=300))
def test_any_body_is_answered(body: bytes) -> None:
    reply = Desk().ask(changed("</Request>", "").replace(b"anna", body))
    assert 200 == reply.status
    assert b"<ErrorCode>600</ErrorCode>" in reply.body
