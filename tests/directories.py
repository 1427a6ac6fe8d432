"""Organisations, domains and whole directories such as people make them, and such as nobody should: for properties."""

from collections.abc import Mapping

from hypothesis import strategies as st

from provisioner.catalogue import app_facts
from provisioner.directory import Snapshot
from provisioner.managed import Value
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
from tests.samples import PROVIDERS

# What pictures begin with; nothing of ours looks further.
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256))

_IDS = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,6}[a-z0-9])?", fullmatch=True)
_LANGUAGES = st.sampled_from(["en", "de", "pt-BR", "zh-Hans", "xx", "gsw-CH"])
_OWNED = [provider.id for provider in PROVIDERS.values() if not provider.consumer_domains]

# Any text that may stand in a document, and those that careless writers of TOML get wrong.
_ANY = st.text(
    st.characters(
        exclude_categories=["Cc", "Cs"],
        exclude_characters="\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    ),
    max_size=30,
).filter(lambda text: not any(ord(each) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(each) <= 0xFDEF for each in text))
NASTY = [
    '"',
    "'",
    '"""',
    "'''",
    "\\",
    "\\n",
    "\\u0041",
    "# no comment",
    "[table]",
    "a = 1",
    "{}",
    "😀 ",
    "a\u00a0b",
    "%s",
]
texts = st.one_of(st.sampled_from(NASTY), _ANY)
_names = texts.map(lambda text: f"N{text}")
_by_language = st.dictionaries(_LANGUAGES, _names, max_size=3)
_KEYS = [key for key in app_facts("outlook").keys.values() if not key.refusal]
_HOSTS = st.from_regex(r"\A(ldaps://)?[a-z0-9]{1,9}\.example:[0-9]{1,5}\Z")
# Any choice of the keys that an organisation can set, each with a value that is documented.
outlook_settings: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {}, optional={key.name: st.sampled_from(key.accepted) if key.accepted else _HOSTS for key in _KEYS}
)

organisations = st.builds(
    Organisation,
    id=_IDS,
    name=_names,
    support_contact=texts,
    consent_text=texts,
    consent_texts=_by_language,
    help_text=texts,
    help_texts=_by_language,
    languages=st.lists(_LANGUAGES, max_size=4).map(tuple),
    logo=st.one_of(st.none(), st.binary(max_size=40).map(lambda more: Logo(PNG + more)), st.just(Logo(JPEG))),
    accent_colour=st.one_of(st.just(""), st.from_regex(r"#[0-9a-fA-F]{6}", fullmatch=True)),
    outlook=outlook_settings,
)


def _domains(organisation_ids: list[str]) -> st.SearchStrategy[Domain]:
    return st.builds(
        Domain,
        name=st.from_regex(r"[a-z]{1,6}\.example", fullmatch=True),
        organisation_id=st.sampled_from(organisation_ids),
        provider_id=st.sampled_from(_OWNED),
        autodiscover=st.sampled_from(AutodiscoverPolicy),
        account_kinds=st.lists(st.sampled_from(Kind), min_size=1).map(tuple),
        smtp_password=st.booleans(),
        ews=st.sampled_from(EwsAccess),
        sign_in_urls=st.sampled_from(SignInUrls),
        prefer=st.sampled_from(Preference),
        self_service=st.sampled_from(SelfService),
    )


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """A directory of up to three organisations and four domains, each of which belongs to one of them."""
    known: Mapping[str, Organisation] = {each.id: each for each in draw(st.lists(organisations, max_size=3))}
    if not known:
        return Snapshot(organisations={}, domains={})
    domains = draw(st.lists(_domains(sorted(known)), max_size=4))
    return Snapshot(organisations=known, domains={each.name: each for each in domains})
