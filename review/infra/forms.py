"""Forms check shape and end in a domain value; the domain checks sense, and its refusal lands beside the field.

Validators carry codes instead of words (`form:required`); templates turn them into sentences.
"""

from collections.abc import Callable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field
from wtforms.validators import DataRequired, InputRequired, Length

from review.domain.refusals import Invalid, NotYet, Problem, Refusal, Taken, TooLate
from review.infra.db import db
from review.infra.errors import STATUS


def strip(value: Any) -> Any:
    """A WTForms filter: text without the white space around it, and without NUL, which PostgreSQL keeps in no text."""
    return value.replace("\x00", "").strip() if isinstance(value, str) else value


def blank_to_none(value: Any) -> Any:
    """A WTForms filter: an empty text means nothing was said."""
    return value or None


def required() -> InputRequired:
    return InputRequired(message="form:required")


def filled() -> DataRequired:
    """Required, and more than white space."""
    return DataRequired(message="form:required")


def at_most(characters: int) -> Length:
    return Length(max=characters, message=f"form:too_long max={characters}")


def as_problem(error: object) -> Problem:
    """A field's error as a problem: `code key=value …`, or a problem that a refusal put there."""
    if isinstance(error, Problem):
        return error
    code, *pairs = str(error).split(" ")
    if ":" not in code:  # one of WTForms' own sentences: not a valid choice, not a valid date …
        return Problem("form:not_valid")
    return Problem(code, None, dict(pair.split("=", 1) for pair in pairs if "=" in pair))


class Form(FlaskForm):
    """A form whose refusals keep what was typed.

    `accept(action)` validates, then runs `action`; when the domain says Invalid, the problems land on the fields that
    their `where` names (others in `problems`), the transaction is rolled back, and the view renders the form again
    with status 422.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.problems: list[Problem] = []

    def accept(self, action: Callable[[], object]) -> bool:
        """True when the form was in order and the action done."""
        if not self.validate():
            return False
        try:
            action()
        except Refusal as refusal:
            if not isinstance(refusal, Invalid):
                raise
            db.session.rollback()
            self.take(refusal)
            return False
        return True

    def take(self, refusal: Invalid) -> None:
        """Hang each problem on its field, or on the form."""
        for problem in refusal.problems:
            field: Field | None = self._fields.get(problem.where or "")
            if field is None:
                self.problems.append(problem)
            else:
                field.errors = [*field.errors, problem]


class KeepingForm(Form):
    """A form that keeps what was typed even when it came too early, too late or second: nobody loses a text.

    `status` is what the page answers when it is shown again.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refusal: Refusal | None = None

    @property
    def status(self) -> int:
        return 422 if self.refusal is None else STATUS[type(self.refusal)]

    @property
    def is_closed(self) -> bool:
        """Too early or too late: the page shows the text to copy, and nothing to press."""
        return isinstance(self.refusal, NotYet | TooLate)

    @property
    def is_second(self) -> bool:
        """Something else was filed after this page was opened."""
        return isinstance(self.refusal, Taken)

    def keep(self, action: Callable[[], object]) -> bool:
        """Like `accept`, but a refusal for being early, late or second keeps the page too."""
        try:
            return self.accept(action)
        except (NotYet, TooLate, Taken) as refusal:
            db.session.rollback()
            self.refusal = refusal
            return False
