"""The image, as far as it can be judged without a Docker engine: its Dockerfile is read, and its commands are run."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from fnmatch import fnmatch
from pathlib import Path
from signal import Signals
from typing import NamedTuple

import pytest

from provisioner.config import Settings
from tests.capabilities import require_registry
from tests.checkout import CHECKOUT, project_files
from tests.demonstration import free_port

_SIGNALS = {signal.name: signal for signal in Signals}
IMAGE = re.compile(r"python:3\.1[1-9]-slim-[a-z]+")  # pinned by minor version and by Debian's release


class Instruction(NamedTuple):
    """One instruction of a Dockerfile."""

    word: str
    rest: str

    @property
    def list(self) -> list[str]:
        """The words of an instruction in exec form."""
        words: list[str] = json.loads(self.rest)
        return words


def read(text: str) -> list[list[Instruction]]:
    """The stages of a Dockerfile, each a list of instructions (comments go, ``\\`` at a line's end joins)."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    stages: list[list[Instruction]] = []
    for line in filter(str.strip, re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stages.append([])
        stages[-1].append(Instruction(word, rest.strip()))
    return stages


BUILD, FINAL = read((CHECKOUT / "Dockerfile").read_text())


def _all(stage: list[Instruction], word: str) -> list[Instruction]:
    return [instruction for instruction in stage if instruction.word == word]


def _one(stage: list[Instruction], word: str) -> Instruction:
    (instruction,) = _all(stage, word)
    return instruction


def _environment(stage: list[Instruction]) -> dict[str, str]:
    pairs = [pair for instruction in _all(stage, "ENV") for pair in shlex.split(instruction.rest)]
    return dict(pair.split("=", 1) for pair in pairs)


def _sources(instruction: Instruction) -> list[str]:
    return instruction.rest.split()[:-1]


def _is_sent(name: str) -> bool:
    """Whether .dockerignore lets the file ``name`` into the build: the last line that matches decides."""
    sent = True
    for line in (CHECKOUT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        parts = name.split("/") if "**/" in line else name.split("/")[:1]
        if any(fnmatch(part, pattern) for part in parts):
            sent = line.startswith("!")
    return sent


def test_both_stages_stand_on_one_pinned_python() -> None:
    first, second = (_one(stage, "FROM").rest.removesuffix(" AS build") for stage in (BUILD, FINAL))
    assert first == second
    assert IMAGE.fullmatch(first)


def test_the_image_runs_as_a_number_that_is_not_root_and_keeps_everything_in_one_volume() -> None:
    user = _one(FINAL, "USER").rest
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    owner, group = user.split(":")
    assert [f"install --directory --owner={owner} --group={group} --mode=0700 /data"] == [
        run.rest for run in _all(FINAL, "RUN") if "/data" in run.rest
    ]
    assert "/data" == _one(FINAL, "VOLUME").rest == _environment(FINAL)["PROVISIONER_DATA_DIR"]
    assert "1" == _environment(FINAL)["PYTHONDONTWRITEBYTECODE"], "the root file system may be read-only"


def test_the_image_sets_only_settings_that_exist_and_starts_the_service() -> None:
    settings = {f"PROVISIONER_{name}".upper() for name in Settings.model_fields}
    assert settings >= {name for name in _environment(FINAL) if name.startswith("PROVISIONER_")}
    assert str(Settings.model_fields["port"].default) == _one(FINAL, "EXPOSE").rest
    assert ["provisioner", "serve"] == _one(FINAL, "ENTRYPOINT").list + _one(FINAL, "CMD").list


def test_only_what_the_image_is_built_from_reaches_the_build() -> None:
    copied = [source for instruction in _all(BUILD, "COPY") for source in _sources(instruction)]
    assert all((CHECKOUT / source).exists() for source in copied)
    needed = {
        path.relative_to(CHECKOUT).as_posix()
        for source in copied
        for path in ([CHECKOUT / source] if (CHECKOUT / source).is_file() else project_files(CHECKOUT / source))
    }
    sent = {
        path.relative_to(CHECKOUT).as_posix()
        for path in project_files()
        if _is_sent(path.relative_to(CHECKOUT).as_posix())
    }
    assert needed == sent
    assert not _is_sent("certs/key.pem")
    assert not _is_sent("data/link.key")
    assert not _is_sent("provisioner/__pycache__/model.cpython-311.pyc")


class Image:
    """What the Dockerfile's commands make, in a directory instead of a root file system."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._build = root / "build"
        self._build.mkdir()
        for instruction in BUILD:
            if instruction.word == "COPY":
                self._copy(instruction)
            elif instruction.word == "RUN":
                self._run(instruction.rest)
        for instruction in _all(FINAL, "RUN"):
            if os.getuid() == 0 or "--owner" not in instruction.rest:
                self._run(instruction.rest)
        (root / "data").mkdir(exist_ok=True)

    def _copy(self, instruction: Instruction) -> None:
        target = self._build / instruction.rest.split()[-1]
        for source in _sources(instruction):  # of a directory, what is in it is copied
            root = CHECKOUT / source if source.endswith("/") else CHECKOUT
            for file in project_files(root) if source.endswith("/") else [CHECKOUT / source]:
                copy = target / file.relative_to(root)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, copy)

    def _run(self, command: str) -> None:
        # The PATH that the base image has; what pip already fetched for other tests is not fetched again.
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, **_environment(BUILD), "PATH": path}
        del environment["PIP_NO_CACHE_DIR"]
        ran = subprocess.run(
            ["sh", "-c", self.here(command)],
            cwd=self._build,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == ran.returncode, f"{command}\n{ran.stdout}{ran.stderr}"

    def here(self, text: str) -> str:
        """``text`` with the image's own places as they are on this machine."""
        return re.sub(r"(?<![\w./])/(opt/provisioner|data)\b", rf"{self.root}/\1", text)

    def start(self, *, port: int) -> subprocess.Popen[bytes]:
        """What the image's ENTRYPOINT and CMD start, with the one setting that ``serve`` needs."""
        declared = {name: self.here(value) for name, value in _environment(FINAL).items()}
        declared["PATH"] = declared["PATH"].replace("$PATH", os.environ["PATH"])
        public = {"PROVISIONER_PUBLIC_URL": f"http://127.0.0.1:{port}", "PROVISIONER_PORT": str(port)}
        return subprocess.Popen(
            [self.root / "opt/provisioner/bin/provisioner", *_one(FINAL, "CMD").list],
            cwd=self.root / "data",
            env={**os.environ, **declared, **public, "PROVISIONER_HOST": "127.0.0.1"},
        )

    def is_healthy(self, *, port: int) -> bool:
        """What the image's HEALTHCHECK says."""
        command: list[str] = json.loads(_one(FINAL, "HEALTHCHECK").rest.partition("CMD ")[2])
        python = self.root / "opt/provisioner/bin" / command[0]
        environment = {**os.environ, "PROVISIONER_PORT": str(port)}
        return 0 == subprocess.run([python, *command[1:]], env=environment, capture_output=True, check=False).returncode


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    require_registry()
    return Image(tmp_path_factory.mktemp("image"))


@pytest.mark.journey
@pytest.mark.timeout(400)
def test_its_commands_make_an_environment_that_serves_and_knows_when_it_is_healthy(image: Image) -> None:
    port = free_port()
    assert not image.is_healthy(port=port)
    service = image.start(port=port)
    try:
        deadline = time.monotonic() + 60
        while service.poll() is None and not image.is_healthy(port=port) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert image.is_healthy(port=port)
    finally:
        service.send_signal(_SIGNALS[_one(FINAL, "STOPSIGNAL").rest])
        status = service.wait(60)
    assert 0 == status
