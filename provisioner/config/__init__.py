"""The settings of the service: what can be set, what each may be, and where each value comes from.

``settings`` declares every setting once, ``values`` says what a value may be, ``sources`` reads them from the TOML
file, the environment and the command line, in this order, the later overriding the earlier.
"""

from provisioner.config.settings import SETTINGS, Settings, default_of
from provisioner.config.sources import CONFIG_VARIABLE, Configuration, load_configuration, variable_of
from provisioner.config.values import About, mask_database, parse_public_url

__all__ = [
    "CONFIG_VARIABLE",
    "SETTINGS",
    "About",
    "Configuration",
    "Settings",
    "default_of",
    "load_configuration",
    "mask_database",
    "parse_public_url",
    "variable_of",
]
