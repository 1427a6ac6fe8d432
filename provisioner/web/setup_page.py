"""The page of a setup link: which app comes first on this device, what can be downloaded now, what was before.

Exchange Web Services, which Apple's Mail on a Mac needs, open only where the organisation has allowed them and until
their provider ends them (the catalogue's dates), so there Outlook is first whatever the domain prefers.
"""

from urllib.parse import quote

from flask import Response, request

from provisioner.errors import IdentityError
from provisioner.format import Audience, Format
from provisioner.links import LinkState, SetupLink
from provisioner.organisation import Kind, Preference
from provisioner.qr import qr_svg
from provisioner.signing import Identity
from provisioner.web.devices import Device, recognise
from provisioner.web.languages import here
from provisioner.web.offers import Visit
from provisioner.web.rendering import page
from provisioner.web.site import site

# Where the device's own store has the provider's app: the key among the provider's app facts.
_APPS = {
    Device.IPHONE: "outlook-ios",
    Device.IPAD: "outlook-ios",
    Device.MAC: "outlook-mac",
    Device.ANDROID: "outlook-android",
}
# Documents beside the profiles, shown where the product writes them.
_THUNDERBIRD_CODE, _INSTRUCTIONS = "thunderbird-qr", "instructions"


def setup_page(opened: Visit) -> Response:
    """The page as it is now, for the device that asks."""
    link = opened.link
    visitor = recognise(request.user_agent.string, chosen=request.args.get("device", ""))
    formats = opened.formats_for(visitor.device.platform)
    builtin = next((fmt for fmt in formats if fmt.kind is Kind.EXCHANGE), None)
    page_url = site().url(link.path)
    response = page(
        "setup.html",
        organisation=opened.organisation,
        account=link.account,
        app=opened.provider.apps.get(_APPS.get(visitor.device, "")),
        builtin=builtin,
        builtin_first=_is_first(builtin, opened, visitor.device),
        device=visitor.device.value,
        devices=[each.value for each in Device],
        downloads=_downloads(opened, formats),
        identity=_identity(),
        instructions=_further(opened, _INSTRUCTIONS),
        intent_url=_intent_url(page_url + here()),
        link=link,
        open_formats=_open_formats(opened, formats),
        others=[fmt for fmt in formats if fmt is not builtin],
        page_url=page_url,
        provider=opened.provider,
        qr=_picture(drawing(link)),
        thunderbird_code=_thunderbird_code(opened, visitor.device),
        used_up=link.state(site().clock()) is LinkState.USED_UP,
        visitor=visitor,
    )
    response.vary.add("User-Agent")
    return response


def drawing(link: SetupLink) -> str:
    """The QR code of the page's address."""
    return qr_svg(site().qr_text(link.path), label=f"QR code that opens {site().url(link.path)}")


def _is_first(builtin: Format | None, opened: Visit, device: Device) -> bool:
    """Whether the device's own mail app comes before Outlook."""
    if builtin is None or opened.domain.prefer is Preference.OUTLOOK:
        return False
    ews = opened.provider.ews
    return device is not Device.MAC or (ews is not None and site().clock().date() < ews.ends)


def _open_formats(opened: Visit, formats: tuple[Format, ...]) -> frozenset[str]:
    """The ids of the formats whose download would work now."""
    if opened.link.state(site().clock()) is LinkState.OPEN:
        return frozenset(fmt.id for fmt in formats)
    return frozenset(fmt.id for fmt in formats if opened.opens(fmt))


def _downloads(opened: Visit, formats: tuple[Format, ...]) -> list[tuple[Format, object]]:
    """The documents for this device that were downloaded with this link, and when; the newest first."""
    by_id = {fmt.id: fmt for fmt in formats}
    history = site().links.downloads(opened.link) if opened.link.devices_used else []
    return [(by_id[each.format_id], each.at) for each in history if each.format_id in by_id]


def _further(opened: Visit, format_id: str) -> Format | None:
    """A document for people of no kind of account, where there is one that this provider can have."""
    fmt = site().formats.get(format_id)
    if fmt is None or fmt.audience is not Audience.PERSON or not fmt.needs <= opened.provider.services:
        return None
    return fmt


def _thunderbird_code(opened: Visit, device: Device) -> str:
    """The account as the QR code that Thunderbird for Android reads, as a picture; "" where it is of no use."""
    fmt = _further(opened, _THUNDERBIRD_CODE)
    if fmt is None or device in (Device.IPHONE, Device.IPAD):
        return ""
    account = opened.link.account
    content = site().provisioner.draft(account, fmt).content.decode()
    return _picture(qr_svg(content, label=f"QR code for Thunderbird with the settings of {account.address}"))


def _picture(svg: str) -> str:
    """``svg`` as a data: URL, which stays small when the page is compressed (RFC 2397)."""
    return f"data:image/svg+xml,{quote(svg, safe=_LEGIBLE)}"


_LEGIBLE = " =:/,;.'()-"


def _intent_url(url: str) -> str:
    """What opens ``url`` in Chrome on Android, or stays on the page where Chrome is not installed.

    Source: https://developer.chrome.com/docs/android/intents
    """
    scheme, _, address = url.partition("://")
    fallback = quote(url, safe="")
    return f"intent://{address}#Intent;scheme={scheme};package=com.android.chrome;S.browser_fallback_url={fallback};end"


def _identity() -> Identity | None:
    try:
        return site().identity()
    except IdentityError:
        return None
