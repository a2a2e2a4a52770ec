"""The room's forms: they check shape and end in a domain value."""

from typing import Any

from flask_wtf.file import FileField
from wtforms import (
    DateField,
    Field,
    HiddenField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional
from wtforms.widgets import CheckboxInput, ListWidget

from review.domain.access import Role
from review.infra.forms import Form, at_most, blank_to_none, filled, required, strip
from review.people.draft import LOCALES, LONGEST, PersonDraft
from review.people.organisation_settings import Wishes
from review.people.passwords import LONGEST as LONGEST_PASSWORD

GRANTABLE = (Role.AGENT, Role.HR, Role.ADMINISTRATOR)


def _words(value: Any) -> Any:
    """A filter: text without white space around it or doubled in it."""
    return " ".join(value.split()) if isinstance(value, str) else value


class SignInForm(Form):
    who = StringField(validators=[filled(), at_most(254)], filters=[strip])
    password = PasswordField(validators=[required(), at_most(1000)])
    next = HiddenField()


class ForgottenForm(Form):
    who = StringField(validators=[filled(), at_most(254)], filters=[strip])


class PasswordForm(Form):
    """A new password, twice; browsers offer to keep it."""

    password = PasswordField(validators=[required(), at_most(LONGEST_PASSWORD)])
    again = PasswordField(validators=[required()])


class SlipForm(PasswordForm):
    number = StringField(validators=[filled(), at_most(LONGEST["employee_no"])], filters=[strip])
    code = StringField(validators=[filled(), at_most(40)], filters=[strip])


class ChangePasswordForm(PasswordForm):
    current = PasswordField(validators=[required(), at_most(1000)])


class PersonForm(Form):
    """A colleague; `may_grant` are the roles this HR person may give or take."""

    employee_no = StringField(validators=[filled(), at_most(LONGEST["employee_no"])], filters=[strip])
    name = StringField(validators=[filled(), at_most(LONGEST["name"])], filters=[_words])
    email = StringField(validators=[at_most(LONGEST["email"])], filters=[strip, blank_to_none])
    department = StringField(validators=[at_most(400)], filters=[_words, blank_to_none])
    supervisor_no = StringField(validators=[at_most(LONGEST["employee_no"])], filters=[strip, blank_to_none])
    post = StringField(validators=[at_most(LONGEST["post"])], filters=[_words, blank_to_none])
    joined_on = DateField(validators=[Optional()])
    left_on = DateField(validators=[Optional()])
    roles = SelectMultipleField(
        choices=[role.value for role in GRANTABLE], option_widget=CheckboxInput(), widget=ListWidget()
    )
    locale = SelectField(choices=list(LOCALES))

    def __init__(self, *args: Any, may_grant: tuple[Role, ...] = GRANTABLE, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.roles.choices = [role.value for role in may_grant]

    def draft(self) -> PersonDraft:
        plain: dict[str, Any] = {
            name: self[name].data
            for name in ("employee_no", "name", "email", "department", "supervisor_no", "post", "joined_on", "left_on")
        }
        return PersonDraft(**plain, roles=frozenset(Role(value) for value in self.roles.data), locale=self.locale.data)


class UploadForm(Form):
    file = FileField()

    def validate_file(self, field: Field) -> None:
        if not field.data or not field.data.filename:
            field.errors = [*field.errors, "form:required"]

    def validate(self, extra_validators: Any = None) -> bool:
        return bool(super().validate(extra_validators)) and not self.file.errors


class OrganisationForm(Form):
    name = StringField(validators=[filled(), at_most(120)], filters=[_words])
    zone = StringField(validators=[filled(), at_most(64)], filters=[strip])
    locale = SelectField(choices=list(LOCALES))
    holidays = TextAreaField(validators=[at_most(40_000)])
    mail_from = StringField(validators=[filled(), at_most(254)], filters=[strip])

    def wishes(self) -> Wishes:
        return Wishes(
            name=self.name.data,
            zone=self.zone.data,
            locale=self.locale.data,
            holidays=self.holidays.data or "",
            mail_from=self.mail_from.data,
        )
