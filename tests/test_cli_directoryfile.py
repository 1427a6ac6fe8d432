"""The file that declares organisations and domains: read with every setting, or refused with every mistake."""

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.cli.directoryfile import parse_directory, read_directory
from provisioner.cli.directorykeys import DOMAIN_KEYS, organisation_keys
from provisioner.errors import InvalidSetting
from provisioner.organisation import (
    AutodiscoverPolicy,
    Domain,
    EwsAccess,
    Kind,
    Logo,
    Organisation,
    Preference,
    SelfService,
    SignInUrls,
)
from tests.checkout import CHECKOUT
from tests.directories import JPEG, PNG

FULL = """
[[organisation]]
id = "contoso"
name = "Contoso & Töchter"
support_contact = "help@contoso.example"
help_text = "Monday to Friday"
consent_text = "Agreed?"
languages = ["de", "en"]
logo = "contoso.png"
accent_colour = "#0B57D0"

[organisation.help_texts]
de = "Montag bis Freitag"

[organisation.consent_texts]
de = "Einverstanden?"

[organisation.outlook]
"com.microsoft.outlook.Mail.FocusedInbox" = false
"com.microsoft.outlook.Mail.SMIMEEnabled.LDAPHostName" = "ldaps://ldap.contoso.example:636"
"com.microsoft.outlook.Calendar.Notifications.IntuneMAMOnly" = 0

[[organisation]]
id = "fabrikam"
name = "Fabrikam"

[[domain]]
name = "contoso.example"
organisation = "contoso"
provider = "office365-gcc-high"
autodiscover = "settings"
account_kinds = ["exchange", "imap"]
smtp_password = true
ews = "allowed"
sign_in_urls = "never"
prefer = "outlook"
self_service = "open"

[[domain]]
name = "bücher.example"
organisation = "fabrikam"
"""
CONTOSO = Organisation(
    id="contoso",
    name="Contoso & Töchter",
    support_contact="help@contoso.example",
    help_text="Monday to Friday",
    help_texts={"de": "Montag bis Freitag"},
    consent_text="Agreed?",
    consent_texts={"de": "Einverstanden?"},
    languages=("de", "en"),
    logo=Logo(PNG),
    accent_colour="#0b57d0",
    outlook={
        "com.microsoft.outlook.Mail.FocusedInbox": False,
        "com.microsoft.outlook.Mail.SMIMEEnabled.LDAPHostName": "ldaps://ldap.contoso.example:636",
        "com.microsoft.outlook.Calendar.Notifications.IntuneMAMOnly": 0,
    },
)


def _written(directory: Path, content: str) -> Path:
    file = directory / "directory.toml"
    file.write_text(content, encoding="utf-8")
    return file


def test_every_setting_is_read(tmp_path: Path) -> None:
    (tmp_path / "contoso.png").write_bytes(PNG)
    snapshot = read_directory(_written(tmp_path, FULL))
    assert {"contoso": CONTOSO, "fabrikam": Organisation("fabrikam", "Fabrikam")} == snapshot.organisations
    expected = Domain(
        name="contoso.example",
        organisation_id="contoso",
        provider_id="office365-gcc-high",
        autodiscover=AutodiscoverPolicy.SETTINGS,
        account_kinds=(Kind.EXCHANGE, Kind.IMAP),
        smtp_password=True,
        ews=EwsAccess.ALLOWED,
        sign_in_urls=SignInUrls.NEVER,
        prefer=Preference.OUTLOOK,
        self_service=SelfService.OPEN,
    )
    assert expected == snapshot.domain("contoso.example")


def test_the_readmes_example_is_read_with_every_key_there_is(tmp_path: Path) -> None:
    (tmp_path / "contoso.png").write_bytes(PNG)
    blocks = re.findall(r"```toml\n(.*?)```", (CHECKOUT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    [example] = [block for block in blocks if "[[organisation]]" in block]
    snapshot = read_directory(_written(tmp_path, example))
    assert Domain("contoso.com", "contoso", "office365") == snapshot.domain("contoso.com")
    keys = {*organisation_keys(tmp_path), *DOMAIN_KEYS}
    assert set() == {key for key in keys if not re.search(rf"\b{key}\b", example)}


def test_a_domain_needs_little(tmp_path: Path) -> None:
    (tmp_path / "contoso.png").write_bytes(PNG)
    domain = read_directory(_written(tmp_path, FULL)).domain("bücher.example")
    assert Domain("xn--bcher-kva.example", "fabrikam", "office365") == domain


def test_the_only_organisation_may_have_one_bracket_and_its_domains_need_not_name_it(tmp_path: Path) -> None:
    snapshot = read_directory(_written(tmp_path, ORGANISATION + DOMAIN))
    assert "contoso" == snapshot.domain("contoso.example").organisation_id


def test_an_empty_file_declares_nothing(tmp_path: Path) -> None:
    snapshot = read_directory(_written(tmp_path, ""))
    assert ({}, {}) == (snapshot.organisations, snapshot.domains)


def test_a_mark_that_an_editor_put_first_is_no_part_of_it(tmp_path: Path) -> None:
    snapshot = read_directory(_written(tmp_path, "\ufeff" + ORGANISATION))
    assert ["contoso"] == list(snapshot.organisations)


@pytest.mark.parametrize(("picture", "media_type"), [(PNG, "image/png"), (JPEG, "image/jpeg")])
def test_a_picture_may_stand_in_the_file(picture: bytes, media_type: str, tmp_path: Path) -> None:
    content = base64.b64encode(picture).decode()
    snapshot = read_directory(_written(tmp_path, f'{ORGANISATION}logo = "data:{media_type};base64,{content}"'))
    assert Logo(picture) == snapshot.organisation("contoso").logo


def test_an_empty_logo_is_none(tmp_path: Path) -> None:
    snapshot = read_directory(_written(tmp_path, f'{ORGANISATION}logo = ""'))
    assert snapshot.organisation("contoso").logo is None


# mistakes

ORGANISATION = '[organisation]\nid = "contoso"\nname = "Contoso"\n'
FABRIKAM = '[[organisation]]\nid = "fabrikam"\nname = "Fabrikam"\n'
DOMAIN = '[[domain]]\nname = "contoso.example"\n'
SEVERAL = ORGANISATION.replace("[organisation]", "[[organisation]]") + FABRIKAM
FOCUSED = '"com.microsoft.outlook.Mail.FocusedInbox"'
_IN_ORGANISATION = "[[organisation]] contoso: "
_IN_DOMAIN = "[[domain]] contoso.example: "


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (DOMAIN, _IN_DOMAIN + "the file declares no [organisation] that this domain could belong to."),
        ("organisation = 1", "organisation: a table [[organisation]] was expected, with two brackets on each side."),
        (ORGANISATION + "[domain]", "domain: a table [[domain]] was expected, with two brackets on each side."),
        ("domain = [1]\n" + ORGANISATION, "domain: a table [[domain]] was expected"),
        (ORGANISATION + DOMAIN + DOMAIN, "[[domain]] contoso.example is declared twice; keep one of them."),
        (ORGANISATION + DOMAIN + DOMAIN.replace("contoso", "CONTOSO"), "[[domain]] CONTOSO.example is declared twice"),
        (FABRIKAM + FABRIKAM, "[[organisation]] fabrikam is declared twice; keep one of them."),
        (SEVERAL + DOMAIN, _IN_DOMAIN + "organisation: this file declares 2; name the one this domain belongs to."),
        (
            SEVERAL + DOMAIN + 'organisation = "contos"',
            _IN_DOMAIN + "organisation: this file declares no organisation 'contos'. Did you mean 'contoso'?",
        ),
        ("organization = 1", "the file has the unknown key 'organization'. Did you mean 'organisation'?"),
        (ORGANISATION + "nmae = 1", _IN_ORGANISATION + "unknown key 'nmae'. Did you mean 'name'?"),
        (ORGANISATION + DOMAIN + "ewes = 1", _IN_DOMAIN + "unknown key 'ewes'. Did you mean 'ews'?"),
        (
            ORGANISATION + "[[domain]]",
            "[[domain]] number 1: name: a text in quotation marks was expected, and it is needed.",
        ),
        ('[organisation]\nid = "x"', "[[organisation]] x: name: a text in quotation marks was expected, and it is nee"),
        (ORGANISATION + DOMAIN + "provider = 5", _IN_DOMAIN + "provider: a text in quotation marks was expected."),
        (ORGANISATION + DOMAIN + 'smtp_password = "no"', _IN_DOMAIN + "smtp_password: true or false was expected."),
        (ORGANISATION + DOMAIN + 'account_kinds = "imap"', _IN_DOMAIN + 'account_kinds: a list such as ["exchange",'),
        (ORGANISATION + DOMAIN + 'account_kinds = ["imp"]', _IN_DOMAIN + "account_kinds: unknown value 'imp'. Did you"),
        (ORGANISATION + DOMAIN + "account_kinds = []", _IN_DOMAIN + "account_kinds is empty;"),
        (ORGANISATION + DOMAIN + 'ews = "alowed"', _IN_DOMAIN + "ews: unknown value 'alowed'. Did you mean 'allowed'?"),
        (ORGANISATION + DOMAIN + "ews = true", _IN_DOMAIN + "ews: a text in quotation marks was expected."),
        (ORGANISATION + DOMAIN + 'prefer = "outlok"', _IN_DOMAIN + "prefer: unknown value 'outlok'. Did you mean 'out"),
        (ORGANISATION + DOMAIN + 'self_service = "opne"', _IN_DOMAIN + "self_service: unknown value 'opne'. Did you m"),
        ('[organisation]\nid = "Contoso"\nname = "x"', "[[organisation]] Contoso: The organisation id 'Contoso' may"),
        (ORGANISATION + 'languages = "de"', _IN_ORGANISATION + 'languages: a list such as ["en", "de"] was expected.'),
        (ORGANISATION + "languages = [1]", _IN_ORGANISATION + "languages: a list such as"),
        (ORGANISATION + 'languages = ["de_DE"]', _IN_ORGANISATION + "The language 'de_DE' is no tag such as de, pt-BR"),
        (ORGANISATION + 'help_texts = "x"', _IN_ORGANISATION + "help_texts: a table by language was expected, such as"),
        (ORGANISATION + "help_texts = {de = 1}", _IN_ORGANISATION + "help_texts.de: a text in quotation marks was exp"),
        (ORGANISATION + "help_text = '''a\nb'''", _IN_ORGANISATION + "The help text holds a line break"),
        (ORGANISATION + "outlook = 1", _IN_ORGANISATION + "outlook: a table of app configuration keys was expected."),
        (ORGANISATION + "outlook = {a.b = true}", _IN_ORGANISATION + "outlook: 'a': a text, true or false, or a whole"),
        (ORGANISATION + "outlook = {a = 1.5}", _IN_ORGANISATION + "outlook: 'a': a text, true or false, or a whole n"),
        (ORGANISATION + DOMAIN + "ews = 0x" + 5000 * "f", _IN_DOMAIN + "ews: a text in quotation marks was expected."),
        (ORGANISATION + "outlook = {a = 0x" + 5000 * "f" + "}", _IN_ORGANISATION + "The Outlook setting a is a number"),
        (ORGANISATION + "outlook = {a = 2147483648}", _IN_ORGANISATION + "The Outlook setting a is a number of more"),
        (ORGANISATION + "outlook = {a = true}", _IN_ORGANISATION + "Microsoft Outlook has no documented setting 'a'."),
        (
            ORGANISATION + f"outlook = {{{FOCUSED} = 1}}",
            _IN_ORGANISATION + "The app setting com.microsoft.outlook.Mail.",
        ),
        (ORGANISATION + 'outlook = {"a b" = 1}', _IN_ORGANISATION + "The Outlook setting 'a b' is no app configurati"),
        (ORGANISATION + 'accent_colour = "blue"', _IN_ORGANISATION + "The accent colour 'blue' is not written as"),
        (ORGANISATION + 'logo = "gone.png"', _IN_ORGANISATION + "logo: The file "),
        (ORGANISATION + 'logo = "."', _IN_ORGANISATION + "logo: "),
        (ORGANISATION + r'logo = "\u0000"', _IN_ORGANISATION + "logo: "),
        (ORGANISATION + 'logo = "directory.toml"', _IN_ORGANISATION + "logo: The logo is neither a PNG nor a JPEG"),
        (
            ORGANISATION + 'logo = "data:image/png;base64,!"',
            _IN_ORGANISATION + "logo: what follows the comma of the da",
        ),
        (
            ORGANISATION + 'logo = "data:image/jpeg;base64,iVBORw0KGgo="',
            _IN_ORGANISATION + "logo: the data: URL begins",
        ),
        (ORGANISATION + 'logo = "data:"', _IN_ORGANISATION + "logo: The logo is neither"),
    ],
)
def test_a_mistake_is_refused_with_its_file_and_key(content: str, reason: str, tmp_path: Path) -> None:
    file = _written(tmp_path, content)
    with pytest.raises(InvalidSetting) as refusal:
        read_directory(file)
    assert str(refusal.value).startswith(f"{file}: {reason}")
    assert 1 == len(str(refusal.value).splitlines())


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    content = f'x = 1\n{ORGANISATION}nmae = 1\nlogo = "gone.png"\n{DOMAIN}ews = ""\nprefer = ""\n[[domain]]\nname = "a"'
    with pytest.raises(InvalidSetting) as refusal:
        read_directory(_written(tmp_path, content))
    places = [line.split(": ")[1:3] for line in str(refusal.value).splitlines()]
    assert [
        ["the file has the unknown key 'x'. Known", "domain, organisation."],
        ["[[organisation]] contoso", "unknown key 'nmae'. Did you mean 'name'?"],
        ["[[organisation]] contoso", "logo"],
        ["[[domain]] contoso.example", "ews"],
        ["[[domain]] contoso.example", "prefer"],
        ["[[domain]] a", "The domain 'a' has a single label; a domain such as contoso.com was expected."],
    ] == places


def test_a_mistake_in_an_organisation_is_not_told_again_at_its_domains(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting) as refusal:
        read_directory(_written(tmp_path, ORGANISATION + "x = 1\n" + DOMAIN))
    assert 1 == len(str(refusal.value).splitlines())


def test_what_is_no_toml_or_not_there_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    with pytest.raises(InvalidSetting, match="cannot be read: No such file"):
        read_directory(file)
    file.write_bytes(b"[organisation")
    with pytest.raises(InvalidSetting, match="is not valid TOML"):
        read_directory(file)
    file.write_bytes(b"x = " + 5000 * b"1")
    with pytest.raises(InvalidSetting, match="is not valid TOML"):
        read_directory(file)
    file.write_bytes(b"\xff")
    with pytest.raises(InvalidSetting, match="is not UTF-8 text"):
        read_directory(file)
    file.write_bytes(b"organisation = " + 5000 * b"[")
    with pytest.raises(InvalidSetting, match="is nested too deeply"):
        read_directory(file)


_VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.floats(), st.text(), st.dates()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=5,
)
_ORGANISATIONS = st.dictionaries(
    st.sampled_from(
        ["id", "name", "consent_text", "help_texts", "languages", "accent_colour", "outlook", "logo", "support_contact"]
    ),
    _VALUES,
)
_DOMAINS = st.dictionaries(
    st.sampled_from(["name", "organisation", "provider", "ews", "account_kinds", "smtp_password", "prefer"]), _VALUES
)


@given(_ORGANISATIONS, _DOMAINS, st.booleans())
def test_whatever_a_file_holds_it_is_read_or_refused(
    organisation: dict[str, object], domain: dict[str, object], sensible: bool
) -> None:
    if sensible:
        organisation |= {"id": "contoso", "name": "Contoso"}
        domain |= {"name": "contoso.example"}
    try:
        snapshot = parse_directory({"organisation": [organisation], "domain": [domain]}, beside=Path("/nowhere"))
    except InvalidSetting:
        return
    assert (1, 1) == (len(snapshot.organisations), len(snapshot.domains))
