"""The job that reads uploaded files of call records, and takes imports out again."""

from rq.timeouts import JobTimeoutException

from services import upload_work


def read(run_id: int) -> None:
    """Bring an import on by one step: check, store or take out, as its row says. Safe to repeat,
    and to be killed anywhere; what a job has no time for, the next one does.
    """
    upload_work.work(run_id, time_over=JobTimeoutException)
