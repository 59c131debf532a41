"""What stands in the tables, so that two moments can be compared."""

from models import AuditEvent, UserSession
from models_all import ALL_MODELS
from models_feedback import FeedbackSeen

WATCHED = tuple(model for model in ALL_MODELS if model is not AuditEvent)
# Looking at a page keeps a session alive, and what was shown has been read.
BUSINESS = tuple(model for model in WATCHED if model not in (UserSession, FeedbackSeen))


def dump(models=WATCHED):
    """All rows of `models`, by table, in an order of their own."""
    return {model: sorted(map(repr, model.select().tuples())) for model in models}


def refusals():
    """What is written down of refused looks, oldest first: (user, subject)."""
    found = AuditEvent.select().where(AuditEvent.event == "authz_fail").order_by(AuditEvent.id)
    return [(event.user_id, event.subject) for event in found]
