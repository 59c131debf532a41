"""What stands in the tables, so that two moments can be compared."""

from models import AuditEvent, UserSession
from models_all import ALL_MODELS
from models_feedback import FeedbackSeen
from models_subscribers import CentreDay

WATCHED = tuple(model for model in ALL_MODELS if model is not AuditEvent)
# Looking at a page keeps a session alive, what was shown has been read, and what was counted for it
# is kept.
BY_LOOKING = (UserSession, FeedbackSeen, CentreDay)
BUSINESS = tuple(model for model in WATCHED if model not in BY_LOOKING)


def dump(models=WATCHED):
    """All rows of `models`, by table, in an order of their own."""
    return {model: sorted(map(repr, model.select().tuples())) for model in models}


def refusals():
    """What is written down of refused looks, oldest first: (user, subject)."""
    found = AuditEvent.select().where(AuditEvent.event == "authz_fail").order_by(AuditEvent.id)
    return [(event.user_id, event.subject) for event in found]
