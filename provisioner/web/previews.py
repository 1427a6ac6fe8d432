"""Which requests are no person opening a file: chat programs, scanners and continued downloads count no device.

They are served all the same. HEAD: RFC 9110 section 9.3.2; Range: RFC 9110 section 14.2. A scanner that calls itself
a browser cannot be told apart, so a limit on devices only deters passing a link on.
"""

from collections.abc import Iterable

_SLACK = "https://api.slack.com/robots"
_BING = "https://www.bing.com/webmaster/help/which-crawlers-does-bing-use-8c184ec0"
_META = "https://developers.facebook.com/docs/sharing/webmasters/web-crawlers"
_GOOGLE = "https://developers.google.com/search/docs/crawling-indexing/google-common-crawlers"

# What its User-Agent holds in any case -> where that is described; checked 2026-11-23.
PREVIEW_AGENTS = {
    "slackbot": _SLACK,
    "slack-imgproxy": _SLACK,
    "skypeuripreview": "https://opengraphplus.com/consumers/teams/crawling",  # Teams and Skype
    "microsoftpreview": "https://datadome.co/bots/microsoft-preview/",  # Teams, Outlook, OneDrive
    "bingpreview": _BING,
    "bingbot": _BING,
    "facebookexternalhit": _META,  # also Messages on iPhone and Mac
    "meta-externalfetcher": _META,
    "facebot": "https://opengraphplus.com/consumers/apple/crawling",  # Messages on iPhone and Mac
    "twitterbot": "https://developer.x.com/en/docs/x-for-websites/cards/guides/getting-started",
    "linkedinbot": "https://opengraphplus.com/consumers/linkedin/crawling",
    "discordbot": "https://opengraphplus.com/consumers/discord/crawling",
    "telegrambot": "https://opengraphplus.com/consumers/telegram/crawling",
    "googlebot": _GOOGLE,
    "google-inspectiontool": _GOOGLE,
    "applebot": "https://support.apple.com/en-us/119829",
}
# These names stand at the beginning; further on they name a browser inside the app, which a person holds.
PREVIEW_AGENTS_AT_START = {
    "whatsapp/": "https://opengraphplus.com/consumers/whatsapp/crawling",  # also Signal
}


def opens_a_device(*, method: str, user_agent: str, range_starts: Iterable[int] | None) -> bool:
    """Whether this request is a person's device taking the file.

    ``range_starts`` are the first octets that a Range header asks for; None where there is none.
    """
    continues = range_starts is not None and 0 not in range_starts
    return method == "GET" and not continues and not is_preview(user_agent)


def is_preview(user_agent: str) -> bool:
    """Whether a chat program, search engine or scanner says that it is one."""
    name = user_agent.lower()
    return name.startswith(tuple(PREVIEW_AGENTS_AT_START)) or any(token in name for token in PREVIEW_AGENTS)
