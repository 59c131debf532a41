"""«Обращения»: the inbox of what clients ask, what waits longest first, and each thread."""

from flask import Blueprint, Response, abort, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.feedback import hand_out, receive_files, words
from blueprints.feedback.forms import NoteForm, ReplyForm, StateForm, limits
from blueprints.forms import check_button
from blueprints.guards import allow
from blueprints.security import receives_files
from blueprints.web import MenuItem, render_section
from domain.errors import DomainError, NotFound
from domain.feedback import LONGEST_TEXT, ThreadState
from domain.roles import OPERATOR_ROLES
from models import Client
from models_feedback import FeedbackThread
from services import (
    access,
    accounts,
    clock,
    feedback_files,
    feedback_inbox,
    feedback_letters,
    feedback_reading,
    feedback_subjects,
    notices,
)
from services.feedback_inbox import ALL, GROUPS, WAITING
from texts import N_, gettext

PAGE_SIZE = 30
bp = Blueprint("feedback", __name__, url_prefix="/feedback")
MENU = MenuItem(
    N_("Requests of clients"),
    "operator.feedback.index",
    counter=feedback_inbox.count_waiting,
)
GROUP_WORDS = {WAITING: N_("Wait for an answer"), ALL: N_("All")}


def group_text(group: str) -> str:
    """What the list is narrowed to, in words."""
    if group in GROUP_WORDS:
        return gettext(GROUP_WORDS[group])
    return words.operators_state_text(group)


@bp.get("/")
@allow(*OPERATOR_ROLES)
def index() -> Response:
    """Threads of all clients, or of one, in a state."""
    group = request.args.get("state", WAITING)
    if group not in GROUPS:
        abort(404)
    account, client = _client_asked_for()
    page = feedback_inbox.find_page(
        group, client, request.args.get("page", 1, type=int), size=PAGE_SIZE
    )
    return render_section(
        "operator/feedback/index.html",
        page=page,
        group=group,
        groups=GROUPS,
        group_text=group_text,
        account=account,
        client=client,
        is_unknown=bool(account) and client is None,
        words=words,
    )


def _client_asked_for() -> tuple[str, Client | None]:
    """The account number of the address, and whose it is. That of nobody narrows nothing."""
    account = request.args.get("client", "").strip()[:64]
    try:
        return account, accounts.find_client(account) if account else None
    except NotFound:
        return account, None


@bp.get("/<key>")
@allow(*OPERATOR_ROLES)
def show(key: str) -> Response:
    """One thread with its notes; that somebody looked is written down."""
    row = thread_or_404(key)
    access.note_client_viewed(
        g.user,
        row.client,
        f"feedback_thread:{row.id}",
        ip=request.remote_addr or "",
        now=clock.now(),
    )
    return _draw(row)


def _draw(
    row: FeedbackThread,
    reply: ReplyForm | None = None,
    note: NoteForm | None = None,
    status: int = 200,
) -> Response:
    letter = notices.last_about(
        row.client, feedback_letters.subject_of(row), feedback_letters.ANSWERED
    )
    return render_section(
        "operator/feedback/show.html",
        status,
        thread=row,
        said=feedback_reading.messages_of(row, with_notes=True),
        about=feedback_subjects.of_thread(row),
        letter=letter,
        reply=reply or ReplyForm(formdata=None),
        note=note or NoteForm(formdata=None),
        settling=StateForm(formdata=None, new_state=row.state),
        sent=note if note is not None else reply,
        words=words,
        limits=limits(),
        longest=LONGEST_TEXT,
    )


@bp.post("/<key>/answer")
@allow(*OPERATOR_ROLES)
@receives_files
def answer(key: str) -> AnyResponse:
    """Answer on the page; a letter tells the client."""
    row = thread_or_404(key)
    receive_files()
    form = ReplyForm()
    if not form.validate_on_submit():
        return _draw(row, reply=form, status=422)
    try:
        feedback_inbox.answer(
            row,
            form.text.data or "",
            state=ThreadState(form.state.data),
            user=g.user,
            form_key=form.form_key.data or "",
            files=form.incoming,
            ip=request.remote_addr or "",
            now=clock.now(),
        )
    except DomainError as error:
        status, headers = form.refuse(error)
        response = _draw(row, reply=form, status=status)
        response.headers.update(headers)
        return response
    flash(gettext("The answer is on the page, and a letter tells of it"), "ok")
    return redirect(url_for(".show", key=key), code=303)


@bp.post("/<key>/note")
@allow(*OPERATOR_ROLES)
def note(key: str) -> AnyResponse:
    """Write something down that the client does not see."""
    row, form = thread_or_404(key), NoteForm()
    if not form.validate_on_submit():
        return _draw(row, note=form, status=422)
    feedback_inbox.note(
        row,
        form.note.data or "",
        user=g.user,
        form_key=form.form_key.data or "",
        ip=request.remote_addr or "",
        now=clock.now(),
    )
    flash(gettext("The note is kept"), "ok")
    return redirect(url_for(".show", key=key), code=303)


@bp.post("/<key>/state")
@allow(*OPERATOR_ROLES)
def state(key: str) -> AnyResponse:
    """Change the state without an answer."""
    check_button()
    row, form = thread_or_404(key), StateForm()
    if not form.validate_on_submit():
        flash(gettext("Choose the state"), "warn")
    elif feedback_inbox.set_state(
        row,
        ThreadState(form.new_state.data),
        user=g.user,
        ip=request.remote_addr or "",
        now=clock.now(),
    ):
        flash(gettext("The state is changed"), "ok")
    return redirect(url_for(".show", key=key), code=303)


@bp.get("/<key>/files/<int:file>")
@allow(*OPERATOR_ROLES)
def file(key: str, file: int) -> Response:
    """A file of a thread, to be saved and never shown."""
    row = thread_or_404(key)
    return hand_out(row, feedback_files.find(row, file) or abort(404))


def thread_or_404(key: str) -> FeedbackThread:
    """The thread with that key, whosever it is."""
    return feedback_inbox.find(key) or abort(404)
