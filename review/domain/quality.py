"""Quality checks (质检): what a form asks, what a checker marks, and the exact figures that follow.

Source of the rules: Zendesk QA's published scoring. A category on a scale of n points gives
(selected - lowest) / (highest - lowest) * 100; a check is the mean of the rated categories by weight, so that "not
applicable" drops out; a critical category below half sets the whole check to 0 and keeps its own figure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from review.domain.records import Measured
from review.domain.refusals import Problem
from review.domain.rounding import weighted_mean
from review.domain.vocabulary import Text

POINTS = (2, 3, 4, 5)  # how many points a scale may have
LOW = Fraction(50)  # a mark below this needs a comment, and fails the check in a critical category
LONGEST_COMMENT = 1000

Marks = Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Cause:
    """One answer to why a mark is low (根因)."""

    key: str
    text: Text


@dataclass(frozen=True, slots=True)
class Category:
    """One thing a check looks at. `levels` are the points of its scale in words, lowest first."""

    key: str
    name: Text
    question: Text
    weight: int
    levels: tuple[Text, ...]
    may_be_left_out: bool = True
    is_critical: bool = False
    causes: tuple[Cause, ...] = ()

    @property
    def scale(self) -> int:
        return len(self.levels)

    def is_low(self, mark: int | None) -> bool:
        return mark is not None and points_of(mark, self.scale) < LOW


@dataclass(frozen=True, slots=True)
class QualityForm:
    """A whole form (质检表). `hash` is the SHA-256 of its canonical JSON."""

    key: str
    version: int
    name: Text
    categories: tuple[Category, ...]
    hash: str = ""

    def category(self, key: str) -> Category:
        """Raises KeyError for a key that is none of this form's."""
        for category in self.categories:
            if category.key == key:
                return category
        raise KeyError(key)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a checker says about one ticket. A mark counts from 1, the lowest; None is "not applicable"."""

    marks: Marks = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)
    causes: Mapping[str, str] = field(default_factory=dict)
    overall: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A check's figures in points (0-100). `score` is None where nothing with a weight was rated.

    `failed` names the critical categories that set it to 0, `without_failure` is what it would be without that rule.
    """

    score: Fraction | None
    figures: Mapping[str, Fraction]
    failed: tuple[str, ...]
    without_failure: Fraction | None


def points_of(mark: int, scale: int) -> Fraction:
    """The points of a mark on a scale of so many points, exactly: 2 of 4 is 100/3. Raises ValueError off the scale."""
    if scale not in POINTS or not 1 <= mark <= scale:
        raise ValueError("a mark lies on its scale of two to five points")
    return Fraction(100 * (mark - 1), scale - 1)


def outcome_of(form: QualityForm, marks: Marks) -> Outcome:
    """The figures that follow from these marks; what is not marked counts as not applicable."""
    figures, rated, failed = {}, [], []
    for category in form.categories:
        mark = marks.get(category.key)
        if mark is None:
            continue
        points = points_of(mark, category.scale)
        figures[category.key] = points
        if category.weight:
            rated.append((category.weight, points))
        if category.is_critical and points < LOW:
            failed.append(category.key)
    mean = weighted_mean(rated) if rated else None
    return Outcome(Fraction(0) if failed else mean, figures, tuple(failed), mean)


def problems_of(form: QualityForm, sheet: Sheet) -> list[Problem]:
    """What keeps a check from being submitted, each beside its field (`mark_<key>`, `comment_<key>`, …)."""
    problems = list(mark_problems(form, sheet.marks))
    for category in form.categories:
        comment = sheet.comments.get(category.key, "").strip()
        is_low = category.is_low(_on_scale(category, sheet.marks.get(category.key)))
        if is_low and not comment:
            problems.append(Problem("quality:comment_missing", f"comment_{category.key}"))
        if is_low and category.causes and sheet.causes.get(category.key) not in {one.key for one in category.causes}:
            problems.append(Problem("quality:cause_missing", f"cause_{category.key}"))
        if len(comment) > LONGEST_COMMENT:
            problems.append(Problem("form:too_long", f"comment_{category.key}", {"max": LONGEST_COMMENT}))
    if len(sheet.overall) > LONGEST_COMMENT:
        problems.append(Problem("form:too_long", "overall", {"max": LONGEST_COMMENT}))
    return problems


def mark_problems(form: QualityForm, marks: Marks) -> Iterable[Problem]:
    """Categories without a mark, marks that lie off their scale, and a check in which nothing would count."""
    is_whole = True
    for category in form.categories:
        where = f"mark_{category.key}"
        if category.key not in marks:
            yield Problem("quality:mark_missing", where)
            is_whole = False
        elif marks[category.key] is None:
            if not category.may_be_left_out:
                yield Problem("quality:must_be_rated", where)
                is_whole = False
        elif _on_scale(category, marks[category.key]) is None:
            yield Problem("form:choose_one", where)
            is_whole = False
    if is_whole and outcome_of(form, marks).without_failure is None:
        yield Problem("quality:nothing_counts")


def _on_scale(category: Category, mark: int | None) -> int | None:
    return mark if mark is not None and 1 <= mark <= category.scale else None


def compliance(scores: Iterable[tuple[Fraction, int]]) -> Measured:
    """The mean of checks, each given as its score and how many there are of it; no value where there are none."""
    total, count = Fraction(0), 0
    for score, times in scores:
        total += score * times
        count += times
    return Measured(total / count if count else None, Fraction(count))
