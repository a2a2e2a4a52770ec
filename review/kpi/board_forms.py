"""The form that closes an alert."""

from wtforms import StringField

from review.infra.forms import Form, at_most, filled, strip
from review.kpi.alerts import LONGEST_NOTE


class HandledForm(Form):
    """What was found and done, in the words of who looked."""

    note = StringField(filters=[strip], validators=[filled(), at_most(LONGEST_NOTE)])
