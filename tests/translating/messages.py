"""Every text that is to be translated: marked ones in templates and code, and those that formats declare."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.extract import DEFAULT_KEYWORDS, extract

from provisioner.format import Audience, Format
from provisioner.formats import FORMATS
from tests.checkout import CHECKOUT, MODULES
from tests.translating.catalogue import Catalogue

TEMPLATES = [
    file
    for file in sorted((CHECKOUT / "templates").rglob("*"))
    if file.is_file() and file.suffix not in (".css", ".js")
]
# As the product's own environments read templates; otherwise an id found here is not the one looked up there.
TEMPLATE_OPTIONS = {
    "trimmed": "true",
    "newstyle_gettext": "true",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
    "silent": "false",
}
_KEYWORDS = {**DEFAULT_KEYWORDS, "message": None}
_COMMENT = "Translators:"  # begins a comment in a template or in code that translators are shown


def messages() -> Catalogue:
    """All of them, in the order of the files they stand in, without translations."""
    found = Catalogue(locale=None)
    for template in TEMPLATES:
        _add(found, template, "jinja2.ext:babel_extract", TEMPLATE_OPTIONS)
    for module in MODULES:
        _add(found, module, "python", {})
    for fmt in FORMATS.values():
        for number, text in enumerate(_declared(fmt), start=1):
            found.add(text, locations=[(f"provisioner/formats/{fmt.id.replace('-', '_')}.py", number)])
    return found


def _add(found: Catalogue, file: Path, method: str, options: dict[str, str]) -> None:
    name = file.relative_to(CHECKOUT).as_posix()
    for line, text, comments, context in extract(
        method, BytesIO(file.read_bytes()), keywords=_KEYWORDS, comment_tags=[_COMMENT], options=options
    ):
        found.add(text, locations=[(name, line)], auto_comments=comments, context=context)


def _declared(fmt: Format) -> Iterator[str]:
    """The texts in the format's documents, and its title where pages show it to people."""
    if fmt.audience is Audience.PERSON:
        yield fmt.title
    yield from fmt.texts.values()
