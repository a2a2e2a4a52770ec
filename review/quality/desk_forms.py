"""HR's forms: stating a sample, naming checkers, opening a calibration round."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from wtforms import BooleanField, DateField, IntegerField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from review.domain.calendar import END_OF_DAY, settled
from review.infra.forms import Form, at_most, filled, required, strip
from review.quality.calibration import RoundPlan
from review.quality.samples import MOST_PER_AGENT, SamplePlan, numbers_in, people_of
from review.quality.tables import FormRow


def _between(low: int, high: int) -> NumberRange:
    return NumberRange(low, high, f"form:out_of_range min={low} max={high}")


class ChecksField(SelectMultipleField):
    """Several answers as checkboxes; none ticked means all."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class SampleForm(Form):
    """Which tickets, how many of each agent, until when, and for how long a check may be disputed."""

    name = StringField(filters=[strip], validators=[filled(), at_most(80)])
    form_id = SelectField(coerce=int, validators=[required()])
    first_day = DateField(validators=[required()])
    last_day = DateField(validators=[required()])
    per_agent = IntegerField(default=3, validators=[required(), _between(1, MOST_PER_AGENT)])
    channels = ChecksField(validators=[Optional()])
    kinds = ChecksField(validators=[Optional()])
    least_replies = IntegerField(default=0, validators=[Optional(), _between(0, 1000)])
    least_minutes = IntegerField(default=0, validators=[Optional(), _between(0, 10_000)])
    due_on = DateField(validators=[required()])
    dispute_days = IntegerField(default=5, validators=[required(), _between(1, 30)])
    not_own_team = BooleanField()

    def offer(self, forms: list[FormRow], channels: list[str], kinds: list[str], locale: str) -> "SampleForm":
        self.form_id.choices = [SelectChoice(row.id, title_of(row, locale)) for row in forms]
        self.channels.choices = [SelectChoice(one, one) for one in channels]
        self.kinds.choices = [SelectChoice(one, one) for one in kinds]
        return self

    def to_plan(self, seed: int, zone: ZoneInfo) -> SamplePlan:
        return SamplePlan(
            name=self.name.data,
            form_id=self.form_id.data,
            first_day=self.first_day.data,
            last_day=self.last_day.data,
            per_agent=self.per_agent.data,
            due_at=end_of(self.due_on.data, zone),
            seed=seed,
            channels=tuple(self.channels.data or ()),
            kinds=tuple(self.kinds.data or ()),
            least_replies=self.least_replies.data or 0,
            least_handling=60 * (self.least_minutes.data or 0),
            not_own_team=bool(self.not_own_team.data),
            dispute_days=self.dispute_days.data,
        )


class CheckersForm(Form):
    """Employee numbers of those who check."""

    checkers = TextAreaField(filters=[strip], validators=[filled(), at_most(4000)])

    def numbers(self) -> list[str]:
        return numbers_in(self.checkers.data or "")


class RoundForm(Form):
    """The same tickets for several people."""

    name = StringField(filters=[strip], validators=[filled(), at_most(80)])
    form_id = SelectField(coerce=int, validators=[required()])
    references = TextAreaField(filters=[strip], validators=[filled(), at_most(2000)])
    people = TextAreaField(filters=[strip], validators=[filled(), at_most(2000)])
    due_on = DateField(validators=[required()])

    def offer(self, forms: list[FormRow], locale: str) -> "RoundForm":
        self.form_id.choices = [SelectChoice(row.id, title_of(row, locale)) for row in forms]
        return self

    def to_plan(self, zone: ZoneInfo, today: date) -> RoundPlan:
        return RoundPlan(
            self.name.data,
            self.form_id.data,
            tuple(numbers_in(self.references.data)),
            tuple(people_of(numbers_in(self.people.data), "people", today)),
            end_of(self.due_on.data, zone),
        )


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The end of that day on the organisation's clock."""
    return settled(day, END_OF_DAY, zone)


def title_of(row: FormRow, locale: str) -> str:
    """A form's name in the reader's language with its version."""
    return f"{row.body['name']['en' if locale.startswith('en') else 'zh']} · v{row.version}"
