"""The pages a person reads: where a link leads, and what to say to somebody who comes without one.

They need no script, no cookie and no other server. WCAG 2.2 level AA; HTML Living Standard.
"""

from flask import Blueprint, Response, abort

from provisioner.errors import LinkExpired, LinkRevoked
from provisioner.links import LinkState, SetupLink
from provisioner.qr import qr_png
from provisioner.web.offers import visit
from provisioner.web.rendering import page
from provisioner.web.setup_page import drawing, setup_page
from provisioner.web.site import site

pages = Blueprint("pages", __name__)


@pages.get("/help")
def help_with_mail_apps() -> Response:
    """The page that mail apps link to from the settings they found (autoconfig's documentation and enable)."""
    return page("help.html", organisation=None)


@pages.get("/s/<token>")
@pages.get("/S/<token>")
def setup(token: str) -> Response:
    """The page behind a link: the steps for this device, and every other way. Looking at it consumes nothing."""
    opened = visit(token)
    _require_shown(opened.link)
    return setup_page(opened)


@pages.get("/s/<token>/qr.svg")
@pages.get("/S/<token>/qr.svg")
def qr_drawing(token: str) -> Response:
    """The page's address as a QR code to draw at any size."""
    link = visit(token).link
    _require_shown(link)
    return Response(drawing(link), content_type="image/svg+xml")


@pages.get("/s/<token>/qr.png")
@pages.get("/S/<token>/qr.png")
def qr_picture(token: str) -> Response:
    """The page's address as a QR code in pixels."""
    link = visit(token).link
    _require_shown(link)
    return Response(qr_png(site().qr_text(link.path)), content_type="image/png")


@pages.get("/s/<token>/logo")
@pages.get("/S/<token>/logo")
def logo(token: str) -> Response:
    """The organisation's picture, also where the link has expired. Nothing is there where it has none."""
    picture = visit(token).organisation.logo
    if picture is None:
        abort(404)
    response = Response(picture.content, content_type=picture.media_type)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _require_shown(link: SetupLink) -> None:
    """Raise LinkExpired or LinkRevoked; a used up link still shows its page, for the devices it has set up."""
    state = link.state(site().clock())
    if state is LinkState.EXPIRED:
        raise LinkExpired(link.expires_at)
    if state is LinkState.REVOKED:
        raise LinkRevoked
