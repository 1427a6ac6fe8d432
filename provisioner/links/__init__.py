"""Setup links: what stands behind the QR code, who it is for, how long it opens and on how many devices."""

from provisioner.links.counting import DEVICE_WINDOW
from provisioner.links.history import Happening, LinkEvent
from provisioner.links.invite import Invited
from provisioner.links.issue import LONGEST, MOST_DEVICES, SHORTEST
from provisioner.links.key import load_link_key
from provisioner.links.links import Links
from provisioner.links.self_service import SelfServiceLimits
from provisioner.links.setup_link import LinkState, SetupLink

__all__ = [
    "DEVICE_WINDOW",
    "LONGEST",
    "MOST_DEVICES",
    "SHORTEST",
    "Happening",
    "Invited",
    "LinkEvent",
    "LinkState",
    "Links",
    "SelfServiceLimits",
    "SetupLink",
    "load_link_key",
]
