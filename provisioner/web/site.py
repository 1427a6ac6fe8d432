"""What the web pages stand on: the link and document services, the public address, and who may speak for a client.

The composition root builds one ``Site``; every view finds it again with ``site()``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from gettext import NullTranslations
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import urlsplit

from flask import Flask, current_app

from provisioner.directory import Directory
from provisioner.format import Format
from provisioner.links import Links, SelfServiceLimits
from provisioner.provisioning import Provisioner
from provisioner.qr import capitals
from provisioner.signing import Identity
from provisioner.texts import LANGUAGES, Language, translations
from provisioner.web.metrics import Metrics
from provisioner.web.proxies import Networks

_KEY = "provisioner.site"


@dataclass(frozen=True)
class Site:
    """One running web site. ``public_url`` has no path and no final slash; links and QR codes come from it alone."""

    public_url: str
    formats: Mapping[str, Format]  # by id
    provisioner: Provisioner
    links: Links
    directory: Directory
    identity: Callable[[], Identity]  # raises IdentityError while nothing can be signed
    clock: Callable[[], datetime]
    trusted_proxies: Networks
    metrics_networks: Networks  # who may see the counters
    qr_capitals: bool
    templates: Path
    ready: Callable[[], Mapping[str, str]]  # what the service needs -> "ok", or why it does not work
    self_service: SelfServiceLimits = field(default_factory=SelfServiceLimits)
    metrics: Metrics = field(default_factory=Metrics)
    languages: Mapping[str, Language] = field(default_factory=lambda: LANGUAGES)  # that pages can be read in, by tag
    translations: Callable[[str], NullTranslations] = translations  # the catalogue of a tag
    nonce: Callable[[], str] = token_urlsafe  # what nobody can guess, another one each time

    @property
    def secure(self) -> bool:
        """Whether people reach the site over https."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def hostname(self) -> str:
        """The only host that pages and downloads answer on, in lower case."""
        return normalise_host(urlsplit(self.public_url).netloc)

    def url(self, path: str) -> str:
        """The absolute URL of ``path``, whatever host and scheme the request named."""
        return self.public_url + path

    def qr_text(self, path: str) -> str:
        """What the QR code of ``path`` holds: its URL, in capitals where the site is set so (a smaller code)."""
        return capitals(self.url(path)) if self.qr_capitals else self.url(path)


def normalise_host(host: str) -> str:
    """A Host header's name without port, final dot and case (RFC 9110 section 7.2, RFC 3986 section 3.2.2)."""
    name, colon, port = host.rpartition(":")
    if not colon or "]" in port:
        name = host
    return name.lower().removesuffix(".")


def attach(web: Flask, site: Site) -> None:
    """Let the views of ``web`` find ``site``."""
    web.extensions[_KEY] = site


def site() -> Site:
    """The site that the current request is for."""
    found: Site = current_app.extensions[_KEY]
    return found
