"""Users of the cabinet, for an administrator of the company: invite, change, shut out, sign out."""

from flask import Blueprint, Response, abort, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints import step_up
from blueprints.account.forms import InvitationForm, UserForm
from blueprints.forms import EmptyForm, check_button
from blueprints.guards import allow
from blueprints.web import render_section
from domain.errors import DomainError, InvalidValue, LoginTaken
from domain.roles import Role
from models import User
from services import access, access_links, cabinet_users, clock, scopes
from services.access_links import LinkKind
from texts import error_text, gettext

bp = Blueprint("users", __name__, url_prefix="/users")


@bp.route("/invite", methods=["GET", "POST"])
@allow(Role.CLIENT_ADMINISTRATOR)
def invite() -> AnyResponse:
    """«Пригласить»: a letter with a link, behind which the invited chooses a password."""
    form = InvitationForm()
    if not form.validate_on_submit():
        return _invitation_page(form, 422 if form.errors else 200)
    if status := step_up.refusal(form):
        return step_up.with_retry_after(_invitation_page(form, status))
    try:
        invited = cabinet_users.invite(g.client, form.person, by=step_up.by())
    except LoginTaken as error:
        form.login.errors = [error_text(error)]
    except DomainError as error:
        form.form_errors.append(error_text(error))
    else:
        flash(gettext("The invitation is on its way"), "ok")
        if form.person.sees_all:
            return redirect(url_for("account.show"), code=303)
        return redirect(url_for("account.scope.show", user=invited.id), code=303)
    return _invitation_page(form, 422)


@bp.route("/<int:user>/", methods=["GET", "POST"])
@allow(Role.CLIENT_ADMINISTRATOR)
def show(user: int) -> AnyResponse:
    """One user: name, role, whether they may sign in."""
    row = own_user_or_404(user)
    form = UserForm(data={"full_name": row.full_name, "role": row.role, "access": _access(row)})
    if not form.validate_on_submit():
        return _user_page(form, row, 422 if form.errors else 200)
    if status := step_up.refusal(form):
        return step_up.with_retry_after(_user_page(form, row, status))
    try:
        changed = cabinet_users.change(
            row,
            by=step_up.by(),
            role=Role(form.role.data),
            is_active=form.access.data == "open",
            full_name=form.full_name.data or "",
        )
    except InvalidValue:
        form.full_name.errors = [gettext("Give the name in one line")]
        return _user_page(form, row, 422)
    except DomainError as error:
        form.form_errors.append(error_text(error))
        return _user_page(form, row, 422)
    flash(gettext("Changed") if changed else gettext("Nothing was changed"), "ok")
    return redirect(url_for("account.show"), code=303)


@bp.post("/<int:user>/again")
@allow(Role.CLIENT_ADMINISTRATOR)
def again(user: int) -> AnyResponse:
    """«Выслать приглашение еще раз»."""
    row = own_user_or_404(user)
    check_button()
    try:
        is_sent = cabinet_users.invite_again(row, by=step_up.by())
    except DomainError as error:
        flash(error_text(error), "warn")
    else:
        text = gettext("The invitation is on its way")
        flash(text if is_sent else gettext("No invitation is needed"), "ok" if is_sent else "warn")
    return redirect(url_for(".show", user=user), code=303)


@bp.post("/<int:user>/sign-out")
@allow(Role.CLIENT_ADMINISTRATOR)
def sign_out(user: int) -> AnyResponse:
    """«Завершить все сеансы» of somebody else."""
    row = own_user_or_404(user)
    check_button()
    cabinet_users.sign_out(row, by=step_up.by())
    flash(gettext("The user is signed out on all devices"), "ok")
    return redirect(url_for(".show", user=user), code=303)


def own_user_or_404(number: int) -> User:
    """A user of the client's own; that somebody else's was asked for is written down."""
    row = User.of(g.client).where(User.id == number).first()
    if row is None:
        ip = request.remote_addr or ""
        access.note_foreign_user(g.user, number, ip=ip, now=clock.now())
        abort(404)
    return row


def _access(user: User) -> str:
    return "open" if user.is_active else "closed"


def _invitation_page(form: InvitationForm, status: int) -> Response:
    return render_section("account/users/invite.html", status, form=form)


def _user_page(form: UserForm, user: User, status: int) -> Response:
    return render_section(
        "account/users/show.html",
        status,
        form=form,
        user=user,
        sees_all=user.role == Role.CLIENT_ADMINISTRATOR,
        numbers=scopes.counts([user]).get(user.id),
        is_invited=cabinet_users.is_invited(user),
        invitation=access_links.newest(user, LinkKind.INVITATION),
        now=clock.now(),
        button=EmptyForm(None),
    )
