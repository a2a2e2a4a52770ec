"""What the `stats` command is given, read from plain data, and what it answers: floats at full precision.

Numbers may be written as JSON numbers or as decimal text. Each reader takes the whole document, notes every problem
with its place, and hands back what is still to be computed once the document has turned out to make sense.
"""

from collections.abc import Callable
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from review.domain.reading import Reader, place
from review.domain.statistics.alpha import Level, alpha
from review.domain.statistics.four_fifths import four_fifths
from review.domain.statistics.groups import SUMS_LARGEST, icc_unbalanced
from review.domain.statistics.icc import icc
from review.domain.statistics.kappa import Weights, kappa
from review.domain.statistics.numbers import as_float
from review.domain.statistics.proportions import NINETY_FIVE, newcombe, wilson
from review.domain.statistics.rwg import MOST_LEVELS, rwg
from review.domain.statistics.severity import severity
from review.domain.statistics.shrink import shrink

MOST = 100_000  # entries of one list
LARGEST_COUNT = 10**12
LONGEST_NAME = 200

Answer = dict[str, object]
Compute = Callable[[], Answer]
Element = TypeVar("Element")
E = TypeVar("E", bound=StrEnum)


def answer(name: str, data: object) -> Answer:
    """The answer of the diagnostic `name` on `data`. Raises Invalid: every problem of the document, or "stats:…"."""
    reader = Reader()
    compute = _READERS[name](reader, data)
    reader.finish()
    return compute()


def _icc(reader: Reader, data: object) -> Compute:
    raw = reader.mapping(data, "", ("ratings",))
    table = _table(reader, raw.get("ratings"), "ratings", reader.number)

    def compute() -> Answer:
        found = icc(table)
        forms = ("icc1", "icc2", "icc3", "icc1k", "icc2k", "icc3k")
        return {form: as_float(getattr(found, form)) for form in forms}

    return compute


def _icc_unbalanced(reader: Reader, data: object) -> Compute:
    raw = reader.mapping(data, "", ("groups",))
    groups = []
    for where, element in reader.items(raw.get("groups"), "groups", MOST):
        group = reader.mapping(element, where, ("n", "sum", "sum_sq"))
        groups.append(
            (
                reader.whole(group.get("n"), place(where, "n"), 0, LARGEST_COUNT),
                reader.number(group.get("sum"), place(where, "sum"), -SUMS_LARGEST, SUMS_LARGEST),
                reader.number(group.get("sum_sq"), place(where, "sum_sq"), 0, SUMS_LARGEST),
            )
        )

    def compute() -> Answer:
        found = icc_unbalanced(groups)
        return {"icc1": as_float(found.icc1), "icc1k": as_float(found.icc1k), "n0": as_float(found.typical_size)}

    return compute


def _alpha(reader: Reader, data: object) -> Compute:
    raw = reader.mapping(data, "", ("data", "level"))
    level = reader.choice(raw.get("level"), "level", Level)

    def value(element: object, where: str) -> Fraction | str | None:
        if element is None:
            return None
        if level is Level.NOMINAL and isinstance(element, str):
            return reader.text(element, where, LONGEST_NAME)
        return reader.number(element, where)

    rows = _table(reader, raw.get("data"), "data", value)

    def compute() -> Answer:
        found = alpha(rows, level)
        return {"alpha": None if found is None else float(found)}

    return compute


def _rwg(reader: Reader, data: object) -> Compute:
    raw = reader.mapping(data, "", ("ratings", "levels"))
    levels = reader.whole(raw.get("levels"), "levels", 2, MOST_LEVELS)
    ratings = _list(reader, raw.get("ratings"), "ratings", reader.number)

    def compute() -> Answer:
        found = rwg(ratings, levels)
        return {"rwg": float(found.rwg), "truncated": found.truncated}

    return compute


def _wilson(reader: Reader, data: object) -> Compute:
    raw = reader.mapping(data, "", ("x", "n"), ("confidence",))
    x, n = (_count(reader, raw.get(key), key) for key in ("x", "n"))
    asked = raw.get("confidence")
    confidence = NINETY_FIVE if asked is None else reader.number(asked, "confidence")

    def compute() -> Answer:
        found = wilson(x, n, confidence)
        return {"low": found.low, "high": found.high}

    return compute


def _newcombe(reader: Reader, data: object) -> Compute:
    keys = ("x1", "n1", "x2", "n2")
    raw = reader.mapping(data, "", keys)
    x1, n1, x2, n2 = (_count(reader, raw.get(key), key) for key in keys)

    def compute() -> Answer:
        found = newcombe(x1, n1, x2, n2)
        return {"difference": found.difference, "low": found.low, "high": found.high}

    return compute


def _four_fifths(reader: Reader, data: object) -> Compute:
    raw = reader.mapping(data, "", ("groups",))
    listed = raw.get("groups")
    names = list(listed) if isinstance(listed, dict) else []
    groups = {}
    for name, element in reader.mapping(listed, "groups", (), names).items():
        where = place("groups", name)
        group = reader.mapping(element, where, ("selected", "total"))
        figures = [_count(reader, group.get(key), place(where, key)) for key in ("selected", "total")]
        groups[name] = (figures[0], figures[1])

    def compute() -> Answer:
        return {
            "groups": {
                name: {
                    "rate": float(share.rate),
                    "ratio": as_float(share.ratio),
                    "flagged": share.flagged,
                    "too_few": share.too_few,
                }
                for name, share in four_fifths(groups).items()
            }
        }

    return compute


def _shrink(reader: Reader, data: object) -> Compute:
    raw = reader.mapping(data, "", ("groups",))
    groups = []
    for where, element in reader.items(raw.get("groups"), "groups", MOST):
        group = reader.mapping(element, where, ("weights", "values"))
        weights, values = (
            _list(reader, group.get(key), place(where, key), reader.number) for key in ("weights", "values")
        )
        groups.append((weights, values))

    def compute() -> Answer:
        found = shrink(groups)
        return {
            "between": float(found.between),
            "within": float(found.within),
            "overall": float(found.overall),
            "clipped": found.clipped,
            "groups": [{"z": as_float(group.z), "value": float(group.value)} for group in found.groups],
        }

    return compute


def _severity(reader: Reader, data: object) -> Compute:
    raw = reader.mapping(data, "", ("ratings",))
    ratings = []
    for where, element in reader.items(raw.get("ratings"), "ratings", MOST):
        rating = reader.mapping(element, where, ("ratee", "rater", "value"))
        ratee, rater = (_name(reader, rating.get(key), place(where, key)) for key in ("ratee", "rater"))
        ratings.append((ratee, rater, reader.number(rating.get("value"), place(where, "value"))))
    return lambda: {"raters": {rater: float(effect) for rater, effect in severity(ratings).items()}}


def _kappa(reader: Reader, data: object) -> Compute:
    raw = reader.mapping(data, "", ("table",), ("weights",))
    weights = None if raw.get("weights") is None else reader.choice(raw["weights"], "weights", Weights)
    table = _table(reader, raw.get("table"), "table", reader.number)
    return lambda: {"kappa": as_float(kappa(table, weights))}


_READERS: dict[str, Callable[[Reader, object], Compute]] = {
    "icc": _icc,
    "icc_unbalanced": _icc_unbalanced,
    "alpha": _alpha,
    "rwg": _rwg,
    "wilson": _wilson,
    "newcombe": _newcombe,
    "four_fifths": _four_fifths,
    "shrink": _shrink,
    "severity": _severity,
    "kappa": _kappa,
}


def _list(reader: Reader, value: object, where: str, read: Callable[[object, str], Element]) -> list[Element]:
    return [read(element, spot) for spot, element in reader.items(value, where, MOST)]


def _table(reader: Reader, value: object, where: str, read: Callable[[object, str], Element]) -> list[list[Element]]:
    return [_list(reader, row, spot, read) for spot, row in reader.items(value, where, MOST)]


def _count(reader: Reader, value: object, where: str) -> int:
    return reader.whole(value, where, 0, LARGEST_COUNT)


def _name(reader: Reader, value: object, where: str) -> str:
    """A person's name or number; a number means the same as its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return reader.text(value, where, LONGEST_NAME)
