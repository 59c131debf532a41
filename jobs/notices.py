"""The job that sends letters that no order asked for."""

from services import notice_sending


def send(_: int) -> None:
    """Send what is due, a few at a time. Safe to repeat, and to be killed anywhere."""
    notice_sending.send_due()
