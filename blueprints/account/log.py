"""«Журнал доступа»: who looked at, ordered, fetched and changed what of the client's, and when."""

from datetime import date

from flask import Blueprint, Response, g, request, url_for
from wtforms import SelectField
from wtforms.validators import Optional

from blueprints.account.log_words import event_text
from blueprints.bills.forms import DATE_FORMATS, DayField
from blueprints.forms import CabinetForm
from blueprints.guards import allow
from blueprints.web import render_section
from domain.errors import PeriodReversed
from domain.periods import DateRange
from domain.roles import Role
from models import Order, Subscriber, User
from models_billing import Invoice
from services import access_log, clock, invoice_list
from services.access_log import OPERATOR, Entry, Wanted
from texts import error_text, gettext, lazy_gettext

PAGE_SIZE = 50
EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)  # what time zones can be asked about
bp = Blueprint("log", __name__, url_prefix="/log")


class LogForm(CabinetForm):
    """What the log is narrowed to; it stands in the address."""

    class Meta(CabinetForm.Meta):
        csrf = False  # nothing is changed

    who = SelectField(lazy_gettext("Who"), validators=[Optional()])
    start = DayField(lazy_gettext("From"), format=DATE_FORMATS, validators=[Optional()])
    end = DayField(lazy_gettext("To"), format=DATE_FORMATS, validators=[Optional()])

    def wanted(self) -> Wanted:
        """The same for the service. Raises `PeriodReversed`."""
        since = until = None
        if self.start.data or self.end.data:
            first, last = self.start.data or date.min, self.end.data or date.max
            DateRange(first, last)  # or it raises
            days = DateRange(min(max(first, EARLIEST), LATEST), min(max(last, EARLIEST), LATEST))
            since, until = days.bounds(clock.zone())
        return Wanted(self.who.data or "", since, until)


@bp.get("/")
@allow(Role.CLIENT_ADMINISTRATOR)
def show() -> Response:
    """The log, newest first."""
    people = access_log.people(g.client)
    form = LogForm(request.args)
    form.who.choices = [
        ("", gettext("All")),
        *((str(user.id), _name(user)) for user in people),
        (OPERATOR, gettext("Operator's people")),
    ]
    wanted, status = Wanted(), 200
    if form.validate():
        try:
            wanted = form.wanted()
        except PeriodReversed as error:
            form.end.errors = [error_text(error)]
    if form.errors:
        status = 422
    page = access_log.find_page(
        g.client, wanted, request.args.get("page", 1, type=int), size=PAGE_SIZE
    )
    return render_section(
        "account/log/show.html",
        status,
        form=form,
        page=page,
        arguments={name: text for name, text in request.args.items() if name in form and text},
        event_text=event_text,
        who_text=_who,
        subject_of=_subject,
        ip_of=_ip,
    )


def _name(user: User) -> str:
    return user.full_name or user.login


def _who(entry: Entry) -> str:
    """Whoever did it, as the client may know them."""
    if entry.user is None:
        return gettext("the cabinet")
    if entry.user.client_id == g.client.id:
        return _name(entry.user)
    return gettext("operator") if entry.user.is_active else gettext("the cabinet")


def _ip(entry: Entry) -> str:
    """From where, unless it was one of the operator's people: their network is not the client's."""
    is_operators = entry.user is not None and entry.user.client_id != g.client.id
    return "" if is_operators else entry.ip


def _subject(entry: Entry) -> tuple[str, str]:
    """What it was done to, in words and as an address; both may be empty."""
    row = entry.subject
    if isinstance(row, Order):
        return gettext("order No. {number}").format(number=row.number), url_for(
            "orders.show", key=row.key
        )
    if isinstance(row, Invoice):
        return gettext("bill No. {number}").format(number=invoice_list.number_of(row)), ""
    if isinstance(row, Subscriber):
        return row.number, ""
    if isinstance(row, User) and row != entry.user:
        return _name(row), ""
    return "", ""
