"""The pages a person reads: where a link leads, and what to say to somebody who comes without one.

They need no script, no cookie and no other server. WCAG 2.2 level AA; HTML Living Standard.
"""

from base64 import b64encode

from flask import Blueprint, Response, make_response, render_template, request

from provisioner.errors import IdentityError, LinkExpired, LinkRevoked
from provisioner.format import Format
from provisioner.links import LinkState, SetupLink
from provisioner.organisation import Kind
from provisioner.qr import qr_png, qr_svg
from provisioner.signing import Identity
from provisioner.web.devices import Device, recognise
from provisioner.web.offers import Visit, visit
from provisioner.web.site import site

pages = Blueprint("pages", __name__)

# Where the device's own store has the provider's app: the key among the provider's app facts.
_APPS = {
    Device.IPHONE: "outlook-ios",
    Device.IPAD: "outlook-ios",
    Device.MAC: "outlook-mac",
    Device.ANDROID: "outlook-android",
}


@pages.get("/help")
def help_with_mail_apps() -> str:
    """The page that mail apps link to from the settings they found (autoconfig's documentation and enable)."""
    return render_template("help.html", organisation=None)


@pages.get("/s/<token>")
@pages.get("/S/<token>")
def setup(token: str) -> Response:
    """The page behind a link: the steps for this device, and every other way. Looking at it consumes nothing."""
    opened = visit(token)
    _require_shown(opened.link)
    response = make_response(_setup_page(opened))
    response.vary.add("User-Agent")
    return response


@pages.get("/s/<token>/qr.svg")
@pages.get("/S/<token>/qr.svg")
def qr_drawing(token: str) -> Response:
    """The page's address as a QR code to draw at any size."""
    link = visit(token).link
    _require_shown(link)
    return Response(_drawing(link), content_type="image/svg+xml")


@pages.get("/s/<token>/qr.png")
@pages.get("/S/<token>/qr.png")
def qr_picture(token: str) -> Response:
    """The page's address as a QR code in pixels."""
    link = visit(token).link
    _require_shown(link)
    return Response(qr_png(site().qr_text(link.path)), content_type="image/png")


def _setup_page(opened: Visit) -> str:
    link, user_agent = opened.link, request.user_agent.string
    visitor = recognise(user_agent, chosen=request.args.get("device", ""))
    formats = opened.formats_for(visitor.device.platform)
    best = _best(formats, visitor.device)
    return render_template(
        "setup.html",
        account=link.account,
        app=opened.provider.apps.get(_APPS.get(visitor.device, "")),
        best=best,
        device=visitor.device,
        devices=Device,
        identity=_identity(),
        link=link,
        open_formats=_open_formats(opened, formats),
        organisation=opened.organisation,
        others=[fmt for fmt in formats if fmt is not best],
        page_url=site().url(link.path),
        provider=opened.provider,
        qr=f"data:image/svg+xml;base64,{b64encode(_drawing(link).encode()).decode()}",
        used_up=link.state(site().clock()) is LinkState.USED_UP,
        visitor=visitor,
    )


def _best(formats: tuple[Format, ...], device: Device) -> Format | None:
    """The document of the page's one button; none on a Mac, where Exchange Web Services are ending."""
    if device is Device.MAC:
        return None
    return next((fmt for fmt in formats if fmt.kind is Kind.EXCHANGE), None)


def _open_formats(opened: Visit, formats: tuple[Format, ...]) -> frozenset[str]:
    """The ids of the formats whose download would work now."""
    if opened.link.state(site().clock()) is LinkState.OPEN:
        return frozenset(fmt.id for fmt in formats)
    return frozenset(fmt.id for fmt in formats if opened.opens(fmt))


def _identity() -> Identity | None:
    try:
        return site().identity()
    except IdentityError:
        return None


def _require_shown(link: SetupLink) -> None:
    """Raise LinkExpired or LinkRevoked; a used up link still shows its page, for the devices it has set up."""
    state = link.state(site().clock())
    if state is LinkState.EXPIRED:
        raise LinkExpired(link.expires_at)
    if state is LinkState.REVOKED:
        raise LinkRevoked


def _drawing(link: SetupLink) -> str:
    return qr_svg(site().qr_text(link.path), label=f"QR code that opens {site().url(link.path)}")
