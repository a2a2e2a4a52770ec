"""Where the pages of this room hang, and how they print an exact figure."""

from fractions import Fraction

from flask import Blueprint

from review.domain.quality import points_of
from review.domain.rounding import decimal_text, half_up, hundredths

bp = Blueprint("quality", __name__)


@bp.app_template_filter("exact_points")
def exact_points(value: Fraction | None) -> str:
    """An exact figure with two decimals, rounded once, half up; a dash where there is none."""
    return "–" if value is None else decimal_text(hundredths(value))


@bp.app_template_filter("exact_percent")
def exact_percent(value: Fraction | None) -> str:
    """A share as whole percent."""
    return "–" if value is None else f"{half_up(100 * value.numerator, value.denominator, 0)}%"


@bp.app_template_filter("mark_points")
def mark_points(mark: int | None, scale: int) -> Fraction | None:
    """The points of a mark on its scale; nothing for "not applicable"."""
    return None if mark is None else points_of(mark, scale)
