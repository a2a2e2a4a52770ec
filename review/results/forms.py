"""The supervisor's decision on one result and the second person's look at it, as typed."""

from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from review.domain.vocabulary import GRADES, Grade
from review.infra.forms import Form, at_most, filled, strip
from review.results.second_look import LONGEST, Said
from review.results.service import SUMMARY_LONGEST, SignOff
from review.results.tables import LookOutcome


class SignOffForm(Form):
    """Summary, grade and reason. `grade` starts as the computed one; without a score it is not asked.

    `seen` names the figures and the earlier sign-off the supervisor had before them.
    """

    summary = TextAreaField(filters=[strip], validators=[filled(), at_most(SUMMARY_LONGEST)])
    grade = RadioField(
        choices=[SelectChoice(grade.value, grade.value) for grade in GRADES], validate_choice=False, coerce=str
    )
    reason = TextAreaField(filters=[strip], validators=[at_most(SUMMARY_LONGEST)])
    seen = HiddenField()

    def to_sign_off(self) -> SignOff:
        chosen = self.grade.data if self.grade.data in {grade.value for grade in GRADES} else None
        return SignOff(
            self.summary.data or "", Grade(chosen) if chosen else None, self.reason.data or "", self.seen.data or ""
        )


class LookForm(Form):
    """Confirm or send back, with the reason. `seen` names the figures and the sign-off that were looked at."""

    outcome = RadioField(
        choices=[SelectChoice(one.value, one.value) for one in LookOutcome], validate_choice=False, coerce=str
    )
    reason = TextAreaField(filters=[strip], validators=[filled(), at_most(LONGEST)])
    seen = HiddenField()

    def to_said(self) -> Said:
        chosen = self.outcome.data if self.outcome.data in {one.value for one in LookOutcome} else None
        return Said(LookOutcome(chosen) if chosen else None, self.reason.data or "", self.seen.data or "")


class NamingForm(Form):
    """Whom HR names for the results that are ticked; the ticks themselves come as they are."""

    employee_no = StringField(filters=[strip])
