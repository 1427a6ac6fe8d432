"""The checkout as a test sees it: the files that are part of the project, and copies to play with."""

import os
import shutil
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
MODULES = sorted((CHECKOUT / "provisioner").rglob("*.py"))


def project_files(root: Path = CHECKOUT) -> Iterator[Path]:
    """Every file that is or would be committed, in order; asks .gitignore and not git, which may not be installed."""
    lines = (CHECKOUT / ".gitignore").read_text().splitlines()
    ignored = [line.strip("/") for line in lines if not line.startswith(("#", "!"))]
    kept = {line.removeprefix("!") for line in lines if line.startswith("!")}

    def is_ours(path: Path) -> bool:
        inside = path.relative_to(root).as_posix()
        return inside in kept or not any(fnmatch(path.name, name) or fnmatch(inside, name) for name in ignored)

    for place, directories, files in os.walk(root):
        here = Path(place)
        directories[:] = sorted(name for name in directories if name != ".git" and is_ours(here / name))
        yield from (here / name for name in sorted(files) if is_ours(here / name))


def copy_checkout(target: Path) -> Path:
    """A copy of the project's files at ``target``, which is returned."""
    for file in project_files():
        copy = target / file.relative_to(CHECKOUT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)
    return target
