"""Hands out the file a person installs: a plain, repeatable GET without cookies.

Chrome on iOS fetches the address twice, the second time without cookies (chromium ios/chrome/browser/download), so
nothing but the path decides; the exact media type is what makes iOS offer the profile.
"""

from flask import Blueprint, Response, request

from provisioner.model import Document
from provisioner.web.languages import read_by
from provisioner.web.offers import visit
from provisioner.web.previews import opens_a_device
from provisioner.web.site import site

downloads = Blueprint("downloads", __name__)


@downloads.get("/s/<token>/<filename>")
@downloads.get("/S/<token>/<filename>")
def download(token: str, filename: str) -> Response:
    """The document, issued and signed for this request, and one device counted."""
    opened = visit(token)
    fmt = opened.format_of(filename)
    site().links.require_open(opened.link, fmt.id)
    language = read_by(opened.organisation).language.tag
    document = site().provisioner.issue(opened.link.account, fmt, language=language)
    if fmt.counts_device and _opens_a_device():
        site().links.count_device(opened.link, fmt.id)
    return _attachment(document)


def _opens_a_device() -> bool:
    ranges = None if request.range is None else [start for start, _ in request.range.ranges]
    return opens_a_device(method=request.method, user_agent=request.user_agent.string, range_starts=ranges)


def _attachment(document: Document) -> Response:
    response = Response(document.content, content_type=document.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{document.filename}"'
    response.headers["Cache-Control"] = "private, no-store, no-transform"
    response.vary.add("Accept-Language")
    return response
