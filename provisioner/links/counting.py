"""When a fetch is another device's, and when a link that is asked for one more has none left.

A device is a link and a format: the first fetch of a format opens a window of ten minutes, not extended by repeats, in
which every fetch of that format is the same device. The count deters passing a link on; it is no access control.
"""

from datetime import datetime, timedelta

from provisioner.errors import LinkExpired, LinkRevoked, LinkUsedUp, UnknownLink
from provisioner.store.links import LinkUse

DEVICE_WINDOW = timedelta(minutes=10)  # one device fetches a profile more than once: Chrome on iOS does so each time


def is_new_device(use: LinkUse | None, now: datetime) -> bool:
    """False within the ten minutes of the last one. Raises UnknownLink, LinkRevoked, LinkExpired or LinkUsedUp."""
    if use is None:
        raise UnknownLink
    if use.revoked_at is not None:
        raise LinkRevoked
    if now >= use.expires_at:
        raise LinkExpired(use.expires_at)
    # Also where another machine's clock is ahead and the last device seems to come from the future.
    if use.last_opened is not None and now < use.last_opened + DEVICE_WINDOW:
        return False
    if use.devices_used >= use.devices_allowed:
        raise LinkUsedUp(use.devices_allowed)
    return True
