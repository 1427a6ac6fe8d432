"""Signs what a phone opens, and looks after the certificate and key that it signs with.

CMS SignedData (RFC 5652) over DER, as Apple's profile installer reads it. This package is the only one that signs. It
fails closed: without an identity that is complete, matching and in date there is an IdentityError and no signature.
"""

from provisioner.signing.chain import ChainCertificate, PublicRoots, Trust
from provisioner.signing.demo import create_demo_identity, remove_demo_identity
from provisioner.signing.files import exposed_secrets
from provisioner.signing.identity import Identity, load_identity
from provisioner.signing.reload import IdentityFiles

__all__ = [
    "ChainCertificate",
    "Identity",
    "IdentityFiles",
    "PublicRoots",
    "Trust",
    "create_demo_identity",
    "exposed_secrets",
    "load_identity",
    "remove_demo_identity",
]
