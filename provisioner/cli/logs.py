"""Where events go: one line each to standard error, as text for people or as JSON for machines.

Events are key=value and hold no addresses and no tokens; what libraries log takes the same way. Standard output stays
free for what a command was asked for.
"""

import logging
import sys
from contextlib import suppress
from threading import Lock

import structlog
from structlog.typing import Processor

# At info the first two tell every statement; urllib3 warns of each retry with its path, in which people are named; msal
# quotes answers, which may hold a token. What matters of the latter two is said in our own words.
_QUIET_LIBRARIES = {
    "alembic": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "urllib3": logging.ERROR,
    "msal": logging.CRITICAL + 1,
}
_writing = Lock()  # one line at a time


def start_log(*, level: str, form: str) -> None:
    """Write events of ``level`` and above to standard error in ``form``, "text" or "json"."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, *_rendering(form)],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=_Events,
        cache_logger_on_first_use=False,
    )
    handler = _Libraries()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(form)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name, quietest in _QUIET_LIBRARIES.items():
        logging.getLogger(name).setLevel(quietest)


class _Events:
    """Our own events, written at once: the way through the standard library takes as long as all the rest."""

    def __init__(self, *names: str) -> None:
        """``names`` are what structlog was asked for; no line shows them."""

    def debug(self, line: str) -> None:
        """Write the event, of whatever importance."""
        _write(line)

    info = warning = error = critical = debug


class _Libraries(logging.Handler):
    """What libraries log by the standard library."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the event."""
        _write(self.format(record))


def _write(line: str) -> None:
    """Write to standard error as it is now: a worker or a test may have another one than when the log was started."""
    with _writing, suppress(OSError):  # a log that cannot be written stops nobody
        sys.stderr.write(f"{line}\n")  # which is written at each end of a line


def _rendering(form: str) -> list[Processor]:
    # Tracebacks as plain text: structlog's structured and coloured ones show local variables, tokens among them.
    if form == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    order = ["timestamp", "level", "event"]
    return [structlog.processors.format_exc_info, structlog.processors.LogfmtRenderer(key_order=order)]
