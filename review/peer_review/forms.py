"""The ballot, never prefilled, and the declaration of a conflict."""

from typing import Any

from wtforms import StringField, TextAreaField
from wtforms.validators import AnyOf, InputRequired

from review.domain.peer_words import read_comment
from review.domain.responses import Answers, read_answers
from review.domain.scheme_shape import Criterion, Scheme
from review.domain.vocabulary import Level, Source
from review.infra.forms import Form, at_most, filled, strip

CANNOT_JUDGE = "none"
# What the page sends for each level: of one length, like "none", or whoever sees how long a request is (a proxy's log
# does, encrypted or not) would know how often it says "excellent".
SENT_AS = {Level.EXCELLENT: "best", Level.GOOD: "good", Level.FAIR: "fair", Level.POOR: "poor"}
LEVEL_OF: dict[str, Level] = {**{level.value: level for level in Level}, **{sent: to for to, sent in SENT_AS.items()}}
CHOICES = [*LEVEL_OF, CANNOT_JUDGE]


class BallotForm(Form):
    """One field a criterion that peers are asked about, and one for words if the scheme asks; see `ballot_form`."""

    scheme: Scheme
    criteria: tuple[Criterion, ...]

    def answers(self) -> Answers:
        """What was chosen; a criterion that cannot be judged is None."""
        chosen = {criterion.key: self.choice(criterion).data for criterion in self.criteria}
        given = {key: LEVEL_OF.get(value) for key, value in chosen.items()}
        return read_answers(self.scheme, Source.PEERS, given)

    def words(self) -> str:
        """The comment as it is kept. Raises Invalid where it is too long."""
        return read_comment(self.scheme, self.comment.data or "") if "comment" in self else ""

    def choice(self, criterion: Criterion) -> Any:
        """The field of a criterion."""
        return self._fields[field_name(criterion)]


def field_name(criterion: Criterion) -> str:
    return f"c-{criterion.key}"


def ballot_form(scheme: Scheme) -> BallotForm:
    """An empty ballot, or what was posted."""
    criteria = scheme.asked_of(Source.PEERS)
    fields = {field_name(criterion): _choice(criterion) for criterion in criteria}
    if scheme.comments.peers_from is not None:
        fields["comment"] = TextAreaField()
    made: type[BallotForm] = type("ThisBallotForm", (BallotForm,), {"scheme": scheme, "criteria": criteria, **fields})
    return made()


def _choice(criterion: Criterion) -> Any:
    checks = [InputRequired("form:choose_one"), AnyOf(CHOICES, "form:not_valid")]
    return StringField(validators=checks, id=f"q-{field_name(criterion)}")


class ConflictForm(Form):
    employee_no = StringField(filters=[strip], validators=[filled(), at_most(32)])
