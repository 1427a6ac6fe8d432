"""When a call to an MDM is tried again, and after how long: what the server wishes, or twice as long each time.

urllib3's Retry, which reads ``Retry-After`` (RFC 9110 section 10.2.3) in both its forms.
"""

import time
from collections.abc import Callable
from typing import Any, Self

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from provisioner.errors import PushFailed
from provisioner.push.calls import Call

ATTEMPTS = 5  # after the first
NOT_BEGUN = (429, 503)
MAY_PASS = (429, 500, 502, 503, 504)
_LONGEST_WAIT = 120  # seconds between two attempts


class Patience(Retry):
    """Retry with a sleep that is given, and with an end to what it waits for."""

    pause: Callable[[float], None] = staticmethod(time.sleep)

    @classmethod
    def for_call(cls, call: Call, pause: Callable[[float], None]) -> Self:
        """How ``call`` is tried again. ``pause`` lets seconds pass."""
        patience = cls(
            total=ATTEMPTS,
            read=ATTEMPTS if call.repeatable else 0,
            other=0,  # a certificate gets no better
            allowed_methods=None,  # any: the call says itself whether it may be repeated
            status_forcelist=frozenset(MAY_PASS if call.repeatable else NOT_BEGUN) - call.tells,
            raise_on_status=False,
            respect_retry_after_header=True,
        )
        patience.pause = pause
        return patience

    def new(self, **changes: Any) -> Self:
        """The next attempt's."""
        following = super().new(**changes)
        following.pause = self.pause
        return following

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        """Wait as long as the server wishes, or as is due. Raises PushFailed where it wishes for too long."""
        seconds = self._wished(response) if response is not None else None
        if seconds is None:
            seconds = 2.0 ** (len(self.history) - 1)
        if seconds > _LONGEST_WAIT:
            raise PushFailed(f"The server asks to be left alone for {seconds:.0f} seconds. Push again after that.")
        if seconds:
            self.pause(seconds)

    def _wished(self, response: BaseHTTPResponse) -> float | None:
        """How many seconds the server wishes for; None where it says nothing, or nothing that can be read."""
        try:
            return self.get_retry_after(response)
        except (InvalidHeader, ValueError, OverflowError):  # the latter two: of numbers and years beyond all use
            return None
