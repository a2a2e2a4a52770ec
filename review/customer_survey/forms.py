"""The customer's form, built from what the scheme asks of customers, and HR's upload."""

from typing import Any

from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, HiddenField, StringField, TextAreaField
from wtforms.form import BaseForm
from wtforms.validators import ValidationError

from review.domain.responses import CustomerAnswer
from review.domain.scheme_shape import Criterion
from review.infra.forms import Form, at_most, strip

STARS = ("1", "2", "3", "4", "5")
NONE = "none"
LONGEST = 2000
LONGEST_CONTACT = 120


def star_name(criterion: Criterion) -> str:
    return f"stars-{criterion.key}"


class _Stars(StringField):
    """One to five stars, or "none" where one may pass. The page draws it as radio buttons."""

    def __init__(self, *args: Any, allowed: tuple[str, ...] = STARS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.allowed = allowed

    def pre_validate(self, form: BaseForm) -> None:  # noqa: ARG002  WTForms calls it so
        if self.data not in self.allowed:
            raise ValidationError("customer_survey:star_missing")


class AnswerForm(Form):
    """The part that is the same for everybody. The token in the address is its proof: customers have no session."""

    class Meta:
        csrf = False

    form = HiddenField(filters=[strip])
    overall = _Stars()
    comment = TextAreaField(filters=[strip], validators=[at_most(LONGEST)])
    wants_contact = BooleanField()
    contact = StringField(filters=[strip], validators=[at_most(LONGEST_CONTACT)])
    withhold_ticket = BooleanField()

    criteria: tuple[Criterion, ...] = ()

    def said(self) -> CustomerAnswer:
        """The answer, once the form is in order."""
        stars = {criterion.key: self[star_name(criterion)].data for criterion in self.criteria}
        return CustomerAnswer(
            {key: None if value == NONE else int(value) for key, value in stars.items()},
            int(self.overall.data),
            self.comment.data or "",
            self.wants_contact.data,
            self.withhold_ticket.data,
            # How to be reached is kept only beside the wish to be reached.
            (self.contact.data or "") if self.wants_contact.data else "",
        )


def answer_form(criteria: tuple[Criterion, ...], **values: Any) -> AnswerForm:
    """The form for these criteria; `values` are what it shows before anybody filled it in."""
    stars = {star_name(criterion): _Stars(allowed=(*STARS, NONE)) for criterion in criteria}
    made: AnswerForm = type("AnswerForm", (AnswerForm,), {**stars, "criteria": criteria})(**values)
    return made


class UploadForm(Form):
    file = FileField(validators=[FileRequired(message="customer_survey:no_file")])


class PlainForm(Form):
    """A button and its CSRF token."""
