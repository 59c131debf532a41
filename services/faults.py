"""Kill points: named places at which a process can be told to die as by kill -9, to prove that
nothing is lost there. Settings refuse to set one outside CABINET_TESTING=1.
"""

import os
import signal

from flask import current_app

from config import Config


def reach(point: str) -> None:
    """Die here when CABINET_CRASH_AT is this point: `order.sending`, or `order.sending:3` for the
    third time that any process of this data dir comes by. Each fires once.
    """
    config: Config = current_app.config["CABINET"]
    if not config.CRASH_AT:
        return
    wanted, _, nth = config.CRASH_AT.partition(":")
    if point == wanted and _count(config, point) == int(nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)


def _count(config: Config, point: str) -> int:
    """How often this point was reached, this time included: a byte each time, so that processes
    that come by at once are told apart.
    """
    path = config.data_dir / "faults" / point
    path.parent.mkdir(exist_ok=True)
    with path.open("ab", buffering=0) as file:
        file.write(b".")
        return file.tell()
