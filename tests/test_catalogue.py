"""What the catalogue says of each cloud, and what it refuses to believe."""

import re
import shutil
import string
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.catalogue import consumer_domains, find_provider, load_catalogue
from provisioner.errors import CatalogueError, UnknownProvider
from provisioner.model import Evidence, MailProvider, MailServer, RetiringWebService, Service, WebService

PROVIDERS = load_catalogue()
FACT_FILES = Path(__file__).parent.parent / "provisioner" / "catalogue"
GUIDE = Path(__file__).parent.parent / "docs" / "providers.md"
CHECKED = date(2026, 11, 23)
EWS_DAYS = (date(2026, 10, 1), date(2027, 4, 1))

# Servers: host, port, encryption, sign-in that works, sign-in that works for now. EWS: URL, blocked since, ends.
OUTLOOK = {
    "outlook-ios": ("Microsoft Outlook", "id951937596", "https://apps.apple.com/app/id951937596"),
    "outlook-mac": ("Microsoft Outlook", "id985367838", "https://apps.apple.com/app/id985367838"),
    "outlook-android": (
        "Microsoft Outlook",
        "com.microsoft.office.outlook",
        "https://play.google.com/store/apps/details?id=com.microsoft.office.outlook",
    ),
}
EXPECTED: dict[str, dict[str, object]] = {
    "office365": {
        "name": "Microsoft 365 (worldwide and GCC)",
        "imap": ("outlook.office365.com", 993, "implicit-tls", ("oauth2",), ()),
        "pop3": ("outlook.office365.com", 995, "implicit-tls", ("oauth2",), ()),
        "submission": ("smtp.office365.com", 587, "starttls", ("oauth2",), ("password",)),
        "activesync": ("outlook.office365.com", "https://outlook.office365.com/Microsoft-Server-ActiveSync"),
        "ews": ("outlook.office365.com", "https://outlook.office365.com/EWS/Exchange.asmx", *EWS_DAYS),
        "autodiscover": (
            "https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml",
            "https://autodiscover-s.outlook.com/autodiscover/autodiscover.svc",
        ),
        "authorize_url": "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize",
        "token_url": "https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
        "scopes": {
            "imap": "https://outlook.office.com/IMAP.AccessAsUser.All",
            "pop": "https://outlook.office.com/POP.AccessAsUser.All",
            "smtp": "https://outlook.office.com/SMTP.Send",
            "offline_access": "offline_access",
            "ews": "https://outlook.office365.com/EWS.AccessAsUser.All",
            "smtp_app": "https://outlook.office365.com/.default",
        },
        "discovered": True,
        "dns": (
            "autodiscover.outlook.com",
            "{domain-with-dots-as-dashes}.mail.protection.outlook.com",
            "spf.protection.outlook.com",
        ),
        "apps": OUTLOOK,
    },
    "office365-gcc-high": {
        "name": "Microsoft 365 GCC High",
        "imap": ("outlook.office365.us", 993, "implicit-tls", ("oauth2",), ()),
        "pop3": ("outlook.office365.us", 995, "implicit-tls", ("oauth2",), ()),
        "submission": ("outlook.office365.us", 587, "starttls", ("oauth2",), ()),
        "activesync": ("outlook.office365.us", "https://outlook.office365.us/Microsoft-Server-ActiveSync"),
        "ews": ("outlook.office365.us", "https://outlook.office365.us/EWS/Exchange.asmx", *EWS_DAYS),
        "autodiscover": (
            "https://autodiscover-s.office365.us/autodiscover/autodiscover.xml",
            "https://autodiscover-s.office365.us/autodiscover/autodiscover.svc",
        ),
        "authorize_url": "https://login.microsoftonline.us/organizations/oauth2/v2.0/authorize",
        "token_url": "https://login.microsoftonline.us/organizations/oauth2/v2.0/token",
        "scopes": {
            "imap": "https://outlook.office365.us/IMAP.AccessAsUser.All",
            "pop": "https://outlook.office365.us/POP.AccessAsUser.All",
            "smtp": "https://outlook.office365.us/SMTP.Send",
            "offline_access": "offline_access",
        },
        "discovered": False,
        "dns": (
            "autodiscover.office365.us",
            "{tenant}.mail.protection.office365.us",
            "spf.protection.office365.us",
        ),
        "apps": OUTLOOK,
    },
    "office365-dod": {
        "name": "Microsoft 365 DoD",
        "imap": ("outlook-dod.office365.us", 993, "implicit-tls", ("oauth2",), ()),
        "pop3": ("outlook-dod.office365.us", 995, "implicit-tls", ("oauth2",), ()),
        "submission": ("outlook-dod.office365.us", 587, "starttls", ("oauth2",), ()),
        "activesync": ("outlook-dod.office365.us", "https://outlook-dod.office365.us/Microsoft-Server-ActiveSync"),
        "ews": ("outlook-dod.office365.us", "https://outlook-dod.office365.us/EWS/Exchange.asmx", *EWS_DAYS),
        "autodiscover": (
            "https://autodiscover-s-dod.office365.us/autodiscover/autodiscover.xml",
            "https://autodiscover-s-dod.office365.us/autodiscover/autodiscover.svc",
        ),
        "authorize_url": "https://login.microsoftonline.us/organizations/oauth2/v2.0/authorize",
        "token_url": "https://login.microsoftonline.us/organizations/oauth2/v2.0/token",
        "scopes": {
            "imap": "https://outlook.office365.us/IMAP.AccessAsUser.All",
            "pop": "https://outlook.office365.us/POP.AccessAsUser.All",
            "smtp": "https://outlook.office365.us/SMTP.Send",
            "offline_access": "offline_access",
        },
        "discovered": False,
        "dns": (
            "autodiscover-dod.office365.us",
            "{tenant}.mail.protection.office365.us",
            "spf.protection.office365.us",
        ),
        "apps": OUTLOOK,
    },
    "office365-china": {
        "name": "Microsoft 365 operated by 21Vianet (China)",
        "imap": ("partner.outlook.cn", 993, "implicit-tls", ("oauth2",), ()),
        "pop3": ("partner.outlook.cn", 995, "implicit-tls", ("oauth2",), ()),
        "submission": ("smtp.partner.outlook.cn", 587, "starttls", ("oauth2",), ()),
        "activesync": ("partner.outlook.cn", "https://partner.outlook.cn/Microsoft-Server-ActiveSync"),
        "ews": ("partner.outlook.cn", "https://partner.outlook.cn/EWS/Exchange.asmx", *EWS_DAYS),
        "autodiscover": (
            "https://autodiscover-s.partner.outlook.cn/autodiscover/autodiscover.xml",
            "https://autodiscover-s.partner.outlook.cn/autodiscover/autodiscover.svc",
        ),
        "authorize_url": "https://login.partner.microsoftonline.cn/organizations/oauth2/v2.0/authorize",
        "token_url": "https://login.partner.microsoftonline.cn/organizations/oauth2/v2.0/token",
        "scopes": {
            "imap": "https://partner.outlook.cn/IMAP.AccessAsUser.All",
            "pop": "https://partner.outlook.cn/POP.AccessAsUser.All",
            "smtp": "https://partner.outlook.cn/SMTP.Send",
            "offline_access": "offline_access",
        },
        "discovered": False,
        "dns": (
            "autodiscover.partner.outlook.cn",
            "{domain-with-dots-as-dashes}.mail.protection.partner.outlook.cn",
            "spf.protection.partner.outlook.cn",
        ),
        "apps": {name: OUTLOOK[name] for name in ("outlook-ios", "outlook-mac")},
    },
    "outlook-com": {
        "name": "Outlook.com (private accounts)",
        "imap": ("outlook.office365.com", 993, "implicit-tls", ("oauth2",), ()),
        "pop3": ("outlook.office365.com", 995, "implicit-tls", ("oauth2",), ()),
        "submission": ("smtp-mail.outlook.com", 587, "starttls", ("oauth2",), ()),
        "activesync": None,
        "ews": None,
        "autodiscover": None,
        "authorize_url": "https://login.microsoftonline.com/consumers/oauth2/v2.0/authorize",
        "token_url": "https://login.microsoftonline.com/consumers/oauth2/v2.0/token",
        "scopes": {
            "imap": "https://outlook.office.com/IMAP.AccessAsUser.All",
            "pop": "https://outlook.office.com/POP.AccessAsUser.All",
            "smtp": "https://outlook.office.com/SMTP.Send",
            "offline_access": "offline_access",
        },
        "discovered": True,
        "dns": None,
        "apps": OUTLOOK,
    },
}

FURTHER_PROTOCOLS = {
    "Actions": "https://outlook.office365.com/actionsb2netcore",
    "CompliancePolicyService": "https://outlook.office.com/CompliancePolicy/api/",
    "Connectors": "https://outlook.office365.com/connectors",
    "ConnectorsProcessors": "https://outlook.office365.com/connectorsprocessors",
    "ConnectorsWebhook": "https://outlook.office365.com/webhook",
    "NotesClient": "https://substrate.office.com/notesfabric",
    "OutlookCloudSettingsService": "https://substrate.office.com/ows/v1/outlookcloudsettings/settings",
    "OutlookLocationsService": "https://outlook.office365.com/locations/api",
    "OutlookMeetingScheduler": "https://outlook.office.com/scheduling/api",
    "OutlookPay": "https://outlook.office.com/opay",
    "OutlookTailoredExperiences": "https://substrate.office.com/txpB2",
    "OwaPoweredExperience": "https://outlook.office365.com/",
    "OwaPoweredExperienceV2": "https://outlook.office.com/ows/v1.0/Opx/configuration",
    "SpeechAndLanguagePersonalization": "https://outlook.office365.com/slp",
    "Speedway": "https://outlook.office.com/ows/groupsapi/v0.1/",
    "Substrate": "https://substrate.office.com",
    "SubstrateNotificationService": "https://substrate.office.com/insights",
    "SubstrateSearchService": "https://outlook.office365.com/search",
    "ToDo": "https://substrate.office.com/todob2",
    "Weve": "https://substrate.office.com/WeveB2",
}

# How sure each fact is, in the order of the columns.
_COLUMNS = ("imap", "pop3", "submission", "activesync", "ews", "autodiscover", "oauth", "dns")
CONFIDENCE = {
    "office365": "primary primary primary secondary secondary primary primary primary",
    "office365-gcc-high": "primary primary primary derived derived primary secondary primary",
    "office365-dod": "primary primary primary derived derived primary secondary primary",
    "office365-china": "secondary secondary secondary derived derived primary secondary secondary",
    "outlook-com": "primary primary primary - - - primary -",
}


def _server(server: MailServer | None) -> object:
    return server and (
        server.hostname,
        server.port,
        server.security.value,
        tuple(method.value for method in server.authentication),
        tuple(method.value for method in server.transitional_authentication),
    )


def _activesync(service: WebService | None) -> object:
    return service and (service.hostname, service.url)


def _ews(service: RetiringWebService | None) -> object:
    return service and (service.hostname, service.url, service.blocked_since, service.ends)


def _facts(provider: MailProvider) -> dict[str, object]:
    autodiscover, dns = provider.autodiscover, provider.dns
    return {
        "name": provider.name,
        "imap": _server(provider.imap),
        "pop3": _server(provider.pop3),
        "submission": _server(provider.submission),
        "activesync": _activesync(provider.activesync),
        "ews": _ews(provider.ews),
        "autodiscover": autodiscover and (autodiscover.pox_url, autodiscover.soap_url),
        "authorize_url": provider.oauth.authorize_url,
        "token_url": provider.oauth.token_url,
        "scopes": dict(provider.oauth.scopes),
        "discovered": provider.oauth.discovered,
        "dns": dns and (dns.autodiscover_cname, dns.mx, dns.spf_include),
        "apps": {name: (app.name, app.store_id, app.store_url) for name, app in provider.apps.items()},
    }


def _evidence(provider: MailProvider) -> Mapping[str, Evidence | None]:
    found = {name: getattr(getattr(provider, name), "evidence", None) for name in _COLUMNS}
    return found | {name: app.evidence for name, app in provider.apps.items()}


@pytest.mark.parametrize("provider_id", EXPECTED)
def test_a_cloud_is_what_its_sources_say(provider_id: str) -> None:
    assert EXPECTED[provider_id] == _facts(PROVIDERS[provider_id])


@pytest.mark.parametrize("provider_id", EXPECTED)
def test_every_fact_says_how_sure_it_is(provider_id: str) -> None:
    found = [getattr(_evidence(PROVIDERS[provider_id])[name], "confidence", "-") for name in _COLUMNS]
    assert CONFIDENCE[provider_id] == " ".join(found)


@pytest.mark.parametrize("provider_id", EXPECTED)
def test_every_fact_names_its_sources_and_the_day_it_was_checked(provider_id: str) -> None:
    for evidence in filter(None, _evidence(PROVIDERS[provider_id]).values()):
        assert CHECKED == evidence.checked
        assert evidence.sources
        assert all(source.startswith("https://") for source in evidence.sources)


def test_providers_come_in_the_order_of_their_ids_and_say_their_own() -> None:
    assert sorted(EXPECTED) == list(PROVIDERS)
    assert list(PROVIDERS) == [provider.id for provider in PROVIDERS.values()]


def test_a_caller_cannot_change_the_catalogue() -> None:
    office365 = PROVIDERS["office365"]
    assert office365.autodiscover is not None
    assert office365.autodiscover.protocols is not None
    for mapping in (PROVIDERS, office365.oauth.scopes, office365.apps, office365.autodiscover.protocols.urls):
        with pytest.raises(TypeError):
            mapping["x"] = "y"  # type: ignore[index]  # this is what must fail


def test_loading_twice_gives_the_same_facts() -> None:
    assert PROVIDERS == load_catalogue()


def test_the_catalogue_is_found_from_any_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert PROVIDERS == load_catalogue()


def test_a_provider_is_found_by_its_id() -> None:
    assert PROVIDERS["office365-dod"] == find_provider(PROVIDERS, "office365-dod")


@pytest.mark.parametrize("provider_id", ["office356", "office365-germany", "bleu", "delos", "", "../office365"])
def test_an_unknown_provider_is_refused_by_name(provider_id: str) -> None:
    with pytest.raises(UnknownProvider) as refusal:
        find_provider(PROVIDERS, provider_id)
    assert provider_id == refusal.value.name


def test_a_mistyped_provider_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(UnknownProvider, match="Did you mean 'office365'"):
        find_provider(PROVIDERS, "office356")


def test_the_private_customers_domains_are_known() -> None:
    domains = consumer_domains(PROVIDERS)
    assert {"outlook.com", "hotmail.com", "live.com", "msn.com", "hotmail.co.uk", "outlook.de"} <= domains
    assert domains == frozenset(PROVIDERS["outlook-com"].consumer_domains)
    assert not domains & {"microsoft.com", "office365.com", "contoso.example"}


def test_only_the_worldwide_cloud_is_known_to_have_more_than_mail() -> None:
    further = {name: cloud.autodiscover.protocols for name, cloud in PROVIDERS.items() if cloud.autodiscover}
    protocols = further.pop("office365")
    assert {None} == set(further.values())
    assert protocols is not None
    assert FURTHER_PROTOCOLS == dict(protocols.urls)
    assert (CHECKED, "secondary") == (protocols.evidence.checked, protocols.evidence.confidence)


def test_private_accounts_have_no_service_that_no_source_confirms() -> None:
    confirmed = {Service.IMAP, Service.POP3, Service.SUBMISSION, Service.OAUTH}
    assert confirmed == PROVIDERS["outlook-com"].services


# Every key that a fact file may have, each once; what is refused is this text with one thing changed.
COMPLETE = """\
# A cloud.
name = "Contoso Cloud"

[imap]
hostname = "imap.contoso.example"
port = 993
security = "implicit-tls"
authentication = ["oauth2", "password"]
source = [
    "https://contoso.example/imap",
    "https://contoso.example/all?of=it#imap",
]
checked = 2026-11-01
confidence = "primary"

[pop3]
hostname = "pop.contoso.example"
port = 995
security = "implicit-tls"
authentication = ["oauth2"]
source = ["https://contoso.example/pop"]
checked = 2026-11-02
confidence = "secondary"

[submission]
hostname = "smtp.contoso.example"
port = 587
security = "starttls"
authentication = ["oauth2"]
transitional_authentication = ["password"]
source = ["https://contoso.example/smtp"]
checked = 2026-11-03
confidence = "derived"

[activesync]
url = "https://eas.contoso.example/Microsoft-Server-ActiveSync"
source = ["https://contoso.example/eas"]
checked = 2026-11-04
confidence = "memory"

[ews]
url = "https://ews.contoso.example/EWS/Exchange.asmx"
blocked_since = 2026-10-01
ends = 2027-04-01
source = ["https://contoso.example/ews"]
checked = 2026-11-05
confidence = "primary"

[autodiscover]
pox_url = "https://autodiscover.contoso.example/autodiscover.xml"
soap_url = "https://autodiscover.contoso.example/autodiscover.svc"
source = ["https://contoso.example/autodiscover"]
checked = 2026-11-06
confidence = "primary"

[autodiscover.protocols]
urls.Calendar = "https://calendar.contoso.example/api"
source = ["https://contoso.example/protocols"]
checked = 2026-11-11
confidence = "secondary"

[oauth]
authority = "https://login.contoso.example"
tenant = "organizations"
discovered = true
scopes.imap = "https://contoso.example/IMAP"
scopes.pop = "https://contoso.example/POP"
scopes.smtp = "https://contoso.example/SMTP"
scopes.ews = "https://contoso.example/EWS"
scopes.offline_access = "offline_access"
source = ["https://contoso.example/oauth"]
checked = 2026-11-07
confidence = "primary"

[dns]
autodiscover_cname = "autodiscover.contoso.example"
mx = "{tenant}.mx.contoso.example"
spf_include = "spf.contoso.example"
source = ["https://contoso.example/dns"]
checked = 2026-11-08
confidence = "primary"

[apps.outlook-ios]
name = "Contoso Mail"
store_id = "id1"
store_url = "https://store.contoso.example/id1"
source = ["https://contoso.example/apps"]
checked = 2026-11-09
confidence = "primary"

[consumer]
domains = ["contoso-mail.example", "xn--contso-bva.example"]
source = ["https://contoso.example/domains"]
checked = 2026-11-10
confidence = "primary"
"""
SMALLEST = 'name = "Contoso Cloud"\n\n' + COMPLETE[COMPLETE.index("[oauth]") : COMPLETE.index("[dns]")]


def _load(directory: Path, text: str) -> MailProvider:
    (directory / "contoso.toml").write_text(text, encoding="utf-8")
    return load_catalogue(directory)["contoso"]


def _refusal(directory: Path, text: str) -> CatalogueError:
    with pytest.raises(CatalogueError) as refusal:
        _load(directory, text)
    assert str(directory / "contoso.toml") == refusal.value.file
    return refusal.value


def test_a_file_with_every_key_loads(tmp_path: Path) -> None:
    provider = _load(tmp_path, COMPLETE)
    assert "contoso" == provider.id
    assert frozenset(Service) == provider.services
    assert ("contoso-mail.example", "xn--contso-bva.example") == provider.consumer_domains
    assert provider.imap is not None
    imap_sources = ("https://contoso.example/imap", "https://contoso.example/all?of=it#imap")
    assert Evidence(imap_sources, date(2026, 11, 1), "primary") == provider.imap.evidence
    days = [evidence.checked.day for evidence in _evidence(provider).values() if evidence]
    assert [1, 2, 3, 4, 5, 6, 7, 8, 9] == days


def test_what_autodiscover_finds_besides_mail_has_its_own_evidence(tmp_path: Path) -> None:
    autodiscover = _load(tmp_path, COMPLETE).autodiscover
    assert autodiscover is not None
    assert autodiscover.protocols is not None
    assert {"Calendar": "https://calendar.contoso.example/api"} == autodiscover.protocols.urls
    evidence = Evidence(("https://contoso.example/protocols",), date(2026, 11, 11), "secondary")
    assert evidence == autodiscover.protocols.evidence


def test_a_name_and_the_sign_in_are_enough(tmp_path: Path) -> None:
    provider = _load(tmp_path, SMALLEST)
    assert frozenset({Service.OAUTH}) == provider.services
    assert ({}, ()) == (provider.apps, provider.consumer_domains)


def test_a_new_cloud_is_one_new_file(tmp_path: Path) -> None:
    for file in FACT_FILES.glob("*.toml"):
        shutil.copy(file, tmp_path)
    (tmp_path / "office-contoso.toml").write_text(SMALLEST, encoding="utf-8")
    assert ["office-contoso", *sorted(EXPECTED)] == list(load_catalogue(tmp_path))


IMAP_SOURCE = '    "https://contoso.example/imap",'
LONG_NAME = ".".join(["a" * 60] * 5)


# One change each: the line that is changed, what it becomes, the key that is named, and the line that is named
# (default: the changed one).
@pytest.mark.parametrize(
    ("old", "new", "key", "at"),
    [
        pytest.param("port = 993", "port = ", "", None, id="no TOML"),
        pytest.param("port = 993", "port = 2026-13-45", "", None, id="no date of the calendar"),
        pytest.param("port = 993", "port = 993\nport = 993", "", "port = 993", id="a key twice"),
        pytest.param("[imap]", "[imapp]", "imapp", None, id="unknown table"),
        pytest.param("[apps.outlook-ios]", "[apps.outlook-vms]", "apps.outlook-vms", None, id="unknown app"),
        pytest.param('name = "Contoso Cloud"', 'nam = "Contoso Cloud"', "nam", None, id="unknown key of the file"),
        pytest.param("port = 993", "prot = 993", "imap.prot", None, id="unknown key of a table"),
        pytest.param(
            'scopes.pop = "https://contoso.example/POP"',
            'scopes.pop3 = "https://contoso.example/POP"',
            "oauth.scopes.pop3",
            None,
            id="unknown scope",
        ),
        pytest.param(
            'urls.Calendar = "https://calendar.contoso.example/api"',
            'urls."Cal endar" = "https://calendar.contoso.example/api"',
            "autodiscover.protocols.urls.Cal endar",
            "[autodiscover.protocols]",
            id="protocol of two words",
        ),
        pytest.param(
            'urls.Calendar = "https://calendar.contoso.example/api"',
            'urls.Calendar = "http://calendar.contoso.example/api"',
            "autodiscover.protocols.urls.Calendar",
            None,
            id="protocol without https",
        ),
        pytest.param(
            'urls.Calendar = "https://calendar.contoso.example/api"',
            "",
            "autodiscover.protocols.urls",
            "[autodiscover.protocols]",
            id="protocols without one",
        ),
        pytest.param("port = 993", "", "imap.port", "[imap]", id="missing key"),
        pytest.param(
            'scopes.pop = "https://contoso.example/POP"', "", "oauth.scopes.pop", "[oauth]", id="missing scope"
        ),
        pytest.param("blocked_since = 2026-10-01", "", "ews.blocked_since", "[ews]", id="missing day of blocking"),
        pytest.param("ends = 2027-04-01", "", "ews.ends", "[ews]", id="missing end"),
        pytest.param("port = 993", 'port = "993"', "imap.port", None, id="string for a port"),
        pytest.param("port = 993", "port = 993.0", "imap.port", None, id="float for a port"),
        pytest.param("port = 993", "port = true", "imap.port", None, id="boolean for a port"),
        pytest.param("discovered = true", "discovered = 1", "oauth.discovered", None, id="integer for a boolean"),
        pytest.param("[pop3]", "[[pop3]]", "pop3", None, id="array for a table"),
        pytest.param('tenant = "organizations"', 'tenant = ["x"]', "oauth.tenant", None, id="array for a string"),
        pytest.param('store_id = "id1"', "store_id = {}", "apps.outlook-ios.store_id", None, id="table for a string"),
        pytest.param('hostname = "pop.contoso.example"', "hostname = 07:30:00", "pop3.hostname", None, id="time"),
        pytest.param('name = "Contoso Cloud"', 'name = " "', "name", None, id="blank name"),
        pytest.param('name = "Contoso Cloud"', r'name = "Contoso\nCloud"', "name", None, id="name of two lines"),
        pytest.param('name = "Contoso Mail"', r'name = "\u202Eliam"', "apps.outlook-ios.name", None, id="turned name"),
        pytest.param('source = ["https://contoso.example/pop"]', "", "pop3.source", "[pop3]", id="no source"),
        pytest.param('source = ["https://contoso.example/pop"]', "source = []", "pop3.source", None, id="empty source"),
        pytest.param(
            'source = ["https://contoso.example/pop"]', 'source = [""]', "pop3.source", None, id="source of no text"
        ),
        pytest.param(
            'source = ["https://contoso.example/pop"]',
            'source = "https://contoso.example/pop"',
            "pop3.source",
            None,
            id="source outside an array",
        ),
        pytest.param(
            'source = ["https://contoso.example/pop"]', "source = [1]", "pop3.source", None, id="number for a source"
        ),
        pytest.param(
            'source = ["https://contoso.example/pop"]',
            'source = ["http://contoso.example/pop"]',
            "pop3.source",
            None,
            id="source without https",
        ),
        pytest.param(
            'source = ["https://contoso.example/pop"]', 'source = ["memory"]', "pop3.source", None, id="source no URL"
        ),
        pytest.param(IMAP_SOURCE, IMAP_SOURCE + "\n" + IMAP_SOURCE, "imap.source", "source = [", id="source twice"),
        pytest.param("checked = 2026-11-02", "", "pop3.checked", "[pop3]", id="no checked date"),
        pytest.param("checked = 2026-11-02", 'checked = "2026-11-02"', "pop3.checked", None, id="date as a string"),
        pytest.param(
            "checked = 2026-11-02", "checked = 2026-11-02T09:00:00Z", "pop3.checked", None, id="date and time"
        ),
        pytest.param('confidence = "secondary"', "", "pop3.confidence", "[pop3]", id="no confidence"),
        pytest.param('confidence = "secondary"', 'confidence = "sure"', "pop3.confidence", None, id="other confidence"),
        pytest.param("checked = 2026-11-10", "", "consumer.checked", "[consumer]", id="private domains unchecked"),
        pytest.param("checked = 2026-11-09", "", "apps.outlook-ios.checked", "[apps.outlook-ios]", id="app unchecked"),
        pytest.param('security = "starttls"', 'security = "plain"', "submission.security", None, id="plain"),
        pytest.param('security = "starttls"', 'security = "none"', "submission.security", None, id="none"),
        pytest.param('security = "starttls"', 'security = ""', "submission.security", None, id="no security"),
        pytest.param('security = "starttls"', 'security = "ssl"', "submission.security", None, id="ssl"),
        pytest.param(
            'security = "starttls"', 'security = "implicit-tls"', "submission.security", None, id="implicit TLS on 587"
        ),
        pytest.param(
            'authentication = ["oauth2", "password"]',
            'authentication = ["ntlm"]',
            "imap.authentication",
            None,
            id="unknown sign-in",
        ),
        pytest.param(
            'authentication = ["oauth2", "password"]',
            "authentication = []",
            "imap.authentication",
            None,
            id="no sign-in",
        ),
        pytest.param(
            'transitional_authentication = ["password"]',
            "transitional_authentication = []",
            "submission.transitional_authentication",
            None,
            id="no transitional sign-in",
        ),
        pytest.param("ends = 2027-04-01", "ends = 2026-09-30", "ews.ends", None, id="end before the blocking"),
        pytest.param("ends = 2027-04-01", "ends = 2026-10-01", "ews.ends", None, id="end on the day of the blocking"),
        pytest.param(
            'authority = "https://login.contoso.example"',
            'authority = "https://login.contoso.example/"',
            "oauth.authority",
            None,
            id="authority with a path",
        ),
        pytest.param('tenant = "organizations"', 'tenant = "a/b"', "oauth.tenant", None, id="tenant with a path"),
        pytest.param(
            'scopes.offline_access = "offline_access"',
            'scopes.offline_access = "https://contoso.example/refresh"',
            "oauth.scopes.offline_access",
            None,
            id="another word for offline_access",
        ),
        pytest.param(
            'scopes.smtp = "https://contoso.example/SMTP"',
            'scopes.smtp = "SMTP.Send"',
            "oauth.scopes.smtp",
            None,
            id="scope without its resource",
        ),
        *(
            pytest.param('mx = "{tenant}.mx.contoso.example"', f'mx = "{mx}"', "dns.mx", None, id=f"mx {mx}")
            for mx in (
                "mx.contoso.example",
                "{domain}.mx.contoso.example",
                "{tenant}.MX.contoso.example",
                "{tenant}.",
                "",
            )
        ),
        pytest.param(
            'domains = ["contoso-mail.example", "xn--contso-bva.example"]',
            'domains = ["contoso-mail.example", "contosö.example"]',
            "consumer.domains",
            None,
            id="private domain that is no A-label",
        ),
    ],
)
def test_a_file_with_one_mistake_is_refused_with_key_and_line(
    tmp_path: Path, old: str, new: str, key: str, at: str | None
) -> None:
    text = _changed(old, new)
    refusal = _refusal(tmp_path, text)
    assert (key, _line(text, new if at is None else at)) == (refusal.key, refusal.line)
    assert str(refusal).startswith(f"{refusal.file}:{refusal.line}: {key}")


def _changed(old: str, new: str) -> str:
    lines = COMPLETE.split("\n")
    lines[lines.index(old)] = new
    return "\n".join(lines)


def _line(text: str, line: str) -> int:
    """The number of the last of these lines."""
    lines = text.split("\n")
    return len(lines) - lines[::-1].index(line)


PLAINTEXT_AND_SUBMISSIONS = [465, 143, 110, 25]
OTHERS = [0, -993, 2525, 65536, 99999999999]


@pytest.mark.parametrize(("table", "right"), [("imap", 993), ("pop3", 995), ("submission", 587)])
@pytest.mark.parametrize("port", [*PLAINTEXT_AND_SUBMISSIONS, *OTHERS, 993, 995, 587])
def test_no_port_is_believed_but_the_one_whose_encryption_is_certain(
    tmp_path: Path, table: str, right: int, port: int
) -> None:
    text = _changed(f"port = {right}", f"port = {port}")
    if port == right:
        assert "contoso" == _load(tmp_path, text).id
        return
    refusal = _refusal(tmp_path, text)
    line = next(number for number, line in enumerate(COMPLETE.split("\n"), 1) if line == f"port = {right}")
    assert (f"{table}.port", line) == (refusal.key, refusal.line)
    assert str(right) in refusal.reason


def test_a_port_of_thousands_of_digits_is_refused_like_any_other(tmp_path: Path) -> None:
    for port in ("0x" + "f" * 5000, "9" * 5000):
        assert "contoso.toml" in str(_refusal(tmp_path, _changed("port = 993", f"port = {port}")))


@pytest.mark.parametrize("table", ["imap", "pop3"])
def test_starttls_is_refused_where_tls_comes_first(tmp_path: Path, table: str) -> None:
    header = COMPLETE.index(f"[{table}]")
    text = COMPLETE[:header] + COMPLETE[header:].replace('"implicit-tls"', '"starttls"', 1)
    refusal = _refusal(tmp_path, text)
    line = COMPLETE[: COMPLETE.index('"implicit-tls"', header)].count("\n") + 1
    assert (f"{table}.security", line) == (refusal.key, refusal.line)


@pytest.mark.parametrize(
    "hostname",
    [
        "192.0.2.1",
        "2001:db8::1",
        "[2001:db8::1]",
        "IMAP.contoso.example",
        "imap.contoso.example.",
        "imap_1.contoso.example",
        "imap..contoso.example",
        "-imap.contoso.example",
        "imap-.contoso.example",
        ".contoso.example",
        "*.contoso.example",
        "imap contoso.example",
        " imap.contoso.example",
        "imap.contoso.example:993",
        "imap.contösö.example",
        "localhost",
        "",
        f"{'a' * 64}.example",
        LONG_NAME,
    ],
)
def test_a_host_name_is_a_dns_name_as_it_is_written_everywhere(tmp_path: Path, hostname: str) -> None:
    for old, key in (
        ('hostname = "imap.contoso.example"', "imap.hostname"),
        ('autodiscover_cname = "autodiscover.contoso.example"', "dns.autodiscover_cname"),
        ('spf_include = "spf.contoso.example"', "dns.spf_include"),
    ):
        new = f'{key.rpartition(".")[2]} = "{hostname}"'
        text = _changed(old, new)
        refusal = _refusal(tmp_path, text)
        assert (key, _line(text, new)) == (refusal.key, refusal.line)


@pytest.mark.parametrize(
    "url",
    [
        "http://contoso.example/x",
        "HTTPS://contoso.example/x",
        "ftp://contoso.example/x",
        "contoso.example/x",
        "//contoso.example/x",
        "https:contoso.example",
        "https:///x",
        "https://",
        "",
        "https://contoso.example:465/x",
        "https://contoso.example:/x",
        "https://anna:secret@contoso.example/x",
        "https://192.0.2.1/x",
        "https://[2001:db8::1]/x",
        "https://Contoso.example/x",
        "https://contoso.example./x",
        "https://contoso_1.example/x",
        "https://contoso.example\\\\x",
        "https://contoso.example/a b",
        "https://contoso.example/ä",
        "https://contoso.example?x",
        " https://contoso.example/x",
        f"https://{LONG_NAME}/x",
    ],
)
def test_a_url_is_https_and_names_a_host_and_nothing_else_before_the_path(tmp_path: Path, url: str) -> None:
    for old, key in (
        ('url = "https://eas.contoso.example/Microsoft-Server-ActiveSync"', "activesync.url"),
        ('url = "https://ews.contoso.example/EWS/Exchange.asmx"', "ews.url"),
        ('pox_url = "https://autodiscover.contoso.example/autodiscover.xml"', "autodiscover.pox_url"),
        ('soap_url = "https://autodiscover.contoso.example/autodiscover.svc"', "autodiscover.soap_url"),
        ('authority = "https://login.contoso.example"', "oauth.authority"),
        ('scopes.imap = "https://contoso.example/IMAP"', "oauth.scopes.imap"),
        ('scopes.ews = "https://contoso.example/EWS"', "oauth.scopes.ews"),
        ('store_url = "https://store.contoso.example/id1"', "apps.outlook-ios.store_url"),
    ):
        new = f'{old.partition(" = ")[0]} = "{url}"'
        text = _changed(old, new)
        refusal = _refusal(tmp_path, text)
        assert (key, _line(text, new)) == (refusal.key, refusal.line)


def test_a_file_without_a_name_or_a_sign_in_is_refused(tmp_path: Path) -> None:
    without_name = _refusal(tmp_path, SMALLEST.partition("\n")[2])
    assert ("name", 0) == (without_name.key, without_name.line)
    without_sign_in = _refusal(tmp_path, 'name = "Contoso Cloud"\n')
    assert ("oauth", 0) == (without_sign_in.key, without_sign_in.line)
    assert str(without_sign_in) == f"{tmp_path / 'contoso.toml'}: oauth: is missing. Add it."


def test_a_mistyped_key_is_answered_with_the_nearest_one(tmp_path: Path) -> None:
    refusal = _refusal(tmp_path, _changed("port = 993", "prot = 993"))
    assert "is unknown. Did you mean 'port'?" == refusal.reason


def test_a_file_that_ends_too_early_is_refused(tmp_path: Path) -> None:
    assert "is not TOML" in _refusal(tmp_path, COMPLETE[: COMPLETE.index("]\nchecked")]).reason


def test_a_file_nested_beyond_all_reason_is_refused(tmp_path: Path) -> None:
    assert "is not TOML" in _refusal(tmp_path, "name = " + "[" * 100_000).reason


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "contoso.toml"
    file.write_bytes(COMPLETE.encode("utf-16"))
    with pytest.raises(CatalogueError) as refusal:
        load_catalogue(tmp_path)
    assert (str(file), "", 0) == (refusal.value.file, refusal.value.key, refusal.value.line)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "contoso.toml").mkdir()
    with pytest.raises(CatalogueError, match=r"contoso\.toml: cannot be read"):
        load_catalogue(tmp_path)


def test_a_directory_without_fact_files_is_refused(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "missing"):
        with pytest.raises(CatalogueError) as refusal:
            load_catalogue(directory)
        assert (str(directory), "", 0) == (refusal.value.file, refusal.value.key, refusal.value.line)


@pytest.mark.parametrize(
    "stem", ["Contoso", "contoso_cloud", "-contoso", "contoso-", "con--toso", "a.b", ".c", "contosö"]
)
def test_a_file_whose_name_is_no_provider_id_is_refused(tmp_path: Path, stem: str) -> None:
    file = tmp_path / f"{stem}.toml"
    file.write_text(COMPLETE, encoding="utf-8")
    with pytest.raises(CatalogueError) as refusal:
        load_catalogue(tmp_path)
    assert (str(file), "id", 0) == (refusal.value.file, refusal.value.key, refusal.value.line)


def test_the_line_is_right_in_a_file_with_windows_line_ends(tmp_path: Path) -> None:
    text = _changed("port = 995", "port = 110")
    (tmp_path / "contoso.toml").write_bytes(text.replace("\n", "\r\n").encode())
    with pytest.raises(CatalogueError) as refusal:
        load_catalogue(tmp_path)
    assert _line(text, "port = 110") == refusal.value.line


def test_a_table_on_one_line_is_refused_with_that_line(tmp_path: Path) -> None:
    text = SMALLEST.replace("\n\n", '\nimap = { hostname = "imap.contoso.example", port = 143 }\n\n', 1)
    refusal = _refusal(tmp_path, text)
    assert ("imap.security", 2) == (refusal.key, refusal.line)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutated")


def _loads_or_is_refused(directory: Path, content: bytes) -> None:
    (directory / "contoso.toml").write_bytes(content)
    try:
        provider = load_catalogue(directory)["contoso"]
    except CatalogueError as refusal:
        assert 0 <= refusal.line <= len(content.splitlines()) + 1  # noqa: PT017  # both outcomes are right
        return
    assert {server.port for server in provider.servers} <= {993, 995, 587}
    assert all(evidence.sources for evidence in _evidence(provider).values() if evidence)


_TOKENS = ["[", "]", "[[", "=", '"', "'", '"""', ".", "\n", "#", "\\", "{", "}", ",", "0x", "inf", "nan", "07:32:00"]


@given(
    start=st.integers(0, len(COMPLETE)),
    length=st.integers(0, 12),
    inserted=st.one_of(st.sampled_from(_TOKENS), st.text(max_size=12), st.text(string.printable, max_size=12)),
)
def test_a_file_with_a_stretch_replaced_loads_or_is_refused(
    scratch: Path, start: int, length: int, inserted: str
) -> None:
    _loads_or_is_refused(scratch, (COMPLETE[:start] + inserted + COMPLETE[start + length :]).encode())


@given(lines=st.lists(st.sampled_from(COMPLETE.split("\n")), max_size=60))
def test_a_file_of_lines_in_any_order_loads_or_is_refused(scratch: Path, lines: list[str]) -> None:
    _loads_or_is_refused(scratch, "\n".join(lines).encode())


_VALUES = [
    "1",
    "-1",
    "true",
    "1.5",
    "nan",
    '""',
    '"x"',
    "[]",
    "[[]]",
    '["x"]',
    "{}",
    "{ x = 1 }",
    "2026-11-23",
    "07:30:00",
]


@given(line=st.sampled_from([line for line in COMPLETE.split("\n") if " = " in line]), value=st.sampled_from(_VALUES))
def test_a_file_with_any_value_in_place_of_another_loads_or_is_refused(scratch: Path, line: str, value: str) -> None:
    key = line.partition(" = ")[0]
    _loads_or_is_refused(scratch, COMPLETE.replace(line, f"{key} = {value}").encode())


@given(start=st.integers(0, len(COMPLETE)), inserted=st.binary(min_size=1, max_size=8))
def test_a_file_with_stray_bytes_loads_or_is_refused(scratch: Path, start: int, inserted: bytes) -> None:
    content = COMPLETE.encode()
    _loads_or_is_refused(scratch, content[:start] + inserted + content[start:])


def test_the_guide_names_every_provider_and_every_key() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    keys = set(re.findall(r"(?m)^([a-z_0-9.]+) =", COMPLETE)) | set(re.findall(r"(?m)^\[([a-z0-9.-]+)\]", COMPLETE))
    assert [] == [
        name for name in sorted(keys | set(PROVIDERS)) if f"`{name}`" not in guide and f"`[{name}]`" not in guide
    ]


def test_the_guides_example_of_a_new_cloud_loads(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert {Service.IMAP, Service.SUBMISSION, Service.OAUTH} == _load(tmp_path, example).services


def test_the_guide_says_which_clouds_are_refused() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert [] == [cloud for cloud in ("Germany", "Bleu", "Delos") if cloud not in guide]
