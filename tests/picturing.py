"""Takes the pictures of docs/screenshots: the page on each device, in each state, in several languages, light and dark.

``scripts/screenshots`` calls it. No server runs: the web site itself answers the browser, so that the address in the
pictures is one that a company would have.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from PIL import Image

from provisioner.links import SetupLink
from provisioner.model import Account
from provisioner.organisation import Organisation, Preference, SelfService
from provisioner.signing import Trust
from provisioner.texts import LANGUAGES
from tests.checkout import CHECKOUT
from tests.samples import contoso_domain
from tests.test_web_devices import NAMES
from tests.websites import PUBLIC_URL, Website, identity_of, make_website, no_identity

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

DIRECTORY = CHECKOUT / "docs" / "screenshots"
INDEX = CHECKOUT / "docs" / "screenshots.md"

_PHONE, _TABLET, _DESK = (390, 844), (820, 1180), (1280, 900)
_COLOURS = 64  # enough for letters and a button; the pictures stay small
_BROWSERS = {
    "iphone": NAMES["Safari on iPhone"][0],
    "ipad": NAMES["Safari on an iPad that says so"][0],
    "mac": NAMES["Safari on a Mac"][0],
    "android": NAMES["Chrome on Android"][0],
    "windows": NAMES["Edge on Windows"][0],
    "linux": NAMES["Firefox on Linux"][0],
    "in-app": NAMES["Instagram's own view"][0],
}
_SIZES = {"ipad": _TABLET, "mac": _DESK, "windows": _DESK, "linux": _DESK}


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: of what, and how the page is looked at."""

    name: str
    caption: str
    state: str = "open"
    browser: str = "iphone"
    language: str = "en"
    scheme: str = "light"
    whole: bool = False  # the whole page and not its first screen


_CHOSEN = (
    Picture("iphone", "iPhone: one button, then the steps", whole=True),
    Picture("iphone-dark-de", "iPhone, dark, German", language="de", scheme="dark"),
    Picture("iphone-outlook-fr", "iPhone where the organisation prefers Outlook, French", "outlook", language="fr"),
    Picture("iphone-in-app", "Inside another app: the way out to Safari", browser="in-app"),
    Picture("ipad-es", "iPad, Spanish", browser="ipad", language="es"),
    Picture("mac", "Mac: Outlook first, where Exchange Web Services are not allowed", "outlook", "mac"),
    Picture("android", "Android: Outlook from its store, and the address to copy", browser="android", whole=True),
    Picture(
        "android-dark-ar", "Android, dark, Arabic: from right to left", browser="android", language="ar", scheme="dark"
    ),
    Picture(
        "windows", "A computer: continue on the phone, then the apps of this computer", browser="windows", whole=True
    ),
    Picture("linux-dark", "A computer, dark", browser="linux", scheme="dark"),
    Picture("used-up", "A link that is used up", "used up"),
    Picture("downloaded", "A device that was set up before", "downloaded"),
    Picture("expired", "A link that has expired: a new one is asked for by mail", "expired"),
    Picture("revoked-ar", "A link that was withdrawn, Arabic", "revoked", language="ar"),
    Picture("unknown", "A link that does not exist", "unknown"),
    Picture("paused", "Downloads are paused while nothing can be signed", "paused"),
    Picture("start", "The start page where people may take a link themselves", "start"),
    Picture("start-invited-de", "The start page where people are invited, German", "start, invited", language="de"),
)
PICTURES = (
    *_CHOSEN,
    *(
        Picture(f"iphone-{tag}", f"iPhone: {language.endonym}", language=tag)
        for tag, language in LANGUAGES.items()
        if tag not in {picture.language for picture in _CHOSEN}
    ),
)


def take(browser: "Browser", directory: Path = DIRECTORY) -> None:
    """Write every picture into ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        with TemporaryDirectory() as store, _looking(browser, picture, _website(Path(store), picture.state)) as shot:
            image = Image.open(BytesIO(shot)).convert("RGB").quantize(_COLOURS)
            image.save(directory / f"{picture.name}.png", optimize=True)


def write_index(file: Path = INDEX) -> None:
    """Write the page that shows the pictures."""
    lines = ["# What people see", "", "Made by `scripts/screenshots`, of the product itself."]
    for picture in PICTURES:
        lines += ["", f"## {picture.caption}", "", f"![{picture.caption}](screenshots/{picture.name}.png)"]
    file.write_text("\n".join(lines) + "\n")


def _website(directory: Path, state: str) -> Website:
    organisation = Organisation("contoso", "Contoso", support_contact="IT help desk, help@contoso.example")
    domain = replace(
        contoso_domain(),
        account_kinds=contoso_domain().account_kinds[:1],
        prefer=Preference.OUTLOOK if state == "outlook" else Preference.BUILTIN,
        self_service=SelfService.OPEN if state == "start" else SelfService.INVITE,
    )
    identity = no_identity if state == "paused" else identity_of(Trust.PUBLIC)
    return make_website(directory, organisation=organisation, domain=domain, identity=identity)


def _path(website: Website, state: str) -> str:
    if state.startswith("start"):
        return "/"
    link = website.link(Account("anna@contoso.example", display_name="Anna Example"))
    _bring_about(website, link, state)
    return "/s/mistyped" if state == "unknown" else link.path


def _bring_about(website: Website, link: SetupLink, state: str) -> None:
    if state == "used up":
        for _ in range(link.devices_allowed):
            website.links.count_device(link, "ios-exchange")
            website.clock.turn(timedelta(minutes=10))
    elif state == "downloaded":
        website.links.count_device(link, "ios-exchange")
    elif state == "expired":
        website.clock.now = link.expires_at
    elif state == "revoked":
        website.links.revoke(link.id, actor="pictures")


@contextmanager
def _looking(browser: "Browser", picture: Picture, website: Website) -> Iterator[bytes]:
    """The page in the browser, as a PNG."""
    user_agent = _BROWSERS[picture.browser]
    width, height = _SIZES.get(picture.browser, _PHONE)

    def answer(route: "Route") -> None:
        path = route.request.url.removeprefix(PUBLIC_URL)
        language = {"Accept_Language": picture.language}
        reply = website.get(path, user_agent=user_agent, **language)
        route.fulfill(status=reply.status_code, headers=dict(reply.headers), body=reply.data)

    context = browser.new_context(
        user_agent=user_agent,
        viewport={"width": width, "height": height},
        color_scheme=picture.scheme,  # type: ignore[arg-type]  # a literal
    )
    context.route(f"{PUBLIC_URL}/**", answer)
    page = context.new_page()
    page.goto(PUBLIC_URL + _path(website, picture.state))
    yield page.screenshot(full_page=picture.whole)
    context.close()


def main() -> None:
    """Take every picture anew with Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    from tests.capabilities import require_program

    binary = require_program("chromium", package="chromium", binaries=["chromium", "/usr/lib/chromium/chromium"])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox", "--disable-gpu"])
        take(browser)
        browser.close()
    write_index()


if __name__ == "__main__":
    main()
