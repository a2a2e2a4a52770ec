"""HR's forms around surveys (the plan, decisions, the list of those who want no letters) and the request of staff."""

from typing import Any

from wtforms import IntegerField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional

from review.domain.survey_plan import Mode, SurveyPlan
from review.infra.forms import Form, at_most, filled, required, strip

LONGEST = 500


class Number(IntegerField):
    """A whole number; what is none is told in this room's words."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("customer_survey:no_number") from None


def _number(*, optional: bool = False) -> Number:
    return Number(validators=[Optional() if optional else InputRequired(message="form:required")])


class PlanForm(Form):
    """How surveys go out. Each field stands on the page whatever the mode, so that nothing typed gets lost."""

    mode = RadioField(choices=[SelectChoice(mode.value) for mode in Mode])
    who = RadioField(choices=[SelectChoice("everybody"), SelectChoice("sample")])
    expected_percent = _number()
    per_person = _number(optional=True)
    delay_hours = _number()
    window_days = _number()
    valid_days = _number()

    def plan(self) -> SurveyPlan:
        """What was filled in, once the form is in order."""
        numbers = {
            name: self[name].data
            for name in ("expected_percent", "per_person", "delay_hours", "window_days", "valid_days")
        }
        return SurveyPlan(mode=Mode(self.mode.data), everybody=self.who.data == "everybody", **numbers)


def plan_form(plan: SurveyPlan) -> PlanForm:
    """The form as the plan stands."""
    return PlanForm(
        mode=plan.mode.value,
        who="everybody" if plan.everybody else "sample",
        expected_percent=plan.expected_percent,
        per_person=plan.per_person,
        delay_hours=plan.delay_hours,
        window_days=plan.window_days,
        valid_days=plan.valid_days,
    )


class RequestForm(Form):
    """Leave this ticket out, and why."""

    reference = StringField(filters=[strip], validators=[filled(), at_most(80)])
    reason = TextAreaField(filters=[strip], validators=[filled(), at_most(LONGEST)])


class DecisionForm(Form):
    """HR's word on a request; the button says which."""

    verdict = RadioField(choices=[SelectChoice("yes"), SelectChoice("no")], validators=[required()])
    answer = TextAreaField(filters=[strip], validators=[at_most(LONGEST)])


class StopForm(Form):
    """No more letters to this address or number, and why."""

    who = StringField(filters=[strip], validators=[filled(), at_most(254)])
    reason = StringField(filters=[strip], validators=[filled(), at_most(LONGEST)])


class LiftForm(Form):
    """Letters again, and why."""

    reason = StringField(filters=[strip], validators=[filled(), at_most(LONGEST)])
