"""The declarative Exchange account for an MDM that takes declarations: the account, its person and the activation.

com.apple.configuration.account.exchange with the asset it names and the activation that names it (Apple
device-management schema, declarative/declarations), as a list; an MDM takes each of the three as a declaration of its
own. The person, and with that an MDM's variables, stand in the asset alone.
"""

from provisioner.declarations import exchange_declarations
from provisioner.format import Audience, Context, Format, Variables
from provisioner.managed import JSON, write_json
from provisioner.model import Account, MailProvider, Service
from provisioner.organisation import EwsAccess
from provisioner.profile import part_uuid

_ID = "account-exchange"
_TEXTS = {"account": "{organisation} mail, calendar and contacts"}


def _render(subject: Account | Variables, provider: MailProvider, context: Context) -> bytes:
    identifiers = {part: part_uuid(_ID, subject, part) for part in ("identity", "exchange", "activation")}
    # An MDM hands it to Macs too, where it is EWS, and nobody reads a description that warns.
    protocols = ("EAS", "EWS") if context.domain.ews is EwsAccess.ALLOWED else ("EAS",)
    return write_json(exchange_declarations(subject, provider, context, identifiers=identifiers, protocols=protocols))


FORMAT = Format(
    id=_ID,
    title="Exchange account as Apple declarations, for MDMs that take them (iPhone, iPad and Mac)",
    media_type=JSON,
    suffix="json",
    audience=Audience.ADMINISTRATOR,
    needs=frozenset({Service.ACTIVESYNC, Service.EWS, Service.OAUTH}),
    subjects=frozenset({Account, Variables}),
    signed=False,
    render=_render,
    texts=_TEXTS,
)
