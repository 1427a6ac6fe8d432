"""The domains, names and addresses of the small internet in which mail clients are tested."""

from urllib.parse import urlsplit

from provisioner.organisation import AutodiscoverPolicy, Domain
from tests.samples import CONTOSO, PROVIDERS

HERE = "127.13.0.1"  # the service, behind its proxy
CLOUD = "127.13.0.2"  # stands for Microsoft's own Autodiscover
WEBSITE = "127.13.0.3"  # what a company has at its bare domain: pages, and 404 for everything else
NAME_SERVER = "127.13.0.53"
SERVICE_PORT = 8000

PROVIDER = PROVIDERS["office365"]
PUBLIC_URL = "https://setup.contoso.example"

# Who asks here: a domain with all its records; one that sends everybody on to Microsoft; one without an autoconfig
# record; one that leads here with an SRV record alone; and one that nobody has configured.
BOTH, REDIRECTED, AUTODISCOVER_ALONE, BY_SRV, STRANGE = (
    f"{name}.example" for name in ("contoso", "fabrikam", "adatum", "tailspin", "northwind")
)
_POLICIES = {
    BOTH: AutodiscoverPolicy.AUTO,
    REDIRECTED: AutodiscoverPolicy.REDIRECT,
    AUTODISCOVER_ALONE: AutodiscoverPolicy.AUTO,
    BY_SRV: AutodiscoverPolicy.SETTINGS,
}
DOMAINS = [
    Domain(name=name, organisation_id=CONTOSO.id, provider_id=PROVIDER.id, autodiscover=policy)
    for name, policy in _POLICIES.items()
]

assert PROVIDER.autodiscover is not None
CLOUD_HOST = urlsplit(PROVIDER.autodiscover.soap_url).netloc
SERVICE_HOST = urlsplit(PUBLIC_URL).netloc

_WITH_WEBSITE = [BOTH, REDIRECTED, AUTODISCOVER_ALONE, STRANGE]
_LEADING_HERE = [
    *(f"autodiscover.{domain}" for domain in (BOTH, REDIRECTED, AUTODISCOVER_ALONE, STRANGE)),
    *(f"autoconfig.{domain}" for domain in (BOTH, REDIRECTED, STRANGE)),
]
CERTIFIED = [SERVICE_HOST, CLOUD_HOST, *_WITH_WEBSITE, *_LEADING_HERE]

ZONE = "\n".join(
    [
        f"{SERVICE_HOST}. A {HERE}",
        f"{CLOUD_HOST}. A {CLOUD}",
        *(f"{domain}. A {WEBSITE}" for domain in _WITH_WEBSITE),
        *(f"{name}. CNAME {SERVICE_HOST}." for name in _LEADING_HERE),
        f"_autodiscover._tcp.{BY_SRV}. SRV 0 0 443 {SERVICE_HOST}.",
    ]
)


def address(domain: str) -> str:
    """Somebody's address there."""
    return f"anna@{domain}"
