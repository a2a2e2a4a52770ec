"""The official score: a published weighted mean in exact numbers, each published number rounded half up once.

Pure and monotone; the order of the inputs changes nothing, and nothing estimated from other people's data enters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from review.domain.canonical import digest
from review.domain.disclosure import Figure, Shown, WhyWithheld, Withheld
from review.domain.kpi import KpiItem, Line, SheetVeto, capped_sum, points_of, sheet_points
from review.domain.responses import Answers, Evidence, Tally
from review.domain.rounding import half_up, hundredths, weighted_mean
from review.domain.scheme_shape import Criterion, Scheme
from review.domain.score_inputs import plain_inputs
from review.domain.scorecard import CriterionLine, Flag, KpiLine, Reason, Scorecard, SourceLine, WhyNoScore
from review.domain.vocabulary import COUNTING, GRADES, STAR_POINTS, Grade, Level, Source

SMALL_SAMPLE_UNDER = 34  # customers for a reliability of .70 (GMC multisource study)
DEFAULT_ERROR = Fraction(3)  # standard error of R where no earlier cycle gives one
LOWEST_TOTAL, HIGHEST_TOTAL = 0, 110_00  # hundredths
_SELF, _SUPERVISOR, _PEERS, _CUSTOMERS = Source  # bound once: looking a member up costs more than a sum
_NO_TALLY = Tally(0, 0)
_WHOLE = Fraction(1)
_BELOW = Withheld(WhyWithheld.BELOW_MINIMUM)
_NOT_ASKED = SourceLine(0, None, None, 1, None, 0, 0, False, Reason.NOT_ASKED)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What makes a total out of a rating: the rating's share, and all that is added to it, exactly."""

    share: Fraction
    added: Fraction

    def total(self, rating: Fraction) -> int:
        """T in hundredths from the exact R, rounded this once. The ends are whole, so they may be applied after it."""
        numerator = self.share.numerator * rating.numerator * self.added.denominator
        below = self.share.denominator * rating.denominator
        rounded = half_up(numerator + self.added.numerator * below, below * self.added.denominator)
        return min(HIGHEST_TOTAL, max(LOWEST_TOTAL, rounded))


def score(
    scheme: Scheme,
    evidence: Evidence,
    kpi: Sequence[KpiItem] | None = None,
    bonus: Sequence[Line] = (),
    deductions: Sequence[Line] = (),
    sheet_veto: SheetVeto | None = None,
    *,
    standard_error: Fraction = DEFAULT_ERROR,
    sheet_open: bool = False,
) -> Scorecard:
    """Score one review. `standard_error` is that of R in the previous cycle; an empty KPI sheet is no sheet.

    `sheet_open`: rows of the KPI sheet have no figure yet, so there is no score, whatever else is there.

    Without a complete supervisor rating, or with under half of a criterion's weight there, score, grade and rating are
    None and `withheld` says why; the KPI sheet and the criteria that can be computed are still given.
    """
    items, bonus_lines, deduction_lines = tuple(kpi or ()), tuple(bonus), tuple(deductions)
    criteria = _criterion_lines(scheme, evidence)
    why = _why_no_score(criteria) or (WhyNoScore.SHEET_OPEN if sheet_open else None)
    rating = None if why else rating_of(criteria)
    earned = [points_of(item) for item in items]
    points = sheet_points(items, earned)
    extra, less = capped_sum(bonus_lines, scheme.bonus_cap), capped_sum(deduction_lines, scheme.deduction_cap)
    share = _WHOLE if points is None else scheme.rating_share
    sheet = Sheet(share, extra - less if points is None else (1 - share) * points + extra - less)
    total = None if rating is None else sheet.total(rating)
    computed = None if total is None else scheme.grade_of(total)
    grade = None if computed is None else capped_grade(computed, sheet_veto)
    next_grade, distance = _next_cut(scheme, total, computed)
    return Scorecard(
        score=total,
        grade=grade,
        computed_grade=computed,
        withheld=why,
        rating=None if rating is None else hundredths(rating),
        rating_exact=rating,
        kpi=None if points is None else hundredths(points),
        kpi_exact=points,
        rating_share=share,
        criteria=criteria,
        kpi_lines=tuple(KpiLine(item, exact, hundredths(exact)) for item, exact in zip(items, earned, strict=True)),
        bonus_lines=bonus_lines,
        bonus=extra,
        deduction_lines=deduction_lines,
        deduction=less,
        sheet_veto=sheet_veto,
        standard_error=standard_error,
        flags=_flags(scheme, criteria, sheet, total, sheet_veto, standard_error * share),
        method_id=scheme.id,
        method_hash=scheme.method_hash,
        input_hash=digest(plain_inputs(evidence, items, bonus_lines, deduction_lines, sheet_veto)),
        next_grade=next_grade,
        distance=distance,
    )


def rating_of(criteria: Sequence[CriterionLine]) -> Fraction:
    """R, the mean of the criteria by their shares. Raises ValueError where one of them has no score."""
    parts = []
    for line in criteria:
        if line.exact is None:
            raise ValueError(f"criterion {line.key} has no score")
        parts.append((line.share, line.exact))
    return weighted_mean(parts)


def capped_grade(grade: Grade, veto: SheetVeto | None) -> Grade:
    """The lower one of the computed grade and the veto's cap."""
    return grade if veto is None else max(grade, veto.cap, key=GRADES.index)


def _next_cut(scheme: Scheme, total: int | None, grade: Grade | None) -> tuple[Grade | None, int | None]:
    if total is None or grade is None or grade is GRADES[0]:
        return None, None
    better = GRADES[GRADES.index(grade) - 1]
    return better, hundredths(scheme.cuts[better]) - total


def _criterion_lines(scheme: Scheme, evidence: Evidence) -> tuple[CriterionLine, ...]:
    worth = {rule.level: rule.points for rule in scheme.levels}
    peers = {cell.criterion: cell.figure for cell in evidence.peers}
    lines = []
    for criterion in scheme.criteria:
        key = criterion.key
        sources = {
            _SELF: _reference(_tally(evidence.self, key, worth)),
            _SUPERVISOR: _supervisor_line(scheme, criterion, evidence, worth),
            _PEERS: _peer_line(scheme, criterion, peers.get(key, _BELOW)),
            _CUSTOMERS: _customer_line(scheme, criterion, evidence.customers.get(key, _NO_TALLY)),
        }
        lines.append(_weighed(criterion, sources))
    return tuple(lines)


def _tally(answers: Sequence[Answers], key: str, worth: Mapping[Level, int]) -> Tally:
    given = [worth[level] for one in answers if (level := one.get(key)) is not None]
    return Tally(sum(given), len(given))


def _line(tally: Tally, weight: int, reason: Reason | None) -> SourceLine:
    if tally.count == 0:
        return SourceLine(0, None, None, 1, None, weight, 0, False, reason)
    mean = half_up(tally.total, tally.count)
    return SourceLine(tally.count, tally.total, tally.total, tally.count, mean, weight, 0, reason is None, reason)


def _silent(n: int | str, weight: int, reason: Reason) -> SourceLine:
    return SourceLine(n, None, None, 1, None, weight, 0, False, reason)


def _reference(tally: Tally) -> SourceLine:
    return _line(tally, 0, Reason.REFERENCE)


def _supervisor_line(
    scheme: Scheme, criterion: Criterion, evidence: Evidence, worth: Mapping[Level, int]
) -> SourceLine:
    """Counts only if as many supervisors as the scheme asks for, and all who rated, gave a level."""
    tally = _tally(evidence.supervisor, criterion.key, worth)
    complete = tally.count >= max(scheme.supervisors_required, len(evidence.supervisor))
    return _line(tally, criterion.weights[_SUPERVISOR], None if complete else Reason.BELOW_MINIMUM)


def _peer_line(scheme: Scheme, criterion: Criterion, figure: Figure) -> SourceLine:
    """Under the minimum even the number of ballots is only told as a range."""
    weight = criterion.weights[_PEERS]
    if weight == 0:
        return _NOT_ASKED
    if isinstance(figure, Withheld):
        return _silent(f"0-{scheme.minimums[_PEERS] - 1}", weight, Reason(figure.why.value))
    return _shown(figure, weight)


def _shown(figure: Shown, weight: int) -> SourceLine:
    n, total = (int(figure.n), figure.points) if figure.is_exact else (figure.n, None)
    mean = half_up(figure.points, figure.over)
    return SourceLine(n, total, figure.points, figure.over, mean, weight, 0, True, None)


def _customer_line(scheme: Scheme, criterion: Criterion, tally: Tally) -> SourceLine:
    """Under the minimum the count is told (people see that surveys are missing), the points are not."""
    weight = criterion.weights[_CUSTOMERS]
    if weight == 0:
        return _NOT_ASKED
    if tally.count < scheme.minimums[_CUSTOMERS]:
        return _silent(tally.count, weight, Reason.BELOW_MINIMUM)
    return _line(tally, weight, None)


def _weighed(criterion: Criterion, sources: Mapping[Source, SourceLine]) -> CriterionLine:
    """The criterion's score over the sources that count, the weight of the others passing to them in proportion."""
    counted = {source: sources[source] for source in COUNTING if sources[source].counted}
    weight = sum(line.weight for line in counted.values())
    if _SUPERVISOR not in counted or weight < 50:
        return CriterionLine(criterion.key, criterion.share, None, None, sources)
    exact = _mean([(line.weight, line.points or 0, line.over) for line in counted.values()])
    used = {
        source: line._replace(weight_used=half_up(100 * line.weight, weight)) if line.counted else line
        for source, line in sources.items()
    }
    return CriterionLine(criterion.key, criterion.share, hundredths(exact), exact, used)


def _mean(parts: Sequence[tuple[int, int, int]]) -> Fraction:
    """sum(w * points / over) / sum(w) in whole numbers, reduced once: several times faster than adding fractions."""
    over = prod(part[2] for part in parts)
    total = sum(weight * points * (over // below) for weight, points, below in parts)
    return Fraction(total, over * sum(part[0] for part in parts))


def _why_no_score(criteria: Sequence[CriterionLine]) -> WhyNoScore | None:
    if any(not line.sources[_SUPERVISOR].counted for line in criteria):
        return WhyNoScore.SUPERVISOR_INCOMPLETE
    if any(line.exact is None for line in criteria):
        return WhyNoScore.TOO_LITTLE_WEIGHT
    return None


def _flags(
    scheme: Scheme,
    criteria: Sequence[CriterionLine],
    sheet: Sheet,
    total: int | None,
    veto: SheetVeto | None,
    margin: Fraction,
) -> tuple[Flag, ...]:
    flags = []
    if total is not None:
        best, worst = scheme.levels[0].points, scheme.levels[-1].points
        if _depends_on(scheme, criteria, sheet, veto, _PEERS, (worst, best)):
            flags.append(Flag.DEPENDS_ON_PEERS)
        if _depends_on(scheme, criteria, sheet, veto, _CUSTOMERS, (STAR_POINTS, 5 * STAR_POINTS)):
            flags.append(Flag.DEPENDS_ON_CUSTOMERS)
    customers = [line.sources[_CUSTOMERS] for line in criteria]
    if any(line.counted and line.over < SMALL_SAMPLE_UNDER for line in customers):
        flags.append(Flag.SMALL_SAMPLE)
    if total is not None:
        if any(_is_within(total, cut, margin) for cut in scheme.cuts.values()):
            flags.append(Flag.NEAR_CUT)
        if scheme.grade_of(total) is not capped_grade(scheme.grade_of(total), veto):
            flags.append(Flag.SHEET_VETO)
    return tuple(flags)


def _is_within(total: int, cut: Fraction, margin: Fraction) -> bool:
    """abs(total - cut) < margin, with the total in hundredths, in whole numbers."""
    away = abs(total * cut.denominator - 100 * cut.numerator) * margin.denominator
    return away < 100 * margin.numerator * cut.denominator


def _depends_on(
    scheme: Scheme,
    criteria: Sequence[CriterionLine],
    sheet: Sheet,
    veto: SheetVeto | None,
    source: Source,
    extremes: tuple[int, int],
) -> bool:
    """Whether `source`, left out somewhere, could have changed the grade with its lowest or highest points there."""
    if all(line.sources[source].counted or line.sources[source].weight == 0 for line in criteria):
        return False
    outcomes = set()
    for points in extremes:
        supposed = [_with_points(line, source, points) for line in criteria]
        outcomes.add(capped_grade(scheme.grade_of(sheet.total(rating_of(supposed))), veto))
    outcomes.add(capped_grade(scheme.grade_of(sheet.total(rating_of(criteria))), veto))
    return len(outcomes) > 1


def _with_points(line: CriterionLine, source: Source, points: int) -> CriterionLine:
    missing = line.sources[source]
    if missing.counted or missing.weight == 0:
        return line
    parts = [(part.weight, part.points or 0, part.over) for part in line.sources.values() if part.counted]
    exact = _mean([*parts, (missing.weight, points, 1)])
    return CriterionLine(line.key, line.share, None, exact, line.sources)
