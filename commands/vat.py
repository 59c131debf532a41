"""`flask vat list|set`: VAT by kind of service and day."""

from datetime import datetime

import click
from flask.cli import AppGroup

from commands.refusals import on_database
from domain.formats import NBSP, format_percent
from domain.money import read_kopecks
from services import clock, vat_rates
from services.audit import By

group = AppGroup("vat", help="VAT by kind of service.")
DAY = click.DateTime(["%Y-%m-%d", "%d.%m.%Y"])


@group.command("list")
@click.option("--on", "day", type=DAY, help="Which are in force on that day.  [default: today]")
@on_database
def list_rates(day: datetime | None) -> None:
    """Every rate with its first day: the law's, and those set here."""
    on = day.date() if day else clock.now().date()
    holding = {}
    for rule, _is_own in vat_rates.every():
        if rule.valid_from <= on:
            holding[rule.service] = rule
    for rule, is_own in vat_rates.every():
        whose = "set here" if is_own else "law"
        state = "in force" if holding.get(rule.service) == rule else "-"
        percent = _percent(int(rule.percent * 100))
        click.echo(f"{rule.service}\t{rule.valid_from}\t{percent}\t{whose}\t{state}")


@group.command("set")
@click.argument("service")
@click.argument("percent")
@click.option("--from", "valid_from", type=DAY, required=True, help="The first day.")
@on_database
def set_rate(service: str, percent: str, valid_from: datetime) -> None:
    """Let SERVICE (telecom, goods or one of your own) have PERCENT of VAT from a day on.

    The bill of a month takes the rate of its last day; months that have bills keep theirs.
    """
    hundredths = read_kopecks(percent.removesuffix("%"))
    done = vat_rates.put(service, hundredths, valid_from=valid_from.date(), by=By(now=clock.now()))
    told = f"{done.row.service}: {_percent(done.row.percent)} from {done.row.valid_from}"
    click.echo(told if done.is_changed else f"{told}, as before")


def _percent(hundredths: int) -> str:
    return format_percent(hundredths).replace(NBSP, " ")
