"""Runs inside exchangelib 5.6's own environment: where does it send somebody's program? Writes JSON."""

import json
import sys

from exchangelib import Credentials  # type: ignore[import-not-found]  # it is not installed beside us
from exchangelib.autodiscover import Autodiscovery  # type: ignore[import-not-found]
from exchangelib.errors import EWSError  # type: ignore[import-not-found]

(_, address) = sys.argv
try:
    found, protocol = Autodiscovery(address, Credentials(address, "no real password")).discover()
    said = {"ews_url": protocol.service_endpoint, "address": found.autodiscover_smtp_address}
except EWSError as error:
    said = {"refused": type(error).__name__}
json.dump(said, sys.stdout)
