"""Answer and end of a call, written by SIP proxies as two events, put together to one leg."""

from domain.cdr.legs import leg_of
from domain.cdr.record import Disposition, Half, Leg, Nonsense, check_timing

HALVES_IN_MEMORY = 200_000  # of one file; older ones are found again in the table


class OpenHalves:
    """Halves of one file that have not met yet: the oldest give way when there are too many."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], Half] = {}

    def meet(self, half: Half) -> Half | Leg:
        """The leg that `half` completes, or itself when it has to wait.

        Raises `Nonsense` for an end before its answer.
        """
        key = half.uid, half.leg
        other = self._open.get(key)
        if other is None or other.is_answer == half.is_answer:
            self._open[key] = half if other is None else earlier(half, other)
            if len(self._open) > HALVES_IN_MEMORY:
                del self._open[next(iter(self._open))]
            return half
        leg = pair(half, other)
        del self._open[key]
        return leg


def earlier(one: Half, other: Half) -> Half:
    """Of two equal halves the one that counts: the first answer, the first end."""
    return min(one, other, key=lambda half: (half.at, half))


def pair(one: Half, other: Half) -> Leg:
    """The leg that two halves make; raises `Nonsense` for an end before its answer."""
    answer, end = (one, other) if one.is_answer else (other, one)
    if end.at < answer.at:
        raise Nonsense("ended before it was answered")
    lasted_s = end.at - answer.at
    answered = Disposition.ANSWERED
    timing = check_timing(answer.at, answer.at, end.at, lasted_s, lasted_s, answered)
    return leg_of(
        uid=answer.uid,
        leg=answer.leg,
        started_at=answer.at,  # proxies write the final reply: when it began to ring is not known
        timing=timing,
        disposition=answered,
        a_raw=answer.a_raw,
        b_raw=answer.b_raw,
        account=answer.account,
    )


def answered_earlier(leg: Leg, answer: Half) -> Leg:
    """`leg` with an earlier answer of its own, found in another file."""
    if answer.at >= leg.started_at:
        return leg
    end = Half(0, leg.uid, leg.leg, leg.ended_at, is_answer=False)
    return pair(answer, end)
