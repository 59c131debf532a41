"""Steps of a wizard: a form on the screen, its raw answers in the draft row."""

from collections.abc import Callable

from flask import request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

from models import OrderDraft

FormMaker = Callable[..., FlaskForm]


def raw_answers(form: FlaskForm) -> dict[str, list[str]]:
    """What was posted into the fields of `form`, not what was made of it: it is checked anew
    whenever it is used. What else was sent along is nobody's answer.
    """
    names = [field.name for field in form if field.name != "csrf_token"]
    return {name: request.form.getlist(name) for name in names if name in request.form}


def remembered(make_form: FormMaker, draft: OrderDraft, step: str) -> FlaskForm:
    """The form of a step filled with the answers kept, unchecked."""
    return make_form(MultiDict(draft.answers.get(step, {})))


def replay(make_form: FormMaker, draft: OrderDraft, step: str) -> FlaskForm | None:
    """The form of a passed step, validated again; None when it does not hold (any more)."""
    form = make_form(MultiDict(draft.answers.get(step, {})), meta={"csrf": False})
    return form if form.validate() else None
