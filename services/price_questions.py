"""«Why this price?»: of a call in the table, or of one that somebody thinks of."""

from datetime import datetime
from decimal import Decimal

from domain.billing.vat import TELECOM, vat_percent
from domain.errors import NotFound
from domain.msisdn import normalise
from domain.rating.calendar import Calendar
from domain.rating.explanation import Explanation, explain
from domain.rating.usage import Rater, Usage
from models import Call, Client
from models_billing import TariffPlan
from services import clock, rating, tariffs, vat_rates
from services.scopes import whole_company


def ask(plan_name: str, number: str, seconds: int, at: datetime) -> Explanation | None:
    """The price of a call of `seconds` to `number`, answered at `at`, by a plan without regard to
    packages. None: the plan has no price for it. Raises `NotFound` for a plan that is not there.
    """
    plan = TariffPlan.get_or_none(TariffPlan.name == plan_name)
    version_row = plan and tariffs.in_force(plan, clock.local(at).date())
    if version_row is None:
        raise NotFound(what="tariff", name=plan_name)
    version = tariffs.load(version_row.id)
    rater = Rater(version, Calendar(clock.zone()))
    price = rater.price(normalise(number), seconds, started_at=clock.epoch(at))
    if price is None:
        return None
    return explain(price, version, seconds, _vat(at))


def why(client: Client, call: Call) -> Explanation | None:
    """Why a call in the table costs what it does: the calls of its month before it are gone
    through, for they have used the packages. None for a call without a price, or one that costs
    nothing by nature.
    """
    with whole_company():
        return _why(client, call)


def _why(client: Client, call: Call) -> Explanation | None:
    moment = call.answered_at
    rater = rating.CallRater(client)
    version_id = moment and rater.plans.version_at(call.subscriber_id, moment)
    if not version_id or call.rate_id is None:
        return None
    usage, priced = Usage(), None
    for key, told in rating.taking_part(client, call, rater):
        priced = rater.price(told, usage)
        if key == (call.subscriber_id, call.started_at, call.seq):
            break
    if priced is None:
        return None
    version = rater.version(version_id)
    return explain(priced, version, call.billable_s, _vat(clock.from_epoch(moment)))


def _vat(at: datetime) -> Decimal:
    return vat_percent(TELECOM, clock.local(at).date(), vat_rates.own())
