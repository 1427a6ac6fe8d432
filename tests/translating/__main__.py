"""``scripts/texts``: brings the catalogues up to date with the texts, or says what is not."""

import argparse
import sys
from collections.abc import Mapping

from provisioner.texts.languages import KNOWN
from tests.translating.catalogue import Catalogue
from tests.translating.files import TEXTS, now, stale
from tests.translating.judge import problems

_TRANSLATED = sorted(set(KNOWN) - {"en"})


def main() -> int:
    """Write what is out of date, or with ``--check`` only name it; 1 where something was or where it matters."""
    parser = argparse.ArgumentParser(prog="scripts/texts", description="Brings the translations up to date.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if something is out of date")
    parser.add_argument("language", nargs="*", help="begin a catalogue for this language (a tag such as pt-BR)")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.language) - set(_TRANSLATED)):
        parser.error(f"one of {', '.join(_TRANSLATED)} was expected, not {', '.join(unknown)}")
    translated, files = now(arguments.language)
    out_of_date = stale(files)
    for file in out_of_date:
        if not arguments.check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(files[file])
        _say(f"{'is out of date' if arguments.check else 'written'}: {file.relative_to(TEXTS)}")
    _report(translated)
    if arguments.check and out_of_date:
        _say("run scripts/texts, and commit what it writes")
        return 1
    return 0


def _report(translated: Mapping[str, Catalogue]) -> None:
    for tag, catalogue in translated.items():
        found = list(problems(catalogue))
        for problem in found:
            _say(problem)
        state = f"{len(found)} problems, so it is not offered" if found else "complete"
        _say(f"{tag} ({KNOWN[tag].endonym}): {len(catalogue)} messages, {state}")


def _say(line: str) -> None:
    sys.stderr.write(f"texts: {line}\n")


if __name__ == "__main__":
    raise SystemExit(main())
