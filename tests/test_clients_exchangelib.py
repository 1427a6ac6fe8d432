"""Real exchangelib, a Python program's way to Exchange: 5.6 asks Autodiscover in SOAP, 4.9 in POX."""

from pathlib import Path
from typing import Any

import pytest

from tests.clients import places
from tests.clients.installations import python_with
from tests.clients.internet import Internet
from tests.clients.matrix import client

pytestmark = pytest.mark.journey

DRIVERS = Path(__file__).parent / "clients"
SOAP, POX = client("exchangelib 5.6"), client("exchangelib 4.9")
