"""Which language a person is answered in: what they chose, what their browser says, or the organisation's own."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provisioner.texts.languages import KNOWN, choose_language

ALL = tuple(KNOWN)


def _chosen(text: str, offered: tuple[str, ...] = ALL) -> str:
    return choose_language(chosen=text, accept="", offered=offered, default="default")


def _accepted(header: str, offered: tuple[str, ...] = ALL) -> str:
    return choose_language(chosen="", accept=header, offered=offered, default="default")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("de", "de"),
        ("DE", "de"),
        (" de ", "de"),
        ("de-AT", "de"),
        ("de_AT", "de"),
        ("de-Latn-AT-1996", "de"),
        ("en-GB", "en"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-SG", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-MO", "zh-Hant"),
        ("zh-Hant-HK", "zh-Hant"),
        ("zh-Hans-HK", "zh-Hans"),
        ("iw", "he"),
        ("iw-IL", "he"),
        ("da", "default"),
        ("deutsch", "default"),
        ("x-de", "default"),
        ("*", "default"),
        ("-", "default"),
        ("", "default"),
        ("de-" + 16 * "aa-" + "a", "default"),
    ],
)
def test_a_tag_finds_the_nearest_that_is_offered(wanted: str, expected: str) -> None:
    assert expected == _chosen(wanted)
    assert expected == _accepted(wanted)


@pytest.mark.parametrize("wanted", ["zh-CN", "zh-TW", "zh", "zh-Hant-HK"])
@pytest.mark.parametrize("only", ["zh-Hans", "zh-Hant"])
def test_chinese_in_the_other_script_is_better_than_another_language(wanted: str, only: str) -> None:
    assert only == _chosen(wanted, ("en", only))


def test_of_two_forms_of_a_language_the_first_offered_is_found() -> None:
    assert "pt-PT" == _chosen("pt-AO", ("en", "pt-PT", "pt-BR"))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("da, en-gb;q=0.8, en;q=0.7", "en"),  # RFC 9110 section 12.5.4
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr"),
        ("en;q=0.5,de;q=0.9,fr", "fr"),
        ("en;q=0.5 , de ; q = 0.9", "de"),
        ("de;q=0.5,fr;q=0.5", "de"),
        ("de;Q=0.1,fr;q=0.2", "fr"),
        ("de;q=0,fr;q=0.1", "fr"),
        ("de;q=0.000", "default"),
        ("de;q=", "default"),
        ("de;q=nan", "default"),
        ("de;q=-1", "default"),
        ("de;q=7,fr", "de"),
        ("de;level=1,fr", "de"),
        ("en-GB,en;q=0", "default"),
        ("en-GB,en;q=0,de;q=0.1", "de"),
        ("zh-TW,zh-Hant;q=0,de;q=0.1", "zh-Hans"),
        ("pt;q=0,pt-BR", "pt-BR"),
        ("pt-PT,pt;q=0,it;q=0.1", "it"),
        (",,;q=1,de", "de"),
        ("de-" + 300 * "a" + ",fr", "default"),
        # What is cut off in the middle counts for nothing: it could be "fr" without the weight it had.
        ("da," * 84 + "fr;q=0.1,de", "default"),
    ],
)
def test_a_header_is_read_by_its_weights(header: str, expected: str) -> None:
    assert expected == _accepted(header)


def test_a_choice_goes_before_the_header_and_an_unknown_one_does_not() -> None:
    assert "de" == choose_language(chosen="de", accept="fr", offered=ALL, default="en")
    assert "de" == choose_language(chosen="de", accept="fr,de;q=0", offered=ALL, default="en")
    assert "fr" == choose_language(chosen="da", accept="fr", offered=ALL, default="en")
    assert "en" == choose_language(chosen="da", accept="da", offered=ALL, default="en")


_SUBTAGS = st.sampled_from(
    ["de", "en", "pt", "zh", "hans", "Hant", "BR", "TW", "GB", "iw", "x", "a", "*", "", "\u0130"]
)
_TAGS = st.one_of(st.lists(_SUBTAGS, max_size=4).map("-".join), st.sampled_from(ALL), st.text(max_size=8))
_WEIGHTS = st.one_of(
    st.just(""),
    st.floats().map(lambda value: f";q={value}"),
    st.text("q=0123456789.;- ", max_size=8).map(lambda text: f";{text}"),
)
_HEADERS = st.one_of(
    st.text(),
    st.lists(st.tuples(_TAGS, _WEIGHTS).map("".join), max_size=60).map(",".join),
)
_OFFERS = st.lists(st.one_of(st.sampled_from(ALL), st.sampled_from(["pt-PT", "zh", "de-AT"])), max_size=6, unique=True)


@given(st.one_of(_TAGS, st.text()), _HEADERS, _OFFERS, st.sampled_from(ALL))
@example("-" * 1_000_000, "-" * 1_000_000, ["de"], "en")
@example("de" + "-a" * 1_000_000, "," * 1_000_000, ["de"], "en")
def test_whatever_is_asked_the_answer_is_offered_or_the_default(
    chosen: str, header: str, offered: list[str], default: str
) -> None:
    found = choose_language(chosen=chosen, accept=header, offered=offered, default=default)
    assert found in {*offered, default}


@given(_HEADERS, _OFFERS.filter(bool), st.data())
def test_an_offered_tag_that_is_named_exactly_wins(header: str, offered: list[str], data: st.DataObject) -> None:
    tag = data.draw(st.sampled_from(offered))
    spelled = data.draw(st.sampled_from([tag, tag.lower(), tag.upper(), tag.replace("-", "_")]))
    assert tag == choose_language(chosen=spelled, accept=header, offered=offered, default="none")
    assert tag == choose_language(
        chosen="", accept=f"{spelled.replace('_', '-')},{header}", offered=offered, default="x"
    )


@given(_OFFERS.filter(bool), st.lists(st.sampled_from(ALL), max_size=4), st.data())
def test_what_is_refused_is_never_found(offered: list[str], wanted: list[str], data: st.DataObject) -> None:
    refused = data.draw(st.sampled_from(offered))
    others = [tag for tag in wanted if tag.lower() != refused.lower()]
    header = ",".join([f"{refused};q=0", *others])
    assert refused != choose_language(chosen="", accept=header, offered=offered, default="none")


@given(st.permutations(["de", "fr", "it", "ja"]), st.permutations([0.2, 0.4, 0.6, 0.8]))
def test_the_heaviest_is_found_in_any_order(tags: list[str], weights: list[float]) -> None:
    pairs = list(zip(tags, weights, strict=True))
    heaviest = max(pairs, key=lambda pair: pair[1])[0]
    assert heaviest == _accepted(",".join(f"{tag};q={weight}" for tag, weight in pairs))


def test_the_languages_say_their_own_names_and_direction() -> None:
    assert ["ar", "he"] == [tag for tag, language in KNOWN.items() if language.direction == "rtl"]
    assert all(tag == language.tag and language.endonym for tag, language in KNOWN.items())
