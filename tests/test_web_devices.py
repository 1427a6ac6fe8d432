"""The right steps come first: real browsers' names are recognised, whatever else they claim to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.format import Platform
from provisioner.web.devices import Browser, Device, recognise

_IOS = "(KHTML, like Gecko)"
_IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 {_IOS}"
_IPAD = f"Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 {_IOS}"
_MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 {_IOS}"
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"

NAMES = {
    "Safari on iPhone": (f"{_IPHONE} Version/18.6 Mobile/15E148 Safari/604.1", Device.IPHONE, Browser.INSTALLS),
    "Safari on iPod": (
        f"Mozilla/5.0 (iPod touch; CPU iPhone OS 15_8 like Mac OS X) AppleWebKit/605.1.15 {_IOS} Safari/604.1",
        Device.IPHONE,
        Browser.INSTALLS,
    ),
    "Chrome on iPhone": (f"{_IPHONE} CriOS/142.0.7444.46 Mobile/15E148 Safari/604.1", Device.IPHONE, Browser.WARNS),
    "Edge on iPhone": (
        f"{_IPHONE} Version/18.0 EdgiOS/141.0 Mobile/15E148 Safari/604.1",
        Device.IPHONE,
        Browser.INSTALLS,
    ),
    "Firefox on iPhone": (
        f"{_IPHONE} FxiOS/144.0 Mobile/15E148 Safari/605.1.15",
        Device.IPHONE,
        Browser.CANNOT_INSTALL,
    ),
    "Firefox Focus on iPhone": (
        f"{_IPHONE} Focus/8.1.1 Mobile/15E148 Safari/605.1.15",
        Device.IPHONE,
        Browser.CANNOT_INSTALL,
    ),
    "DuckDuckGo on iPhone": (
        f"{_IPHONE} Version/17.0 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15",
        Device.IPHONE,
        Browser.CANNOT_INSTALL,
    ),
    "DuckDuckGo of today on iPhone": (
        f"{_IPHONE} Version/18.6 Mobile/15E148 Safari/604.1 Ddg/18.6",
        Device.IPHONE,
        Browser.CANNOT_INSTALL,
    ),
    "the Google app": (f"{_IPHONE} GSA/391.0 Mobile/15E148 Safari/604.1", Device.IPHONE, Browser.IN_APP),
    "Facebook's own view": (
        f"{_IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/530.0;FBDV/iPhone16,1]",
        Device.IPHONE,
        Browser.IN_APP,
    ),
    "Instagram's own view": (f"{_IPHONE} Mobile/15E148 Instagram 400.0", Device.IPHONE, Browser.IN_APP),
    "LINE's own view": (f"{_IPHONE} Mobile/15E148 Safari Line/15.0", Device.IPHONE, Browser.IN_APP),
    "LinkedIn's own view": (f"{_IPHONE} Mobile/15E148 [LinkedInApp]/9.31", Device.IPHONE, Browser.IN_APP),
    "WeChat's own view": (
        f"{_IPHONE} Mobile/15E148 MicroMessenger/8.0.61(0x18003d2a) NetType/WIFI Language/en",
        Device.IPHONE,
        Browser.IN_APP,
    ),
    "WhatsApp's own view": (f"{_IPHONE} Mobile/15E148 WhatsApp/2.25", Device.IPHONE, Browser.IN_APP),
    "Teams' own view": (f"{_IPHONE} Mobile/15E148 TeamsMobile-iOS", Device.IPHONE, Browser.IN_APP),
    "Outlook's own view": (f"{_IPHONE} Mobile/15E148 Outlook-iOS/2.0", Device.IPHONE, Browser.IN_APP),
    "a bare web view": (f"{_IPHONE} Mobile/15E148", Device.IPHONE, Browser.IN_APP),
    "Safari on an iPad that says so": (
        f"{_IPAD} Version/18.6 Mobile/15E148 Safari/604.1",
        Device.IPAD,
        Browser.INSTALLS,
    ),
    "Chrome on an iPad asking for desktop sites": (
        f"{_MAC} CriOS/142 Version/18.0 Safari/605.1.15",
        Device.IPAD,
        Browser.WARNS,
    ),
    "Firefox on an iPad asking for desktop sites": (
        f"{_MAC} FxiOS/144.0 Safari/605.1.15",
        Device.IPAD,
        Browser.CANNOT_INSTALL,
    ),
    "the Google app on an iPad asking for desktop sites": (
        f"{_MAC} GSA/391.0 Safari/605.1.15",
        Device.IPAD,
        Browser.IN_APP,
    ),
    "Safari on a Mac": (f"{_MAC} Version/18.6 Safari/605.1.15", Device.MAC, Browser.INSTALLS),
    "DuckDuckGo on a Mac": (f"{_MAC} Version/18.6 Safari/605.1.15 Ddg/18.6", Device.MAC, Browser.INSTALLS),
    "Firefox on a Mac": (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:144.0) Gecko/20100101 Firefox/144.0",
        Device.MAC,
        Browser.INSTALLS,
    ),
    "Chrome on Android": (
        f"Mozilla/5.0 (Linux; Android 10; K) {_CHROME} Mobile Safari/537.36",
        Device.ANDROID,
        Browser.INSTALLS,
    ),
    "a web view on Android": (
        f"Mozilla/5.0 (Linux; Android 15; SM-S921B; wv) {_CHROME} Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/530.0]",
        Device.ANDROID,
        Browser.IN_APP,
    ),
    "any app's view on Android": (
        f"Mozilla/5.0 (Linux; Android 16; Pixel 9 Build/BP2A; wv) {_CHROME} Mobile Safari/537.36",
        Device.ANDROID,
        Browser.IN_APP,
    ),
    "Firefox on Android": (
        "Mozilla/5.0 (Android 15; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0",
        Device.ANDROID,
        Browser.INSTALLS,
    ),
    "Edge on Windows": (
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Safari/537.36 Edg/142.0.0.0",
        Device.WINDOWS,
        Browser.INSTALLS,
    ),
    "a Windows phone, which says Android and iPhone too": (
        "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) AppleWebKit/537.36 Edge/15.15254",
        Device.OTHER,
        Browser.INSTALLS,
    ),
    "Firefox on Linux": (
        "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
        Device.LINUX,
        Browser.INSTALLS,
    ),
    "Firefox on FreeBSD": (
        "Mozilla/5.0 (X11; FreeBSD amd64; rv:144.0) Gecko/20100101 Firefox/144.0",
        Device.LINUX,
        Browser.INSTALLS,
    ),
    "a Chromebook": (
        f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {_CHROME} Safari/537.36",
        Device.OTHER,
        Browser.INSTALLS,
    ),
    "curl": ("curl/8.5.0", Device.OTHER, Browser.INSTALLS),
    "nobody": ("", Device.OTHER, Browser.INSTALLS),
}


@pytest.mark.parametrize(("user_agent", "device", "browser"), NAMES.values(), ids=NAMES)
def test_a_browser_is_recognised(user_agent: str, device: Device, browser: Browser) -> None:
    visitor = recognise(user_agent)
    assert (device, browser, True) == (visitor.device, visitor.browser, visitor.guessed)


@pytest.mark.parametrize("device", Device)
def test_the_persons_choice_always_wins(device: Device) -> None:
    visitor = recognise(NAMES["Chrome on Android"][0], chosen=device.value)
    assert (device, False) == (visitor.device, visitor.guessed)


@pytest.mark.parametrize(
    ("rest", "browser"),
    [
        ("Version/18.6 Safari/605.1.15", Browser.INSTALLS),
        ("Version/18.6 Safari/605.1.15 Ddg/18.6", Browser.CANNOT_INSTALL),
        ("", Browser.IN_APP),  # a web view says nothing of Safari
        ("Instagram 400.0 Safari/605.1.15", Browser.IN_APP),
    ],
)
def test_a_mac_that_is_an_ipad_after_all_has_an_ipads_browser(rest: str, browser: Browser) -> None:
    assert browser is recognise(f"{_MAC} {rest}", chosen="ipad").browser
    assert Browser.INSTALLS is recognise(f"{_MAC} {rest}").browser
    assert Browser.INSTALLS is recognise(NAMES["Edge on Windows"][0], chosen="ipad").browser


def test_a_choice_that_does_not_exist_leaves_the_guess() -> None:
    assert recognise(NAMES["Safari on iPhone"][0], chosen="toaster").device is Device.IPHONE


def test_a_mac_may_be_an_ipad_until_the_person_says_otherwise() -> None:
    safari = NAMES["Safari on a Mac"][0]
    assert recognise(safari).may_be_ipad
    assert not recognise(safari, chosen="mac").may_be_ipad
    assert not recognise(NAMES["Safari on iPhone"][0]).may_be_ipad


def test_documents_open_on_apples_devices_alone() -> None:
    expected = {Device.IPHONE: Platform.IPHONE, Device.IPAD: Platform.IPAD, Device.MAC: Platform.MAC}
    assert expected == {device: device.platform for device in Device if device.platform is not None}


@given(st.text(), st.text())
def test_whatever_a_browser_calls_itself_there_are_steps_for_it(user_agent: str, chosen: str) -> None:
    assert recognise(user_agent, chosen=chosen).device in Device


def test_a_name_without_end_is_looked_at_only_at_its_beginning() -> None:
    assert recognise("x" * 100_000 + "iPhone").device is Device.OTHER
