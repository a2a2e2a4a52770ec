"""HR's forms around a cycle. Times are typed on the organisation's wall clock and end as instants in UTC."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from review.cycles.service import CyclePlan, dates_of, period_of
from review.cycles.tables import CycleRow
from review.domain.calendar import CycleDates, to_utc
from review.domain.period import Period, PeriodKind
from review.domain.refusals import Invalid, Problem
from review.domain.vocabulary import Custody, Protection
from review.infra.forms import Form, at_most, filled, required, strip
from review.workflow.proposal import Proposal

INSTANTS = ("opens_at", "self_due_at", "closes_at", "finalise_by")


def _moment() -> DateTimeLocalField:
    return DateTimeLocalField(validators=[required()], format="%Y-%m-%dT%H:%M", render_kw={"step": "60"})


def _from(lowest: int, highest: int) -> NumberRange:
    return NumberRange(lowest, highest, message=f"form:out_of_range min={lowest} max={highest}")


def _choice_of(words: type[StrEnum]) -> RadioField:
    """One of the words; the first where nothing was sent."""
    first, *_ = words
    return RadioField(choices=[SelectChoice(word.value, word.value) for word in words], default=first.value)


class Who(StrEnum):
    """Who is reviewed, as chosen with the cycle; single people are chosen on a page of their own."""

    EVERYONE = "everyone"
    DEPARTMENTS = "departments"
    LATER = "later"


NO_PLAN = 0  # stands for a cycle without KPI sheets


class CycleForm(Form):
    """A cycle before its launch. `who` is asked only when it is made."""

    name = StringField(validators=[filled(), at_most(80)], filters=[strip])
    kind = SelectField(choices=[SelectChoice(kind.value, kind.value) for kind in PeriodKind])
    period_start = DateField(validators=[required()])
    period_end = DateField(validators=[required()])
    scheme_id = SelectField(coerce=int)
    kpi_plan_id = SelectField(coerce=int, default=NO_PLAN, validators=[Optional()])
    opens_at = _moment()
    self_due_at = _moment()
    closes_at = _moment()
    finalise_by = _moment()
    publish_on = DateField(validators=[required()])
    acknowledge_days = IntegerField(validators=[required(), _from(1, 30)])
    asked = IntegerField(validators=[required(), _from(3, 20)])
    max_load = IntegerField(validators=[required(), _from(3, 40)])
    protection = _choice_of(Protection)
    custody = _choice_of(Custody)
    who = RadioField(
        choices=[SelectChoice(who.value, who.value) for who in Who],
        default=Who.EVERYONE.value,
        validators=[Optional()],
        validate_choice=False,
    )
    departments = SelectMultipleField(coerce=int, option_widget=CheckboxInput(), widget=ListWidget())

    def __init__(
        self,
        *args: Any,
        schemes: list[tuple[int, str]],
        kpi_plans: list[tuple[int, str]],
        departments: dict[int, str],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.scheme_id.choices = [SelectChoice(key, label) for key, label in schemes]
        self.kpi_plan_id.choices = [SelectChoice(key, label) for key, label in [(NO_PLAN, ""), *kpi_plans]]
        self.departments.choices = [SelectChoice(key, path) for key, path in departments.items()]

    def to_plan(self, zone: ZoneInfo) -> CyclePlan:
        """Raises Invalid for times that the clock skips or shows twice."""
        instants: dict[str, datetime] = {}
        problems: list[Problem] = []
        for name in INSTANTS:
            typed: datetime = self[name].data
            try:
                instants[name] = to_utc(typed.date(), typed.time(), zone, name)
            except Invalid as refusal:
                problems += refusal.problems
        if problems:
            raise Invalid.of(problems)
        return CyclePlan(
            name=self.name.data,
            period=Period(PeriodKind(self.kind.data), self.period_start.data, self.period_end.data),
            scheme_id=self.scheme_id.data,
            dates=CycleDates(
                instants["opens_at"],
                instants["self_due_at"],
                None,
                instants["closes_at"],
                instants["finalise_by"],
                self.publish_on.data,
            ),
            acknowledge_days=self.acknowledge_days.data,
            asked=self.asked.data,
            max_load=self.max_load.data,
            protection=Protection(self.protection.data),
            custody=Custody(self.custody.data),
        )

    def chosen_kpi_plan(self) -> int | None:
        """The KPI plan of the cycle, None for a cycle without KPI sheets."""
        return self.kpi_plan_id.data or None

    def chosen_departments(self) -> list[int] | None:
        """The departments to review, None for everyone. Raises Invalid when departments are meant but none is."""
        if self.who.data != Who.DEPARTMENTS:
            return None
        if not self.departments.data:
            raise Invalid("workflow:no_department_chosen", "departments")
        return list(self.departments.data)


def start_from(proposal: Proposal, zone: ZoneInfo) -> dict[str, Any]:
    """What the form of a new cycle starts with."""
    return {
        "kind": proposal.period.kind.value,
        "acknowledge_days": 5,
        "asked": 8,
        "max_load": 9,
        **_shown(proposal.period, proposal.dates, zone),
    }


def stand_of(cycle: CycleRow, zone: ZoneInfo) -> dict[str, Any]:
    """What the form of a cycle in draft starts with."""
    plain = {name: getattr(cycle, name) for name in ("name", "scheme_id", "acknowledge_days", "asked", "max_load")}
    plain |= {"kind": cycle.kind.value, "protection": cycle.protection.value, "custody": cycle.custody.value}
    return {**plain, **_shown(period_of(cycle), dates_of(cycle), zone)}


def _shown(period: Period, dates: CycleDates, zone: ZoneInfo) -> dict[str, Any]:
    local = {name: getattr(dates, name).astimezone(zone).replace(tzinfo=None) for name in INSTANTS}
    return {"period_start": period.start, "period_end": period.end, "publish_on": dates.publish_on, **local}


class PlanForm(Form):
    """HR's word about the assignment on the page: which one they saw, and that its shortages are accepted."""

    digest = HiddenField(validators=[required()])
    accept_all = BooleanField()  # not `accept`: that is what every form does with its action


class ReasonForm(Form):
    reason = TextAreaField(validators=[filled(), at_most(1000)], filters=[strip])


class GoOnForm(ReasonForm):
    """Why ballots are given up, and the cycle's name, typed again: they can never be counted afterwards."""

    name = StringField(validators=[filled()], filters=[strip])


class PublishForm(Form):
    """The cycle's name, typed again: publishing cannot be taken back."""

    name = StringField(validators=[filled()], filters=[strip])


class MovementForm(Form):
    """What HR changes about one review while the cycle runs; each part has its own button."""

    act = HiddenField()
    self_until = DateTimeLocalField(validators=[Optional()], format="%Y-%m-%dT%H:%M")
    rating_until = DateTimeLocalField(validators=[Optional()], format="%Y-%m-%dT%H:%M")
    supervisor = StringField(filters=[strip], validators=[at_most(32)])
    reason = TextAreaField(filters=[strip], validators=[at_most(1000)])

    def moment(self, name: str, zone: ZoneInfo) -> datetime:
        """The typed moment as an instant; raises Invalid when it is missing or does not exist."""
        typed: datetime | None = self[name].data
        if typed is None:
            raise Invalid.of([Problem("form:required", name)])
        return to_utc(typed.date(), typed.time(), zone, name)


class SecondRaterForm(Form):
    """Whom HR names for the reviews that are ticked; the ticks themselves come as they are."""

    employee_no = StringField(filters=[strip])


class PeopleForm(Form):
    """Which people to put into a cycle or take out of it."""

    who = HiddenField()
    departments = SelectMultipleField(coerce=int, option_widget=CheckboxInput(), widget=ListWidget())

    def __init__(self, *args: Any, departments: dict[int, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.departments.choices = [SelectChoice(key, path) for key, path in departments.items()]
