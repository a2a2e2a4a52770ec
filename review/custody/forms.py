"""Who becomes a trustee, that a share was kept, and the two shares that open the ballots."""

from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional
from wtforms.widgets import HiddenInput

from review.ballots.seal_keys import Share
from review.custody import paper
from review.domain.refusals import Invalid, Problem
from review.infra.forms import Form, at_most, filled, strip

CHOICES = [SelectChoice(str(number), str(number)) for number in paper.NUMBERS]
PAIR = (1, 2)


def _number() -> StringField:
    return StringField(filters=[strip], validators=[filled(), at_most(32)])


class TrusteesForm(Form):
    """Three employee numbers; `anew` asks for a new key although the people stay the same."""

    trustee_1, trustee_2, trustee_3 = _number(), _number(), _number()
    anew = StringField(widget=HiddenInput())

    def numbers(self) -> list[str]:
        return [str(field.data) for field in (self.trustee_1, self.trustee_2, self.trustee_3)]


class KeptForm(Form):
    """That a share was kept; `mark` says of which key."""

    mark = HiddenField()


def _which() -> RadioField:
    return RadioField(choices=CHOICES, validators=[Optional()])


def _words() -> TextAreaField:
    return TextAreaField(filters=[strip], validators=[filled(), at_most(600)])


class OpenForm(Form):
    """Two shares, each as its number and words, or as the text of its QR code."""

    number_1, words_1 = _which(), _words()
    number_2, words_2 = _which(), _words()

    def shares(self, cycle_id: int) -> list[Share]:
        """Both shares. Raises Invalid with what is wrong with either, each beside its own words."""
        found, problems = [], []
        for place in PAIR:
            number = self._fields[f"number_{place}"].data
            try:
                typed = str(self._fields[f"words_{place}"].data)
                found.append(paper.read(typed, int(number) if number else None, cycle_id))
            except Invalid as refusal:
                problems += [Problem(one.code, f"words_{place}", one.params) for one in refusal.problems]
        if problems:
            raise Invalid.of(problems)
        return found
