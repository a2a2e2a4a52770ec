"""Who works on cases by when, what they found, and what is told."""

from wtforms import DateField, HiddenField, IntegerField, RadioField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import HiddenInput

from review.domain.case_review import Cause, Findings
from review.infra.forms import Form, KeepingForm, at_most, filled, strip


class AssignForm(Form):
    """Chosen cases, the owner's employee number, and the day."""

    cases = SelectMultipleField(coerce=int, validate_choice=False)
    owner = StringField(filters=[strip], validators=[filled(), at_most(32)])
    due_on = DateField(validators=[Optional()])


class FindingsForm(KeepingForm):
    """What was found, and what is to be told; `act` says which, `seen` which version the page showed.

    One form for both, so that a button of the one never loses what was typed into the other.
    """

    act = HiddenField()
    seen = IntegerField(widget=HiddenInput(), validators=[InputRequired(message="form:required")])
    cause = RadioField(
        choices=[SelectChoice(cause.value, cause.value) for cause in Cause],
        validators=[Optional()],
        coerce=lambda value: value or None,
    )
    explanation = TextAreaField(filters=[strip])
    measure = TextAreaField(filters=[strip])
    note = TextAreaField(filters=[strip])
    talk = TextAreaField(filters=[strip])

    def findings(self) -> Findings:
        cause = Cause(self.cause.data) if self.cause.data else None
        return Findings(cause, self.explanation.data or "", self.measure.data or "", self.note.data or "")


class TalkForm(Form):
    talk = TextAreaField(filters=[strip])


class ReopenForm(Form):
    reason = TextAreaField(filters=[strip], validators=[filled(), at_most(1000)])


class OpenForm(Form):
    """A case that no record asks for: about whose review, and what happened."""

    employee_no = StringField(filters=[strip], validators=[filled(), at_most(32)])
    subject = StringField(filters=[strip], validators=[filled(), at_most(200)])


class ContactForm(KeepingForm):
    """Which customer was contacted, and what came of it."""

    response = IntegerField(widget=HiddenInput(), validators=[InputRequired(message="form:required")])
    note = TextAreaField(filters=[strip])
