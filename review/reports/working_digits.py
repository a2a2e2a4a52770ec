"""The sheet that rounds exactly: every mean divided as at school, three digits at a time, so that ties are ties.

A spreadsheet program knows only binary fractions, and half of all scores are exact ties at the third decimal. Here
every figure is a whole number below 10**13. The means are divided to so many digits that whatever is cut off could
only matter if it were nothing: `groups_for` says how many that takes, and the last row checks it for the inputs as
they are now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from review.infra.live_sheet import LIMIT, Cell, Page, Say

BASE = 1000
ROOM = 12  # digits more than needed, for inputs that are changed
NAME, TOP, BELOW, WHOLE, REST, FIRST = 0, 1, 2, 3, 4, 8
RATING, SHEET, TOTAL = 5, 6, 7  # the columns of the multipliers of R, K and T


@dataclass(frozen=True, slots=True)
class Term:
    """A mean as `top / below`, and what it is multiplied by in the rating, in the KPI sheet and in the total."""

    name: str
    top: Cell
    below: Cell
    factors: tuple[Cell, Cell, Cell]


@dataclass(frozen=True, slots=True)
class Sum:
    """One figure: the terms times their factors, plus `more`, all over `divisor`, in hundredths."""

    title: str
    column: int
    more: Cell
    divisor: Cell


def groups_for(terms: Sequence[Term]) -> int:
    """How many groups of three digits decide every tie: 1000**groups > 2 * factors * (product of the divisors)."""
    factors = max(1, *(sum(term.factors[at].number for term in terms) for at in range(3)))
    digits = log10(2) + log10(factors) + sum(log10(max(1, term.below.number)) for term in terms)
    return int((digits + ROOM) // 3) + 1


def write_digits(page: Page, terms: Sequence[Term], sums: Sequence[Sum], say: Say) -> tuple[list[Cell], Cell]:
    """The sums in hundredths, each rounded half up this once, and the cell that says whether all of it was exact."""
    groups = groups_for(terms)
    page.text(0, 0, say("exact_title"), "title", wide=False)
    page.note(1, say("exact_note"), 16)
    _heads(page, 3, groups, say)
    rows = [_divided(page, 4 + at, term, groups) for at, term in enumerate(terms)]
    last = 3 + len(terms)
    results, row = [], last + 2
    for one in sums:
        results.append(_summed(page, row, one, terms, rows, say))
        row += 6
    check = _check(page, row, last, groups, say)
    page.finish(7, freeze=(4, 1))
    return results, check


def _heads(page: Page, row: int, groups: int, say: Say) -> None:
    heads = ["exact_name", "exact_top", "exact_below", "exact_whole", "exact_rest", "factor_r", "factor_k", "factor_t"]
    for column, key in enumerate(heads):
        page.text(row, column, say(key), "head", wide=column == 0)
    for at in range(groups):
        page.text(row, FIRST + 2 * at, say("exact_digits", number=at + 1), "head", wide=False)
        page.text(row, FIRST + 2 * at + 1, say("exact_rest"), "head", wide=False)


def _divided(page: Page, row: int, term: Term, groups: int) -> list[int]:
    """One long division; the whole part and the groups of digits."""
    top, below = term.top.number, term.below.number
    page.text(row, NAME, term.name)
    page.formula(row, TOP, term.top.ref, top)
    page.formula(row, BELOW, term.below.ref, below)
    n, d, whole = page.ref(row, TOP), page.ref(row, BELOW), page.ref(row, WHOLE)
    digits = [top // below]
    page.formula(row, WHOLE, f"INT({n}/{d})", digits[0])
    rest = top % below
    page.formula(row, REST, f"{n}-{whole}*{d}", rest)
    for column, factor in zip((RATING, SHEET, TOTAL), term.factors, strict=True):
        page.formula(row, column, factor.ref, factor.value)
    before = page.ref(row, REST)
    for at in range(groups):
        here, column = page.ref(row, FIRST + 2 * at), FIRST + 2 * at
        digits.append(BASE * rest // below)
        rest = BASE * rest % below
        page.formula(row, column, f"INT({BASE}*{before}/{d})", digits[-1])
        page.formula(row, column + 1, f"{BASE}*{before}-{here}*{d}", rest)
        before = page.ref(row, column + 1)
    return digits


def _summed(page: Page, row: int, one: Sum, terms: Sequence[Term], rows: Sequence[Sequence[int]], say: Say) -> Cell:
    """Sum, carry and digit of each group from the right; then the one rounding."""
    first, last = 4, 3 + len(terms)
    factors = [term.factors[one.column - RATING].number for term in terms]
    many = page.span((first, one.column), (last, one.column))
    for at, key in enumerate(("exact_sum", "exact_carry", "exact_digit")):
        page.text(row + at, NAME, f"{one.title}: {say(key)}" if at == 0 else say(key), "strong" if at == 0 else "text")
    groups = len(rows[0]) - 1
    carried, carry = "0", 0
    half, is_half = "", False
    for at in range(groups, 0, -1):
        column = FIRST + 2 * (at - 1)
        digits = page.span((first, column), (last, column))
        # Whatever was cut off of all terms together is less than one unit of the last group for each.
        extra = f"+SUM({many})" if at == groups else ""
        total = sum(f * digit[at] for f, digit in zip(factors, rows, strict=True))
        total += carry + (sum(factors) if at == groups else 0)
        carry = total // BASE
        here, over = page.ref(row, column), page.ref(row + 1, column)
        page.formula(row, column, f"SUMPRODUCT({many},{digits})+{carried}{extra}", total)
        page.formula(row + 1, column, f"INT({here}/{BASE})", carry)
        page.formula(row + 2, column, f"{here}-{over}*{BASE}", total % BASE)
        carried, half, is_half = over, page.ref(row + 2, column), total % BASE >= BASE // 2
    wholes = page.span((first, WHOLE), (last, WHOLE))
    whole = sum(f * digit[0] for f, digit in zip(factors, rows, strict=True)) + carry + one.more.number
    units = page.formula(row, WHOLE, f"SUMPRODUCT({many},{wholes})+{carried}+{one.more.ref}", whole)
    up = page.formula(row + 2, WHOLE, f"IF({half}>=500,1,0)", int(is_half))
    page.text(row + 3, NAME, say("exact_divisor"))
    page.formula(row + 3, WHOLE, one.divisor.ref, one.divisor.value)
    divisor = max(1, one.divisor.number)
    page.text(row + 4, NAME, say("exact_rounded"), "strong")
    formula = f"INT((2*{units.ref}+{one.divisor.ref}+{up.ref})/(2*{one.divisor.ref}))"
    return page.formula(row + 4, WHOLE, formula, (2 * whole + divisor + int(is_half)) // (2 * divisor))


def _check(page: Page, row: int, last: int, groups: int, say: Say) -> Cell:
    """Whether every whole number is small enough, and whether the digits are enough to decide every tie."""
    below = page.span((4, BELOW), (last, BELOW))
    column = FIRST + 2 * groups - 1
    figures = page.span((4, TOP), (row - 2, column))
    factors = ",".join(f"SUM({page.span((4, at), (last, at))})" for at in (RATING, SHEET, TOTAL))
    small = f"MAX({figures})<{LIMIT},MIN({figures})>-{LIMIT},MAX({below})<{LIMIT // BASE}"
    enough = f"{3 * groups}>LOG10(2)+LOG10(MAX(1,{factors}))+SUMPRODUCT(LOG10({below}))"
    page.text(row, NAME, say("exact_check"), "strong")
    return page.formula(row, WHOLE, f"IF(AND({small},{enough}),1,0)", 1)
