"""«Выписка банка»: a statement is sent, looked at, and then booked; what is booked is what was
sent, for the browser only names it.
"""

from pathlib import PurePath

from flask import Blueprint, Response, abort, current_app, flash, g, redirect, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse
from wtforms import Field, FileField, ValidationError

from blueprints.forms import CabinetForm, EmptyForm, check_button
from blueprints.guards import allow
from blueprints.receiving import receive
from blueprints.security import receives_files
from blueprints.step_up import by
from blueprints.web import MenuItem, render_section
from domain.errors import InvalidValue
from domain.formats import format_money
from domain.roles import OPERATOR_ROLES, Role
from models_payments import StatementFile
from services import clock, statements, told_payments
from services.payments import Imported, StatementRefused
from texts import (
    N_,
    gettext,
    lazy_gettext,
    ngettext,
    statement_mistake_text,
    stray_line_text,
)

BOOKING_ROLES = (Role.OPERATOR_ADMINISTRATOR,)
MISTAKES_SHOWN = 20
LINES_SHOWN = 200  # of a kind
NAMELESS = "statement.csv"
COLUMNS = {  # what a statement cannot do without, and titles that say so
    "date": (N_("There is no column with the day. Its title: {titles}"), "Дата зачисления, date"),
    "amount": (
        N_("There is no column with the sum. Its title: {titles}"),
        "Сумма, Кредит, Приход, amount",
    ),
    "account / unp": (
        N_("No column tells the payer. Its title: {titles}"),
        "УНП плательщика, Лицевой счет, unp, account",
    ),
}
NO_TABLE = (N_("It is no CSV file with titles"), "")
bp = Blueprint("statements", __name__, url_prefix="/statements")
MENU = MenuItem(N_("Bank statement"), "operator.statements.index")


class StatementForm(CabinetForm):
    """The file."""

    file = FileField(lazy_gettext("File of the statement"))

    def validate_file(self, field: Field) -> None:
        if not getattr(field.data, "filename", ""):
            raise ValidationError(gettext("Choose a file"))


@bp.get("/")
@allow(*OPERATOR_ROLES)
def index() -> Response:
    """Those sent of late, and the form for those who may send one."""
    return _index(StatementForm())


def _index(form: StatementForm, status: int = 200) -> Response:
    return render_section(
        "operator/statements/index.html",
        status,
        form=form,
        files=statements.last(),
        told=told_payments.on_the_way(),
        late_before=clock.now() - told_payments.LATE_AFTER,
        days=statements.KEPT_FOR.days,
        may_book=_may_book(),
        limit_mb=_limit_mb(),
    )


@bp.post("/")
@allow(*BOOKING_ROLES)
@receives_files
def upload() -> AnyResponse:
    """Keep a statement and lead to what would be booked; one with a mistake is refused whole."""
    config = current_app.config["CABINET"]
    receive(config.upload_dir, limit_mb=config.STATEMENT_MB, most_files=1)
    form = StatementForm()
    if not form.validate_on_submit():
        return _index(form, 422)
    file: FileStorage = form.file.data
    name = PurePath((file.filename or "").replace("\\", "/")).name or NAMELESS
    try:
        row = statements.take(name, file.stream.read(), by=by())
    except StatementRefused as refused:
        form.file.errors = _mistakes(refused)
    except InvalidValue as error:
        sentence, titles = COLUMNS.get(str(error.values.get("value")), NO_TABLE)
        form.file.errors = [gettext(sentence).format(titles=titles)]
    if form.file.errors:
        return _index(form, 422)
    return redirect(url_for(".show", key=row.key), code=303)


@bp.get("/<key>")
@allow(*OPERATOR_ROLES)
def show(key: str) -> Response:
    """A statement: what booking would do by now, and what was booked."""
    row = _statement_or_404(key)
    return render_section(
        "operator/statements/show.html",
        row=row,
        told=statements.look(row, by=by()),
        most=LINES_SHOWN,
        stray_line_text=stray_line_text,
        may_book=_may_book(),
        form=EmptyForm(),
    )


@bp.post("/<key>/book")
@allow(*BOOKING_ROLES)
def book(key: str) -> AnyResponse:
    """«Записать платежи»: those of the statement that are none yet."""
    check_button()
    row = _statement_or_404(key)
    try:
        flash(*_outcome(statements.book(row, by=by())))
    except InvalidValue:
        flash(gettext("The statement cannot be read any more"), "warn")
    return redirect(url_for(".show", key=row.key), code=303)


def _outcome(told: Imported) -> tuple[str, str]:
    if not told.taken:
        return gettext("There was nothing to put down"), "warn"
    count = len(told.taken)
    sentence = ngettext(
        "{n} payment is put down: {sum} BYN", "{n} payments are put down: {sum} BYN", count
    )
    sentence = sentence.format(n=count, sum=format_money(told.total))
    if told.awaited:
        sentence += ". " + gettext("Clients had told of them: {n}").format(n=told.awaited)
    return sentence, "ok"


def _mistakes(refused: StatementRefused) -> list[str]:
    """The first ones with their lines."""
    sentence = gettext("Line {line}: {mistake}")
    told = [
        sentence.format(line=each.line, mistake=statement_mistake_text(each))
        for each in refused.mistakes[:MISTAKES_SHOWN]
    ]
    if more := len(refused.mistakes) - len(told):
        told.append(gettext("And more such lines: {n}").format(n=more))
    return told


def _statement_or_404(key: str) -> StatementFile:
    return statements.find(key) or abort(404)


def _may_book() -> bool:
    return Role(g.user.role) in BOOKING_ROLES


def _limit_mb() -> int:
    return current_app.config["CABINET"].STATEMENT_MB
