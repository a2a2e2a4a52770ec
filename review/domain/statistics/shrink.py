"""Shrinkage after Bühlmann and Straub: how far a group's own mean can be believed, and the mean drawn in as far."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from review.domain.reading import place
from review.domain.refusals import Invalid
from review.domain.statistics.numbers import Number, exactly, fine


@dataclass(frozen=True, slots=True)
class Shrunk:
    """One group: its credibility `z` (None where 0/0 stands) and the value drawn towards the overall one."""

    z: Fraction | None
    value: Fraction


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """The variance between and within groups, the overall value, and each group in the order given.

    `clipped` when the estimate of the variance between came out below 0 and 0 was put in its place: no difference
    between the groups can be made out, so every z is 0.
    """

    between: Fraction
    within: Fraction
    overall: Fraction
    clipped: bool
    groups: tuple[Shrunk, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    weight: Fraction
    mean: Fraction
    spread: Fraction  # sum of w (x - mean)²
    values: int


def shrink(groups: Sequence[tuple[Sequence[Number], Sequence[Number]]]) -> Shrinkage:
    """The Bühlmann-Straub values of `groups`, each (weights, values), with the unbiased, non-iterative estimators.

    within = sum w (x - x_i)² / sum (n_i - 1); between = (sum w_i (x_i - x)² - (I - 1) within) / (w - sum w_i² / w);
    z_i = w_i between / (w_i between + within); overall = sum z x_i / sum z; value = z x_i + (1 - z) overall.
    Where between is 0, overall is the weighted mean of everything, which sum z x / sum z tends to. Where within is 0
    as well (all values the same) z is None; where only within is 0, z is 1.
    Source: Bühlmann & Straub (1970); Bühlmann & Gisler (2005), A Course in Credibility Theory, ch. 4.
    Raises Invalid: stats:one_group, stats:empty_group, stats:no_repetition (no group has two values),
    stats:weights_do_not_match, stats:weight_not_positive, stats:not_a_number, stats:too_large, with its place.
    """
    if len(groups) < 2:
        raise Invalid("stats:one_group", "groups")
    read = [_group(weights, values, place("groups", i)) for i, (weights, values) in enumerate(groups)]
    freedom = sum(group.values - 1 for group in read)
    if not freedom:
        raise Invalid("stats:no_repetition", "groups")
    within = sum((group.spread for group in read), Fraction(0)) / freedom
    estimate = _between(read, within)
    return _drawn_in(read, within, max(estimate, Fraction(0)), clipped=estimate < 0)


def _between(groups: list[_Group], within: Fraction) -> Fraction:
    weight = sum((group.weight for group in groups), Fraction(0))
    mean = _mean([(group.weight, group.mean) for group in groups])
    spread = sum((group.weight * (group.mean - mean) ** 2 for group in groups), Fraction(0))
    scale = weight - sum((group.weight**2 for group in groups), Fraction(0)) / weight
    return fine((spread - (len(groups) - 1) * within) / scale)


def _drawn_in(groups: list[_Group], within: Fraction, between: Fraction, clipped: bool) -> Shrinkage:
    credibilities = [_credibility(group.weight * between, within) for group in groups]
    credible = [(z, group.mean) for z, group in zip(credibilities, groups, strict=True) if z]
    overall = _mean(credible or [(group.weight, group.mean) for group in groups])
    values = (
        Shrunk(z, overall + (z or 0) * (group.mean - overall)) for z, group in zip(credibilities, groups, strict=True)
    )
    return Shrinkage(between, within, overall, clipped, tuple(values))


def _credibility(signal: Fraction, noise: Fraction) -> Fraction | None:
    return fine(signal / (signal + noise)) if signal + noise else None


def _mean(weighted: list[tuple[Fraction, Fraction]]) -> Fraction:
    total = sum((weight for weight, _ in weighted), Fraction(0))
    return fine(sum((weight * value for weight, value in weighted), Fraction(0)) / total)


def _group(weights: Sequence[Number], values: Sequence[Number], where: str) -> _Group:
    if not values:
        raise Invalid("stats:empty_group", place(where, "values"))
    if len(weights) != len(values):
        raise Invalid("stats:weights_do_not_match", place(where, "weights"), values=len(values))
    pairs = [
        (_weight(weight, place(place(where, "weights"), i)), exactly(value, place(place(where, "values"), i)))
        for i, (weight, value) in enumerate(zip(weights, values, strict=True))
    ]
    total = sum((weight for weight, _ in pairs), Fraction(0))
    products = [(weight * value, value) for weight, value in pairs]
    first = sum((product for product, _ in products), Fraction(0))
    second = sum((product * value for product, value in products), Fraction(0))
    return _Group(total, fine(first / total), fine(second - first * first / total), len(pairs))


def _weight(value: Number, where: str) -> Fraction:
    weight = exactly(value, where)
    if weight <= 0:
        raise Invalid("stats:weight_not_positive", where)
    return weight
