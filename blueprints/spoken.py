"""The language that a page is drawn in: whoever has signed in has theirs, a visitor that of the
visitor's cookie; the browser's counts where the operator lets it.
"""

from flask import Flask, Response, current_app, request, session

from domain import languages
from models import User
from services import language_choice
from services.audit import By

CHOSEN = "language"  # in the session: by a visitor, before signing in
LEFT_IN = "left_in"  # in the session: spoken by whoever has signed out here, nobody's choice


def begin() -> None:
    """Speak as a visitor is spoken to."""
    names = (session.get(CHOSEN, ""), session.get(LEFT_IN, ""), _of_browser())
    languages.speak(languages.first_known(*names))


def go_on_as(user: User) -> None:
    """Speak as somebody who is signed in is spoken to."""
    company = user.client.language if user.client else ""
    languages.speak(languages.first_known(user.language, company, _of_browser()))


def keep_for(user: User, by: By) -> None:
    """What a visitor has chosen stays with who signs in, unless they have a language of their own.
    Call it before the visitor's session is left.
    """
    chosen = session.get(CHOSEN, "")
    if chosen in languages.LANGUAGES and not user.language:
        language_choice.choose(user, chosen, by=by)
    if user.language:
        languages.speak(user.language)


def _of_browser() -> str:
    if not current_app.config["CABINET"].BROWSER_LANGUAGE:
        return ""
    wanted = (tag.partition("-")[0].lower() for tag, weight in request.accept_languages if weight)
    return next((code for code in wanted if code in languages.LANGUAGES), "")


def _leave(_error: BaseException | None = None) -> None:
    languages.speak(languages.OWN)


def _tell_caches(response: Response) -> Response:
    if current_app.config["CABINET"].BROWSER_LANGUAGE:
        response.vary.add("Accept-Language")
    return response


def init_app(app: Flask) -> None:
    """Leave nobody's language behind for the next request of the same thread."""
    app.teardown_request(_leave)
    app.after_request(_tell_caches)
    app.jinja_env.globals["languages"] = languages.NAMES
