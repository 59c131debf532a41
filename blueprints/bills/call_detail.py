"""«Детализация на E-mail»: period, then subscribers, then the order."""

from dataclasses import dataclass

from flask import Blueprint, Response, abort, current_app, flash, g, redirect, request, url_for
from werkzeug.exceptions import Gone

from blueprints.bills.forms import PeriodForm, SubscribersForm
from blueprints.forms import StaleForm
from blueprints.guards import allow
from blueprints.picker import Picker, has_few, tick_chosen, ticked_chosen
from blueprints.web import MenuItem, render_section
from blueprints.wizard import raw_answers, remembered, replay
from domain.errors import DomainError, NoSpaceLeft, TooManyOpenOrders, TooManyOrdersPerHour
from domain.msisdn import Verdict
from domain.orders import OrderKind
from domain.periods import month_of, month_start
from domain.roles import ORDERING_ROLES
from models import Order, OrderDraft
from services import clock, drafts, orders, reports, selection
from services.orders import CallDetailRequest
from services.selection import PAGE_SIZES, ListReport
from texts import N_, error_text, gettext

KIND = OrderKind.CALL_DETAIL
PROBLEMS_SHOWN = 200
REFUSALS = {TooManyOrdersPerHour: (429, 60), NoSpaceLeft: (503, 600)}  # status, seconds to wait
LIMITS = frozenset({TooManyOpenOrders.code, TooManyOrdersPerHour.code})
bp = Blueprint("call_detail", __name__, url_prefix="/call-detail")
MENU = MenuItem(
    N_("Call details by e-mail"),
    "bills.call_detail.start",
    about=N_(
        "You can order call details for the current and the last month. "
        "They can be sent to the client's e-mail address."
    ),
)


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
    request: CallDetailRequest
    everything: object  # a query over the subscribers that may be chosen

    def picker(self) -> Picker:
        """The list as the address or the posted form asks for it."""
        return Picker.asked_for(self.draft, self.everything, request.values)

    def typed(self) -> str:
        """The list typed so far."""
        return self.draft.answers.get("typed", "")


@bp.route("/", methods=["GET", "POST"])
@allow(*ORDERING_ROLES)
def start() -> Response:
    """Step 1 of a new order. Drawing it stores nothing; its answers make the draft."""
    form = _period_form()
    if form.validate_on_submit():
        draft = drafts.start(g.client, g.user, KIND, "period", raw_answers(form), now=clock.now())
        tick_chosen(draft, _everything(form.request))
        return redirect(url_for(".subscribers", key=draft.key), code=303)
    return _show_period(form)


@bp.route("/<key>/period", methods=["GET", "POST"])
@allow(*ORDERING_ROLES)
def period(key: str) -> Response:
    """Step 1 again, filled with what was answered."""
    draft = _own_draft(key)
    if request.method != "POST" and "month" not in request.args:
        return _show_period(remembered(_period_form, draft, "period"))
    form = _period_form()
    if form.validate_on_submit():
        drafts.remember(draft, "period", raw_answers(form))
        return redirect(url_for(".subscribers", key=key), code=303)
    return _show_period(form)


@bp.route("/<key>/subscribers", methods=["GET", "POST"])
@allow(*ORDERING_ROLES)
def subscribers(key: str) -> Response:
    """Step 2: ticks and a typed list, and with them the order."""
    step = _open_step(key)
    form = SubscribersForm(data={"typed": step.typed()})
    picker = step.picker()
    if request.method != "POST":
        report = selection.check_list(step.everything, step.typed()) if _is_checked() else None
        return _show_subscribers(step, form, picker, report=report)
    if not form.validate():
        return _show_subscribers(step, form, picker, status=422)
    _save(step, form, picker)
    if form.go.data in ("check", "submit", "continue"):
        return _finish(step, form, picker)
    if form.go.data == "period":
        return redirect(url_for(".period", key=key), code=303)
    return _see(step, picker.obey(form.go.data or ""))


@bp.post("/<key>/subscribers/ticks")
@allow(*ORDERING_ROLES)
def ticks(key: str) -> Response:
    """Ticks as they are made, where there is JavaScript; answers with the counter alone."""
    step = _open_step(key)
    form, picker = SubscribersForm(), step.picker()
    if not form.validate():
        raise StaleForm
    _save(step, form, picker)
    return render_section("bills/call_detail/_selbar.html", page=picker.page())


def _finish(step: Step, form: SubscribersForm, picker: Picker) -> Response:
    """The buttons under the list: check it, order, or order without the bad entries."""
    report = selection.check_list(step.everything, form.typed.data or "")
    if report.bad and form.go.data != "continue":
        return _show_subscribers(step, form, picker, report=report, status=422)
    if form.go.data == "check":
        return _see(step, picker, checked=1, _anchor="typed-report")
    try:
        order = orders.place_call_detail(
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
        return _refuse(step, form, picker, error)
    if not orders.is_about(order, picker.posted(), report.subscriber_ids):
        _say_not_in_it(order)
    return redirect(url_for("orders.show", key=order.key), code=303)


def _refuse(step: Step, form: SubscribersForm, picker: Picker, error: DomainError) -> Response:
    form.form_errors.append(error_text(error))
    status, wait_s = REFUSALS.get(type(error), (422, 0))
    response = _show_subscribers(step, form, picker, status=status, refused_by=error.code)
    if status != 422:
        response.headers["Retry-After"] = str(error.values.get("retry_after_s", wait_s))
    return response


def _save(step: Step, form: SubscribersForm, picker: Picker) -> None:
    picker.save()
    if (form.typed.data or "") != step.typed():
        drafts.remember(step.draft, "typed", form.typed.data or "")


def _see(step: Step, picker: Picker, **more: object) -> Response:
    address = url_for(".subscribers", key=step.draft.key, **picker.arguments(), **more)
    return redirect(address, code=303)


def _is_checked() -> bool:
    return "checked" in request.args


def _period_form(*args: object, **values: object) -> PeriodForm:
    """The form of step 1, by default for the current month (`?month=previous`: the one before)."""
    today = clock.now().date()
    first, last = month_start(today), today
    if request.args.get("month") == "previous":
        previous = month_of(today, months_back=1)
        first, last = previous.start, previous.end
    return PeriodForm(
        *args,
        today=today,
        months_back=current_app.config["CABINET"].CALL_DETAIL_MONTHS_BACK,
        formats=reports.formats_of(KIND),
        data={"start": first, "end": last},
        **values,
    )


def _own_draft(key: str) -> OrderDraft:
    """The client's draft; its order when it has become one; 410 when its time is over."""
    draft = drafts.find(key, g.client, KIND) or abort(404)
    if order := drafts.find_order(draft, g.client):
        if request.method == "POST" and _is_changed(draft, order):
            _say_not_in_it(order)
        abort(redirect(url_for("orders.show", key=order.key), code=303))
    if drafts.is_over(draft, now=clock.now()):
        raise DraftOver
    return draft


def _is_changed(draft: OrderDraft, order: Order) -> bool:
    """Whether a form sent after the order was placed has other answers than the order: somebody
    went back and changed them.
    """
    if request.endpoint == "bills.call_detail.period":
        passed = draft.answers["period"]
        return any(request.form.getlist(name) != values for name, values in passed.items())
    if request.endpoint != "bills.call_detail.subscribers":
        return False
    typed = SubscribersForm().typed.data or ""
    if typed != draft.answers.get("typed", ""):
        return True
    everything = selection.eligible(g.client, *reports.period_of(order).bounds(clock.zone()))
    listed = selection.check_list(everything, typed).subscriber_ids
    picker = Picker.asked_for(draft, everything, request.values)
    return not orders.is_about(order, picker.posted(), listed)


def _say_not_in_it(order: Order) -> None:
    text = gettext(
        "Order No. %(number)s was placed before, and what was changed after that is not in it. "
        "To order something else, press “Order the same again”."
    )
    flash(text % {"number": order.number}, "warn")


def _open_step(key: str) -> Step:
    """The second step; back to the first one when that does not hold (any more)."""
    draft = _own_draft(key)
    passed = replay(_period_form, draft, "period")
    if passed is None:
        flash(gettext("Check the period again"))
        abort(redirect(url_for(".period", key=key), code=303))
    asked = passed.request
    return Step(draft, asked, _everything(asked))


def _everything(asked: CallDetailRequest) -> object:
    """The numbers that may be chosen for these days."""
    return selection.eligible(g.client, *asked.period.bounds(clock.zone()))


def _show_period(form: PeriodForm) -> Response:
    status = 422 if form.errors else 200
    return render_section("bills/call_detail/period.html", status, form=form)


def _show_subscribers(
    step: Step,
    form: SubscribersForm,
    picker: Picker,
    *,
    report: ListReport | None = None,
    status: int = 200,
    refused_by: str = "",
) -> Response:
    page = picker.page()
    return render_section(
        "bills/call_detail/subscribers.html",
        status,
        form=form,
        step=step,
        page=page,
        filters=picker.filters,
        few=has_few(page),
        ticked_chosen=ticked_chosen(step.draft),
        sizes=PAGE_SIZES,
        report=report,
        problems=report.bad[:PROBLEMS_SHOWN] if report else [],
        able=selection.count_union(step.draft, report.subscriber_ids) if report else 0,
        refused_by=refused_by,
        open_orders=orders.open_orders(g.user) if refused_by in LIMITS else [],
        direction=reports.direction_text(step.request.direction),
        due_at=orders.due_at(now=clock.now()),
        verdicts=Verdict,
    )
