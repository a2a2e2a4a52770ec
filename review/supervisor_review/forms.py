"""The forms of rating: one person over all criteria, a team over one criterion, and a note."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from wtforms import DateField, RadioField, SelectChoice, SelectField, TextAreaField
from wtforms.validators import Optional

from review.domain.responses import SupervisorRating
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import LEVELS, Level
from review.infra.forms import Form, KeepingForm, at_most, blank_to_none, filled, strip
from review.supervisor_review.tables import LONGEST_NOTE

LEVEL, COMMENT = "level_", "comment_"
CHOICES = [SelectChoice(level.value, level.value) for level in LEVELS]


class RatingForm(KeepingForm):
    """One person, every criterion. Use `rating_form(scheme, said)`, which adds the fields."""

    overall = TextAreaField(filters=[strip])

    def value(self) -> SupervisorRating:
        """What was typed, as far as it makes sense; whether it suffices is the service's question."""
        answers: dict[str, Level | None] = {}
        comments: dict[str, str] = {}
        for name, field in self._fields.items():
            if name.startswith(LEVEL) and field.data in LEVELS:
                answers[name.removeprefix(LEVEL)] = Level(field.data)
            elif name.startswith(COMMENT) and field.data:
                comments[name.removeprefix(COMMENT)] = field.data
        return SupervisorRating(answers, comments, self.overall.data or "")


def rating_form(scheme: Scheme, said: SupervisorRating) -> RatingForm:
    """The form for this scheme, filled with what stands on the sheet."""
    fields: dict[str, Any] = {}
    for criterion in scheme.criteria:
        fields[LEVEL + criterion.key] = RadioField(choices=CHOICES, validators=[Optional()])
        fields[COMMENT + criterion.key] = TextAreaField(filters=[strip])
    data: dict[str, Any] = {"overall": said.overall}
    data |= {LEVEL + key: level.value for key, level in said.answers.items() if level is not None}
    data |= {COMMENT + key: text for key, text in said.comments.items()}
    made: RatingForm = type("SchemeRatingForm", (RatingForm,), fields)(data=data)
    return made


class GridForm(KeepingForm):
    """A team over one criterion: `level-<review>` and `comment-<review>` for each person, taken as they come."""

    def typed(self, sent: Mapping[str, str], review_ids: list[int]) -> tuple[dict[int, str], dict[int, str]]:
        """Levels and comments by review; what was not sent is missing, so that it changes nothing."""
        levels = {number: sent[f"level-{number}"] for number in review_ids if f"level-{number}" in sent}
        comments = {number: sent[f"comment-{number}"].strip() for number in review_ids if f"comment-{number}" in sent}
        return levels, comments


class NoteForm(Form):
    """One note: a day, what happened, and the criterion it speaks to, if to one."""

    on = DateField(validators=[Optional()])
    criterion = SelectField(validators=[Optional()], filters=[blank_to_none])
    text = TextAreaField(filters=[strip], validators=[filled(), at_most(LONGEST_NOTE)])


def note_form(scheme: Scheme, locale: str, today: date, criterion: str = "") -> NoteForm:
    form = NoteForm(data={"on": today, "criterion": criterion})
    form.criterion.choices = [SelectChoice("", "—"), *(SelectChoice(c.key, c.name.of(locale)) for c in scheme.criteria)]
    return form
