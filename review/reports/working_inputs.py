"""The sheet of inputs: all that the score was computed from and that its page shows, in cells that may be changed.

A source that does not count has no figure here either: empty cells, which the formulas take as missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from typing import Any

from review.domain.kpi import KpiRule
from review.domain.scheme import Criterion, Scheme
from review.domain.vocabulary import COUNTING, GRADES, Source
from review.infra.live_sheet import Cell, Page, Say, Value

FIGURES = ("target", "actual", "limit", "full", "cost", "lapses", "veto_at", "points", "cap")
LAST = 12  # the last column of this sheet
MOST_PLACES = 9
SPARE = 2  # empty lines of bonus and deduction, to try out what one more would do
LEAST_WEIGHT = 50


@dataclass(frozen=True, slots=True)
class Material:
    """A working as `results.working` stores it, with the scheme it was made under and the words of its head."""

    scheme: Scheme
    working: Mapping[str, Any]
    subject: str
    cycle: str
    locale: str
    rows: Mapping[str, str] = field(default_factory=dict)  # names of the KPI sheet's rows by key

    def row_name(self, key: str) -> str:
        return self.rows.get(key, key)


@dataclass(frozen=True, slots=True)
class Decimals:
    """Cells with numbers, read as so many parts of one: that turns them into whole numbers.

    Finite decimals are read as tenths, hundredths and so on; a mean over 93 answers as 93rds as well.
    """

    scale: int

    def whole(self, ref: str) -> str:
        return f"ROUND({ref}*{self.scale},0)"

    def of(self, value: Fraction) -> int:
        return int(value * self.scale)


@dataclass(frozen=True, slots=True)
class GivenCriterion:
    """The cells of one criterion; `level` stands for one supervisor's answer, `total` and `count` for several."""

    name: str
    share: Cell
    weights: Mapping[Source, Cell]
    level: Cell
    totals: Mapping[Source, Cell]
    counts: Mapping[Source, Cell]


@dataclass(frozen=True, slots=True)
class GivenRow:
    """One row of the KPI sheet, its exact figures beside the cells they stand in, and where its brackets stand."""

    plain: Mapping[str, Any]
    rule: KpiRule
    cells: Mapping[str, Cell]
    places: Decimals
    starts: str
    earned: str


@dataclass(frozen=True, slots=True)
class Given:
    """Every input by what it is."""

    level_names: str
    level_points: str
    grade_names: str
    points: Mapping[str, int]
    required: Cell
    least_customers: Cell
    least_weight: Cell
    share: Cell
    share_places: Decimals
    caps: tuple[Cell, Cell]
    cuts: tuple[Cell, ...]
    cut_places: Decimals
    criteria: tuple[GivenCriterion, ...]
    rows: tuple[GivenRow, ...]
    weight_places: Decimals
    lines: tuple[str, str]  # ranges of the points of bonus and of deduction
    line_places: Decimals
    veto: Cell


def places_of(values: Sequence[Fraction], least: int = 2) -> Decimals:
    """As many places as every one of these decimals needs; what is no finite decimal brings its own divisor along."""
    found, others = least, 1
    for value in values:
        rest = _without_tens(value.denominator)
        others = lcm(others, rest)
        while found < MOST_PLACES and (value * rest * 10**found).denominator != 1:
            found += 1
    return Decimals(int(10**found) * others)


def _without_tens(number: int) -> int:
    """What is left of a divisor when every two and five is taken out of it."""
    for factor in (2, 5):
        while number % factor == 0:
            number //= factor
    return number


def shown(value: Fraction) -> Value:
    return value.numerator if value.denominator == 1 else float(value)


def write_inputs(page: Page, material: Material, say: Say) -> Given:
    page.text(0, 0, say("inputs_title", subject=material.subject, cycle=material.cycle), "title", wide=False)
    page.note(1, say("inputs_note"), LAST)
    scheme, working = material.scheme, material.working
    row = 3
    levels = _levels(page, row, material, say)
    row, rules = _rules(page, row + 7, material, say)
    row, criteria = _criteria(page, row + 1, material, say, levels[0])
    row, rows, weight_places = _kpi(page, row + 1, material, say)
    row, bonus = _lines(page, row + 1, working["bonus_lines"], "bonus", say)
    row, deductions = _lines(page, row + 1, working["deduction_lines"], "deduction", say)
    veto = working["sheet_veto"]
    page.text(row + 1, 0, say("veto"), "strong")
    cap = page.given(row + 1, 1, say(veto["cap"]) if veto else None)
    page.choices(row + 1, 1, levels[3])
    page.text(row + 1, 2, veto["reason"] if veto else "", wide=False)
    page.finish(9, freeze=(3, 1))
    lines = [Fraction(line["points"]) for line in (*working["bonus_lines"], *working["deduction_lines"])]
    return Given(
        level_names=levels[0],
        level_points=levels[1],
        points=levels[2],
        grade_names=levels[3],
        **rules,
        criteria=criteria,
        rows=rows,
        weight_places=weight_places,
        lines=(bonus, deductions),
        line_places=places_of([*lines, scheme.bonus_cap, scheme.deduction_cap]),
        veto=cap,
    )


def _levels(page: Page, row: int, material: Material, say: Say) -> tuple[str, str, dict[str, int], str]:
    """Levels with their points, beside them the grades; both from the best down."""
    for column, key in enumerate(("level", "points", "grade")):
        page.text(row, column, say(key), "head")
    points = {}
    for at, rule in enumerate(material.scheme.levels, row + 1):
        name = rule.name.of(material.locale)
        points[name] = rule.points
        page.text(at, 0, name)
        page.given(at, 1, rule.points)
    for at, grade in enumerate(GRADES, row + 1):
        page.text(at, 2, say(grade.value))
    ends = ((row + 1, 0), (row + 4, 0)), ((row + 1, 1), (row + 4, 1)), ((row + 1, 2), (row + 4, 2))
    names, worth, grades = (page.span(*end) for end in ends)
    return names, worth, points, grades


def _rules(page: Page, row: int, material: Material, say: Say) -> tuple[int, dict[str, Any]]:
    scheme = material.scheme
    supervisors = [line["sources"]["supervisor"] for line in material.working["criteria"]]
    most = max([scheme.supervisors_required, *(part["n"] for part in supervisors if part["counted"])])
    page.text(row, 0, say("rules"), "head")
    page.text(row, 1, "", "head")
    settings: list[tuple[str, Value]] = [
        ("required", most),
        ("least_customers", scheme.minimums[Source.CUSTOMERS]),
        ("least_weight", LEAST_WEIGHT),
        ("rating_share", shown(scheme.rating_share)),
        ("bonus_cap", shown(scheme.bonus_cap)),
        ("deduction_cap", shown(scheme.deduction_cap)),
        *((f"cut_{grade.value}", shown(scheme.cuts[grade])) for grade in GRADES[:-1]),
    ]
    cells = {}
    for at, (key, value) in enumerate(settings, row + 1):
        page.text(at, 0, say(key))
        cells[key] = page.given(at, 1, value)
    rules = {
        **{key: cells[key] for key in ("required", "least_customers", "least_weight")},
        "share": cells["rating_share"],
        "share_places": places_of([scheme.rating_share]),
        "caps": (cells["bonus_cap"], cells["deduction_cap"]),
        "cuts": tuple(cells[f"cut_{grade.value}"] for grade in GRADES[:-1]),
        "cut_places": places_of([scheme.cuts[grade] for grade in GRADES[:-1]], 3),
    }
    return row + 1 + len(settings), rules


HEADS = (
    *("criterion", "share", "weight_supervisor", "weight_peers", "weight_customers", "supervisor_level"),
    *("supervisor_sum", "supervisor_n", "peers_points", "peers_over", "peers_n", "customers_sum", "customers_n"),
)


def _criteria(
    page: Page, row: int, material: Material, say: Say, level_names: str
) -> tuple[int, tuple[GivenCriterion, ...]]:
    for column, key in enumerate(HEADS):
        page.text(row, column, say(key), "head", wide=column == 0)
    lines = material.working["criteria"]
    given = []
    for at, line in enumerate(lines, row + 1):
        criterion = material.scheme.criterion(line["key"])
        given.append(_criterion(page, at, criterion, line, material))
        page.choices(at, 5, level_names)
    return row + 1 + len(lines), tuple(given)


def _criterion(
    page: Page, row: int, criterion: Criterion, line: Mapping[str, Any], material: Material
) -> GivenCriterion:
    name = criterion.name.of(material.locale)
    page.text(row, 0, name)
    sources = {source: line["sources"][source.value] for source in COUNTING}
    # What does not count is not shown on the page, so it does not stand here either.
    told = {source: part if part["counted"] else {"points": None, "over": None} for source, part in sources.items()}
    supervisor, peers, customers = (told[source] for source in COUNTING)
    level = None
    if supervisor["over"] == 1:
        level = next(
            (r.name.of(material.locale) for r in material.scheme.levels if r.points == supervisor["points"]), None
        )
    own = {"points": None, "over": None} if level else supervisor
    share = page.given(row, 1, line["share"])
    weights = {source: page.given(row, 2 + at, sources[source]["weight"]) for at, source in enumerate(COUNTING)}
    level_cell = page.given(row, 5, level)
    cells = [page.given(row, 6, own["points"]), page.given(row, 7, own["over"])]
    cells += [page.given(row, 8, peers["points"]), page.given(row, 9, peers["over"])]
    page.text(row, 10, str(sources[Source.PEERS]["n"]) if sources[Source.PEERS]["counted"] else "")
    cells += [page.given(row, 11, customers["points"]), page.given(row, 12, customers["over"])]
    return GivenCriterion(
        name=name,
        share=share,
        weights=weights,
        level=level_cell,
        totals=dict(zip(COUNTING, cells[::2], strict=True)),
        counts=dict(zip(COUNTING, cells[1::2], strict=True)),
    )


def _kpi(page: Page, row: int, material: Material, say: Say) -> tuple[int, tuple[GivenRow, ...], Decimals]:
    lines = material.working["kpi_lines"]
    if not lines:
        return row - 1, (), Decimals(1)
    for column, key in enumerate(("kpi_row", "kpi_weight", "kpi_rule", *(f"kpi_{name}" for name in FIGURES))):
        page.text(row, column, say(key), "head", wide=column == 0)
    below = row + len(lines) + 2  # brackets stand under the rows
    weight_places, given = places_of([Fraction(line["weight"]) for line in lines], 0), []
    for at, line in enumerate(lines, row + 1):
        page.text(at, 0, material.row_name(line["key"]))
        cells = {"weight": page.given(at, 1, shown(Fraction(line["weight"])))}
        page.text(at, 2, say(f"rule_{line['rule']}"))
        for column, name in enumerate(FIGURES, 3):
            if name in line and (name != "cap" or line["rule"] == KpiRule.HIGHER):
                cells[name] = page.given(at, column, shown(Fraction(line[name])))
        starts, earned, below = _brackets(page, below, line, material.row_name(line["key"]), say)
        given.append(GivenRow(line, KpiRule(line["rule"]), cells, _places_in(line), starts, earned))
    return below, tuple(given), weight_places


def _places_in(line: Mapping[str, Any]) -> Decimals:
    figures = [Fraction(line[name]) for name in FIGURES if name in line]
    return places_of([*figures, *(Fraction(part) for bracket in line.get("brackets", ()) for part in bracket)])


def _brackets(page: Page, row: int, line: Mapping[str, Any], name: str, say: Say) -> tuple[str, str, int]:
    brackets = line.get("brackets", ())
    if not brackets:
        return "", "", row
    for column, words in enumerate((name, say("bracket_from"), say("bracket_points"))):
        page.text(row, column, words, "head")
    for at, (start, points) in enumerate(brackets, row + 1):
        page.given(at, 1, shown(Fraction(start)))
        page.given(at, 2, shown(Fraction(points)))
    last = row + len(brackets)
    return page.span((row + 1, 1), (last, 1)), page.span((row + 1, 2), (last, 2)), last + 2


def _lines(page: Page, row: int, lines: Sequence[Mapping[str, str]], what: str, say: Say) -> tuple[int, str]:
    page.text(row, 0, say(what), "head")
    page.text(row, 1, say("points"), "head")
    for at, line in enumerate(lines, row + 1):
        page.text(at, 0, line["reason"])
        page.given(at, 1, shown(Fraction(line["points"])))
    last = row + len(lines) + SPARE
    for at in range(row + len(lines) + 1, last + 1):
        page.given(at, 0, None)
        page.given(at, 1, None)
    return last + 1, page.span((row + 1, 1), (last, 1))
