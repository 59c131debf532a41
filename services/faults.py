"""Kill points: named places at which a process can be told to die as by kill -9, or to stand still
as by kill -STOP, to prove that nothing is lost there. Settings refuse to set one outside
CABINET_TESTING=1.
"""

import os
import signal
from pathlib import Path

from flask import current_app

from config import Config

# All there are. Points named like an action lie inside its transaction, those named like a state
# behind the commit. `tests/chaos/` sweeps each, and compares this list with the code.
POINTS = frozenset(
    {
        "order.placing",
        "order.placed",
        "order.hinted",
        "order.claiming",
        "order.claimed",
        "order.beginning",
        "order.rendering",
        "order.writing_rows",  # :1 before the first row, :2 behind the last of a short report
        "order.file_written",  # under its temporary name
        "order.naming",  # :1 the file, :2 the letter
        "order.file_named",
        "order.recording",
        "order.rendered",
        "order.letter_written",
        "order.letter_named",
        "order.freezing",
        "order.frozen",
        "order.marking",
        "order.sending",
        "order.renewing",
        "order.before_data",  # the lease has been looked at for the last time
        "order.data_sent",  # the message is out, its answer not in
        "order.acknowledged",
        "order.closing",
        "order.sent",
        "order.offering",  # instead of a letter
        "order.available",
        "order.noting_unknown",
        "order.noted_unknown",
        "order.holding",
        "order.held",
        "order.noting_refusal",
        "order.noted_refusal",
        "order.giving_back",
        "order.given_back",
        "order.cancelling",
        "order.cancelled",
        "order.retrying",
        "order.retried",
        "import.storing",  # :1 the first batch of a file, and so on
        "import.stored",
        "billing.asked",
        "invoice.stored",
        "invoice.committed",
        "delivery.asking",
        "delivery.asked",
        "delivery.confirming",
        "delivery.confirmed",
        "delivery.cancelling",
        "delivery.cancelled",
        "notice.claiming",
        "notice.claimed",
        "notice.marking",
        "notice.sending",
        "notice.acknowledged",
        "notice.closing",
        "notice.sent",
        "notice.noting_unknown",
        "notice.noted_unknown",
        "notice.giving_back",
        "notice.given_back",
        "notice.releasing",
        "notice.released",
        "reconcile.part_done",  # :1 after the first part of a round, and so on
        "reconcile.releasing",
        "reconcile.released",
        "reconcile.file_removed",
        "reconcile.letter_removed",
        "backup.rows_copied",
        "backup.written",
        "restore.unpacked",
        "restore.placing",
    }
)


def reach(point: str) -> None:
    """Die here when CABINET_CRASH_AT is this point: `order.sending`, or `order.sending:3` for the
    third time that any process of this data dir comes by; `stop order.sending` only stands still.
    `@file` names a file that holds any of these, so that a test tells processes that run. Each
    fires once.
    """
    config: Config = current_app.config["CABINET"]
    if not config.CRASH_AT:
        return
    asked, _, nth = _asked(config.CRASH_AT).partition(":")
    how, _, wanted = asked.rpartition(" ")
    if point == wanted and _count(config, point) == int(nth or 1):
        os.kill(os.getpid(), signal.SIGSTOP if how == "stop" else signal.SIGKILL)


def _asked(text: str) -> str:
    return Path(text[1:]).read_text(encoding="ascii").strip() if text[:1] == "@" else text


def _count(config: Config, point: str) -> int:
    """How often this point was reached, this time included: a byte each time, so that processes
    that come by at once are told apart.
    """
    path = config.data_dir / "faults" / point
    path.parent.mkdir(exist_ok=True)
    with path.open("ab", buffering=0) as file:
        file.write(b".")
        return file.tell()
