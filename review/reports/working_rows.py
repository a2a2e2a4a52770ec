"""What a row of a KPI sheet earns, as formulas of whole numbers over its inputs, one pair for each rule."""

from fractions import Fraction

from review.domain.kpi import KpiRule
from review.reports.working_inputs import GivenRow


def earned_formulas(row: GivenRow) -> tuple[str, str]:
    """What a row earns in points, as the formulas of a whole number over a whole number."""
    whole = {name: row.places.whole(cell.ref) for name, cell in row.cells.items()}
    scale = row.places.scale
    match row.rule:
        case KpiRule.HIGHER:
            actual, target, cap = whole["actual"], whole["target"], whole["cap"]
            over = f"100*{actual}*{scale}>={cap}*{target}"
            return f"IF({over},{cap},100*{actual})", f"IF({over},{scale},{target})"
        case KpiRule.LOWER:
            actual, target, limit = whole["actual"], whole["target"], whole["limit"]
            return f"100*MAX(0,{limit}-MAX({actual},{target}))", f"{limit}-{target}"
        case KpiRule.LAPSES:
            lapses = row.cells["lapses"].ref
            left = f"100*MAX(0,{whole['full']}-{whole['cost']}*{lapses})"
            if "veto_at" in row.cells:
                left = f"IF({lapses}>={row.cells['veto_at'].ref},0,{left})"
            return left, whole["full"]
        case KpiRule.POINTS:
            return whole["points"], str(scale)
        case KpiRule.BRACKETS:
            actual = row.cells["actual"].ref
            found = f"IF({actual}<MIN({row.starts}),0,LOOKUP({actual},{row.starts},{row.earned}))"
            return row.places.whole(found), str(scale)


def earned_values(row: GivenRow) -> tuple[int, int]:
    """The same by number. Where the row earns `exact`, these are the numbers of the formulas before any reduction."""
    exact, scale = Fraction(row.plain["exact"]), row.places.scale
    if row.rule in (KpiRule.POINTS, KpiRule.BRACKETS):
        return row.places.of(exact), scale
    target = Fraction(row.plain["full" if row.rule is KpiRule.LAPSES else "target"])
    below = row.places.of(target)
    if row.rule is KpiRule.LOWER:
        below = row.places.of(Fraction(row.plain["limit"])) - below
    if row.rule is KpiRule.HIGHER and exact == Fraction(row.plain["cap"]):
        return row.places.of(exact), scale
    return int(exact * below), below
