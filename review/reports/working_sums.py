"""The sheet of the working: by criterion and source down to the grade, every figure a formula over the inputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, prod
from typing import Any

from review.domain.vocabulary import COUNTING, GRADES, Source
from review.infra.live_sheet import Cell, Page, Say, Value, half_up_formula
from review.reports.working_digits import RATING, SHEET, TOTAL, Sum, Term, write_digits
from review.reports.working_inputs import Decimals, Given, GivenCriterion, GivenRow, Material
from review.reports.working_rows import earned_formulas, earned_values

HEADS = ("what", "sum", "count", "weight", "counted", "weight_used", "mean", "common", "product", "score_head")
WHAT, S, N, WEIGHT, COUNTED, USED, MEAN, COMMON, PRODUCT, SCORE = range(10)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A mean in lowest terms, as two cells of whole numbers; `ok`: whether there is one."""

    name: str
    top: Cell
    below: Cell
    ok: Cell
    weight: Cell


class Sums:
    """Writes the sheet from top to bottom."""

    def __init__(self, page: Page, exact: Page, given: Given, material: Material, say: Say) -> None:
        self.page, self.exact, self.given, self.material, self.say = page, exact, given, material, say
        self.row = 0
        self.rated: list[str] = []  # by criterion: whether the supervisor's rating is complete there

    def write(self) -> dict[str, Cell]:
        page, say = self.page, self.say
        page.text(
            0, 0, say("sums_title", subject=self.material.subject, cycle=self.material.cycle), "title", wide=False
        )
        page.note(1, say("sums_note"), SCORE)
        for column, key in enumerate(HEADS):
            page.text(3, column, say(key), "head")
        self.row = 4
        lines = self.material.working["criteria"]
        criteria = [self._criterion(one, line) for one, line in zip(self.given.criteria, lines, strict=True)]
        rows = self._sheet()
        plus, minus = self._added()
        results, check = self._exactly(criteria, rows, plus, minus)
        found = self._ending(criteria, rows, results, check)
        page.finish(10, freeze=(4, 1))
        return found

    # One criterion: its sources, then what counts of them.

    def _criterion(self, one: GivenCriterion, line: dict[str, Any]) -> Ratio:
        page, first = self.page, self.row + 1
        page.text(self.row, WHAT, one.name, "strong")
        self.rated.append(page.ref(first, COUNTED))
        cells = [self._source(first + at, source, one, line) for at, source in enumerate(COUNTING)]
        total = first + len(COUNTING)

        def column(place: int) -> str:
            return page.span((first, place), (total - 1, place))

        parts = [line["sources"][source.value] for source in COUNTING]
        left = sum(part["weight"] for part in parts if part["counted"])
        is_ok = line["exact"] is not None
        page.text(total, WHAT, self.say("criterion_total"))
        weight = page.formula(total, WEIGHT, f"SUMPRODUCT({column(WEIGHT)},{column(COUNTED)})", left)
        enough = f"AND({page.ref(first, COUNTED)}=1,{weight.ref}>={self.given.least_weight.ref})"
        ok = page.formula(total, COUNTED, f"IF({enough},1,0)", int(is_ok))
        common = prod(cells)
        dens = page.formula(total, COMMON, f"PRODUCT({column(COMMON)})", common)
        for at, part in enumerate(parts):
            self._source_ends(first + at, part, weight, ok, dens)
        top = sum(part["weight"] * part["points"] * common // part["over"] for part in parts if part["counted"])
        below = left * common
        raw_top = page.formula(total, PRODUCT, f"IF({ok.ref}=1,SUM({column(PRODUCT)}),0)", top if is_ok else 0)
        raw_below = f"IF({ok.ref}=1,{weight.ref}*{dens.ref},1)"
        ratio = self._reduced(total + 1, one.name, raw_top, raw_below, below if is_ok else 1, ok, one.share)
        score = f'IF({ok.ref}=1,{half_up_formula(ratio.top.ref, ratio.below.ref)}/100,"")'
        page.formula(total, SCORE, score, None if line["score"] is None else line["score"] / 100, "score")
        self.row = total + 2
        return ratio

    def _source(self, row: int, source: Source, one: GivenCriterion, line: dict[str, Any]) -> int:
        """One source's sum, count and whether it counts; the divisor it brings with it."""
        page, part = self.page, line["sources"][source.value]
        total, count, weight = one.totals[source].ref, one.counts[source].ref, one.weights[source]
        points, over = (part["points"], part["over"]) if part["counted"] else (0, 0)
        page.text(row, WHAT, f"  {self.say(source.value)}")
        if source is Source.SUPERVISOR:
            names, worth = self.given.level_names, self.given.level_points
            total = f'IF({one.level.ref}="",N({total}),INDEX({worth},MATCH({one.level.ref},{names},0)))'
            count = f'IF({one.level.ref}="",N({count}),1)'
        else:
            total, count = f"N({total})", f"N({count})"
        page.formula(row, S, total, points)
        n = page.formula(row, N, count, over)
        w = page.formula(row, WEIGHT, weight.ref, weight.value)
        at_least = {
            Source.SUPERVISOR: self.given.required.ref,
            Source.PEERS: "1",  # a peers' figure that may not be told stands nowhere; one that stands there counts
            Source.CUSTOMERS: self.given.least_customers.ref,
        }[source]
        counted = page.formula(row, COUNTED, f"IF(AND({w.ref}>0,{n.ref}>={at_least}),1,0)", int(part["counted"]))
        page.formula(row, COMMON, f"IF({counted.ref}=1,{n.ref},1)", over if part["counted"] else 1)
        return int(over) if part["counted"] else 1

    def _source_ends(self, row: int, part: dict[str, Any], left: Cell, ok: Cell, dens: Cell) -> None:
        page, is_on = self.page, part["counted"]
        s, n, w, on, own = (page.ref(row, column) for column in (S, N, WEIGHT, COUNTED, COMMON))
        used = f"IF({ok.ref}*{on}=1,INT((20000*{w}+{left.ref})/(2*{left.ref}))/100,0)"
        page.formula(row, USED, used, part["weight_used"] / 100, "points")
        mean = part["mean"] / 100 if is_on else None
        page.formula(row, MEAN, f'IF({on}=1,{half_up_formula(s, n)}/100,"")', mean, "points")
        over = part["over"] if is_on else 1
        value = part["weight"] * part["points"] * (int(dens.number) // over) if is_on else 0
        page.formula(row, PRODUCT, f"IF({on}=1,{w}*{s}*{dens.ref}/{own},0)", value)

    def _reduced(self, row: int, name: str, top: Cell, below: str, below_value: int, ok: Cell, weight: Cell) -> Ratio:
        """`top / below` in lowest terms, on a row of its own."""
        page, by = self.page, gcd(top.number, below_value) or 1
        page.text(row, WHAT, f"  {self.say('lowest_terms')}", "note")
        raw = page.formula(row, S, below, below_value)
        common = page.formula(row, N, f"GCD({top.ref},{raw.ref})", by)
        over = page.formula(row, COMMON, f"{raw.ref}/{common.ref}", below_value // by)
        return Ratio(name, page.formula(row, PRODUCT, f"{top.ref}/{common.ref}", top.number // by), over, ok, weight)

    # The KPI sheet and the lines.

    def _sheet(self) -> list[Ratio]:
        rows = []
        lines = self.material.working["kpi_lines"]
        if lines:
            self.page.text(self.row, WHAT, self.say("kpi"), "block")
            self.row += 1
        for given, line in zip(self.given.rows, lines, strict=True):
            rows.append(self._kpi_row(given, line))
        self.row += bool(lines)
        return rows

    def _kpi_row(self, row: GivenRow, line: dict[str, Any]) -> Ratio:
        page, at = self.page, self.row
        name = self.material.row_name(line["key"])
        page.text(at, WHAT, f"  {name}")
        top_formula, below_formula = earned_formulas(row)
        top, below = earned_values(row)
        weight_formula = self.given.weight_places.whole(row.cells["weight"].ref)
        weight = self.given.weight_places.of(Fraction(line["weight"]))
        u = page.formula(at, WEIGHT, weight_formula, weight)
        raw_top = page.formula(at, PRODUCT, top_formula, top)
        yes = page.formula(at, COUNTED, "1", 1)
        ratio = self._reduced(at + 1, name, raw_top, below_formula, below, yes, u)
        points = f"{half_up_formula(ratio.top.ref, ratio.below.ref)}/100"
        page.formula(at, SCORE, points, line["earned"] / 100, "points")
        self.row = at + 2
        return ratio

    def _added(self) -> tuple[Cell, Cell]:
        """The capped sums of bonus and deduction, as whole numbers in the places of their lines."""
        cells, working, places = [], self.material.working, self.given.line_places
        for key, lines, cap in zip(("bonus", "deduction"), self.given.lines, self.given.caps, strict=True):
            value = places.of(Fraction(working[key]))
            self.page.text(self.row, WHAT, self.say(key))
            formula = f"MIN({places.whole(cap.ref)},SUMPRODUCT({places.whole(lines)}))"
            whole = self.page.formula(self.row, PRODUCT, formula, value)
            points = f"{whole.ref}/{places.scale}"
            self.page.formula(self.row, SCORE, points, value / places.scale, "points")
            cells.append(whole)
            self.row += 1
        return cells[0], cells[1]

    # From the parts to the three figures.

    def _exactly(
        self, criteria: Sequence[Ratio], rows: Sequence[Ratio], plus: Cell, minus: Cell
    ) -> tuple[list[Cell], Cell]:
        """Factors in lowest terms: T is the sum of factor times mean, over one divisor, all whole numbers."""
        self.row += 1
        self.page.text(self.row, WHAT, self.say("factors"), "block")
        self.row += 1
        shares, v_total = self._lowest([ratio.weight for ratio in criteria], "shares")
        weights, u_total = self._lowest([ratio.weight for ratio in rows], "kpi_weights") if rows else ([], self._one())
        places: Decimals = self.given.share_places
        scale = places.scale
        value = places.of(self.material.scheme.rating_share)
        by = gcd(value, scale)
        formula = places.whole(self.given.share.ref)
        share = self._named(
            "factor_share", f"{formula}/GCD({formula},{scale})" if rows else "1", value // by if rows else 1
        )
        out_of = self._named(
            "factor_out_of", f"{scale}/GCD({formula},{scale})" if rows else "1", scale // by if rows else 1
        )
        lines_scale = self.given.line_places.scale
        difference = plus.number - minus.number
        by = gcd(abs(difference), lines_scale)
        spread = f"GCD(ABS({plus.ref}-{minus.ref}),{lines_scale})"
        added = self._named("factor_added", f"({plus.ref}-{minus.ref})/{spread}", difference // by)
        below = self._named("factor_below", f"{lines_scale}/{spread}", lines_scale // by)
        terms_r = [
            (
                f"100*{v.ref}*{share.ref}*{u_total.ref}*{below.ref}",
                100 * v.number * share.number * u_total.number * below.number,
            )
            for v in shares
        ]
        rest, rest_value = f"({out_of.ref}-{share.ref})", out_of.number - share.number
        terms_k = [
            (
                f"100*{u.ref}*{rest}*{v_total.ref}*{below.ref}",
                100 * u.number * rest_value * v_total.number * below.number,
            )
            for u in weights
        ]
        more = (
            f"100*{added.ref}*{out_of.ref}*{v_total.ref}*{u_total.ref}",
            100 * added.number * out_of.number * v_total.number * u_total.number,
        )
        over = (
            f"{out_of.ref}*{v_total.ref}*{u_total.ref}*{below.ref}",
            out_of.number * v_total.number * u_total.number * below.number,
        )
        factors, more_cell, divisor = self._divided([*terms_r, *terms_k], more, over)
        nothing = self._named("nothing", "0", 0)
        hundred = [self._named("times_100", f"100*{one.ref}", 100 * one.number) for one in (*shares, *weights)]
        terms = []
        for at, ratio in enumerate((*criteria, *rows)):
            is_rating = at < len(criteria)
            mine = (hundred[at], nothing) if is_rating else (nothing, hundred[at])
            terms.append(Term(ratio.name, ratio.top, ratio.below, (*mine, factors[at])))
        sums = [
            Sum(self.say("rating"), RATING, nothing, v_total),
            Sum(self.say("kpi"), SHEET, nothing, u_total),
            Sum(self.say("total"), TOTAL, more_cell, divisor),
        ]
        return write_digits(self.exact, terms, sums, self.say)

    def _named(self, key: str, formula: str, value: int) -> Cell:
        self.page.text(self.row, WHAT, f"  {self.say(key)}", "note")
        self.row += 1
        return self.page.formula(self.row - 1, PRODUCT, formula, value)

    def _one(self) -> Cell:
        return self._named("no_sheet", "1", 1)

    def _lowest(self, cells: Sequence[Cell], key: str) -> tuple[list[Cell], Cell]:
        """Weights over their greatest common divisor, and their sum."""
        every = ",".join(cell.ref for cell in cells)
        by = gcd(*(cell.number for cell in cells)) or 1
        found = [self._named(key, f"{cell.ref}/GCD({every})", cell.number // by) for cell in cells]
        total = self._named(f"{key}_sum", "+".join(cell.ref for cell in found), sum(cell.number for cell in found))
        return found, total

    def _divided(
        self, terms: Sequence[tuple[str, int]], more: tuple[str, int], over: tuple[str, int]
    ) -> tuple[list[Cell], Cell, Cell]:
        raw = [self._named("factor_raw", formula, value) for formula, value in (*terms, more, over)]
        every = ",".join(f"ABS({cell.ref})" for cell in raw)
        by = self._named("factor_gcd", f"GCD({every})", gcd(*(cell.number for cell in raw)) or 1)
        low = [self._named("factor_low", f"{cell.ref}/{by.ref}", cell.number // by.number) for cell in raw]
        return low[:-2], low[-2], low[-1]

    def _ending(
        self, criteria: Sequence[Ratio], rows: Sequence[Ratio], results: Sequence[Cell], check: Cell
    ) -> dict[str, Cell]:
        """The figures as they are published, each by its name."""
        working, given, found = self.material.working, self.given, {}
        self.row += 1
        self.page.text(self.row, WHAT, self.say("result"), "block")

        def line(key: str, formula: str, value: Value, kind: str = "points", label: str = "strong") -> Cell:
            self.row += 1
            self.page.text(self.row, WHAT, self.say(key), label)
            found[key] = self.page.formula(self.row, SCORE, formula, value, kind)
            return found[key]

        status = line("withheld", self._why(criteria), self._word(working["withheld"]), "text", "text")
        clamped, scale = f"MIN(11000,MAX(0,{results[2].ref}))", given.cut_places.scale

        def scored(formula: str) -> str:
            return f'IF({status.ref}="",{formula},"")'

        line("rating", scored(f"{results[0].ref}/100"), _points(working["rating"]))
        line("kpi", f"{results[1].ref}/100" if rows else '""', _points(working["kpi"]))
        line("total", scored(f"{clamped}/100"), _points(working["score"]), "total")
        cuts = [given.cut_places.whole(cut.ref) for cut in given.cuts]
        tests = [f"{clamped}*{scale}>=100*{cut}" for cut in cuts]
        place = f"IF({tests[0]},1,IF({tests[1]},2,IF({tests[2]},3,4)))"
        computed = working["computed_grade"]
        index = line("grade_place", scored(place), GRADES.index(computed) + 1 if computed else None, "whole", "text")
        capped = f'IF({given.veto.ref}="",1,MATCH({given.veto.ref},{given.grade_names},0))'
        grade = scored(f"INDEX({given.grade_names},MAX({index.ref},{capped}))")
        line("grade_final", grade, self._word(working["grade"]), "strong")
        ends = ",".join(f"INT((200*{cut}+{scale})/(2*{scale}))" for cut in cuts)
        away = f'IF({index.ref}=1,"",(CHOOSE({index.ref}-1,{ends})-{clamped})/100)'
        line("distance", scored(away), _points(working["distance"]), "points", "text")
        yes, no = self.say("yes"), self.say("no")
        line("is_exact", f'IF({check.ref}=1,"{yes}","{no}")', yes, "text", "text")
        return found

    def _why(self, criteria: Sequence[Ratio]) -> str:
        rated, oks = ",".join(self.rated), ",".join(ratio.ok.ref for ratio in criteria)
        little = f'IF(MIN({oks})=0,"{self.say("too_little_weight")}","")'
        return f'IF(MIN({rated})=0,"{self.say("supervisor_incomplete")}",{little})'

    def _word(self, key: str | None) -> str:
        return self.say(key) if key else ""


def _points(value: int | None) -> float | None:
    return None if value is None else value / 100


def write_sums(page: Page, exact: Page, given: Given, material: Material, say: Say) -> dict[str, Cell]:
    """Both sheets of formulas; the cells of the results by their names."""
    return Sums(page, exact, given, material, say).write()
