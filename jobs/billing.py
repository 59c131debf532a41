"""The job that forms a month's invoices."""

from rq.timeouts import JobTimeoutException

from services import billing_requests


def form(request_id: int) -> None:
    """Form what a request asks for. Safe to repeat, and to be killed anywhere; what a job has no
    time for, the next one does.
    """
    billing_requests.work(request_id, time_over=JobTimeoutException)
