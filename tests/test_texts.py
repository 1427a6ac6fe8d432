"""Texts fall back to the English they are written in."""

import pytest

from provisioner.texts import translate


@pytest.mark.parametrize("language", ["en", "pt-BR", "xx", ""])
def test_a_message_without_a_translation_stays_as_it_is(language: str) -> None:
    assert "{organisation} mail" == translate(language)("{organisation} mail")
