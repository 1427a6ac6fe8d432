"""Runs inside exchangelib 4.9's own environment: what does it read of a POX answer? Writes JSON.

It wants an EWS URL at the end, which an answer with mail servers does not have; so it is asked for what it has read.
"""

import json
import sys
from typing import Any

from exchangelib import Credentials  # type: ignore[import-not-found]  # it is not installed beside us
from exchangelib.autodiscover.discovery.pox import PoxAutodiscovery  # type: ignore[import-not-found]
from exchangelib.errors import EWSError  # type: ignore[import-not-found]


class _Reading(PoxAutodiscovery):  # type: ignore[misc]  # as above
    def _build_response(self, ad_response: Any) -> Any:
        return ad_response


_PARTS = ("type", "server", "port", "ssl", "spa", "login_name")

(_, address) = sys.argv
try:
    account = _Reading(address, Credentials(address, "no real password")).discover().account
    said = {
        "action": account.action,
        "redirect_url": account.redirect_url,
        "protocols": [[getattr(protocol, part) for part in _PARTS] for protocol in account.protocols],
    }
except EWSError as error:
    said = {"refused": type(error).__name__}
json.dump(said, sys.stdout)
