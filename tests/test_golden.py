"""Every format for every provider, as a file that a person has read.

``pytest tests/test_golden.py --update-golden`` writes what is missing or has changed; read the difference before it is
committed.
"""

from pathlib import Path

import pytest

from provisioner.errors import MissingService
from provisioner.format import Format
from provisioner.formats import FORMATS
from provisioner.model import MailProvider
from tests.samples import ANNA, PROVIDERS, contoso_context

GOLDEN = Path(__file__).parent / "golden"
_PAIRS = [(fmt, provider) for fmt in FORMATS.values() for provider in PROVIDERS.values()]
_WRITABLE = [(fmt, provider) for fmt, provider in _PAIRS if fmt.needs <= provider.services]
_REFUSED = [(fmt, provider) for fmt, provider in _PAIRS if not fmt.needs <= provider.services]
WRITABLE = [pytest.param(fmt, provider, id=f"{fmt.id}-{provider.id}") for fmt, provider in _WRITABLE]
REFUSED = [pytest.param(fmt, provider, id=f"{fmt.id}-{provider.id}") for fmt, provider in _REFUSED]


@pytest.mark.parametrize(("fmt", "provider"), WRITABLE)
def test_a_document_is_what_a_person_has_read(fmt: Format, provider: MailProvider, pytestconfig: pytest.Config) -> None:
    golden = GOLDEN / fmt.id / f"{provider.id}.{fmt.suffix}"
    content = fmt.render(ANNA, provider, contoso_context(fmt, provider.id))
    if pytestconfig.getoption("--update-golden"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_bytes(content)
    assert golden.is_file(), f"{golden} is missing: write it with --update-golden, then read it"
    assert golden.read_bytes() == content


@pytest.mark.parametrize(("fmt", "provider"), REFUSED)
def test_a_format_that_needs_what_a_provider_lacks_refuses_it_by_name(fmt: Format, provider: MailProvider) -> None:
    with pytest.raises(MissingService) as refusal:
        fmt.require(provider)
    assert provider.id == refusal.value.provider
    assert tuple(sorted(service.value for service in fmt.needs - provider.services)) == refusal.value.services
    assert f"{provider.id!r}" in str(refusal.value)


def test_no_golden_file_is_left_over() -> None:
    expected = {GOLDEN / fmt.id / f"{provider.id}.{fmt.suffix}" for fmt, provider in _WRITABLE}
    assert expected == {path for path in GOLDEN.rglob("*") if path.is_file()}
