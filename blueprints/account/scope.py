"""«Доступные абоненты»: which numbers a user of the company sees, for an administrator: the whole
company, or those ticked in the list of the wizards.
"""

from dataclasses import dataclass

from flask import Blueprint, Response, abort, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import PasswordField

from blueprints import step_up
from blueprints.account.users import own_user_or_404
from blueprints.bills.forms import SubscribersForm
from blueprints.bills.numbers_wizard import TYPED, DraftOver, list_values, save_list
from blueprints.forms import EmptyForm, StaleForm, check_button
from blueprints.guards import allow
from blueprints.picker import Picker
from blueprints.step_up import StepUpForm
from blueprints.web import render_section
from domain.errors import DomainError
from domain.roles import Role
from models import OrderDraft, Subscriber, User
from services import clock, drafts, scopes, selection
from services.selection import ListReport
from texts import error_text, gettext, lazy_gettext

STEP = "whose"
bp = Blueprint("scope", __name__)


class NumbersForm(SubscribersForm):
    """Ticks and the typed list; the password when they are to be kept."""

    password = PasswordField(
        lazy_gettext("Your password"), render_kw={"autocomplete": "current-password"}
    )


@dataclass(frozen=True)
class Choosing:
    """A list under way: whose numbers, and the ticks so far. What the list calls its wizard."""

    draft: OrderDraft
    user: User
    first: str = "back"  # what the button «Назад» sends

    def url(self, view: str, **values: object) -> str:
        """The address of a step."""
        return url_for(f"account.scope.{view}", **values)

    def picker(self) -> Picker:
        """The list as the address or the posted form asks for it."""
        return Picker.asked_for(self.draft, everything(), request.values)

    def typed(self) -> str:
        """The list typed so far."""
        return self.draft.answers.get(TYPED, "")


@bp.get("/users/<int:user>/numbers")
@allow(Role.CLIENT_ADMINISTRATOR)
def show(user: int) -> Response:
    """What the user sees now, and what can be done about it."""
    return _draw(own_user_or_404(user), StepUpForm())


@bp.post("/users/<int:user>/numbers")
@allow(Role.CLIENT_ADMINISTRATOR)
def start(user: int) -> AnyResponse:
    """Begin a list with the numbers that the user sees now."""
    row = own_user_or_404(user)
    check_button()
    if row.role == Role.CLIENT_ADMINISTRATOR:
        return redirect(url_for(".show", user=user), code=303)
    answers, now = {"user": [str(row.id)]}, clock.now()
    draft = drafts.start(g.client, g.user, scopes.DRAFT_KIND, STEP, answers, now=now)
    scopes.tick_present(draft, row)
    return redirect(url_for(".subscribers", key=draft.key), code=303)


@bp.post("/users/<int:user>/numbers/all")
@allow(Role.CLIENT_ADMINISTRATOR)
def lift(user: int) -> AnyResponse:
    """«Вся компания»."""
    row, form = own_user_or_404(user), StepUpForm()
    if not form.validate_on_submit():
        return _draw(row, form, 422)
    if status := step_up.refusal(form):
        return step_up.with_retry_after(_draw(row, form, status))
    scopes.lift(row, by=step_up.by())
    flash(gettext("The whole company is open to %(login)s") % {"login": row.login}, "ok")
    return redirect(url_for("account.users.show", user=user), code=303)


@bp.route("/numbers/<key>", methods=["GET", "POST"])
@allow(Role.CLIENT_ADMINISTRATOR)
def subscribers(key: str) -> AnyResponse:
    """The list: ticks of the rows shown, and a typed one."""
    step = own_choosing_or_404(key)
    form, picker = NumbersForm(data={"typed": step.typed()}), step.picker()
    if request.method != "POST":
        checked = (
            selection.check_list(everything(), step.typed()) if "checked" in request.args else None
        )
        return _list(step, form, picker, report=checked)
    if not form.validate():
        return _list(step, form, picker, status=422)
    save_list(step.draft, form, picker)
    if form.go.data in ("check", "submit", "continue"):
        return _finish(step, form, picker)
    if form.go.data == step.first:
        return redirect(url_for(".show", user=step.user.id), code=303)
    return _see(step, picker.obey(form.go.data or ""))


@bp.post("/numbers/<key>/ticks")
@allow(Role.CLIENT_ADMINISTRATOR)
def ticks(key: str) -> Response:
    """Ticks as they are made, where there is JavaScript; answers with the counter alone."""
    step = own_choosing_or_404(key)
    form, picker = NumbersForm(), step.picker()
    if not form.validate():
        raise StaleForm
    save_list(step.draft, form, picker)
    return render_section("bills/_selbar.html", page=picker.page())


def everything() -> object:
    """The numbers that can be given: all of the company's, those of earlier days too."""
    return Subscriber.of(g.client)


def own_choosing_or_404(key: str) -> Choosing:
    """The list with that key; 410 when its time is over."""
    draft = drafts.find(key, g.client, scopes.DRAFT_KIND) or abort(404)
    if drafts.is_over(draft, now=clock.now()):
        raise DraftOver
    return Choosing(draft, own_user_or_404(int(draft.answers[STEP]["user"][0])))


def _finish(step: Choosing, form: NumbersForm, picker: Picker) -> AnyResponse:
    report = selection.check_list(everything(), form.typed.data or "")
    if report.bad and form.go.data != "continue":
        return _list(step, form, picker, report=report, status=422)
    if form.go.data == "check":
        return _see(step, picker, checked=1, _anchor="typed-report")
    if not form.password.data:
        form.password.errors = [gettext("Enter the password")]
        return _list(step, form, picker, status=422)
    if status := step_up.refusal(form):
        return step_up.with_retry_after(_list(step, form, picker, status=status))
    try:
        added, taken = scopes.give(step.user, step.draft, report.subscriber_ids, by=step_up.by())
    except DomainError as error:
        form.form_errors.append(error_text(error))
        return _list(step, form, picker, status=422)
    text = gettext("Numbers opened: %(added)s, closed: %(taken)s")
    flash(text % {"added": added, "taken": taken}, "ok")
    return redirect(url_for("account.users.show", user=step.user.id), code=303)


def _see(step: Choosing, picker: Picker, **more: object) -> AnyResponse:
    address = step.url("subscribers", key=step.draft.key, **picker.arguments(), **more)
    return redirect(address, code=303)


def _draw(user: User, form: StepUpForm, status: int = 200) -> Response:
    return render_section(
        "account/scope/show.html",
        status,
        user=user,
        form=form,
        button=EmptyForm(None),
        numbers=scopes.counts([user]).get(user.id),
        is_administrator=user.role == Role.CLIENT_ADMINISTRATOR,
    )


def _list(
    step: Choosing,
    form: NumbersForm,
    picker: Picker,
    *,
    report: ListReport | None = None,
    status: int = 200,
) -> Response:
    return render_section(
        "account/scope/subscribers.html",
        status,
        form=form,
        step=step,
        wizard=step,
        ticked_chosen=None,
        **list_values(step.draft, picker, report),
    )
