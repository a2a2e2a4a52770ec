"""The one rounding rule of every published number, half up (四舍五入), and exact decimals as text. Never a float."""

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


def exact_text(value: Fraction) -> str:
    """The shortest decimal that is exactly `value`: "0.6", "10". Raises ValueError where none exists (one third)."""
    places = 0
    while (value * 10**places).denominator != 1:
        places += 1
        if places > 60:
            raise ValueError("not a finite decimal")
    return decimal_text((value * 10**places).numerator, places)
