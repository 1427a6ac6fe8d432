"""The product's promise: whatever document says it, it says exactly what the catalogue says."""

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from provisioner.format import Format
from provisioner.model import MailProvider, MailServer, Service
from tests.documents import READERS, declarations_of, expected_claims, payload_of
from tests.samples import ANNA, PROVIDERS, contoso_context
from tests.test_golden import WRITABLE

# Apple's mail payload has no value for OAuth (com.apple.mail.managed.yaml): the one document that must name a
# password method. It says so to the person instead.
CANNOT_SAY_OAUTH2 = {"apple-imap", "apple-pop"}
# Needed, but no servers that a mail client is told.
NO_SERVERS = {Service.OAUTH, Service.AUTODISCOVER, Service.DNS}
# Named where the provider has it, and not needed.
ALSO_NAMED = {"instructions": {Service.ACTIVESYNC}}
SECRET_KEYS = re.compile(rb"<key>\w*Password</key>(?!\s*<true/>)|password-cleartext", re.IGNORECASE)


def _content(fmt: Format, provider: MailProvider) -> bytes:
    return fmt.render(ANNA, provider, contoso_context(fmt, provider.id))


@pytest.mark.parametrize(("fmt", "provider"), WRITABLE)
def test_host_port_encryption_and_sign_in_are_the_catalogues(fmt: Format, provider: MailProvider) -> None:
    if fmt.media_type not in READERS:
        pytest.skip(f"no reader for {fmt.media_type}: its host names are tested below")
    reading = READERS[fmt.media_type](_content(fmt, provider))
    expected = tuple(
        claim._replace(oauth2=False) if fmt.id in CANNOT_SAY_OAUTH2 else claim
        for claim in expected_claims(provider, ANNA, reading)
    )
    assert expected == reading.claims
    also = ALSO_NAMED.get(fmt.id, set()) & provider.services
    assert (fmt.needs - NO_SERVERS) | also == {claim.service for claim in reading.claims}
    assert reading.address in (None, ANNA.address)
    assert reading.display_name in (None, ANNA.display_name)


@pytest.mark.parametrize(("fmt", "provider"), WRITABLE)
def test_a_document_names_the_hosts_it_needs_and_no_other_clouds(fmt: Format, provider: MailProvider) -> None:
    text = _content(fmt, provider).decode()
    if fmt.media_type == "application/x-apple-aspen-config" and "Declarations" in payload_of(text.encode()):
        text += str(declarations_of(text.encode()))
    own = {_hostname(provider, service) for service in fmt.needs - {Service.OAUTH, Service.AUTODISCOVER}}
    foreign = {_hostname(p, s) for p in PROVIDERS.values() for s in p.services} - {
        *(_hostname(provider, s) for s in provider.services),
        *(urlsplit(scope).hostname for scope in provider.oauth.scopes.values()),  # DoD's are those of GCC High
    }
    assert [] == [host for host in own if not _names(text, host)]
    assert [] == [host for host in foreign if _names(text, host)]


def _hostname(provider: MailProvider, service: Service) -> str:
    fact = getattr(provider, service.value)
    if service is Service.OAUTH:
        return str(fact.authority).removeprefix("https://")
    if service is Service.DNS:
        return str(fact.autodiscover_cname)
    return str(fact.pox_url).split("/")[2] if service is Service.AUTODISCOVER else str(fact.hostname)


def _names(text: str, host: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", text) is not None


@pytest.mark.parametrize(("fmt", "provider"), WRITABLE)
def test_a_document_offers_no_refused_port_and_holds_no_password(fmt: Format, provider: MailProvider) -> None:
    content = _content(fmt, provider)
    assert not SECRET_KEYS.search(content)
    for port in (b"465", b"143", b"110"):
        assert not re.search(rb"(?<![\w-])" + port + rb"(?![\w-])", content)


@pytest.mark.parametrize(("fmt", "provider"), WRITABLE)
def test_smtp_password_changes_nothing_but_how_autoconfig_says_mail_is_sent(
    fmt: Format, provider: MailProvider
) -> None:
    context = contoso_context(fmt, provider.id)
    content = fmt.render(ANNA, provider, replace(context, domain=replace(context.domain, smtp_password=True)))
    if fmt.id == "autoconfig" and provider.submission and provider.submission.transitional_authentication:
        *_, sending = content.split(b"<outgoingServer")
        assert b"<authentication>OAuth2</authentication><authentication>password-cleartext</authentication>" in sending
        content = content.replace(b"<authentication>password-cleartext</authentication>", b"", 1)
    assert _content(fmt, provider) == content


@pytest.mark.parametrize(("fmt", "provider"), WRITABLE)
def test_the_same_account_gives_the_same_bytes(fmt: Format, provider: MailProvider) -> None:
    assert _content(fmt, provider) == _content(fmt, provider)


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_a_provider_offers_only_the_encrypted_ports_with_oauth2(provider: MailProvider) -> None:
    allowed = {("imap", 993, "implicit-tls"), ("pop3", 995, "implicit-tls"), ("submission", 587, "starttls")}
    servers: tuple[MailServer, ...] = provider.servers
    assert {(s.protocol.value, s.port, s.security.value) for s in servers} <= allowed
    assert all("oauth2" == server.authentication[0].value for server in servers)
