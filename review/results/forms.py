"""The supervisor's decision on one result, as typed."""

from wtforms import HiddenField, RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice

from review.domain.vocabulary import GRADES, Grade
from review.infra.forms import Form, at_most, filled, strip
from review.results.service import SUMMARY_LONGEST, SignOff


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
