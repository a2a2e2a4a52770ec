"""What the editor's forms share: text fields, texts in both languages, and how a problem finds its field."""

import re
from collections.abc import Iterable
from typing import Any

from wtforms import FieldList, FormField, HiddenField, SelectField, StringField
from wtforms import Form as Part
from wtforms.fields.choices import SelectChoice

from review.domain.records import Unit
from review.domain.refusals import Invalid, Problem
from review.infra.forms import KeepingForm, strip
from review.kpi.amounts import read_amount, rounded

Plain = dict[str, Any]
_STEP = re.compile(r"\[(\d+)\]|\.?([^.\[\]]+)")


class DraftForm(KeepingForm):
    """A form of a draft. `seen` names what the draft said when the page was shown; `is_refused` that it was wrong."""

    seen = HiddenField()
    is_refused = False

    def take(self, refusal: Invalid) -> None:
        """Hang each problem on the field its place names, wherever in the form that is."""
        self.is_refused = True
        self.problems += [problem for problem in refusal.problems if not hang(self, self.placed(problem))]

    def placed(self, problem: Problem) -> Problem:
        """The problem by its place in the form, where the form names places otherwise than the plan does."""
        return problem


def text_field() -> StringField:
    return StringField(filters=[strip])


def choice_of(among: Iterable[str], *, blank: bool = False) -> SelectField:
    values = [*([""] if blank else []), *among]
    return SelectField(choices=[SelectChoice(value, value) for value in values], validate_choice=False)


def both(zh: str | None, en: str | None) -> Plain:
    """A text in both languages; where one was left empty, the other stands for it."""
    return {"zh": zh or en or "", "en": en or zh or ""}


def steps_of(where: str) -> list[str | int]:
    """`rows[2].name.zh` as ["rows", 2, "name", "zh"]."""
    return [int(number) if number else name for number, name in _STEP.findall(where)]


def amount_of(typed: str | None, unit: Unit, where: str, problems: list[Problem]) -> str | None:
    """What was typed as a decimal in the unit's own measure; what cannot be read is noted."""
    if not typed:
        return None
    try:
        return rounded(read_amount(typed, unit, where))
    except Invalid as refusal:
        problems += refusal.problems
        return "0"


def hang(form: Part, problem: Problem) -> bool:
    """Put a problem on the field its place names; False where it names none of this form."""
    field: Any = form
    steps = steps_of(problem.where or "")
    while steps:
        step = {"from": "start"}.get(str(steps[0]), steps[0])
        if isinstance(step, int):
            if not isinstance(field, FieldList) or step >= len(field.entries):
                return False
            field = field.entries[step].form
        elif isinstance(field, Part) and step in field._fields:
            field = field[step]
        elif isinstance(field, Part) and f"{step}_{steps[-1]}" in field._fields and len(steps) == 2:
            field, steps = field[f"{step}_{steps[-1]}"], steps[:1]
        elif isinstance(field, Part) and f"{step}_zh" in field._fields:
            field = field[f"{step}_zh"]
        else:
            return False
        steps = steps[1:]
    if isinstance(field, Part | FieldList | FormField):
        return False
    if problem.code not in [getattr(told, "code", "") for told in field.errors]:
        field.errors = [*field.errors, problem]
    return True
