"""Orders of what is told by number: a first step with its own questions, then whose numbers, then
the order. «Детализация на E-mail» and the charges are ordered so; their modules have the routes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Response, abort, flash, g, redirect, request, url_for
from flask_wtf import FlaskForm
from werkzeug.exceptions import Gone

from blueprints.bills.bill_forms import LIMITS
from blueprints.bills.forms import SubscribersForm
from blueprints.forms import StaleForm, refusal
from blueprints.picker import Picker, has_few, tick_chosen, ticked_chosen
from blueprints.web import render_section
from blueprints.wizard import raw_answers, remembered, replay
from domain.errors import DomainError
from domain.msisdn import Verdict
from domain.orders import OrderKind
from models import Order, OrderDraft
from services import clock, drafts, orders, selection
from services.orders import OrderRequest
from services.selection import PAGE_SIZES, Eligible, ListReport
from texts import error_text, gettext

PROBLEMS_SHOWN = 200
TYPED = "typed"  # in the answers of a draft: the list as it was typed


class DraftOver(Gone):
    """The draft has lived its time: 410, with a sentence of its own."""

    @property
    def text(self) -> str:
        """The sentence for the page."""
        return gettext("The draft has been deleted. Begin the order anew.")


@dataclass(frozen=True)
class Step:
    """The second step: a draft whose first step holds, and whose numbers may be chosen."""

    draft: OrderDraft
    request: OrderRequest
    everything: object  # a query over the subscribers that may be chosen

    def picker(self) -> Picker:
        """The list as the address or the posted form asks for it."""
        days = self.request.period.bounds(clock.zone())
        short = partial(Eligible, g.client, *days)
        return Picker.asked_for(self.draft, self.everything, request.values, short)

    def typed(self) -> str:
        """The list typed so far."""
        return self.draft.answers.get(TYPED, "")


@dataclass(frozen=True)
class NumbersWizard:
    """The steps of one kind of order. `place`: the blueprint that has them as `start`, the view
    called `first`, `subscribers` and `ticks`. A form of the first step that holds has a `request`.
    """

    kind: OrderKind
    place: str
    first: str
    make_form: Callable[..., FlaskForm]
    show_first: Callable[[FlaskForm], Response]
    about: Callable[[OrderRequest], dict[str, Any]]  # what the second step tells of the first

    def url(self, view: str, **values: object) -> str:
        """The address of one of the steps."""
        return url_for(f"{self.place}.{view}", **values)

    def start(self) -> Response:
        """The first step of a new order. Drawing it stores nothing; its answers make the draft."""
        form = self.make_form()
        if not form.validate_on_submit():
            return self.show_first(form)
        answers, now = raw_answers(form), clock.now()
        draft = drafts.start(g.client, g.user, self.kind, self.first, answers, now=now)
        tick_chosen(draft, everything_of(form.request))
        return redirect(self.url("subscribers", key=draft.key), code=303)

    def again(self, key: str, *, is_refilled: bool = False) -> Response:
        """The first step again, filled with what was answered."""
        draft = self._own_draft(key)
        if request.method != "POST" and not is_refilled:
            return self.show_first(remembered(self.make_form, draft, self.first))
        form = self.make_form()
        if form.validate_on_submit():
            drafts.remember(draft, self.first, raw_answers(form))
            return redirect(self.url("subscribers", key=key), code=303)
        return self.show_first(form)

    def subscribers(self, key: str) -> Response:
        """The second step: ticks and a typed list, and with them the order."""
        step = self._open_step(key)
        form = SubscribersForm(data={"typed": step.typed()})
        picker = step.picker()
        if request.method != "POST":
            report = selection.check_list(step.everything, step.typed()) if _is_checked() else None
            return self._show(step, form, picker, report=report)
        if not form.validate():
            return self._show(step, form, picker, status=422)
        save_list(step.draft, form, picker)
        if form.go.data in ("check", "submit", "continue"):
            return self._finish(step, form, picker)
        if form.go.data == self.first:
            return redirect(self.url(self.first, key=key), code=303)
        return self._see(step, picker.obey(form.go.data or ""))

    def ticks(self, key: str) -> Response:
        """Ticks as they are made, where there is JavaScript; answers with the counter alone."""
        step = self._open_step(key)
        form, picker = SubscribersForm(), step.picker()
        if not form.validate():
            raise StaleForm
        save_list(step.draft, form, picker)
        return render_section("bills/_selbar.html", page=picker.page())

    def _finish(self, step: Step, form: SubscribersForm, picker: Picker) -> Response:
        """The buttons under the list: check it, order, or order without the bad entries."""
        report = selection.check_list(step.everything, form.typed.data or "")
        if report.bad and form.go.data != "continue":
            return self._show(step, form, picker, report=report, status=422)
        if form.go.data == "check":
            return self._see(step, picker, checked=1, _anchor="typed-report")
        try:
            order = orders.place(
                step.draft,
                step.request,
                client=g.client,
                user=g.user,
                listed=report.subscriber_ids,
                page=picker.posted(),
                ip=request.remote_addr or "",
                now=clock.now(),
            )
        except DomainError as error:
            return self._refuse(step, form, picker, error)
        if not orders.is_about(order, picker.posted(), report.subscriber_ids):
            _say_not_in_it(order)
        return redirect(url_for("orders.show", key=order.key), code=303)

    def _refuse(
        self, step: Step, form: SubscribersForm, picker: Picker, error: DomainError
    ) -> Response:
        form.form_errors.append(error_text(error))
        status, wait = refusal(error)
        response = self._show(step, form, picker, status=status, refused_by=error.code)
        response.headers.update(wait)
        return response

    def _see(self, step: Step, picker: Picker, **more: object) -> Response:
        address = self.url("subscribers", key=step.draft.key, **picker.arguments(), **more)
        return redirect(address, code=303)

    def _own_draft(self, key: str) -> OrderDraft:
        """The client's draft; its order when it has become one; 410 when its time is over."""
        draft = drafts.find(key, g.client, self.kind) or abort(404)
        if order := drafts.find_order(draft, g.client):
            if request.method == "POST" and self._is_changed(draft, order):
                _say_not_in_it(order)
            abort(redirect(url_for("orders.show", key=order.key), code=303))
        if drafts.is_over(draft, now=clock.now()):
            raise DraftOver
        return draft

    def _is_changed(self, draft: OrderDraft, order: Order) -> bool:
        """Whether a form sent after the order was placed has other answers than the order:
        somebody went back and changed them.
        """
        if request.endpoint == f"{self.place}.{self.first}":
            passed = draft.answers[self.first]
            return any(request.form.getlist(name) != values for name, values in passed.items())
        if request.endpoint != f"{self.place}.subscribers":
            return False
        typed = SubscribersForm().typed.data or ""
        if typed != draft.answers.get(TYPED, ""):
            return True
        everything = selection.eligible(g.client, *orders.days_of(order).bounds(clock.zone()))
        listed = selection.check_list(everything, typed).subscriber_ids
        picker = Picker.asked_for(draft, everything, request.values)
        return not orders.is_about(order, picker.posted(), listed)

    def _open_step(self, key: str) -> Step:
        """The second step; back to the first one when that does not hold (any more)."""
        draft = self._own_draft(key)
        passed = replay(self.make_form, draft, self.first)
        if passed is None:
            flash(gettext("Check the period again"))
            abort(redirect(self.url(self.first, key=key), code=303))
        return Step(draft, passed.request, everything_of(passed.request))

    def _show(
        self,
        step: Step,
        form: SubscribersForm,
        picker: Picker,
        *,
        report: ListReport | None = None,
        status: int = 200,
        refused_by: str = "",
    ) -> Response:
        return render_section(
            f"{self.place.replace('.', '/')}/subscribers.html",
            status,
            form=form,
            step=step,
            wizard=self,
            ticked_chosen=ticked_chosen(step.draft),
            refused_by=refused_by,
            open_orders=orders.open_orders(g.user) if refused_by in LIMITS else [],
            **list_values(step.draft, picker, report),
            **self.about(step.request),
        )


def everything_of(asked: OrderRequest) -> object:
    """The numbers that may be chosen for these days."""
    return selection.eligible(g.client, *asked.period.bounds(clock.zone()))


def list_values(draft: OrderDraft, picker: Picker, report: ListReport | None) -> dict[str, Any]:
    """What the page of the list needs of the list itself and of the typed one, once checked."""
    page = picker.page()
    return {
        "page": page,
        "filters": picker.filters,
        "few": has_few(page),
        "sizes": PAGE_SIZES,
        "report": report,
        "problems": report.bad[:PROBLEMS_SHOWN] if report else [],
        "able": selection.count_union(draft, report.subscriber_ids) if report else 0,
        "verdicts": Verdict,
    }


def save_list(draft: OrderDraft, form: SubscribersForm, picker: Picker) -> None:
    """Keep the ticks, and what was typed."""
    picker.save()
    if (form.typed.data or "") != draft.answers.get(TYPED, ""):
        drafts.remember(draft, TYPED, form.typed.data or "")


def _is_checked() -> bool:
    return "checked" in request.args


def _say_not_in_it(order: Order) -> None:
    text = gettext(
        "Order No. %(number)s was placed before, and what was changed after that is not in it. "
        "To order something else, press “Order the same again”."
    )
    flash(text % {"number": order.number}, "warn")
