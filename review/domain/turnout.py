"""How likely it is that enough of those who are asked answer, exactly."""

from fractions import Fraction
from math import comb

ASKED = 8
ANSWERING = Fraction(80, 100)
CANNOT_JUDGE = Fraction(10, 100)


def chance_of_enough(
    minimum: int, asked: int = ASKED, answering: Fraction = ANSWERING, cannot_judge: Fraction = CANNOT_JUDGE
) -> Fraction:
    """P(X >= minimum) for X binomial over `asked` people who each give a level with answering * (1 - cannot_judge)."""
    gives = answering * (1 - cannot_judge)
    return sum((comb(asked, n) * gives**n * (1 - gives) ** (asked - n) for n in range(minimum, asked + 1)), Fraction(0))
