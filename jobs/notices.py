"""The job that sends letters that no order asked for."""

from services import notices


def send(_: int) -> None:
    """Send what is due, a few at a time. Safe to repeat, and to be killed anywhere."""
    notices.send_due()
