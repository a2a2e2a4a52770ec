"""The choice of minimums, as typed."""

from wtforms import BooleanField, IntegerField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import NumberRange, Optional

from review.domain.peer_words import SUGGESTED_FROM
from review.domain.refusals import Invalid, Problem
from review.domain.scheme import FLOORS, MOST_ASKED, PEER_COMMENTS_FLOOR
from review.domain.vocabulary import Source
from review.infra.forms import Form, required
from review.schemes.minimums import Choice, Minimums


class MinimumsForm(Form):
    """Peers are chosen among priced numbers, the rest is typed."""

    peers = RadioField(coerce=int, validate_choice=False, validators=[required()])
    customers = IntegerField(
        validators=[
            required(),
            NumberRange(
                FLOORS[Source.CUSTOMERS],
                MOST_ASKED,
                f"form:out_of_range min={FLOORS[Source.CUSTOMERS]} max={MOST_ASKED}",
            ),
        ]
    )
    comments = BooleanField()
    comments_from = IntegerField(
        default=SUGGESTED_FROM,
        validators=[
            Optional(),
            NumberRange(
                PEER_COMMENTS_FLOOR, MOST_ASKED, f"form:out_of_range min={PEER_COMMENTS_FLOOR} max={MOST_ASKED}"
            ),
        ],
    )
    supervisors = RadioField(
        coerce=int, default=1, validate_choice=False, choices=[SelectChoice(n, str(n)) for n in (1, 2)]
    )
    understood = BooleanField()

    def offer(self, choices: list[Choice]) -> "MinimumsForm":
        """Fill in what may be chosen."""
        self.peers.choices = [SelectChoice(choice.minimum, str(choice.minimum)) for choice in choices]
        return self

    def to_minimums(self) -> Minimums:
        """Raises Invalid where words are wanted, but not from how many ballots, or where peers are none of those."""
        problems = []
        if self.peers.data not in {choice.value for choice in self.peers.choices}:
            problems.append(Problem("form:not_valid", "peers"))
        if self.comments.data and self.comments_from.data is None:
            problems.append(Problem("form:required", "comments_from"))
        if self.supervisors.data not in {None, 1, 2}:
            problems.append(Problem("form:not_valid", "supervisors"))
        if problems:
            raise Invalid.of(problems)
        words = self.comments_from.data if self.comments.data else None
        return Minimums(
            self.peers.data, self.customers.data or 0, words, bool(self.understood.data), self.supervisors.data or 1
        )
