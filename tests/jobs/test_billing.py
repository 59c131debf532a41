"""Invoices asked for on a page: one request, however often it is clicked, and none is lost."""

from datetime import date, timedelta

import pytest
from rq.timeouts import JobTimeoutException

from domain.billing.requests import RequestState
from domain.errors import InvalidValue
from domain.rating.states import CallRating
from domain.roles import Role
from jobs import billing as job
from models import AuditEvent, Call, Order
from models_billing import BillingFailure, BillingRequest, BillingRun, Invoice
from services import billing, billing_requests, clock, import_turns, queue
from tests.factories import NOON, make_call, make_client, make_subscriber, make_user

MARCH = date(2026, 3, 1)
NOW = NOON.replace(month=4)


@pytest.fixture
def hints(app, base, monkeypatch):
    """Ids that workers were woken for; no Redis is there."""
    given = []
    monkeypatch.setattr(queue, "hint_billing", lambda request_id: given.append(request_id) or True)
    monkeypatch.setattr(queue, "waiting", lambda: 0)
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return given


@pytest.fixture
def ask(hints):
    user = make_user(role=Role.OPERATOR_ADMINISTRATOR)

    def put(*, is_dry=False, **values):
        values = {"period": MARCH, "user": user, "now": NOW, **values}
        return billing_requests.ask(values.pop("period"), is_dry=is_dry, **values)

    return put


@pytest.fixture
def three(base):
    """Two clients that can be billed, and one whose call has no price."""
    good = [make_client(), make_client()]
    bad = make_client()
    make_call(make_subscriber(bad), answered_at=int(NOON.timestamp()), rating=CallRating.NO_PLAN)
    return *good, bad


def reread(request):
    return BillingRequest.get_by_id(request.id)


def counts(request):
    row = reread(request)
    return row.state, row.clients, row.formed, row.known, row.failed


def test_a_month_is_looked_at_then_formed(ask, three, hints):
    look = ask(is_dry=True)
    assert (look.state, hints) == (RequestState.ASKED, [look.id])
    job.form(look.id)
    assert counts(look) == (RequestState.DONE, 3, 2, 0, 1)
    assert reread(look).failures == [[three[2].id, "unrated_calls", 1]]
    assert not Invoice.across_clients().exists()
    assert not BillingFailure.across_clients().exists()
    real = ask()
    job.form(real.id)
    assert counts(real) == (RequestState.DONE, 3, 2, 0, 1)
    assert (Invoice.select().count(), Order.select().count()) == (2, 2)
    [failure] = billing_requests.failures_of_month(MARCH)
    assert (failure.client, failure.reason) == (three[2], "unrated_calls")
    run = BillingRun.get()
    assert (run.state, run.formed, reread(real).run) == ("done", 2, run)
    kinds = [event.event for event in AuditEvent.select()]
    assert kinds.count("billing_asked") == 2


def test_one_client_is_tried_again_alone(ask, three):
    job.form(ask().id)
    Call.update(rating=CallRating.WAIVED, price=0, billed_s=0, package_s=0).execute()
    again = ask(client=three[2])
    job.form(again.id)
    assert counts(again) == (RequestState.DONE, 1, 1, 0, 0)
    assert billing_requests.failures_of_month(MARCH) == []
    last = ask()
    job.form(last.id)
    assert counts(last) == (RequestState.DONE, 3, 0, 3, 0)


def test_a_second_click_is_the_same_request(ask, hints):
    first = ask()
    assert ask() == first
    assert ask(is_dry=True) != first
    assert ask(client=make_client()) != first
    job.form(first.id)
    assert ask() != first


def test_a_month_that_has_not_ended_is_refused(ask):
    with pytest.raises(InvalidValue):
        ask(period=date(2026, 4, 1))
    assert not BillingRequest.select().exists()


def test_what_was_begun_is_gone_on_with_and_counted_whole(ask, three, monkeypatch):
    request = ask()
    form, done = billing._Work._form, []

    def form_one(work, client):
        if done:
            raise JobTimeoutException
        done.append(client)
        return form(work, client)

    monkeypatch.setattr(billing._Work, "_form", form_one)
    job.form(request.id)
    assert (reread(request).state, reread(request).attempts) == (RequestState.RUNNING, 0)
    assert not BillingFailure.across_clients().exists(), "the time was over, nothing was wrong"
    monkeypatch.undo()
    monkeypatch.setattr(queue, "hint_billing", lambda _id: True)
    monkeypatch.setattr(clock, "now", lambda: NOW)
    job.form(request.id)
    assert counts(request) == (RequestState.DONE, 3, 2, 0, 1)
    assert reread(request).total == sum(row.total for row in Invoice.across_clients())
    assert BillingRun.select().count() == 1


def test_a_client_that_outlasts_a_job_is_listed_and_the_others_are_billed(ask, three, monkeypatch):
    request = ask()
    form, tried = billing._Work._form, []

    def form_slow(work, client):
        tried.append(client)
        if client == three[1]:
            raise JobTimeoutException
        return form(work, client)

    monkeypatch.setattr(billing._Work, "_form", form_slow)
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(minutes=1))
    job.form(request.id)
    assert not BillingFailure.across_clients().exists(), "another was formed in the same time"
    job.form(request.id)
    [failure] = billing_requests.failures_of_month(MARCH)
    assert (failure.client, failure.reason) == (three[1], "took_too_long")
    assert reread(request).state == RequestState.RUNNING
    job.form(request.id)
    assert counts(request) == (RequestState.DONE, 3, 1, 0, 2)
    reasons = [[three[1].id, "took_too_long", 0], [three[2].id, "unrated_calls", 1]]
    assert reread(request).failures == reasons
    assert tried == [three[0], three[1], three[1], three[2]]
    job.form(ask(client=three[1], now=NOW + timedelta(minutes=2)).id)
    assert tried[-1] == three[1], "asked for alone it is tried again"


def test_a_look_that_never_comes_to_its_end_is_given_up(app, ask, three, monkeypatch):
    def form_none(_work, _client):
        raise JobTimeoutException

    monkeypatch.setattr(billing._Work, "_form", form_none)
    request = ask(is_dry=True)
    for _try in range(app.config["CABINET"].MAX_ATTEMPTS):
        job.form(request.id)
        assert reread(request).state == RequestState.RUNNING
    job.form(request.id)
    assert reread(request).state == RequestState.FAILED


def test_it_waits_for_an_import_and_is_found_again(app, ask, hints):
    request = ask()
    with import_turns.one_at_a_time(app.config["CABINET"].data_dir):
        job.form(request.id)
        assert billing_requests.hint_due() == 0
    assert reread(request).state == RequestState.ASKED
    assert billing_requests.hint_due() == 1
    assert hints == [request.id, request.id]
    job.form(request.id)
    assert billing_requests.hint_due() == 0


def test_it_is_given_up_after_so_many_deaths(app, ask):
    request = ask()
    BillingRequest.update(attempts=app.config["CABINET"].MAX_ATTEMPTS).execute()
    job.form(request.id)
    assert (reread(request).state, reread(request).error) == (RequestState.FAILED, "worker_lost")


def test_an_error_outside_of_clients_ends_it_with_a_trace(ask, monkeypatch):
    request = ask()
    monkeypatch.setattr(billing.months, "cut_now", lambda: 1 / 0)
    job.form(request.id)
    assert reread(request).state == RequestState.FAILED
    assert "ZeroDivisionError" in reread(request).error


def test_a_job_that_comes_too_late_does_nothing(ask):
    request = ask()
    job.form(request.id)
    before = BillingRequest.get().__data__
    job.form(request.id)
    assert BillingRequest.get().__data__ == before
