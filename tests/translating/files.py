"""Where the catalogues lie, and what they should hold: the template, one PO and one MO file for each language.

``offered.toml`` beside them lists the languages without a problem; the product offers these and looks at no other.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog

from provisioner.texts.languages import KNOWN
from tests.checkout import CHECKOUT
from tests.translating.catalogue import Catalogue, read, update
from tests.translating.judge import problems
from tests.translating.messages import messages

TEXTS = CHECKOUT / "provisioner" / "texts"
_OFFERED = "# The languages whose catalogue is complete. Written by scripts/texts, not by hand.\n"


def locale(tag: str) -> str:
    """The name of the directory of a BCP 47 tag, as gettext has it."""
    return tag.replace("-", "_")


def begun(root: Path = TEXTS) -> Iterator[str]:
    """The tags of the languages that have a catalogue, complete or not."""
    return (tag for tag in KNOWN if _po(root, tag).is_file())


def catalogues(tags: Iterable[str], template: Catalogue, root: Path = TEXTS) -> Mapping[str, Catalogue]:
    """The catalogue of each of ``tags``: the messages of now with the translations there are; some may be empty."""
    return {tag: _updated(tag, template, root) for tag in tags}


def contents(template: Catalogue, translated: Mapping[str, Catalogue], root: Path = TEXTS) -> Mapping[Path, bytes]:
    """Every file that ``scripts/texts`` writes, with what should be in it."""
    complete = [tag for tag, catalogue in translated.items() if not any(problems(catalogue))]
    listed = "".join(f'    "{tag}",\n' for tag in complete)
    files = {
        root / "provisioner.pot": template.po(),
        root / "offered.toml": f"{_OFFERED}languages = [\n{listed}]\n".encode(),
    }
    for tag, catalogue in translated.items():
        files[_po(root, tag)] = catalogue.po()
        files[_po(root, tag).with_suffix(".mo")] = catalogue.mo()
    return files


def stale(files: Mapping[Path, bytes]) -> list[Path]:
    """Those of ``files`` that are missing or hold something else."""
    return [file for file, content in files.items() if not file.is_file() or file.read_bytes() != content]


def now(new: Iterable[str] = (), root: Path = TEXTS) -> tuple[Mapping[str, Catalogue], Mapping[Path, bytes]]:
    """The catalogues, those of the languages ``new`` too, and the files that should be there for them."""
    template = messages()
    wanted = {*begun(root), *new}
    translated = catalogues([tag for tag in KNOWN if tag in wanted], template, root)
    return translated, contents(template, translated, root)


def _po(root: Path, tag: str) -> Path:
    return root / locale(tag) / "LC_MESSAGES" / "provisioner.po"


def _updated(tag: str, template: Catalogue, root: Path) -> Catalogue:
    file = _po(root, tag)
    return update(template, locale(tag), read(file) if file.is_file() else Catalog(locale(tag)))
