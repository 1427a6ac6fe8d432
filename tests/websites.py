"""A whole web site on a throw-away store, with one organisation, one person and a clock that tests turn."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from provisioner.directory import Directory
from provisioner.errors import IdentityNotInDate
from provisioner.formats import FORMATS
from provisioner.links import Links, SetupLink
from provisioner.model import Account, MailProvider
from provisioner.organisation import Domain, Organisation
from provisioner.provisioning import Provisioner, Signature
from provisioner.signing import Identity, Trust
from provisioner.store import Store, sqlite_url
from provisioner.web import Site, create_web
from tests import pki
from tests.checkout import CHECKOUT
from tests.samples import ANNA, CONTOSO, NOW, PROVIDERS, contoso_domain

PUBLIC_URL = "https://setup.contoso.example"
TEMPLATES = CHECKOUT / "templates"
LINK_KEY = bytes(range(32))

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.6 Mobile/15E148 Safari/604.1"
)


@dataclass
class Clock:
    """Stands still until a test turns it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def turn(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by


@cache
def contoso_identity() -> Identity:
    """An identity that nobody's phone knows."""
    with TemporaryDirectory() as directory:
        pki.write_identity(Path(directory) / "identity", pki.make_signer("Contoso IT department"))
        return pki.load_without_public_roots(Path(directory) / "identity")


def identity_of(trust: Trust) -> Callable[[], Identity]:
    """An identity that is trusted so."""
    return lambda: replace(contoso_identity(), trust=trust)


def no_identity() -> Identity:
    """What stands for an identity that has run out."""
    raise IdentityNotInDate("The certificate expired.")


@dataclass
class Website:
    """The site, what it stands on, and a browser without cookies."""

    site: Site
    web: Flask
    store: Store
    directory: Directory
    links: Links
    clock: Clock
    providers: dict[str, MailProvider]
    signatures: list[Signature] = field(default_factory=list)

    def link(self, account: Account = ANNA, *, devices: int = 3, lifetime: timedelta = timedelta(days=7)) -> SetupLink:
        """A new setup link."""
        return self.links.create(account, lifetime=lifetime, devices=devices, actor="test")

    def used(self, link: SetupLink) -> int:
        """How many devices the link has set up."""
        return self.links.get(link.id).devices_used

    def browser(self) -> FlaskClient:
        """A client that keeps no cookies, as the second fetch of Chrome on iOS."""
        return self.web.test_client(use_cookies=False)

    def get(self, path: str, *, user_agent: str = IPHONE, method: str = "GET", **headers: str) -> TestResponse:
        """The answer to one request at the public URL; ``headers`` with underscores for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.browser().open(path, method=method, base_url=PUBLIC_URL, headers={"User-Agent": user_agent} | named)


def make_website(
    directory: Path,
    *,
    organisation: Organisation = CONTOSO,
    domain: Domain | None = None,
    provider: MailProvider | None = None,
    identity: Callable[[], Identity] = contoso_identity,
    audit: Callable[[Signature], None] | None = None,
    **site: object,
) -> Website:
    """A site whose store lies in ``directory``; ``provider`` replaces Office 365's facts, ``site`` fields of Site."""
    clock, signatures = Clock(), list[Signature]()
    providers = dict(PROVIDERS)
    if provider is not None:
        providers[provider.id] = provider
    store = Store.open(sqlite_url(directory))
    store.upgrade()
    organisations = Directory(store, providers, clock=clock)
    organisations.add_organisation(organisation, actor="test")
    organisations.add_domain(domain or contoso_domain(), actor="test")
    provisioner = Provisioner(
        providers=providers,
        snapshot=organisations.snapshot,
        identity=identity,
        audit=audit or signatures.append,
        clock=clock,
    )
    links = Links(store, key=LINK_KEY, clock=clock)
    fields: dict[str, object] = {
        "public_url": PUBLIC_URL,
        "formats": FORMATS,
        "provisioner": provisioner,
        "links": links,
        "directory": organisations,
        "identity": identity,
        "clock": clock,
        "trusted_proxies": (),
        "metrics_networks": (ip_network("127.0.0.0/8"),),
        "qr_capitals": False,
        "templates": TEMPLATES,
        "nonce": lambda: "unguessable",  # so that the same page has the same bytes
        "ready": lambda: {"store": "ok", "identity": "ok", "directory": "ok"},
    }
    built = Site(**(fields | site))  # type: ignore[arg-type]  # the tests name the fields they change
    return Website(built, create_web(built), store, organisations, links, clock, providers, signatures)
