"""What the long-running parts write down: one JSON object a line, whatever stands in an event.

Logs name rows by their ids. What slips into a text all the same (a number, an address) is masked,
and an error is told by its type and its place, not by its message: messages repeat values. The
same trace is kept for the operator in the row of an order.
"""

import json
import logging
import re
import sqlite3
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType

from domain.errors import DomainError
from domain.formats import mask_emails

QUIET = ("mail.log", "asyncio")  # aiosmtpd tells every envelope
_NUMBER = re.compile(r"\+?\d(?:[ ()-]{0,2}\d){6,}")
_TRACE = "Traceback (most recent call last)"
_BETWEEN_TRACES = (
    ":",  # what is left of the first of them
    f"{_TRACE}:",
    "",
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
_ERROR_NAME = re.compile(r"[A-Za-z_][\w.]*(?=:|$)")
# Errors whose messages speak of code and types, never of a value.
_PLAIN_ERRORS = (
    ArithmeticError,
    AttributeError,
    ImportError,
    MemoryError,
    NameError,
    RecursionError,
    TypeError,
    sqlite3.Error,
)


class JsonLines(logging.Formatter):
    """An event as one line of JSON in ASCII: no character of it can end the line or colour it."""

    def format(self, record: logging.LogRecord) -> str:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # the arguments do not fit: the words alone
            message = str(record.msg)
        event = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
            "message": masked(message),
        }
        if record.exc_info and record.exc_info[1] is not None:
            event["trace"] = trace_text(record.exc_info[1])
        return json.dumps(event)


def masked(text: str) -> str:
    """`text` without phone numbers and e-mail addresses, and without what errors in it say.

    >>> masked("no such user: buh@romashka.by, +375 29 123-45-67")
    'no such user: b***@r***.by, ***'
    """
    if _TRACE in text:
        text = _without_messages(text)
    return _NUMBER.sub("***", mask_emails(text))


def _without_messages(text: str) -> str:
    """A text with a formatted trace in it: its places and types stay."""
    before, mark, trace = text.partition(_TRACE)
    kept, depth = [], 0  # how many lines of a place may still follow
    for line in trace.splitlines():
        if line.startswith('  File "'):
            kept.append(line)
            depth = 3  # what stands there, a marker under it, the error
        elif depth and line.startswith("    "):
            kept.append(line)
            depth -= 1
        elif depth and (name := _ERROR_NAME.match(line)):
            kept.append(name.group())
            depth = 0
        elif line in _BETWEEN_TRACES:
            kept.append(line)
    return before + mark + "\n".join(kept)


def trace_text(error: BaseException) -> str:
    """Where an error came from, and what from: frames and types, and those messages that cannot
    hold a value.
    """
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = "".join(traceback.format_tb(current.__traceback__))
        parts.append(f"{_TRACE}:\n{frames}{_told(current)}\n")
        hidden = current.__cause__ is None and current.__suppress_context__
        current = None if hidden else current.__cause__ or current.__context__
    return "\nwhich led to:\n\n".join(reversed(parts))


def _told(error: BaseException) -> str:
    name = type(error).__qualname__
    if isinstance(error, OSError):
        return f"{name}: [Errno {error.errno}] {error.strerror}" if error.errno else name
    if isinstance(error, DomainError):
        return f"{name}: {error.code}"
    if state := getattr(error, "sqlstate", None):  # of PostgreSQL, whose messages quote rows
        return f"{name}: SQLSTATE {state}"
    return f"{name}: {masked(str(error))}" if isinstance(error, _PLAIN_ERRORS) else name


def set_up() -> None:
    """Write every event of this process to its standard output, the last one too."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _note_end
    threading.excepthook = lambda args: _note_end(args.exc_type, args.exc_value, None)


def _note_end(
    kind: type[BaseException], error: BaseException | None, _trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    log = logging.getLogger(__name__)
    log.critical("ended by an error nobody expected", exc_info=error or kind())
