"""The self-review's form: five texts and one level for each criterion of the scheme; it ends in a SelfReview."""

from collections.abc import Mapping
from typing import Any

from wtforms import IntegerField, RadioField, SelectChoice, TextAreaField
from wtforms.validators import Optional
from wtforms.widgets import HiddenInput

from review.domain.responses import SelfReview, Statement
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import LEVELS, Level
from review.infra.forms import KeepingForm, strip
from review.responses.service import Sheet
from review.self_review.service import PARTS

PREFIX = "level_"


class SelfReviewForm(KeepingForm):
    """Use `form_for(scheme)`, which adds the level fields. `status` is what the page answers when it is shown again."""

    version = IntegerField(default=0, widget=HiddenInput(), validators=[Optional()])
    overview = TextAreaField(filters=[strip])
    figures = TextAreaField(filters=[strip])
    problems = TextAreaField(filters=[strip])
    measures = TextAreaField(filters=[strip])
    plan = TextAreaField(filters=[strip])

    @property
    def seen_version(self) -> int:
        """The filing this page was opened at; a version nobody can read counts as one never seen."""
        return self.version.data if isinstance(self.version.data, int) else -1

    def now_seen(self, version: int) -> None:
        """Let the page that is shown again carry this version instead of the one it was opened at."""
        self.version.data, self.version.raw_data = version, None

    def value(self) -> SelfReview:
        """What was typed, as far as it makes sense; whether it suffices is the service's question."""
        answers: dict[str, Level | None] = {}
        for name, field in self._fields.items():
            if name.startswith(PREFIX):
                answers[name.removeprefix(PREFIX)] = Level(field.data) if field.data in LEVELS else None
        return SelfReview(answers, Statement(**{part: self._fields[part].data or "" for part in PARTS}))


def form_for(scheme: Scheme, sheet: Sheet[SelfReview] | None = None) -> SelfReviewForm:
    """The form for this scheme, filled with the draft, else with what is filed."""
    choices = [SelectChoice(level.value, level.value) for level in LEVELS]
    fields = {
        PREFIX + criterion.key: RadioField(choices=choices, validators=[Optional()]) for criterion in scheme.criteria
    }
    made: SelfReviewForm = type("SchemeSelfReviewForm", (SelfReviewForm,), fields)(data=_filled(sheet))
    return made


def _filled(sheet: Sheet[SelfReview] | None) -> Mapping[str, Any]:
    if sheet is None:
        return {"version": 0}
    said = sheet.filed if sheet.draft is None else drafted(sheet.draft)
    if said is None:
        return {"version": sheet.version}
    levels = {PREFIX + key: level.value for key, level in said.answers.items() if level is not None}
    return {"version": sheet.version, **{part: getattr(said.statement, part) for part in PARTS}, **levels}


def drafted(draft: Mapping[str, Any]) -> SelfReview:
    """A stored draft as the value it would be when submitted now."""
    answers = {str(key): Level(level) for key, level in draft.get("answers", {}).items() if level in LEVELS}
    statement = draft.get("statement", {})
    return SelfReview(answers, Statement(**{part: str(statement.get(part, "")) for part in PARTS}))
