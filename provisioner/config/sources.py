"""Reads the settings: TOML file, then PROVISIONER_* variables, then the command line, the later overriding the earlier.

An unknown name is an error with a suggestion, since a setting that is silently ignored is the worst kind of typing
error. A secret may stand in a file of its own, named by PROVISIONER_<NAME>_FILE or in the TOML file by <name>_file.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from errno import EINVAL
from pathlib import Path
from stat import S_ISREG
from typing import Any

from pydantic import SecretStr, ValidationError

from provisioner.config.settings import SECRETS, SETTINGS, Settings
from provisioner.config.values import MASK, mask_database
from provisioner.errors import ConfigurationError, printable, suggestion

PREFIX = "PROVISIONER_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
DEFAULT = "default"

_MAX_SECRET_OCTETS = 64 * 1024
_FILE = "_file"
_KNOWN = frozenset(SETTINGS) | {secret + _FILE for secret in SECRETS}

# A Kubernetes service or a Docker link called provisioner (or provisioner-db) adds these by itself, among them
# PROVISIONER_PORT=tcp://10.0.0.1:8080. Source: Kubernetes documentation, "Service", section "Environment variables".
_SERVICE_LINK = re.compile(
    rf"{PREFIX}(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_SERVICE_LINK_URL = re.compile(r"(tcp|udp|sctp)://")


@dataclass(frozen=True, slots=True)
class _Given:
    value: object
    origin: str  # where it stands, in words


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, and where the value of each comes from."""

    settings: Settings
    origins: Mapping[str, str]  # by the setting's name: "default" or the place where it was given
    file: Path | None  # the TOML file that was read

    def shown(self, name: str) -> Any:
        """The value of a setting as it may be shown: JSON's kinds of values, secrets masked."""
        value = getattr(self.settings, name)
        if name == "database_url" and isinstance(value, SecretStr):
            return mask_database(value.get_secret_value())
        if isinstance(value, SecretStr):
            return MASK
        return self.settings.model_dump(mode="json", include={name})[name]


def load_configuration(
    *, file: Path | None, environ: Mapping[str, str], overrides: Mapping[str, object]
) -> Configuration:
    """All settings with their origins; ``file`` is None where PROVISIONER_CONFIG decides, ``overrides`` go by name.

    An override of None was not given. Raises ConfigurationError with one line for each problem of all sources.
    """
    problems: list[str] = []
    file = file or _named_file(environ)
    given = {
        **_from_file(file, problems),
        **_from_environment(environ, problems),
        **_from_command_line(overrides, problems),
    }
    settings = _validate(given, problems)
    if settings is None or problems:
        raise ConfigurationError("\n".join(problems))
    origins = {name: given[name].origin if name in given else DEFAULT for name in SETTINGS}
    return Configuration(settings=settings, origins=origins, file=file)


def _named_file(environ: Mapping[str, str]) -> Path | None:
    name = environ.get(CONFIG_VARIABLE, "")
    return Path(name) if name else None


def _from_file(file: Path | None, problems: list[str]) -> dict[str, _Given]:
    if file is None:
        return {}
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as failure:
        problems.append(f"The configuration file {file} cannot be read: {failure.strerror}.")
        return {}
    except UnicodeDecodeError:
        problems.append(f"The configuration file {file} is not UTF-8 text.")
        return {}
    except tomllib.TOMLDecodeError as failure:
        problems.append(f"The configuration file {file} is not valid TOML: {failure}.")
        return {}
    except RecursionError:
        problems.append(f"The configuration file {file} is nested too deeply to be read.")
        return {}
    return dict(_take(entries, spelled=str, place=lambda name: f"{file}: {name}", problems=problems))


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> dict[str, _Given]:
    entries = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in sorted(environ.items())
        # Empty is not given: that is what a compose file's ${VARIABLE:-} leaves behind.
        if name.startswith(PREFIX) and name != CONFIG_VARIABLE and value and not _is_service_link(name, value)
    }
    return dict(_take(entries, spelled=variable_of, place=variable_of, problems=problems))


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def _is_service_link(name: str, value: str) -> bool:
    if name.endswith("_PORT") and _SERVICE_LINK_URL.match(value):
        return True
    return name not in map(variable_of, _KNOWN) and _SERVICE_LINK.fullmatch(name) is not None


def _from_command_line(overrides: Mapping[str, object], problems: list[str]) -> dict[str, _Given]:
    entries = {name: value for name, value in overrides.items() if value is not None}
    return dict(_take(entries, spelled=_option_of, place=_option_of, problems=problems))


def _option_of(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _take(
    entries: Mapping[str, object],
    *,
    spelled: Callable[[str], str],
    place: Callable[[str], str],
    problems: list[str],
) -> Iterator[tuple[str, _Given]]:
    """The entries that are settings, secrets read from their files; the others become problems."""
    for name, value in entries.items():
        if name in SETTINGS:
            yield name, _Given(value, place(name))
        elif name not in _KNOWN:
            problems.append(f"{place(name)} is not a setting. {suggestion(spelled(name), map(spelled, _KNOWN))}")
        elif (secret := name.removesuffix(_FILE)) in entries:
            problems.append(f"{place(name)} and {spelled(secret)} are both given; give one of the two.")
        elif (text := _read_secret(value, place(name), problems)) is not None:
            yield secret, _Given(text, place(name))


def _read_secret(path: object, place: str, problems: list[str]) -> str | None:
    try:
        content = _read_regular(str(path))
        text = content.decode().rstrip("\r\n")
    except OSError as failure:
        problems.append(f"{place} names a file that cannot be read: {failure.strerror}.")
        return None
    except ValueError:
        problems.append(f"{place} names a file that is not UTF-8 text.")
        return None
    if not text or len(content) > _MAX_SECRET_OCTETS:
        problems.append(f"{place} names a file that is {'empty' if not text else 'too long'}.")
        return None
    return text


def _read_regular(path: str) -> bytes:
    """What the file holds, or one octet more than a secret may have; a pipe or a device may never end.

    Raises OSError, and ValueError where the path holds a NUL.
    """
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
        if not S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(EINVAL, "It is no regular file")
        return file.read(_MAX_SECRET_OCTETS + 1)


def _validate(given: Mapping[str, _Given], problems: list[str]) -> Settings | None:
    try:
        return Settings.model_validate({name: entry.value for name, entry in given.items()})
    except ValidationError as refusal:
        for error in refusal.errors(include_url=False):
            if (
                error["type"] != "default_factory_not_called"
            ):  # the default of a path in a data directory refused before
                name = str(error["loc"][0])
                problems.append(f"{given[name].origin} {_reason(name, given[name].value, error.get('ctx', {}))}")
    return None


def _reason(name: str, found: object, context: Mapping[str, Any]) -> str:
    """Our words for what is wrong; pydantic's are for programmers, and it may quote a secret."""
    if isinstance(context.get("error"), ValueError):
        return str(context["error"])
    shown = "" if name in SECRETS else f", found {printable(str(found))}"
    return f"was expected to be {SETTINGS[name].expected}{shown}."
