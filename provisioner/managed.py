"""Managed configuration: the settings that an MDM hands to an app, and the forms in which MDMs take them.

Android: the flat object of the Android Management API (policies.applications.managedConfiguration) and the list of
``androidenterprise#managedConfiguration`` (Google Play EMM API; Intune takes this one). iPhone and iPad: a bare
dictionary (NSUserDefaults ``com.apple.configuration.managed``) and Intune's key table (appConfigKey).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from xml.etree.ElementTree import Element, indent, tostring

JSON = "application/json"

Value = str | bool | int

# Google Play EMM API, ManagedProperty: the member that holds a value of this type.
_MANAGED_PROPERTY: Mapping[type, str] = {str: "valueString", bool: "valueBool", int: "valueInteger"}
# Microsoft Graph, mdmAppConfigKeyType.
_KEY_TYPE: Mapping[type, str] = {str: "stringType", bool: "booleanType", int: "integerType"}
_PLIST_TAG: Mapping[type, str] = {str: "string", int: "integer"}


class AppPlatform(Enum):
    """Which of an app's two versions reads a setting."""

    ANDROID = "android"
    IOS = "ios"


class Channel(Enum):
    """How a setting reaches an app."""

    MANAGED_DEVICES = "managed-devices"  # an MDM that manages the device
    MANAGED_APPS = "managed-apps"  # the management of apps alone, on a device that is not managed (Intune MAM)


@dataclass(frozen=True, slots=True)
class AppSetting:
    """One key of an app's configuration and its value."""

    key: str
    value: Value
    platforms: frozenset[AppPlatform] = frozenset(AppPlatform)
    channels: frozenset[Channel] = frozenset(Channel)


@dataclass(frozen=True, slots=True)
class ManagedApp:
    """An app that is configured by an MDM, and what the organisation wants of it."""

    package: str  # its name among Android's apps
    settings: tuple[AppSetting, ...] = ()

    def settings_for(self, platform: AppPlatform, channel: Channel) -> tuple[AppSetting, ...]:
        """What of the organisation's settings is read on this platform and over this channel."""
        return tuple(each for each in self.settings if platform in each.platforms and channel in each.channels)


NO_APP = ManagedApp("")  # of a document that configures none


def flat_object(settings: Iterable[AppSetting]) -> dict[str, Value]:
    """The object of an Android Management API policy: each key with its value, in the order of the keys."""
    return {each.key: each.value for each in _ordered(settings)}


def intune_configuration(package: str, settings: Iterable[AppSetting]) -> dict[str, Any]:
    """The ``androidenterprise#managedConfiguration`` that Intune imports for the app ``package``."""
    return {
        "kind": "androidenterprise#managedConfiguration",
        "productId": f"app:{package}",
        "managedProperty": [
            {"key": each.key, _MANAGED_PROPERTY[type(each.value)]: each.value} for each in _ordered(settings)
        ],
    }


def ios_dict(settings: Iterable[AppSetting]) -> bytes:
    """A bare ``<dict>`` in UTF-8: no XML declaration and no plist around it, as Intune, Jamf Pro and Zentral take it.

    The texts in it must have passed ``address.refuse_unwritable``.
    """
    root = Element("dict")
    for each in _ordered(settings):
        root.append(_element("key", each.key))
        root.append(_plist_value(each.value))
    indent(root)
    return str(tostring(root, encoding="unicode")).encode() + b"\n"


def ios_key_table(settings: Iterable[AppSetting]) -> list[dict[str, str]]:
    """The rows of Intune's designer and of Graph's ``settings``: key, type and the value as text."""
    return [
        {
            "appConfigKey": each.key,
            "appConfigKeyType": _KEY_TYPE[type(each.value)],
            "appConfigKeyValue": _as_text(each.value),
        }
        for each in _ordered(settings)
    ]


def custom_settings(settings: Iterable[AppSetting]) -> list[dict[str, str]]:
    """The ``customSettings`` of Graph's targetedManagedAppConfiguration: name and the value as text."""
    return [{"name": each.key, "value": _as_text(each.value)} for each in _ordered(settings)]


def write_json(value: object) -> bytes:
    """``value`` as JSON in UTF-8, on lines that people compare, its keys in the order they have."""
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


def _ordered(settings: Iterable[AppSetting]) -> list[AppSetting]:
    return sorted(settings, key=lambda each: each.key)


def _as_text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plist_value(value: Value) -> Element:
    if isinstance(value, bool):
        return Element("true" if value else "false")
    return _element(_PLIST_TAG[type(value)], str(value))


def _element(tag: str, text: str) -> Element:
    element = Element(tag)
    element.text = text
    return element
