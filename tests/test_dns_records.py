"""The DNS records to publish: what the clouds offer and what they do not, as a zone file, a table and JSON."""

from dataclasses import replace
from pathlib import Path

import dns.name
import dns.zone
import pytest
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.IN.SRV import SRV
from hypothesis import given
from hypothesis import strategies as st

from provisioner.errors import InvalidDomain, MissingService
from provisioner.format import AnyoneAt
from provisioner.formats import find_format
from provisioner.model import MailProvider
from provisioner.records import host_of
from tests.commands import PUBLIC_URL, Shell, shell_with_contoso
from tests.samples import ANNA, PROVIDERS, contoso_context

FORMAT = find_format("dns-records")
OFFICE_365 = PROVIDERS["office365"]
ORGANISATIONS = [provider for provider in PROVIDERS.values() if provider.dns is not None]
every_provider = pytest.mark.parametrize("provider", ORGANISATIONS, ids=lambda provider: provider.id)

Records = dict[str, str]  # owner below the domain -> type and data


def _zone(domain: str = "contoso.example", provider: MailProvider = OFFICE_365, *, help_url: str = "") -> bytes:
    context = replace(contoso_context(FORMAT, provider.id), help_url=help_url)
    return FORMAT.render(AnyoneAt(domain), provider, context)


def _read(zone: bytes, domain: str = "contoso.example") -> Records:
    """The zone file as dnspython, the independent judge, reads it."""
    read = dns.zone.from_text(zone.decode("ascii"), relativize=False, check_origin=False)
    assert dns.name.from_text(domain) == read.origin
    records = {}
    for name, ttl, data in read.iterate_rdatas():
        assert 3600 == ttl
        assert isinstance(data, CNAME | SRV)
        records[name.relativize(read.origin).to_text()] = f"{data.rdtype.name} {data.to_text()}"
    return records


# Which records


def test_the_worldwide_cloud_publishes_what_it_offers_and_declines_the_rest() -> None:
    assert {
        "autodiscover": "CNAME autodiscover.outlook.com.",
        "_autodiscover._tcp": "SRV 0 0 443 autodiscover-s.outlook.com.",
        "_imaps._tcp": "SRV 0 1 993 outlook.office365.com.",
        "_pop3s._tcp": "SRV 10 1 995 outlook.office365.com.",
        "_submission._tcp": "SRV 0 1 587 smtp.office365.com.",
        "_imap._tcp": "SRV 0 0 0 .",
        "_pop3._tcp": "SRV 0 0 0 .",
        "_submissions._tcp": "SRV 0 0 0 .",
        "autoconfig": "CNAME setup.contoso.example.",
    } == _read(_zone(help_url="https://setup.contoso.example/"))


@every_provider
def test_every_cloud_publishes_its_own_servers(provider: MailProvider) -> None:
    assert provider.dns is not None
    assert provider.imap is not None
    assert provider.pop3 is not None
    assert provider.submission is not None
    records = _read(_zone(provider=provider))
    assert f"CNAME {provider.dns.autodiscover_cname}." == records["autodiscover"]
    assert f"SRV 0 1 {provider.imap.port} {provider.imap.hostname}." == records["_imaps._tcp"]
    assert f"SRV 10 1 {provider.pop3.port} {provider.pop3.hostname}." == records["_pop3s._tcp"]
    assert f"SRV 0 1 {provider.submission.port} {provider.submission.hostname}." == records["_submission._tcp"]


@every_provider
def test_no_cloud_is_said_to_take_mail_over_implicit_tls(provider: MailProvider) -> None:
    records = _read(_zone(provider=provider))
    assert "SRV 0 0 0 ." == records["_submissions._tcp"]
    assert [] == [data for data in records.values() if " 465 " in data]


@every_provider
def test_who_looks_for_autodiscover_as_a_service_finds_the_clouds_host_with_tls(provider: MailProvider) -> None:
    assert provider.autodiscover is not None
    host = provider.autodiscover.pox_url.split("/")[2]
    assert f"SRV 0 0 443 {host}." == _read(_zone(provider=provider))["_autodiscover._tcp"]


def test_the_zone_says_that_autodiscover_stays_at_microsoft() -> None:
    before, _, _ = _zone().partition(b"\nautodiscover ")
    assert before.splitlines()[-1].startswith(b"; Stays at Microsoft")


def test_every_record_says_why_it_is_there() -> None:
    lines = _zone(help_url=PUBLIC_URL).decode().splitlines()
    records = [number for number, line in enumerate(lines) if " IN " in line]
    assert 9 == len(records)
    assert [] == [lines[number] for number in records if not lines[number - 1].startswith("; ")]


def test_a_person_of_the_domain_gets_the_domains_records() -> None:
    context = contoso_context(FORMAT)
    assert _zone() == FORMAT.render(ANNA, OFFICE_365, context)


# The way to this service


@pytest.mark.parametrize("help_url", ["", "http://127.0.0.1:8080/", "http://localhost:8080/", "https://[2001:db8::1]/"])
def test_where_dns_knows_no_host_of_this_service_a_comment_says_what_is_missing(help_url: str) -> None:
    zone = _zone(help_url=help_url)
    assert "autoconfig" not in _read(zone)
    assert b"; Missing here: autoconfig.contoso.example. IN CNAME and the host name of this service" in zone


def test_a_service_at_autoconfig_itself_gets_no_record_that_leads_to_itself() -> None:
    zone = _zone(help_url="https://autoconfig.contoso.example/")
    assert "autoconfig" not in _read(zone)
    assert b"; autoconfig.contoso.example is this service's own host" in zone


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://setup.contoso.example", "setup.contoso.example"),
        ("https://SETUP.contoso.example:8443/help", "setup.contoso.example"),
        ("https://münchen.example/", "xn--mnchen-3ya.example"),
        ("https://192.0.2.1/", ""),
        ("setup.contoso.example", ""),
    ],
)
def test_the_host_of_a_url_is_one_that_a_cname_can_name(url: str, host: str) -> None:
    assert host == host_of(url)


# Domains


@pytest.mark.parametrize("domain", ["münchen.example", "MÜNCHEN.example.", "xn--mnchen-3ya.example"])
def test_an_internationalised_domain_is_written_in_a_labels(domain: str) -> None:
    zone = _zone(domain)
    assert b"$ORIGIN xn--mnchen-3ya.example.\n" in zone
    assert _read(_zone()) == _read(zone, "xn--mnchen-3ya.example")


def _domain_of_length(length: int) -> str:
    labels, rest = ["contoso", "example"], length - len("contoso.example")
    while rest > 0:
        labels.insert(0, "a" * min(60, rest - 1))
        rest -= min(60, rest - 1) + 1
    return ".".join(labels)


def test_a_domain_whose_records_would_have_no_name_is_refused() -> None:
    longest = 253 - len("_autodiscover._tcp.")
    assert 8 == len(_read(_zone(_domain_of_length(longest)), _domain_of_length(longest)))
    with pytest.raises(InvalidDomain, match=rf"longer than {longest} octets"):
        _zone(_domain_of_length(longest + 1))


_LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True).filter(lambda label: label[2:4] != "--")


@given(domain=st.lists(_LABEL, min_size=1, max_size=6).map(lambda labels: ".".join([*labels, "example"])))
def test_every_domain_has_the_same_records_under_its_own_name(domain: str) -> None:
    assert _read(_zone()) == _read(_zone(domain), domain)


def test_private_customers_have_no_domain_to_publish_records_in() -> None:
    with pytest.raises(
        MissingService, match="'dns-records' needs autodiscover and dns, and the provider 'outlook-com'"
    ):
        FORMAT.require(PROVIDERS["outlook-com"])


# provisioner dns


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data", {"PROVISIONER_PUBLIC_URL": PUBLIC_URL})


@pytest.mark.parametrize("options", [[], ["--format", "zone"]])
def test_the_command_prints_the_zone_that_the_format_writes(options: list[str], shell: Shell) -> None:
    assert _zone(help_url=PUBLIC_URL) == shell.run("dns", "contoso.example", *options).stdout_bytes


@pytest.mark.parametrize("options", [["--json"], ["--format", "json"], ["--json", "--format", "json"]])
def test_programs_get_the_records_of_the_zone(options: list[str], shell: Shell) -> None:
    printed = Shell.json(shell, "dns", "contoso.example", *[option for option in options if option != "--json"])
    assert ("contoso.example", "office365") == (printed["domain"], printed["provider"])
    domain = ".contoso.example."
    records = {r["name"].removesuffix(domain): f"{r['type']} {r['data']}" for r in printed["records"]}
    assert _read(_zone(help_url=PUBLIC_URL)) == records
    assert all(record["name"].endswith(domain) and record["why"] for record in printed["records"])
    assert {3600} == {record["ttl"] for record in printed["records"]}
    assert [] == printed["notes"]


def test_people_get_the_records_of_the_zone_as_a_table(shell: Shell) -> None:
    head, *rows = shell.run("dns", "contoso.example", "--format", "table").stdout.splitlines()
    assert ["NAME", "TTL", "TYPE", "DATA", "WHY"] == head.split()
    table = "\n".join(" ".join(row.split()) for row in rows)
    for owner, record in _read(_zone(help_url=PUBLIC_URL)).items():
        kind, _, data = record.partition(" ")
        assert f"{owner}.contoso.example. 3600 {kind} {data} " in table


def test_a_table_says_what_is_missing(tmp_path: Path) -> None:
    shown = Shell(tmp_path).run("dns", "contoso.example", "--format", "table").stdout
    assert "Missing here: autoconfig.contoso.example. IN CNAME" in shown


def test_no_store_is_needed_and_none_is_made(shell: Shell) -> None:
    shell.run("dns", "contoso.example")
    assert not shell.data_dir.exists()


def test_a_domain_that_is_not_configured_has_the_cloud_that_is_named(shell: Shell) -> None:
    assert "office365-dod" == shell.json("dns", "contoso.example", "--provider", "office365-dod")["provider"]


def test_a_configured_domain_has_the_cloud_it_is_configured_with(tmp_path: Path) -> None:
    shell = shell_with_contoso(tmp_path)
    shell.run("domain", "set", "contoso.example", "--provider", "office365-china")
    assert "office365-china" == shell.json("dns", "Contoso.Example")["provider"]
    assert "office365-china" == shell.json("dns", "contoso.example", "--provider", "office365-china")["provider"]
    assert "office365" == shell.json("dns", "fabrikam.example")["provider"]


def test_another_cloud_than_the_configured_one_is_a_contradiction(tmp_path: Path) -> None:
    refusal = shell_with_contoso(tmp_path).refusal("dns", "contoso.example", "--provider", "office365-dod")
    assert refusal.startswith("The domain contoso.example is configured with office365. Leave out --provider, or ")


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["anna@contoso.example"], "The domain 'anna@contoso.example' is not a valid domain name"),
        (["192.0.2.1"], "An IP address stands where a domain was expected"),
        (
            ["contoso.example", "--provider", "office356"],
            "Unknown mail provider 'office356'. Did you mean 'office365'?",
        ),
        (["contoso.example", "--format", "yaml"], "Invalid value for '--format': 'yaml' is not one of"),
        (["contoso.example", "--format", "table", "--json"], "--json and --format table contradict each other"),
    ],
)
def test_misuse_is_refused(arguments: list[str], refusal: str, shell: Shell) -> None:
    assert shell.refusal("dns", *arguments).startswith(refusal)


def test_a_cloud_without_domains_of_its_own_is_refused(shell: Shell) -> None:
    refusal = shell.refusal("dns", "contoso.example", "--provider", "outlook-com", exit_code=1)
    assert refusal.startswith(
        "The format 'dns-records' needs autodiscover and dns, and the provider 'outlook-com' has no "
    )


def test_a_service_at_autodiscover_is_told_that_this_name_leads_to_microsoft() -> None:
    zone = _zone(help_url="https://autodiscover.contoso.example/")
    assert "autoconfig" not in _read(zone)
    assert b"; This service cannot live at autodiscover.contoso.example" in zone


def test_whoever_asks_for_a_domain_that_is_not_configured_is_told_what_was_taken(tmp_path: Path) -> None:
    shell = shell_with_contoso(tmp_path / "data")
    said = "The domain fabrikam.example is not configured here: these are the records for office365.\n"
    assert said == shell.run("dns", "fabrikam.example").stderr
    assert "" == shell.run("dns", "fabrikam.example", "--provider", "office365-dod").stderr
    assert "" == shell.run("dns", "contoso.example").stderr
