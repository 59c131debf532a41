"""«Информация по рассрочке»: what is paid by and by, part by part, with the bills of the parts."""

from flask import Blueprint, Response, g

from blueprints.onlooking import hands_out
from blueprints.payments import send_table
from blueprints.web import MenuItem, render_section
from domain.orders import FileFormat
from services import clock, instalment_list, payment_files
from services.payment_files import WRITERS
from texts import N_

bp = Blueprint("instalments", __name__, url_prefix="/instalments")
MENU = MenuItem(N_("Instalments"), "instalments.show")


@bp.get("/")
def show() -> Response:
    """The plans, each with its schedule."""
    plans = instalment_list.of_client(g.client, clock.now().date())
    return render_section(
        "instalments/show.html",
        item=MENU,
        plans=plans,
        company=instalment_list.company_of(plans),
        forms=list(WRITERS),
    )


@bp.get("/file.csv", defaults={"form": "csv"})
@bp.get("/file.xlsx", defaults={"form": "xlsx"})
@hands_out
def file(form: str) -> Response:
    """All schedules as a file."""
    plans = instalment_list.of_client(g.client, clock.now().date())
    content = payment_files.instalments_file(g.client, plans, FileFormat(form))
    return send_table(content, "instalments", FileFormat(form))
