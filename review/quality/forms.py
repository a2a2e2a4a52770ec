"""The forms of checking, disputing and deciding; they grow by the categories of the quality form at hand."""

from collections.abc import Iterable
from typing import Any

from wtforms import RadioField, SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from review.domain.quality import Category, Marks, QualityForm, Sheet
from review.infra.forms import Form, KeepingForm, at_most, filled, strip
from review.quality.checks import LONGEST_REASON
from review.quality.disputes import LONGEST_WORDS, Decision
from review.quality.tables import Verdict

MARK, COMMENT, CAUSE = "mark_", "comment_", "cause_"
LEFT_OUT = "na"  # what the page sends for "not applicable"


class SheetForm(KeepingForm):
    """One ticket over every category. Use `sheet_form(form, said)`, which adds the fields."""

    overall = TextAreaField(filters=[strip])

    def value(self) -> Sheet:
        """What was typed, as far as it makes sense; whether it suffices is the domain's question."""
        texts: dict[str, dict[str, str]] = {COMMENT: {}, CAUSE: {}}
        for name, field in self._fields.items():
            for part, found in texts.items():
                if name.startswith(part) and field.data:
                    found[name.removeprefix(part)] = field.data
        return Sheet(_marks(self), texts[COMMENT], texts[CAUSE], self.overall.data or "")


def sheet_form(form: QualityForm, said: Sheet, locale: str) -> SheetForm:
    """The form for these categories, filled with what stands on the sheet."""
    fields: dict[str, Any] = {}
    for category in form.categories:
        fields[MARK + category.key] = RadioField(choices=list(_choices(category)), validators=[Optional()])
        fields[COMMENT + category.key] = TextAreaField(filters=[strip])
        causes = [SelectChoice(one.key, one.text.of(locale)) for one in category.causes]
        fields[CAUSE + category.key] = SelectField(choices=[SelectChoice("", "—"), *causes], validators=[Optional()])
    data: dict[str, Any] = {"overall": said.overall}
    data |= {MARK + key: _sent(mark) for key, mark in said.marks.items()}
    data |= {COMMENT + key: words for key, words in said.comments.items()}
    data |= {CAUSE + key: cause for key, cause in said.causes.items()}
    made: SheetForm = type("QualitySheetForm", (SheetForm,), fields)(data=data)
    return made


def _choices(category: Category) -> Iterable[SelectChoice]:
    for mark in range(1, category.scale + 1):
        yield SelectChoice(str(mark), str(mark))
    if category.may_be_left_out:
        yield SelectChoice(LEFT_OUT, LEFT_OUT)


def _sent(mark: int | None) -> str:
    return LEFT_OUT if mark is None else str(mark)


def _marks(form: Form) -> dict[str, int | None]:
    """The marks that were chosen; what was not chosen is missing."""
    found: dict[str, int | None] = {}
    for name, field in form._fields.items():
        if name.startswith(MARK) and isinstance(field.data, str) and field.data:
            if field.data == LEFT_OUT:
                found[name.removeprefix(MARK)] = None
            elif field.data.isdecimal() and len(field.data) == 1:
                found[name.removeprefix(MARK)] = int(field.data)
    return found


class ReplaceForm(Form):
    """Why a ticket cannot be checked."""

    reason = StringField(filters=[strip], validators=[filled(), at_most(LONGEST_REASON)])


class DisputeForm(KeepingForm):
    """Why the check is wrong, and what the agent would have marked."""

    comment = TextAreaField(filters=[strip], validators=[filled(), at_most(LONGEST_WORDS)])

    def proposed(self) -> Marks:
        return _marks(self)


class DecisionForm(KeepingForm):
    """Accept, partly, reject; a reason; and the marks that hold from now on."""

    verdict = RadioField(choices=[SelectChoice(one.value, one.value) for one in Verdict])
    reason = TextAreaField(filters=[strip], validators=[filled(), at_most(LONGEST_WORDS)])

    def decision(self) -> Decision:
        return Decision(Verdict(self.verdict.data), self.reason.data, _marks(self))


class HandForm(Form):
    """Who decides instead of HR."""

    decider = StringField(filters=[strip], validators=[filled(), at_most(32)])


def dispute_form(form: QualityForm, filed: Marks, locale: str) -> DisputeForm:
    """With one select a category; the first answer is "as it stands"."""
    selects = {MARK + category.key: _select(category, locale, with_same=True) for category in form.categories}
    made: DisputeForm = type("QualityDisputeForm", (DisputeForm,), selects)(data={MARK + key: "" for key in filed})
    return made


def decision_form(form: QualityForm, marks: Marks, locale: str) -> DecisionForm:
    """With one select a category, filled with `marks`."""
    selects = {MARK + category.key: _select(category, locale, with_same=False) for category in form.categories}
    data = {MARK + key: _sent(mark) for key, mark in marks.items()}
    made: DecisionForm = type("QualityDecisionForm", (DecisionForm,), selects)(data=data)
    return made


def _select(category: Category, locale: str, *, with_same: bool) -> SelectField:
    """The levels in words; "not applicable" and "as it stands" are put into words by the page."""
    choices = [SelectChoice("", "")] if with_same else []
    choices += [
        SelectChoice(str(mark), f"{mark}: {level.of(locale)}") for mark, level in enumerate(category.levels, start=1)
    ]
    if category.may_be_left_out:
        choices.append(SelectChoice(LEFT_OUT, LEFT_OUT))
    return SelectField(choices=choices, validators=[Optional()])
