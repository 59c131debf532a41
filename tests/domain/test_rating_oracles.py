"""Rated examples of other billing systems and of a real bill, through the engine: each model says
only where its figures go in and come out.
"""

import csv
import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from domain.billing.totals import (
    Net,
    discounted,
    missing_to_minimum,
    refunded,
    total_of,
    vat_by_line,
)
from domain.money import ROUBLE, Rounding, prorated, read_micros, rounded
from domain.rating.calendar import Calendar
from domain.rating.calls import billable_seconds, price_call
from domain.rating.deck import Deck
from domain.rating.quantities import (
    Graduated,
    GraduatedPercentage,
    Percentage,
    PerPack,
    PerUnit,
    Range,
    Volume,
)
from domain.rating.tariff import Package, Rate, RoundingRule, Step, Version, Window
from domain.rating.usage import Rater, Usage

EXACT = RoundingRule()
WORKING_DAYS = frozenset(range(5))


def micros(text):
    return read_micros(str(text))


def rule(case):
    """How the case rounds its price; without a word, not before a micro."""
    told = case["rounding"]
    return RoundingRule(Rounding(told["mode"]), told["decimals"]) if told else EXACT


def seconds_of_day(text):
    hours, minutes, seconds = map(int, text.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def epoch(text):
    moment = datetime.fromisoformat(text.replace("/", "-"))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def steps(tiers):
    return tuple(
        Step(
            tier.get("group_start_s", 0),
            micros(tier["rate"]),
            tier["rate_unit_s"],
            tier["increment_s"],
        )
        for tier in tiers
    )


def ranges(told, flat=micros):
    """Ranges that are told by whole numbers, «11 to 20», begin where the one before ends."""
    return tuple(
        Range(
            None if r["to"] is None else Fraction(str(r["to"])),
            micros(r["per_unit"]),
            flat(r["flat"]),
        )
        for r in told
    )


def per_call_tiers(case, cap=None):
    told = case["inputs"]
    rate = Rate("", steps(told["tiers"]), connect_fee=micros(told["connect_fee"]), cap=cap)
    return {"cost": price_call(rate, told["duration_s"], rounding=rule(case)).micros}


def per_call_cap(case):
    told = {**case["inputs"], "connect_fee": case["inputs"]["connect_fee"]}
    assert told["max_cost_strategy"] == "free_after"
    return per_call_tiers(case, cap=micros(told["max_cost"]))


def time_of_day_split(case):
    told = case["inputs"]
    windows = tuple(
        Window(
            {"Mon-Fri": WORKING_DAYS}[w["days"]],
            seconds_of_day(w["from_"]),
            seconds_of_day(w["to"]),
            steps([w]),
        )
        for w in told["windows"]
    )
    rate = Rate("", windows[0].steps, windows=windows)
    start, end = epoch(told["start"]), epoch(told["end"])
    calendar = Calendar(UTC, lambda _day: False)
    price = price_call(rate, end - start, started_at=start, calendar=calendar, rounding=rule(case))
    return {"cost": price.micros}


def per_increment_free_increments(case):
    told = case["inputs"]
    step = told["increment_s"]
    rate = Rate(
        "",
        (Step(0, micros(told["rate_per_increment"]), step, step),),
        connect_fee=micros(told["connect_fee"]),
        free_s=told["free_increments"] * step,
    )
    duration = told.get("duration_s")
    if duration is None:
        duration = billable_seconds(epoch(told["end"]) - epoch(told["begin"]))
    return {"cost": price_call(rate, duration).micros}


def initial_next_interval(case):
    told = case["inputs"]
    first = told["initial_interval_s"]
    rate = Rate(
        "",
        (
            Step(0, micros(told["initial_rate_per_min"]), 60, first),
            Step(first, micros(told["next_rate_per_min"]), 60, told["next_interval_s"]),
        ),
        connect_fee=micros(told["connect_fee"]),
    )
    price = price_call(rate, told["duration_s"], rounding=rule(case))
    return {"billed_s": price.billed_s, "cost": price.micros}


def per_second_rate_per_minute(case):
    told = case["inputs"]
    rate = Rate("", (Step(0, micros(told["rate_per_min"]), 60, 1),))
    duration = billable_seconds(epoch(told["time_end"]) - epoch(told["time_answered"]))
    return {"cost": price_call(rate, duration, rounding=rule(case)).micros}


def duration_rounding(case):
    return {"billable_s": billable_seconds(case["inputs"]["delta_seconds"])}


def unit_packages(case):
    told = case["inputs"]
    pack = PerPack(told["package_size"], micros(told["price_per_package"]), told["free_units"])
    return {"cost": pack.price_of(told["units"])}


def standard(case):
    return {"cost": PerUnit(micros(case["inputs"]["per_unit"])).price_of(case["inputs"]["units"])}


def graduated(case):
    told = case["inputs"]
    return {"cost": Graduated(ranges(told["ranges"])).price_of(Fraction(told["units"]))}


def volume(case):
    told = case["inputs"]
    return {"cost": Volume(ranges(told["ranges"])).price_of(Fraction(told["units"]))}


def percentage(case):
    told = case["inputs"]
    model = Percentage(
        Fraction(told["rate_pct"]),
        fixed=micros(told.get("fixed_per_event", "0")),
        least=micros(told.get("min_per_event", "0")),
        most=micros(told["max_per_event"]) if "max_per_event" in told else None,
    )
    if "events_units" in told:
        amounts = [micros(amount) for amount in told["events_units"]]
    else:  # told as a sum of so many events
        amounts = [micros(told["units"])] + [0] * (told["events"] - 1)
    return {"cost": model.price_of(amounts)}


def graduated_percentage(case):
    told = case["inputs"]
    parts = tuple(
        Range(
            None if r["to"] is None else micros(r["to"]),
            Fraction(r["rate"]) * 100,  # told as a share
            micros(r["flat"]),
        )
        for r in told["ranges"]
    )
    return {"cost": GraduatedPercentage(parts).price_of(micros(told["units"]))}


def longest_prefix(case):
    told = case["inputs"]
    deck = Deck(
        Rate(prefix, (Step(0, micros(price or "0"), 60, 60),), minimum_s=60)
        for prefix, price in told["prefixes"].items()
    )
    rate = deck.find(told["number"])
    if rate is None:
        return {"error": "no rate"}
    return {
        "matched_prefix": rate.prefix,
        "rate": rate.steps[0].price,
        "increment_s": rate.steps[0].increment_s,
        "minimum_s": rate.minimum_s,
    }


def longest_prefix_two_fields(case):
    told = case["inputs"]
    deck = Deck(
        Rate(r["phone"], (Step(0, 0),), name=name, origin=r["code"])
        for name, r in told["rates"].items()
    )
    return {"rate": deck.find(told["phone"], origin=told["code"]).name}


def longest_prefix_effective_dates(case):
    told = case["inputs"]
    at = epoch(told["at"])
    revisions = told.get("rates")
    if revisions is None:  # told in words: 03 holds, a longer one has expired
        revisions = [{"prefix": "03"}, {"prefix": told["number"][:5], "valid_to": "2018-01-01"}]
    deck = Deck(
        Rate(
            r["prefix"],
            (Step(0, 0),),
            valid_from=epoch(r["valid_from"]) if "valid_from" in r else None,
            valid_to=epoch(r["valid_to"]) if "valid_to" in r else None,
        )
        for r in revisions
    )
    rate = deck.find(told["number"], at=at)
    return {"matched_prefix": rate.prefix} if rate else {"error": "no rate"}


def bundle_then_tiers(case):
    told = case["inputs"]
    overage = tuple(
        Step(
            t["from_unit"] - 1 if t["from_unit"] else 0,
            micros(t["price_per_interval"]),
            t["interval"],
            t["interval"],
        )
        for t in told["overage_tiers"]
    )
    package = Package("bundle", int(told["quota"]), "", told["quota_shared_by_account"])
    package = Package(package.code, package.quota_s, "", package.is_shared, overage=overage)
    rate = Rate("", (Step(0, 0, 1, 1),))
    rater, usage = Rater(Version("plan", datetime.now(UTC).date(), (rate,), (package,))), Usage()
    calls = []
    for use in told["usage_sequence"]:
        length = Fraction(use["usage"])
        price = rater.price("1", length, subscriber_id=use["subscriber"], usage=usage)
        calls.append(
            {
                "in_bundle": price.package_s,
                "over_bundle": length - price.package_s,
                "cost": price.micros,
            }
        )
    return {"per_call": calls}


def percent(text):
    return Decimal(str(text))


def proration_with_tax(case):
    told = case["inputs"]
    net = prorated(told["monthly_net_cents"], told["days_used"], told["days_in_month"])
    totals = total_of([Net(net, percent(told["tax_pct"]))])
    return {"net_cents": totals.net, "tax_cents": totals.vat, "total_cents": totals.total}


def prorated_minimum_commitment(case):
    told = case["inputs"]
    return {
        "true_up_cents": missing_to_minimum(
            told["min_cents"], told["days_used"], told["days_in_month"], told["usage_cents"]
        )
    }


def invoice_tax(case):
    told = case["inputs"]
    lines = [Net(net, percent(told["tax_pct"])) for net in told["lines_net_cents"]]
    totals = total_of(lines)
    return {
        "tax_cents": totals.vat,
        "total_cents": totals.total,
        "tax_by_line_cents": vat_by_line(lines),
        "total_minus_credit_note_643_cents": totals.total - 643,
    }


def invoice_tax_mixed_rates_discount(case):
    told = case["inputs"]
    lines = [Net(line["net_cents"], percent(line["tax_pct"])) for line in told["lines"]]
    after = discounted(lines, told["discount_cents"])
    return {
        "discount_by_line_cents": [b.amount - a.amount for b, a in zip(lines, after, strict=True)],
        "tax_by_line_cents": vat_by_line(after),
        "tax_cents": total_of(after).vat,
        "total_cents": total_of(after).total,
    }


def credit_note(case):
    told = case["inputs"]
    rate = percent(told["tax_pct"])
    totals = total_of([Net(refunded(told["net_cents"], Fraction(told["refund_fraction"])), rate)])
    return {
        "gross_tax_cents": total_of([Net(told["net_cents"], rate)]).vat,
        "net_cents": totals.net,
        "tax_cents": totals.vat,
        "total_cents": totals.total,
    }


MODELS = {
    function.__name__: function
    for function in (
        per_call_tiers,
        per_call_cap,
        time_of_day_split,
        per_increment_free_increments,
        initial_next_interval,
        per_second_rate_per_minute,
        duration_rounding,
        unit_packages,
        standard,
        graduated,
        volume,
        percentage,
        graduated_percentage,
        longest_prefix,
        longest_prefix_two_fields,
        longest_prefix_effective_dates,
        bundle_then_tiers,
        proration_with_tax,
        prorated_minimum_commitment,
        invoice_tax,
        invoice_tax_mixed_rates_discount,
        credit_note,
    )
}
MONEY = {"cost", "rate"}
QUANTITIES = {"in_bundle", "over_bundle"}


def cases():
    path = os.environ.get("CABINET_ORACLES")
    if not path:
        return [pytest.param(None, marks=pytest.mark.skip(reason="CABINET_ORACLES is not set"))]
    found = json.loads(Path(path).read_text(encoding="utf-8"))["cases"]
    return [pytest.param(case, id=case["id"]) for case in found]


def as_figures(expected):
    """Expected figures in our units: money in micros, whatever else as it is."""
    figures = {}
    for name, value in expected.items():
        if name == "per_call":
            figures[name] = [as_figures(each) for each in value]
        elif name in QUANTITIES:
            figures[name] = Fraction(value)
        elif name in MONEY and not str(value).startswith(("CALL", "SMS")):
            figures[name] = Fraction(value) * ROUBLE
        else:
            figures[name] = value
    return figures


@pytest.mark.parametrize("case", cases())
def test_the_engine_gives_the_price_of_the_example(case):
    assert case["model"] in MODELS, f"no model named {case['model']}"
    got, wanted = MODELS[case["model"]](case), as_figures(case["expected"])
    if "error" in wanted:
        assert "error" in got
        return
    assert {name: got[name] for name in wanted} == wanted


def bill_rows():
    path = os.environ.get("CABINET_BILL_ROWS")
    if not path:
        return [pytest.param(None, marks=pytest.mark.skip(reason="CABINET_BILL_ROWS is not set"))]
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [pytest.param(row, id=f"row-{row['row']}") for row in csv.DictReader(file)]


@pytest.mark.parametrize("row", bill_rows())
def test_the_engine_gives_the_price_on_a_real_bill(row):
    rate = Rate("", (Step(0, micros(row["bill_rate"]), 60, 1),))
    duration = billable_seconds(epoch(row["time_end"]) - epoch(row["time_answered"]))
    price = price_call(rate, duration, rounding=RoundingRule(Rounding.HALF_UP, 2))
    assert price.micros == micros(row["bill_cost"])


def test_a_price_is_rounded_by_its_case():
    assert rounded(Fraction(641_666_667, 1000), places=4, mode=Rounding.UP) == 641_700
