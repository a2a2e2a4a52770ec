"""What people type onto sheets: figures over a team or of one person, lines, words, a name, HR's reasons."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from flask_wtf.file import FileField
from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from review.domain.refusals import Invalid, Problem
from review.domain.vocabulary import GRADES
from review.infra.forms import Form, KeepingForm, at_most, filled, required, strip
from review.kpi.entering import Entry, as_typed
from review.kpi.lines import LONGEST, Proposal
from review.kpi.sheets import Row, Sheet
from review.kpi.signing import LONGEST_REMARK, LONGEST_WORD
from review.kpi.tables import Direction, Part

PARTS = ("value", "remark", "evidence")


def seen_of(row: Row) -> str:
    """Names what stands on a row, so that a page opened before it changed overwrites nothing."""
    return _name(as_typed(row))


def _name(entry: Entry) -> str:
    said = "\0".join((entry.value, entry.remark, entry.evidence))
    return hashlib.sha256(said.encode()).hexdigest()[:12]


class FiguresForm(KeepingForm):
    """Figures as they were sent: `value-<review>-<row>` with `remark-`, `evidence-` and `seen-`, taken as they come."""

    def entries(self, sent: Mapping[str, str], sheets: Iterable[Sheet]) -> dict[int, dict[str, Entry]]:
        """What was changed on the page, by review and row. Raises Invalid where a row was changed meanwhile."""
        found: dict[int, dict[str, Entry]] = {}
        problems = []
        for sheet in sheets:
            for row in sheet.rows:
                spot = f"{sheet.review_id}-{row.key}"
                if f"value-{spot}" not in sent:
                    continue
                standing = as_typed(row)
                value, remark, evidence = (sent.get(f"{part}-{spot}", "").strip() for part in PARTS)
                entry = Entry(value, standing.count if value == standing.value else "", remark, evidence)
                seen = sent.get(f"seen-{spot}", "")
                if _name(entry) in (seen, seen_of(row)):
                    continue
                if seen != seen_of(row):
                    problems.append(Problem("kpi_sheet:changed_meanwhile", f"value-{spot}"))
                found.setdefault(sheet.review_id, {})[row.key] = entry
        if problems:
            raise Invalid.of(problems)
        return found

    def errors_at(self) -> dict[str, list[Problem]]:
        """The problems by the field they belong to."""
        found: dict[str, list[Problem]] = {}
        for problem in self.problems:
            found.setdefault(problem.where or "", []).append(problem)
        return found


class FileForm(Form):
    """A sheet as a workbook, filled in."""

    file = FileField()


class LineForm(KeepingForm):
    """A line of bonus or deduction."""

    direction = RadioField(
        choices=[SelectChoice(one.value, one.value) for one in Direction], default=Direction.BONUS.value
    )
    points = StringField(validators=[filled(), at_most(12)], filters=[strip])
    reason = TextAreaField(validators=[filled(), at_most(LONGEST)], filters=[strip])
    evidence = TextAreaField(validators=[at_most(LONGEST)], filters=[strip])

    def to_proposal(self) -> Proposal:
        said = (self.points.data or "", self.reason.data or "", self.evidence.data or "")
        return Proposal(Direction(self.direction.data), *said)


class VetoForm(KeepingForm):
    """A grave breach: the grade may not be better than `cap`."""

    cap = RadioField(choices=[SelectChoice(one.value, one.value) for one in GRADES[1:]], validators=[required()])
    reason = TextAreaField(validators=[filled(), at_most(LONGEST)], filters=[strip])
    evidence = TextAreaField(validators=[at_most(LONGEST)], filters=[strip])


class WordForm(KeepingForm):
    """What the employee or the leader writes."""

    text = TextAreaField(validators=[at_most(LONGEST_WORD)], filters=[strip])


class SignForm(KeepingForm):
    """A name, with a remark where the employee does not agree; `seen` is the digest of what was on the page."""

    seen = HiddenField(validators=[required()])
    remark = TextAreaField(validators=[at_most(LONGEST_REMARK)], filters=[strip])


class ManageForm(Form):
    """HR's word on one sheet; each part has its own button, `act` says which was pressed."""

    act = HiddenField()
    group = SelectField(validate_choice=False)
    row = SelectField(validate_choice=False)
    why = TextAreaField(validators=[at_most(LONGEST)], filters=[strip])

    def __init__(self, *args: Any, sheet: Sheet, locale: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group.choices = [SelectChoice(one.key, one.name.of(locale)) for one in sheet.plan.groups]
        self.row.choices = [SelectChoice(one.key, one.plan.name.of(locale)) for one in sheet.rows]


def part_of(text: str) -> Part:
    """Whose words: raises Invalid for nobody's."""
    try:
        return Part(text)
    except ValueError:
        raise Invalid("form:choose_one") from None
