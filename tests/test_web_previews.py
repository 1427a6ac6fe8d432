"""What is no person opening a file counts no device: chat programs, scanners, and downloads that go on."""

import pytest

from provisioner.web.previews import is_preview, opens_a_device
from tests.websites import IPHONE

AGENTS = {
    "Slack": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Slack's pictures": "Slack-ImgProxy (+https://api.slack.com/robots)",
    "Teams": "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
    "Microsoft's previews": "Mozilla/5.0 (compatible; MicrosoftPreview/2.0; +https://aka.ms/MicrosoftPreview)",
    "Bing's previews": "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b",
    "Bing": "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "WhatsApp": "WhatsApp/2.23.18.78 i",
    "Facebook": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Messages on iPhone and Mac": (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 "
        "Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0"
    ),
    "X": "Twitterbot/1.0",
    "LinkedIn": "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Discord": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "Telegram": "TelegramBot (like TwitterBot)",
    "Google": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Apple": "Mozilla/5.0 (compatible; Applebot/0.3; +http://www.apple.com/go/applebot)",
}


@pytest.mark.parametrize("user_agent", AGENTS.values(), ids=AGENTS)
def test_a_preview_opens_no_device(user_agent: str) -> None:
    assert not opens_a_device(method="GET", user_agent=user_agent, range_starts=None)


@pytest.mark.parametrize(
    "user_agent",
    [
        IPHONE,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 WhatsApp/2.25",
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142 Safari/537.36 Teams/1.8",
        "curl/8.5.0",
        "",
    ],
)
def test_a_persons_browser_is_no_preview(user_agent: str) -> None:
    assert not is_preview(user_agent)
    assert opens_a_device(method="GET", user_agent=user_agent, range_starts=None)


def test_head_opens_no_device() -> None:
    assert not opens_a_device(method="HEAD", user_agent=IPHONE, range_starts=None)


@pytest.mark.parametrize(("starts", "expected"), [([0], True), ([0, 500], True), ([1], False), ([-500], False)])
def test_a_download_that_goes_on_opens_no_second_device(starts: list[int], expected: bool) -> None:
    assert expected is opens_a_device(method="GET", user_agent=IPHONE, range_starts=starts)
