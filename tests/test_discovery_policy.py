"""The rows of the Autodiscover policy that name no server are the same at every cloud and under every policy.

The rows that do name one are tested per cloud beside their formats.
"""

import pytest

from provisioner.format import Reply
from provisioner.organisation import AutodiscoverPolicy
from tests.desks import Desk
from tests.test_discovery_autodiscover import CLOUDS, MINIMAL, changed, code_of
from tests.test_discovery_json import error

JSON = "/autodiscover/autodiscover.json"
every_cloud = pytest.mark.parametrize("cloud", CLOUDS)
every_policy = pytest.mark.parametrize("policy", AutodiscoverPolicy)


def _ask_json(desk: Desk, query: str) -> Reply:
    return desk.ask(method="GET", path=JSON, query=query)


@every_cloud
@every_policy
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (changed("responseschema/2006a", "responseschema/1999"), "601"),
        (b"", "600"),
        (MINIMAL.encode()[:-5], "600"),
        (b"<!DOCTYPE a>" + MINIMAL.encode(), "600"),
        (changed("contoso.example", "fabrikam.example"), "500"),
    ],
    ids=["another schema", "empty", "cut off", "with a DOCTYPE", "not our domain"],
)
def test_an_error_is_the_protocols_own(cloud: str, policy: AutodiscoverPolicy, body: bytes, code: str) -> None:
    reply = Desk(cloud, policy).ask(body)
    assert (200, code) == (reply.status, code_of(reply))


@every_cloud
@pytest.mark.parametrize("policy", [AutodiscoverPolicy.AUTO, AutodiscoverPolicy.SETTINGS])
def test_reading_over_plain_http_is_sent_to_https(cloud: str, policy: AutodiscoverPolicy) -> None:
    reply = Desk(cloud, policy).ask(method="GET", plain_http=True)
    expected = {"Location": "https://autodiscover.contoso.example/autodiscover/autodiscover.xml"}
    assert (302, expected) == (reply.status, reply.headers)


@every_cloud
@every_policy
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_on_a_host_that_is_not_ours_is_404_with_error_600(
    cloud: str, policy: AutodiscoverPolicy, method: str
) -> None:
    reply = Desk(cloud, policy).ask(method=method, headers={"host": "autodiscover.fabrikam.example"})
    assert (404, "600") == (reply.status, code_of(reply))


@every_cloud
@every_policy
def test_the_json_protocol_refuses_in_its_own_words(cloud: str, policy: AutodiscoverPolicy) -> None:
    desk = Desk(cloud, policy)
    assert (400, "MandatoryParameterMissing") == error(_ask_json(desk, "Email=anna%40contoso.example"))
    assert (400, "InvalidProtocol") == error(_ask_json(desk, "Email=anna%40contoso.example&Protocol=Imap"))
