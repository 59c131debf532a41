"""Which calls are waived: asked by everybody who prices calls. Waiving is in `waivers.py`."""

from collections.abc import Set as AbstractSet

from models import Subscriber, db
from models_billing import WaivedCall


def of_client(client_id: int) -> AbstractSet[tuple[int, int]]:
    """(subscriber, seq) of a client's waived calls."""
    own = Subscriber.of(client_id, Subscriber.id)
    query = WaivedCall.select(WaivedCall.subscriber_id, WaivedCall.seq)
    return set(query.where(WaivedCall.subscriber_id.in_(own)).tuples())


class Waived:
    """Waived calls of everybody, as they are when it is made; read number by number."""

    def __init__(self) -> None:
        rows = db.execute_sql("SELECT DISTINCT subscriber_id FROM waived_call").fetchall()
        self.subscribers: AbstractSet[int] = {subscriber_id for (subscriber_id,) in rows}
        self._known: dict[int, AbstractSet[int]] = {}

    def holds(self, subscriber_id: int, seq: int) -> bool:
        """Whether a call of one of `subscribers` is waived."""
        known = self._known.get(subscriber_id)
        if known is None:
            query = WaivedCall.select(WaivedCall.seq)
            rows = query.where(WaivedCall.subscriber_id == subscriber_id).tuples()
            known = self._known[subscriber_id] = {seq for (seq,) in rows}
        return seq in known
