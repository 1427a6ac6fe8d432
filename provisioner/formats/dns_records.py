"""The DNS records that an administrator publishes, as a part of the domain's zone file.

Master file format (RFC 1035 section 5) with the media type of RFC 4027. What is in it and why: ``records``, from which
the command line makes the same list as a table and as JSON.
"""

from provisioner.format import AnyoneAt, Audience, Context, Format, Subject
from provisioner.model import Account, MailProvider, Service
from provisioner.records import host_of, published, write_zone


def _render(subject: Subject, provider: MailProvider, context: Context) -> bytes:
    return write_zone(published(subject.domain, provider, service_host=host_of(context.help_url)))


FORMAT = Format(
    id="dns-records",
    title="DNS records of the domain, for its zone file",
    media_type="text/dns",
    suffix="zone",
    audience=Audience.ADMINISTRATOR,
    needs=frozenset({Service.IMAP, Service.POP3, Service.SUBMISSION, Service.DNS, Service.AUTODISCOVER}),
    signed=False,
    render=_render,
    subjects=frozenset({Account, AnyoneAt}),
)
