"""The forms of importing: the file and what it belongs to; how columns are read; who an agent is."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from review.domain.refusals import Invalid, Problem
from review.helpdesk.columns import WHO
from review.helpdesk.fitting import DURATIONS
from review.helpdesk.indicator_synonyms import BESIDE, FIGURES
from review.helpdesk.jobs import SYSTEMS
from review.helpdesk.scales import Scale
from review.helpdesk.synonyms import COMMON
from review.infra.forms import Form
from review.people import directory

AUTOMATIC = "auto"
UNITS = ("s", "min", "h", "ms", "d")
WITH_UNIT = DURATIONS | {"first_response", "customer_wait", "resolution_time"}
FIELDS: Mapping[str, tuple[str, ...]] = {
    "tickets": tuple(name for name in COMMON if name),
    "figures": (*WHO[:3], *BESIDE, *(name for name in FIGURES if name)),
}


class UploadForm(Form):
    system = SelectField(choices=[SelectChoice(each, each) for each in (AUTOMATIC, *(one.value for one in SYSTEMS))])
    cycle_id = SelectField(coerce=int)
    file = FileField(validators=[FileRequired(message="helpdesk:no_file")])

    def __init__(self, cycles: Sequence[tuple[int, str]], **values: Any) -> None:
        super().__init__(**values)
        self.cycle_id.choices = [SelectChoice(0, ""), *(SelectChoice(key, name) for key, name in cycles)]


def columns_said(posted: Mapping[str, str], columns: Sequence[Mapping[str, Any]], kind: str) -> dict[str, str]:
    """What HR changed: heading -> field and option. What nobody changed is not remembered."""
    allowed, said = FIELDS[kind], {}
    for at, column in enumerate(columns):
        field = posted.get(f"c{at}", column["field"])
        if field not in {"", column["field"], *allowed}:
            raise Invalid("form:not_valid")
        told = _told(field, posted.get(f"o{at}", column["option"]))
        if told != _told(column["field"], column["option"]):
            said[str(column["heading"])] = told
    return said


def _told(field: str, option: str) -> str:
    """`first_response:min`; the option only where such a field has one."""
    options = tuple(Scale) if field == "csat" else UNITS if field in WITH_UNIT else ()
    return f"{field}:{option}" if field and option in options else field


def agents_said(posted: Mapping[str, str], labels: Sequence[str]) -> dict[str, int | None]:
    """Whom HR named for each label: an employee number, or nobody of ours; empty ones stay open. Raises Invalid."""
    said: dict[str, int | None] = {}
    problems = []
    for at, label in enumerate(labels):
        if posted.get(f"l{at}") != label:
            continue
        typed = posted.get(f"a{at}", "").strip()
        if posted.get(f"n{at}"):
            said[label] = None
        elif typed:
            person = directory.by_number(typed.split()[0])
            if person is None:
                problems.append(Problem("helpdesk:no_such_number", f"a{at}", {"label": label, "value": typed[:40]}))
            else:
                said[label] = person.id
    if problems:
        raise Invalid.of(problems)
    return said
