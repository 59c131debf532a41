"""«Обратная связь»: the client's own threads with the operator, a new one, and each of them."""

from urllib.parse import quote

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    flash,
    g,
    redirect,
    request,
    send_file,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from blueprints.feedback import words
from blueprints.feedback.forms import MessageForm, QuestionForm, RatingForm, limits
from blueprints.forms import EmptyForm, check_button
from blueprints.guards import allow
from blueprints.onlooking import looked_at
from blueprints.paths import row_id
from blueprints.receiving import receive
from blueprints.scoped import by_number, has_scope
from blueprints.security import receives_files
from blueprints.web import MenuItem, render_section
from config import Config
from domain.attachments import MEDIA_TYPES, FileKind
from domain.errors import DomainError
from domain.feedback import ANSWERABLE_STATES, LONGEST_TEXT, SETTLED_STATES, Subject, ThreadState
from domain.roles import ORDERING_ROLES, Role
from models_feedback import FeedbackFile, FeedbackThread
from services import (
    access,
    clock,
    feedback,
    feedback_about,
    feedback_files,
    feedback_reading,
    feedback_subjects,
    instalment_list,
)
from services.feedback_about import About
from texts import N_, gettext

PAGE_SIZE = 20
ROOM = 2  # times what may be sent: who sends a little more is told so on the page, text kept
MOST_FILES = 50  # read of one request: a few more than allowed are counted, not cut off
bp = Blueprint("feedback", __name__, url_prefix="/feedback")


def count_unread() -> int:
    """How many of the client's threads have an answer that the user has not read. A page that has
    looked already has left the number in `g.unread`.
    """
    known = g.get("unread")
    return feedback_reading.count_unread(g.client, g.user) if known is None else known


MENU = MenuItem(N_("Feedback"), "feedback.show", counter=count_unread)


def init_app(app: Flask, _config: Config) -> None:
    """Let pages ask whether «Вопрос по этому…» is of use to their reader."""
    app.jinja_env.globals["may_ask"] = _may_write


@bp.get("/")
@by_number
def show() -> Response:
    """The client's threads, what was last written in first."""
    wanted = request.args.get("state", "")
    state = ThreadState(wanted) if wanted in set(ThreadState) else None
    page = feedback_reading.find_page(
        g.client, g.user, state, request.args.get("page", 1, type=int), size=PAGE_SIZE
    )
    return render_section(
        "feedback/show.html", item=MENU, page=page, state=state, words=words, may_write=_may_write()
    )


# --- A new thread ---------------------------------------------------------------------------------


@bp.get("/new")
@allow(*ORDERING_ROLES)
@by_number
def new() -> Response:
    """The form, filled with what it is about when one comes from there."""
    about = own_about_or_404(request.args.get("about", ""))
    subject = about.subject() or request.args.get("subject", "")
    kept = "" if about.is_number else about.word()  # a number is a field of the form
    form = QuestionForm(client=g.client, about=kept, subject=subject)
    if form.subject.data not in set(Subject):
        form.subject.data = ""
    if about.subscriber:
        form.number.data = about.subscriber.number
    if "plan" in request.args:
        form.text.data = _early_repayment_or_404()
    return _draw_new(form, about)


@bp.post("/new")
@allow(*ORDERING_ROLES)
@receives_files
@by_number
def ask() -> AnyResponse:
    """Open a thread; sent twice, it is one."""
    receive_files()
    form = QuestionForm(client=g.client)
    about = own_about_or_404(form.about.data or "")
    if not form.validate_on_submit():
        return _draw_new(form, about, 422)
    try:
        thread = feedback.open_thread(
            Subject(form.subject.data),
            form.text.data or "",
            client=g.client,
            user=g.user,
            form_key=form.form_key.data or "",
            about=about.with_number(form.subscriber),
            files=form.incoming,
            ip=request.remote_addr or "",
            now=clock.now(),
        )
    except DomainError as error:
        status, headers = form.refuse(error)
        return _with(_draw_new(form, about, status), headers)
    flash(gettext("Request No. {number} is accepted").format(number=thread.number), "ok")
    return redirect(url_for(".thread", key=thread.key), code=303)


def _early_repayment_or_404() -> str:
    """What is written to repay the plan named in the address. Plans are the whole company's."""
    today = clock.now().date()
    number = request.args.get("plan", 0, type=row_id)
    told = None if has_scope() else instalment_list.find(g.client, number, today)
    return words.early_repayment_text(told, today) if told else abort(404)


def own_about_or_404(word: str) -> About:
    """What a word of the address stands for among the client's own."""
    about = feedback_about.find(word, g.client)
    if about is None:
        if key := feedback_about.key_in(word):
            access.note_foreign_keys(g.user, [key], ip=request.remote_addr or "", now=clock.now())
        abort(404)
    return about


def _draw_new(form: QuestionForm, about: About, status: int = 200) -> Response:
    return render_section(
        "feedback/new.html",
        status,
        form=form,
        about=feedback_subjects.of_about(about),
        limits=limits(),
        longest=LONGEST_TEXT,
    )


# --- A thread -------------------------------------------------------------------------------------


@bp.get("/<key>")
@by_number
def thread(key: str) -> Response:
    """What was said so far, and what can be done now."""
    return _draw(own_thread_or_404(key), MessageForm())


@bp.post("/<key>/answer")
@allow(*ORDERING_ROLES)
@receives_files
@by_number
def answer(key: str) -> AnyResponse:
    """Write in a thread; what was settled is opened anew by that."""
    row = own_thread_or_404(key)
    receive_files()
    form = MessageForm()
    if not form.validate_on_submit():
        return _draw(row, form, 422)
    try:
        feedback.answer(
            row,
            form.text.data or "",
            client=g.client,
            user=g.user,
            form_key=form.form_key.data or "",
            files=form.incoming,
            ip=request.remote_addr or "",
            now=clock.now(),
        )
    except DomainError as error:
        status, headers = form.refuse(error)
        return _with(_draw(own_thread_or_404(key), form, status), headers)
    flash(gettext("Your message is sent"), "ok")
    return redirect(url_for(".thread", key=key), code=303)


@bp.post("/<key>/reopen")
@allow(*ORDERING_ROLES)
@by_number
def reopen(key: str) -> AnyResponse:
    """«Переоткрыть»."""
    check_button()
    row = own_thread_or_404(key)
    if feedback.reopen(row, user=g.user, ip=request.remote_addr or "", now=clock.now()):
        flash(gettext("The request is open again"), "ok")
    return redirect(url_for(".thread", key=key), code=303)


@bp.post("/<key>/rate")
@allow(*ORDERING_ROLES)
@by_number
def rate(key: str) -> AnyResponse:
    """How well a settled thread was answered."""
    check_button()
    row, form = own_thread_or_404(key), RatingForm()
    if not form.validate_on_submit():
        flash(gettext("Choose a rating"), "warn")
        return redirect(url_for(".thread", key=key), code=303)
    given = int(form.rating.data)
    if feedback.rate(row, given, user=g.user, ip=request.remote_addr or "", now=clock.now()):
        flash(gettext("Thank you for the rating"), "ok")
    return redirect(url_for(".thread", key=key), code=303)


@bp.get("/<key>/files/<int:file>")
@allow(*ORDERING_ROLES)
@by_number
def file(key: str, file: int) -> Response:
    """A file of a thread, to be saved and never shown."""
    row = own_thread_or_404(key)
    return hand_out(row, feedback_files.find(row, file) or abort(404))


def own_thread_or_404(key: str) -> FeedbackThread:
    """The client's thread with that key."""
    return feedback_reading.find(key, g.client) or abort(404)


def _draw(row: FeedbackThread, form: MessageForm, status: int = 200) -> Response:
    said = feedback_reading.messages_of(row)
    if request.method == "GET" and not looked_at():
        feedback_reading.mark_seen(row, said, g.user)
    state = ThreadState(row.state)
    return render_section(
        "feedback/thread.html",
        status,
        thread=row,
        said=said,
        about=feedback_subjects.of_thread(row),
        form=form,
        rating=RatingForm(rating=row.rating and str(row.rating)),
        button=EmptyForm(),
        words=words,
        limits=limits(),
        longest=LONGEST_TEXT,
        may_write=_may_write(),
        may_answer=_may_write() and state in ANSWERABLE_STATES,
        is_settled=state in SETTLED_STATES,
    )


def _may_write() -> bool:
    return Role(g.user.role) in ORDERING_ROLES


def _with(response: Response, headers: dict[str, str]) -> Response:
    response.headers.update(headers)
    return response


# --- Files, of both sides -------------------------------------------------------------------------


def receive_files() -> None:
    """Let this request bring as many files as a message may have."""
    config = current_app.config["CABINET"]
    most_mb = max(1, config.FEEDBACK_FILES * config.FEEDBACK_FILE_MB * ROOM)
    receive(config.feedback_dir, limit_mb=most_mb, most_files=MOST_FILES)


def hand_out(row: FeedbackThread, found: FeedbackFile) -> Response:
    """The bytes as they were sent, under a name that can do no harm."""
    if request.method == "GET":
        feedback_files.note_download(
            found,
            row.client_id,
            user=g.user,
            ip=request.remote_addr or "",
            now=clock.now(),
        )
    response = send_file(
        feedback_files.path_of(found),
        mimetype=MEDIA_TYPES[FileKind(found.kind)],
        as_attachment=True,
        download_name=found.display_name,
        etag=False,
    )
    response.headers.set(
        "Content-Disposition",
        "attachment",
        filename=f"file-{found.id}.{found.kind}",  # for those who know no other
        **{"filename*": f"UTF-8''{quote(found.display_name, safe='')}"},
    )
    return response
