"""Every setting of the service, declared once: its name, what it is for, what it may be, its default, secret or not.

A secret is a SecretStr, so that no log or message shows it by accident.
"""

import os
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from provisioner.config.mail import MailSettings
from provisioner.config.values import (
    About,
    Count,
    Location,
    Network,
    parse_networks,
    parse_public_url,
    parse_word,
    require_database,
)


def _beside(name: str) -> Any:
    """The default ``name`` in the data directory. (Any: what pydantic's Field declares to return.)"""
    return Field(default_factory=lambda values: values["data_dir"] / name)


def _processors() -> int:
    return min(len(os.sched_getaffinity(0)), 256)


def _database(secret: SecretStr) -> SecretStr:
    require_database(secret.get_secret_value())
    return secret


class Settings(MailSettings):
    """The settings of one process, all checked. Paths are absolute."""

    public_url: Annotated[
        str,
        AfterValidator(parse_public_url),
        About(
            "Where people reach the service; links and QR codes are made of it. `serve` and `link` need it.",
            expected="a URL such as https://mail.contoso.com: https unless the host is loopback, no path",
            default="none",
        ),
    ] = ""
    host: Annotated[
        str,
        Field(pattern=r"^[0-9A-Za-z._:%-]+$"),
        About("Address to listen on.", expected="an IP address or a host name"),
    ] = "127.0.0.1"
    port: Annotated[
        Count,
        Field(ge=1, le=65535),
        About("TCP port to listen on.", expected="a number from 1 to 65535"),
    ] = 8080
    data_dir: Annotated[
        Location,
        About(
            "Everything that is kept: the SQLite database, the link key, the signing identity.",
            expected="the path of a directory",
            default="`data` in the current directory",
        ),
    ] = Path("data")
    identity_dir: Annotated[
        Location,
        About(
            "The signing identity: `certificate.pem`, `key.pem` and `chain.pem`, or `identity.p12`.",
            expected="the path of a directory",
            default="`identity` in the data directory",
        ),
    ] = _beside("identity")
    identity_passphrase: Annotated[
        SecretStr | None,
        About("Passphrase of the signing key.", expected="a text", default="none"),
    ] = None
    trusted_roots: Annotated[
        Location | None,
        About(
            "Root certificates that the organisation's devices already trust.",
            expected="the path of a PEM file",
            default="none",
        ),
    ] = None
    database_url: Annotated[
        Annotated[SecretStr, AfterValidator(_database)] | None,
        About(
            "The database, such as `postgresql://user@host/name`.",
            expected="a URL that begins with sqlite:// or postgresql://",
            default="SQLite in the data directory",
        ),
    ] = None
    link_key_file: Annotated[
        Location,
        About(
            "The key that setup links are made with; made at first start, the same for all replicas.",
            expected="the path of a file",
            default="`link.key` in the data directory",
        ),
    ] = _beside("link.key")
    link_days: Annotated[
        Count,
        Field(ge=1, le=3650),
        About("Days that a new setup link stays open.", expected="a number from 1 to 3650"),
    ] = 14
    link_devices: Annotated[
        Count,
        Field(ge=1, le=1000),
        About("Devices that a new setup link is good for.", expected="a number from 1 to 1000"),
    ] = 3
    self_service_per_network: Annotated[
        Count,
        Field(ge=1, le=100_000),
        About(
            "Setup links that the start page gives in an hour to one network (an IPv4 address or an IPv6 /64).",
            expected="a number from 1 to 100000",
        ),
    ] = 10
    self_service_per_domain: Annotated[
        Count,
        Field(ge=1, le=100_000),
        About(
            "Setup links that the start page gives in an hour to addresses of one domain.",
            expected="a number from 1 to 100000",
        ),
    ] = 500
    push_token: Annotated[
        SecretStr | None,
        About("The token or API key with which `push` hands files to an MDM.", expected="a text", default="none"),
    ] = None
    trusted_proxies: Annotated[
        tuple[Network, ...],
        BeforeValidator(parse_networks),
        About(
            "Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.",
            expected="networks such as 10.0.0.0/8, 192.0.2.1",
            default="none",
        ),
    ] = ()
    metrics_networks: Annotated[
        tuple[Network, ...],
        BeforeValidator(parse_networks),
        About(
            "Who may see the counters at `/metrics`.",
            expected="networks such as 10.0.0.0/8, 192.0.2.1",
            default="`127.0.0.0/8, ::1`",
        ),
    ] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1"))
    qr_capitals: Annotated[
        bool,
        About("QR codes in capitals, which makes them smaller.", expected="true or false"),
    ] = False
    workers: Annotated[
        Count,
        Field(ge=1, le=256),
        About("Worker processes.", expected="a number from 1 to 256", default="one for each processor"),
    ] = Field(default_factory=_processors)
    threads: Annotated[
        Count,
        Field(ge=1, le=256),
        About("Threads of each worker.", expected="a number from 1 to 256"),
    ] = 64
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        BeforeValidator(parse_word),
        About("The least important events that are logged.", expected="debug, info, warning or error"),
    ] = "info"
    log_format: Annotated[
        Literal["text", "json"],
        BeforeValidator(parse_word),
        About("How events are written to standard error.", expected="text or json"),
    ] = "text"


def _about(name: str) -> About:
    (about,) = (item for item in Settings.model_fields[name].metadata if isinstance(item, About))
    return about


# The service's own first, then how mails are sent.
_NAMES = sorted(Settings.model_fields, key=lambda name: name in MailSettings.model_fields)
SETTINGS: Mapping[str, About] = {name: _about(name) for name in _NAMES}
SECRETS = frozenset(
    name
    for name, field in Settings.model_fields.items()
    if any(SecretStr in (choice, *get_args(choice)) for choice in get_args(field.annotation))
)


def default_of(name: str) -> str:
    """The default of a setting as the documentation writes it."""
    value = Settings.model_fields[name].default
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return SETTINGS[name].default or f"`{shown}`"
