"""Which device a person holds, guessed from the browser's name, so that the right steps come first.

User-Agent (RFC 9110 section 10.1.5). A guess changes only the instructions: the person can always choose. Sources of
the tokens: the vendors' own strings as kept in tests/test_web_devices.py; which browsers install a profile:
mozilla-mobile/firefox-ios#25476, duckduckgo/iOS#830, chromium ios/chrome/browser/download (browser_download_service).
"""

from dataclasses import dataclass
from enum import Enum

from provisioner.format import Platform

_MAX_LOOKED_AT = 1024  # characters; real ones are a third of it


class Device(Enum):
    """What the steps are for."""

    IPHONE = "iphone"
    IPAD = "ipad"
    MAC = "mac"
    ANDROID = "android"
    WINDOWS = "windows"
    LINUX = "linux"
    OTHER = "other"

    @property
    def platform(self) -> Platform | None:
        """What documents call this device; None where no document can be opened on it."""
        return _PLATFORMS.get(self)


_PLATFORMS = {Device.IPHONE: Platform.IPHONE, Device.IPAD: Platform.IPAD, Device.MAC: Platform.MAC}


class Browser(Enum):
    """What the browser does with a profile, or with a link to an app's store."""

    INSTALLS = "installs"
    WARNS = "warns"  # shows its own warning first and fetches the file a second time
    CANNOT_INSTALL = "cannot-install"  # another browser than Safari on an iPhone or iPad
    IN_APP = "in-app"  # a view inside another app, which installs nothing: the page has to be opened in a browser


# The first token found decides: "Windows Phone" calls itself Android, Android calls itself Linux.
_DEVICES = (
    ("windows phone", Device.OTHER),
    ("iphone", Device.IPHONE),
    ("ipod", Device.IPHONE),
    ("ipad", Device.IPAD),
    ("android", Device.ANDROID),
    ("macintosh", Device.MAC),
    ("windows nt", Device.WINDOWS),
    ("cros", Device.OTHER),
    ("linux", Device.LINUX),
    ("x11", Device.LINUX),
)
_CANNOT_INSTALL = ("fxios/", "focus/", "duckduckgo/", "ddg/")
_IN_APP = (
    "gsa/",  # the Google app, also Gmail's own view
    "fban/",
    "fbav/",
    "fb_iab",
    "instagram",
    " line/",
    "linkedinapp",
    "micromessenger",
    "snapchat",
    "musical_ly",
    "tiktok",
    "bytedancewebview",
    "twitter for",
    "barcelona",  # Threads
    "pinterest/",
    "whatsapp",
    "teams/",
    "teamsmobile",
    "outlook-",
    "; wv)",  # every web view on Android since 5.0
)
_WARNS = ("crios/",)
# No Mac has these, so a "Macintosh" that says one is an iPad asking for desktop sites.
_NOT_ON_A_MAC = ("crios/", "fxios/", "edgios/", "focus/", "gsa/")
_IOS = (Device.IPHONE, Device.IPAD)


@dataclass(frozen=True, slots=True)
class Visitor:
    """The device the steps are for, and whether that was only guessed."""

    device: Device
    browser: Browser
    guessed: bool

    @property
    def may_be_ipad(self) -> bool:
        """Whether this is a Mac or an iPad that says it is one: Safari on an iPad does so by default."""
        return self.guessed and self.device is Device.MAC


def recognise(user_agent: str, *, chosen: str = "") -> Visitor:
    """The visitor by the browser's name; ``chosen``, a device's value, always wins, and anything else in it is ignored.

    >>> recognise("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X)", chosen="ipad").device
    <Device.IPAD: 'ipad'>
    """
    name = user_agent[:_MAX_LOOKED_AT].lower()
    guess = _device(name)
    choice = next((device for device in Device if device.value == chosen), None)
    # What says that it is a Mac is an iPad where the person says so.
    on_ios = guess in _IOS or (guess is Device.MAC and choice in _IOS)
    return Visitor(choice or guess, _browser(name, on_ios=on_ios), guessed=choice is None)


def _device(name: str) -> Device:
    device = next((device for token, device in _DEVICES if token in name), Device.OTHER)
    if device is Device.MAC and _holds(name, _NOT_ON_A_MAC):
        return Device.IPAD
    return device


def _browser(name: str, *, on_ios: bool) -> Browser:
    if not on_ios and "android" not in name:
        return Browser.INSTALLS
    if _holds(name, _IN_APP) or (on_ios and "applewebkit" in name and "safari/" not in name):
        return Browser.IN_APP
    if on_ios and _holds(name, _CANNOT_INSTALL):
        return Browser.CANNOT_INSTALL
    return Browser.WARNS if on_ios and _holds(name, _WARNS) else Browser.INSTALLS


def _holds(name: str, tokens: tuple[str, ...]) -> bool:
    return any(token in name for token in tokens)
