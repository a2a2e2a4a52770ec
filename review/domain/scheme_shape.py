"""The shape of a scheme: by which criteria, levels, weights, minimums and cuts a review is scored.

A Scheme is made only by `scheme.parse_scheme`, which refuses every inconsistency; these types take sense for granted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from review.domain.vocabulary import GRADES, LEVELS, Grade, Level, PeerStep, Source, Text


@dataclass(frozen=True, slots=True)
class LevelRule:
    """A level with its points and its name."""

    level: Level
    points: int
    name: Text


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion: its words, its share of the rating, and how much each source weighs in it (percent)."""

    key: str
    name: Text
    description: Text
    question: Text
    share: int
    weights: Mapping[Source, int]
    anchors: Mapping[Level, Text]

    def is_asked_of(self, source: Source) -> bool:
        """Self and supervisor answer everything; peers and customers only what counts from them."""
        return source in (Source.SELF, Source.SUPERVISOR) or self.weights[source] > 0


@dataclass(frozen=True, slots=True)
class Tier:
    """What follows from a grade: the coefficient of the performance bonus, awards, recognition or coaching."""

    grade: Grade
    name: Text
    coefficient: Fraction
    recognition: bool
    coaching: bool
    awards: Text


@dataclass(frozen=True, slots=True)
class CommentRules:
    """Levels for which the supervisor owes a comment, its greatest length, and from how many ballots peers' words show.

    `peers_from` None: peers are not asked for words at all.
    """

    required_for: tuple[Level, ...]
    longest: int
    peers_from: int | None


@dataclass(frozen=True, slots=True)
class Scheme:
    """A whole scheme with any overrides applied. `method_hash` is the SHA-256 of its canonical JSON."""

    id: str
    version: int
    name: Text
    levels: tuple[LevelRule, ...]
    criteria: tuple[Criterion, ...]
    minimums: Mapping[Source, int]
    supervisors_required: int
    peer_step: PeerStep | None
    cuts: Mapping[Grade, Fraction]
    rating_share: Fraction
    bonus_cap: Fraction
    deduction_cap: Fraction
    kpi_cap_limit: Fraction | None
    comments: CommentRules
    tiers: Mapping[Grade, Tier]
    method_hash: str = ""

    def points_of(self, level: Level) -> int:
        return self.levels[LEVELS.index(level)].points

    def criterion(self, key: str) -> Criterion:
        """Raises KeyError for a key that is none of this scheme's."""
        for criterion in self.criteria:
            if criterion.key == key:
                return criterion
        raise KeyError(key)

    def asked_of(self, source: Source) -> tuple[Criterion, ...]:
        """The criteria `source` is asked about, in the order of the scheme."""
        return tuple(criterion for criterion in self.criteria if criterion.is_asked_of(source))

    def grade_of(self, score: int) -> Grade:
        """The grade of a rounded score in hundredths: what you see is what counts."""
        for grade in GRADES[:-1]:
            cut = self.cuts[grade]
            if score * cut.denominator >= 100 * cut.numerator:
                return grade
        return GRADES[-1]

    def overall_weight(self, source: Source) -> Fraction:
        """The share of `source` in the whole rating, in percent."""
        shares = sum(criterion.share for criterion in self.criteria)
        return Fraction(sum(c.share * c.weights.get(source, 0) for c in self.criteria), shares)

    def kpi_outgrows_supervisor(self) -> bool:
        """Whether the KPI sheet weighs more in the total than the supervisor: worth a warning, not a refusal."""
        return 1 - self.rating_share > self.rating_share * self.overall_weight(Source.SUPERVISOR) / 100
