"""The connection to an MDM: HTTPS with a verified certificate, time-outs, and patience that the server decides on.

urllib3. What may be repeated is tried again after a broken connection and after 429, 500, 502, 503 and 504; what may
not, only where the server says that it has not begun (429, 503) or was never reached. ``Retry-After`` (RFC 9110 section
10.2.3) is respected. The token is in the header Authorization and nowhere else, and no redirect is followed.
"""

import re
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationParseError, MaxRetryError, SSLError
from urllib3.util import Timeout, Url, parse_url

from provisioner import __version__
from provisioner.errors import InvalidInput, PushFailed, PushRefused, PushUnclear, printable
from provisioner.mdm import PushApi
from provisioner.push.calls import Answer, Call
from provisioner.push.patience import ATTEMPTS, MAY_PASS, NOT_BEGUN, Patience

MASK = "********"
_TIMEOUT = Timeout(connect=10, read=60)  # seconds
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
_ADDRESS = re.compile(r"[^\s\"'<>]+@[^\s\"'<>]+")
_TOKEN = re.compile(r"[!-~]+")


def server_url(text: str) -> str:
    """The URL of an MDM without its final slash. Raises InvalidInput unless it is https, or http on this machine."""
    try:
        url = parse_url(text)
    except LocationParseError:
        url = Url()
    if not url.host or url.auth or url.query is not None or url.fragment is not None:
        raise InvalidInput("The server is no URL such as https://mdm.contoso.com, without user, query and fragment.")
    if url.scheme != "https" and not (url.scheme == "http" and url.host in _LOOPBACK):
        raise InvalidInput(
            "The server's URL has to begin with https://, because a token is sent there. Plain http is only for this "
            "machine itself."
        )
    return url.url.rstrip("/")


def authorization(api: PushApi, token: str) -> str:
    """The value of the header of that name. Raises InvalidInput, without showing it, for what can be no token."""
    token = token.strip()
    if not _TOKEN.fullmatch(token):
        raise InvalidInput("The token is empty, or holds blanks or characters that no token has.")
    if api.scheme == "Basic":  # RFC 7617
        return f"Basic {b64encode(f'{api.user}:{token}'.encode()).decode()}"
    return f"{api.scheme} {token}"


def headers_of(call: Call, authorization: str) -> Mapping[str, str]:
    """The headers of ``call``, but for those that say where it goes and how long it is."""
    return {
        "Accept": "application/json",
        "Authorization": authorization,
        "User-Agent": f"provisioner/{__version__}",
        **({"Content-Type": call.media_type} if call.media_type else {}),
    }


class HttpsConnection:
    """An MDM's API at ``server``. ``ca_file`` holds the authorities to trust instead of the machine's own.

    Raises InvalidInput for a server, token or file that cannot be used. ``sleep`` lets seconds pass.
    """

    def __init__(
        self,
        server: str,
        api: PushApi,
        *,
        token: str,
        ca_file: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._server = server_url(server)
        self._authorization = authorization(api, token)
        self._secrets = (token.strip(), self._authorization.partition(" ")[2])
        self._sleep = sleep
        self._pool = urllib3.PoolManager(ssl_context=_trusting(ca_file), timeout=_TIMEOUT)

    def send(self, call: Call) -> Answer:
        """Do it. Raises PushRefused, PushFailed, and PushUnclear for a call that may not be repeated."""
        try:
            response = self._pool.request(
                call.method,
                f"{self._server}{call.path}",
                body=call.body or None,
                headers=headers_of(call, self._authorization),
                retries=Patience.for_call(call, self._sleep),
                redirect=False,
            )
        except HTTPError as failure:
            raise self._not_reached(failure, call) from None
        if response.status // 100 == 2 or response.status in call.tells:
            return Answer(response.status, response.data)
        raise self._refusal(response.status, response.data, call)

    def wait(self, attempt: int) -> None:
        """Let time pass before the attempt after the ``attempt``-th."""
        self._sleep(2 ** (attempt - 1))

    def _not_reached(self, failure: HTTPError, call: Call) -> PushFailed:
        reason = getattr(failure, "reason", None) or failure
        if isinstance(reason, SSLError):
            return PushFailed(
                f"No connection to {self._server} with a certificate that can be verified. Name the authority that "
                "issued it with --ca-file; verification cannot be switched off."
            )
        if isinstance(reason, ConnectTimeoutError):  # a refused connection is one too
            return PushFailed(f"{self._server} could not be reached. Is the URL right, and the server running?")
        if call.repeatable and not isinstance(failure, MaxRetryError):
            return PushFailed(f"{self._server} answered something that is no HTTP.")
        if call.repeatable:
            return PushFailed(f"{self._server} broke off or did not answer in time, {ATTEMPTS + 1} times.")
        return PushUnclear(f"{self._server} broke off or did not answer in time: nobody knows what it has done.")

    def _refusal(self, status: int, body: bytes, call: Call) -> PushRefused | PushFailed:
        where = f"{call.method} {call.path.partition('?')[0]}"
        said = self._reason(body)
        if status in (401, 403):
            return PushRefused(
                f"{self._server} refused the token ({status}) for {where}{said} Give one that is allowed this and has "
                "not expired."
            )
        if 300 <= status < 400:
            return PushRefused(
                f"{self._server} redirects {where} elsewhere ({status}), and a token is not sent on. Give the URL of "
                "the API itself."
            )
        told = f"{self._server} answered {status} to {where}{said}"
        if status not in MAY_PASS:
            return PushRefused(told)
        return PushFailed(told) if call.repeatable or status in NOT_BEGUN else PushUnclear(told)

    def _reason(self, body: bytes) -> str:
        """What the server said, without the token and without anybody's address."""
        text = body.decode(errors="replace")
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        text = " ".join(text.split())
        return f": {printable(_ADDRESS.sub('…', text), 300)}." if text else "."


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise InvalidInput(f"{ca_file} holds no certificates. A PEM file with certificates was expected.") from None
