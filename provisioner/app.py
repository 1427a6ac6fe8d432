"""Puts the pieces together: from the settings to the services behind the command line and the web site.

The only place that knows every piece, and the only one with the real clock.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from provisioner.catalogue import load_catalogue
from provisioner.config import Settings
from provisioner.directory import Directory
from provisioner.errors import (
    ConfigurationError,
    IdentityError,
    IdentityNotInDate,
    NoIdentity,
    StoreUnavailable,
)
from provisioner.formats import FORMATS
from provisioner.links import Links, SelfServiceLimits, load_link_key
from provisioner.model import MailProvider
from provisioner.provisioning import Provisioner, Signature
from provisioner.signing import Identity, IdentityFiles, load_identity
from provisioner.store import Store, audit, schema, sqlite_url

if TYPE_CHECKING:
    from flask import Flask

REFRESH_EVERY = timedelta(seconds=2)  # a change of the directory is seen within five seconds
_STALE_AFTER = 5 * REFRESH_EVERY

_OK = "ok"
_SERVICE = "service"  # who signs, in the audit trail, when a person opens a link


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Every service, made from one set of settings. Close it when it is no longer needed."""

    settings: Settings
    providers: Mapping[str, MailProvider]
    store: Store
    directory: Directory
    links: Links
    identity: IdentityFiles
    provisioner: Provisioner
    clock: Callable[[], datetime]

    def close(self) -> None:
        """Stop what runs in the background and close the store's connections."""
        self.directory.close()
        self.store.close()

    def ready(self) -> Mapping[str, str]:
        """What the service needs -> "ok", or in a word why it does not work; the log has the whole reason."""
        return {
            "store": _store_state(self.store),
            "directory": self._directory_state(),
            "identity": _identity_state(self.identity),
        }

    def _directory_state(self) -> str:
        with suppress(StoreUnavailable):
            self.directory.snapshot()  # a process that has just started has not read it yet
        read_at = self.directory.read_at()
        return _OK if read_at and self.clock() - read_at <= _STALE_AFTER else "stale"


def clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def database_url(settings: Settings) -> str:
    """The URL of the store: the setting, or SQLite in the data directory."""
    if settings.database_url is None:
        return sqlite_url(settings.data_dir)
    return settings.database_url.get_secret_value()


def signing_identity(settings: Settings) -> Identity:
    """The signing identity that the settings name, as it is now. Raises IdentityError."""
    return load_identity(
        settings.identity_dir,
        passphrase=_passphrase(settings),
        trusted_roots=settings.trusted_roots,
        now=clock(),
    )


def _passphrase(settings: Settings) -> str | None:
    return settings.identity_passphrase.get_secret_value() if settings.identity_passphrase else None


def build(settings: Settings) -> Services:
    """Every service. The store is not asked anything yet: a worker that starts while it is down must still start.

    Raises CatalogueError and ConfigurationError. A missing identity is no error here: it is asked for at each
    signature, which fails without one.
    """
    providers = load_catalogue()
    key = load_link_key(settings.link_key_file)
    store = Store.open(database_url(settings))
    directory = Directory(store, providers, clock=clock)
    identity = IdentityFiles(
        settings.identity_dir, clock=clock, passphrase=_passphrase(settings), trusted_roots=settings.trusted_roots
    )
    return Services(
        settings=settings,
        providers=providers,
        store=store,
        directory=directory,
        links=Links(store, key=key, clock=clock),
        identity=identity,
        provisioner=Provisioner(
            providers=providers,
            snapshot=directory.snapshot,
            identity=identity.current,
            audit=_audit_in(store),
            clock=clock,
            help_url=f"{settings.public_url}/help" if settings.public_url else "",
        ),
        clock=clock,
    )


def create_app(settings: Settings) -> "Flask":
    """The WSGI application, with its directory kept fresh; call it in the process that serves, after any fork.

    Whoever starts the service has upgraded the store before (``Store.upgrade``). Raises what ``build`` raises, and
    ConfigurationError where there is no public URL.
    """
    from provisioner.web import Site, create_web

    public_url = require_public_url(settings)
    services = build(settings)
    services.directory.keep_fresh(REFRESH_EVERY)
    return create_web(
        Site(
            public_url=public_url,
            formats=FORMATS,
            provisioner=services.provisioner,
            links=services.links,
            directory=services.directory,
            identity=services.identity.current,
            clock=services.clock,
            trusted_proxies=settings.trusted_proxies,
            metrics_networks=settings.metrics_networks,
            qr_capitals=settings.qr_capitals,
            self_service=SelfServiceLimits(
                per_network=settings.self_service_per_network, per_domain=settings.self_service_per_domain
            ),
            templates=templates(),
            ready=services.ready,
        )
    )


def require_public_url(settings: Settings) -> str:
    """The public URL. Raises ConfigurationError where there is none."""
    if not settings.public_url:
        raise ConfigurationError(
            "There is no public URL, and links are made of it. Set PROVISIONER_PUBLIC_URL (or public_url in the "
            "configuration file) to where people reach the service, such as https://mail.contoso.com."
        )
    return settings.public_url


def has_present_schema(store: Store) -> bool:
    """Whether the store answers and has the tables of this version; changes nothing.

    Raises StoreUnavailable, and ConfigurationError where a newer version has used it.
    """
    with store.read() as connection:
        return schema.is_present(connection)


def templates() -> Path:
    """The pages' templates: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def _audit_in(store: Store) -> Callable[[Signature], None]:
    """Writes each signature's row into the audit trail, committed before the signature is made."""

    def write(signature: Signature) -> None:
        with store.write() as connection:
            audit.record(
                connection,
                at=signature.at,
                actor=_SERVICE,
                action="profile.sign",
                subject=signature.mailbox,
                details={"format": signature.format_id, "domain": signature.domain, "signer": signature.signer},
            )

    return write


def audit_in_batches(store: Store, *, actor: str) -> Callable[[Sequence[Signature]], None]:
    """Writes many signatures' rows into the audit trail in one transaction, committed before any of them is made."""

    def write(signatures: Sequence[Signature]) -> None:
        mailboxes: dict[Signature, list[str]] = {}
        for signature in signatures:
            mailboxes.setdefault(replace(signature, mailbox=""), []).append(signature.mailbox)
        with store.write() as connection:
            for deed, subjects in mailboxes.items():
                audit.record_each(
                    connection,
                    at=deed.at,
                    actor=actor,
                    action="profile.sign",
                    subjects=subjects,
                    details={"format": deed.format_id, "domain": deed.domain, "signer": deed.signer},
                )

    return write


def _store_state(store: Store) -> str:
    try:
        if not has_present_schema(store):
            return "not upgraded"
        store.require_writable()
    except ConfigurationError:
        return "unavailable"
    except StoreUnavailable as failure:
        return failure.reason if failure.reason in ("locked", "read-only") else "unavailable"
    return _OK


def _identity_state(identity: IdentityFiles) -> str:
    try:
        identity.current()
    except NoIdentity:
        return "missing"
    except IdentityNotInDate:
        return "not in date"
    except IdentityError:
        return "unusable"
    return f"{_OK}, but new files are refused: the last good identity is in use" if identity.problem() else _OK
