"""Manual settings: every server a person may type in, in words that keep them from losing mail."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.formats import find_format
from provisioner.manual import manual_servers
from provisioner.model import Authentication, ConnectionSecurity, MailProvider, Service
from tests.commands import Shell
from tests.documents import READERS
from tests.samples import ANNA, CONTOSO, PROVIDERS, contoso_context

INSTRUCTIONS = find_format("instructions")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data")


def test_the_table_names_exchange_first_and_how_to_sign_in_everywhere() -> None:
    servers = manual_servers(ANNA, PROVIDERS["office365"])
    services = [Service.ACTIVESYNC, Service.IMAP, Service.POP3, Service.SUBMISSION]
    assert services == [server.service for server in servers]
    assert [443, 993, 995, 587] == [server.port for server in servers]
    assert ConnectionSecurity.STARTTLS is servers[-1].security
    assert {Authentication.OAUTH2} == {server.authentication for server in servers}
    assert {ANNA.username} == {server.username for server in servers}


def test_a_cloud_without_exchange_has_no_such_row_and_no_such_advice() -> None:
    provider = replace(PROVIDERS["office365"], activesync=None)
    text = INSTRUCTIONS.render(ANNA, provider, contoso_context(INSTRUCTIONS)).decode()
    assert "Exchange" not in text
    services = [claim.service for claim in READERS[INSTRUCTIONS.media_type](text.encode()).claims]
    assert [Service.IMAP, Service.POP3, Service.SUBMISSION] == services


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_a_url_of_another_port_says_so(provider: MailProvider) -> None:
    if provider.activesync is not None:
        elsewhere = replace(provider.activesync, url=f"https://{provider.activesync.hostname}:8443/x")
        assert 8443 == manual_servers(ANNA, replace(provider, activesync=elsewhere))[0].port


def test_it_says_why_pop_can_empty_the_mailbox_and_which_app_to_choose() -> None:
    text = INSTRUCTIONS.render(ANNA, PROVIDERS["office365"], contoso_context(INSTRUCTIONS)).decode()
    assert "Choose an app that opens Microsoft's own sign-in page." in text
    assert "POP fetches the mail to one device, and many apps then delete it on the server" in text


@given(
    name=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=60),
    provider=st.sampled_from([*PROVIDERS.values()]),
)
def test_whatever_the_organisation_is_called_the_settings_are_read_back(name: str, provider: MailProvider) -> None:
    read = READERS[INSTRUCTIONS.media_type]
    plain = INSTRUCTIONS.render(ANNA, provider, contoso_context(INSTRUCTIONS))
    named = INSTRUCTIONS.render(ANNA, provider, contoso_context(INSTRUCTIONS, organisation=replace(CONTOSO, name=name)))
    assert read(plain) == read(named)
    assert named.decode().startswith(f"{name}: mail settings for {ANNA.address}\n\n")


def test_the_command_line_prints_it(shell: Shell) -> None:
    said = shell.run("render", "instructions", "anna@contoso.example").stdout
    assert said.startswith("contoso.example: mail settings for anna@contoso.example\n")
    assert "User name: anna@contoso.example\n" in said
