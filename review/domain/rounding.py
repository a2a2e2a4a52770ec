"""The one rounding rule of every published number, half up (四舍五入), and exact decimals as text. Never a float."""

from collections.abc import Sequence
from fractions import Fraction


def half_up(numerator: int, denominator: int, places: int = 2) -> int:
    """`numerator / denominator` in units of 10**-places, ties away from zero; `denominator` must be positive.

    GB/T 8170 would round ties to even; people, spreadsheets and payslips round them up, and so does the rule text.
    """
    scale = int(10**places)
    units = (2 * scale * abs(numerator) + denominator) // (2 * denominator)
    return units if numerator >= 0 else -units


def hundredths(value: Fraction) -> int:
    """`value` rounded once to hundredths."""
    return half_up(value.numerator, value.denominator)


def decimal_text(units: int, places: int = 2) -> str:
    """8794 -> "87.94": all places are printed, also zeros."""
    sign = "-" if units < 0 else ""
    whole, rest = divmod(abs(units), 10**places)
    return f"{sign}{whole}.{rest:0{places}d}" if places else f"{sign}{whole}"


def weighted_mean(parts: Sequence[tuple[Fraction | int, Fraction]]) -> Fraction:
    """sum(weight * value) / sum(weight), reduced once at the end: several times faster than adding fractions."""
    top, below, total, over = 0, 1, 0, 1  # sum(weight * value) = top / below, sum(weight) = total / over
    for weight, value in parts:
        share, part = weight.denominator, weight.denominator * value.denominator
        top, below = top * part + weight.numerator * value.numerator * below, below * part
        total, over = total * share + weight.numerator * over, over * share
    return Fraction(top * over, below * total)


def exact_text(value: Fraction) -> str:
    """The shortest decimal that is exactly `value`: "0.6", "10". Raises ValueError where none exists (one third)."""
    rest = value.denominator
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    if rest != 1:
        raise ValueError("not a finite decimal")
    places, scale = 0, 1
    while scale % value.denominator:
        places, scale = places + 1, scale * 10
    return decimal_text(value.numerator * scale // value.denominator, places)


def short_text(value: Fraction) -> str:
    """As short as it is exact, else rounded to two places."""
    try:
        return exact_text(value)
    except ValueError:
        return decimal_text(hundredths(value))
