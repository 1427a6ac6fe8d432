"""Setup links: what stands behind the QR code, who it is for, how long it opens and on how many devices."""

from provisioner.links.key import load_link_key
from provisioner.links.links import DEVICE_WINDOW, LONGEST, MOST_DEVICES, SHORTEST, Links
from provisioner.links.self_service import SelfServiceLimits
from provisioner.links.setup_link import LinkState, SetupLink

__all__ = [
    "DEVICE_WINDOW",
    "LONGEST",
    "MOST_DEVICES",
    "SHORTEST",
    "LinkState",
    "Links",
    "SelfServiceLimits",
    "SetupLink",
    "load_link_key",
]
