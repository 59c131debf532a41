"""The states of invoices that were asked for on a page, and are formed by a job."""

from enum import StrEnum


class RequestState(StrEnum):
    """Where a request for a month's invoices stands."""

    ASKED = "asked"  # nobody has begun
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # it was tried too often


OPEN_STATES = frozenset({RequestState.ASKED, RequestState.RUNNING})
