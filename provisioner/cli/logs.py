"""Where events go: one line each to standard error, as text for people or as JSON for machines.

Events are key=value and hold no addresses and no tokens; what libraries log takes the same way. Standard output stays
free for what a command was asked for.
"""

import logging
import sys

import structlog

_QUIET_LIBRARIES = ("alembic", "sqlalchemy")  # at info they tell every statement


def start_log(*, level: str, form: str) -> None:
    """Write events of ``level`` and above to standard error in ``form``, "text" or "json"."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_writer(form)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


class _StandardError(logging.Handler):
    """Standard error as it is now: a worker or a test may have another one than the process that started the log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the event as one line."""
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except OSError:
            self.handleError(record)


def _writer(form: str) -> list[structlog.typing.Processor]:
    # Tracebacks as plain text: structlog's structured and coloured ones show local variables, tokens among them.
    if form == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    order = ["timestamp", "level", "event"]
    return [structlog.processors.format_exc_info, structlog.processors.LogfmtRenderer(key_order=order)]
