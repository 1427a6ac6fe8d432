"""What every test run shares: how hard hypothesis tries, and the option that rewrites golden files."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.browsers", "tests.clients.internet", "tests.stores"]

# The same examples in every run, so that a red test is the change's fault; ``thorough`` looks for new ones.
settings.register_profile("default", deadline=None, max_examples=100, derandomize=True, print_blob=True)
settings.register_profile(
    "thorough", deadline=None, max_examples=5000, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A run in the background inherits an interrupt that is ignored, and would pass that on to what it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--update-golden``: write what the formats render now into tests/golden, for a person to read and commit."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite tests/golden with what the formats render now; read the difference before you commit it",
    )
