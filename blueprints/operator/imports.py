"""«Импорт записей»: files of call records sent by the operator's people, checked, stored and taken
out again. Reading is a job's work; these pages show how far it is.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import PurePath

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    flash,
    g,
    redirect,
    request,
    stream_with_context,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from blueprints.forms import EmptyForm, check_button
from blueprints.guards import allow, does_not_prolong
from blueprints.operator import import_card
from blueprints.operator.forms import LoadForm, UploadForm
from blueprints.operator.reasons import reason_text
from blueprints.receiving import receive
from blueprints.security import receives_files
from blueprints.web import MenuItem, render_section
from domain.cdr.archives import RefusedArchive
from domain.cdr.registry import UnknownFormat
from domain.errors import DomainError, InvalidValue
from domain.roles import OPERATOR_ROLES, Role
from domain.writers.call_detail_csv import guarded
from models import ImportRun
from services import clock, overview, rollback, uploads
from texts import N_, error_text, gettext

IMPORTING_ROLES = (Role.OPERATOR_ADMINISTRATOR,)
NAMELESS = "file"  # a name that was nothing but a path
bp = Blueprint("imports", __name__, url_prefix="/imports")
MENU = MenuItem(N_("Import of records"), "operator.imports.index")


@bp.get("/")
@allow(*OPERATOR_ROLES)
def index() -> Response:
    """All imports, newest first, and the form for those who may send files."""
    return _index(UploadForm(zone=current_app.config["CABINET"].TIME_ZONE))


def _index(form: UploadForm, status: int = 200) -> Response:
    return render_section(
        "operator/imports/index.html",
        status,
        listed=overview.imports_page(request.args.get("page", 1, type=int)),
        form=form,
        may_import=may_import(),
        limit_mb=_limit_mb(),
        state_text=import_card.state_text,
        state_tone=import_card.state_tone,
    )


@bp.post("/")
@allow(*IMPORTING_ROLES)
@receives_files
def upload() -> AnyResponse:
    """Keep the files; a job reads them. One that cannot be read is refused, the others stay."""
    receive(current_app.config["CABINET"].upload_dir, limit_mb=_limit_mb())
    form = UploadForm()
    if not form.validate_on_submit():
        return _index(form, 422)
    runs: list[ImportRun] = []
    for file in form.files.data:
        try:
            runs += uploads.take(
                PurePath(file.filename.replace("\\", "/")).name[:200] or NAMELESS,
                file.stream,
                form.upload,
                user=g.user,
                ip=request.remote_addr or "",
                now=clock.now(),
            )
        except InvalidValue as error:
            form.files.errors = [*form.files.errors, _refusal(file.filename, error)]
    if form.files.errors:
        for run in runs:
            flash(gettext("{file} was taken").format(file=run.file_name), "ok")
        return _index(form, 422)
    if len(runs) == 1:
        return redirect(url_for(".show", run=runs[0].id), code=303)
    flash(gettext("Files taken: {n}").format(n=len(runs)), "ok")
    return redirect(url_for(".index"), code=303)


def _refusal(name: str | None, error: InvalidValue) -> str:
    if isinstance(error, UnknownFormat):
        sentence = gettext("{file}: no call records of the chosen or of any known format in it")
    elif isinstance(error, RefusedArchive):
        sentence = gettext("{file}: the archive is damaged or could do harm")
    elif error.values.get("what") == "exchange":
        sentence = gettext("{file}: the exchange belongs to another client")
    else:
        sentence = gettext("{file}: cannot be read")
    return sentence.format(file=name)


@bp.get("/<int:run>")
@allow(*OPERATOR_ROLES)
def show(run: int) -> Response:
    """One import: what is being done with it, and what was found."""
    row = import_or_404(run)
    return render_section(
        "operator/imports/show.html",
        card=import_card.draw(row, may_import=may_import()),
        form=LoadForm(),
        reason_text=reason_text,
    )


@bp.get("/<int:run>/status")
@allow(*OPERATOR_ROLES)
@does_not_prolong
def status(run: int) -> AnyResponse:
    """The card alone, for those who wait for it; opened as a page it is the import."""
    row = import_or_404(run)
    if "HX-Request" not in request.headers:
        return redirect(url_for(".show", run=run), code=303)
    return render_section(
        "operator/imports/_card.html",
        card=import_card.draw(row, may_import=may_import()),
        form=LoadForm(),
        reason_text=reason_text,
        is_part=True,
    )


@bp.get("/<int:run>/rejects.csv")
@allow(*OPERATOR_ROLES)
def rejects(run: int) -> Response:
    """All refused lines with their reasons, for a spreadsheet."""
    row = import_or_404(run)
    response = Response(stream_with_context(_rejects_csv(row)), mimetype="text/csv")
    name = f"rejects-{row.id}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _rejects_csv(row: ImportRun) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    yield "\ufeff".encode()
    writer.writerow((gettext("Line"), gettext("Reason"), gettext("Record")))
    for line, reason, *fields in uploads.rejects(row):
        writer.writerow((line, reason_text(reason), *map(guarded, fields)))
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


@bp.post("/<int:run>/load")
@allow(*IMPORTING_ROLES)
def load(run: int) -> AnyResponse:
    """«Загрузить»: what was checked is stored; what failed is tried again."""
    check_button()
    row = import_or_404(run)
    taken = uploads.load(
        row,
        force_zone=LoadForm().force_zone.data,
        user=g.user,
        ip=request.remote_addr or "",
        now=clock.now(),
    )
    if not taken:
        flash(gettext("There is nothing to store here any more"), "warn")
    return redirect(url_for(".show", run=run), code=303)


@bp.route("/<int:run>/rollback", methods=["GET", "POST"])
@allow(*IMPORTING_ROLES)
def roll_back(run: int) -> AnyResponse:
    """Ask, then take the import out."""
    row = import_or_404(run)
    if request.method != "POST":
        return render_section(
            "operator/imports/roll_back.html",
            run=row,
            repeated=rollback.repeated_by(row),
            form=EmptyForm(),
        )
    check_button()
    try:
        uploads.ask_rollback(row, user=g.user, ip=request.remote_addr or "", now=clock.now())
    except DomainError as error:
        flash(error_text(error), "warn")
    return redirect(url_for(".show", run=run), code=303)


def import_or_404(number: int) -> ImportRun:
    """The import with that number."""
    return overview.find_import(number) or abort(404)


def may_import() -> bool:
    """Whether the signed-in user may do more than look."""
    return Role(g.user.role) in IMPORTING_ROLES


def _limit_mb() -> int:
    return current_app.config["CABINET"].UPLOAD_MB
