"""The answer for phones that ask Autodiscover in XML: the address of the cloud's Exchange ActiveSync.

[MS-ASCMD] section 2.2.1.1 (Autodiscover command) and section 6.2 (schema of the response). The same under every
Autodiscover policy: the phone signs in at that address with OAuth.
"""

from datetime import datetime

from provisioner import pox
from provisioner.format import Audience, Context, Discovery, Format, Found, Lookup, Reply, Request
from provisioner.model import Account, MailProvider, Service
from provisioner.xmltree import node

_CULTURE = "en:us"  # [MS-ASCMD] 2.2.3.39: language and country, of the texts that a Server may have; there are none


def _answer(request: Request, lookup: Lookup, now: datetime) -> Reply | None:
    return pox.answer_in(pox.MOBILESYNC, request, lookup, now, _write)


def _write(account: Account, found: Found) -> bytes:
    return found.write(account, _render)


def _render(account: Account, provider: MailProvider, context: Context) -> bytes:  # noqa: ARG001  # as Format.render
    assert provider.activesync is not None  # declared in needs
    url = provider.activesync.url
    server = node("Server", node("Type", "MobileSync"), node("Url", url), node("Name", url))  # both: 2.2.3.120.1
    return pox.write_answer(
        pox.MOBILESYNC,
        node("Culture", _CULTURE),
        # DisplayName may be left out (section 6.2), and a name would tell who exists.
        node("User", node("EMailAddress", account.address)),
        node("Action", node("Settings", server)),
    )


FORMAT = Format(
    id="mobilesync",
    title="Exchange ActiveSync for phones that ask Autodiscover (POX)",
    media_type=pox.MEDIA_TYPE,
    suffix="xml",
    audience=Audience.CLIENT,
    needs=frozenset({Service.ACTIVESYNC}),
    signed=False,
    render=_render,
    discovery=Discovery(paths=(pox.PATH,), methods=frozenset({"POST"}), answer=_answer, refuse=pox.refuse),
)
