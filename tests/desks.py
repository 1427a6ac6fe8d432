"""The desk where mail programs ask, over a directory with one domain."""

import dataclasses
from collections.abc import Mapping

from provisioner.discovery import MailClientDesk
from provisioner.errors import NoIdentity
from provisioner.format import Reply
from provisioner.formats import FORMATS
from provisioner.organisation import AutodiscoverPolicy
from provisioner.provisioning import Provisioner
from provisioner.signing import Identity
from tests.samples import CONTOSO, NOW, PROVIDERS, contoso_snapshot


def _nobody_signs() -> Identity:
    raise NoIdentity("A mail program's answer is never signed.")


class Desk:
    """A MailClientDesk with every format, for one domain at one provider under one Autodiscover policy."""

    def __init__(
        self,
        provider_id: str = "office365",
        policy: AutodiscoverPolicy = AutodiscoverPolicy.AUTO,
        *,
        domain: str = "contoso.example",
    ) -> None:
        (sample,) = contoso_snapshot(provider_id).domains.values()
        configured = dataclasses.replace(sample, name=domain, autodiscover=policy)
        snapshot = contoso_snapshot(provider_id, CONTOSO)
        snapshot = dataclasses.replace(snapshot, domains={configured.name: configured})
        provisioner = Provisioner(
            providers=PROVIDERS,
            snapshot=lambda: snapshot,
            identity=_nobody_signs,
            audit=lambda _: None,
            clock=lambda: NOW,
        )
        self.unknown: list[str] = []
        self._desk = MailClientDesk(
            formats=FORMATS, find=provisioner.find, clock=lambda: NOW, unknown=self.unknown.append
        )

    def ask(
        self,
        body: bytes = b"",
        *,
        method: str = "POST",
        path: str = "/autodiscover/autodiscover.xml",
        query: str = "",
        headers: Mapping[str, str] | None = None,
        plain_http: bool = False,
    ) -> Reply:
        """The reply; unless ``headers`` say otherwise, on the Host that programs try first after the domain itself."""
        assert self._desk.route(path)
        return self._desk.answer(
            method=method,
            path=path,
            query=query,
            headers={"host": "autodiscover.contoso.example", **(headers or {})},
            body=body,
            plain_http=plain_http,
        )
