"""A spreadsheet program computes the same score as the product from the workbook that shows the working."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from xlsxwriter import Workbook

from review.domain.kpi import KpiItem, KpiRule, Line
from review.domain.responses import Tally
from review.domain.scheme import Scheme
from review.domain.score_inputs import ScoreInputs
from review.domain.scorecard import Scorecard
from review.domain.scoring import score
from review.domain.vocabulary import LEVELS, Source
from review.infra.live_sheet import Cell, formats_of
from review.reports.working_book import SAFE, add_working, workbook
from review.reports.working_file import words_in
from review.reports.working_inputs import Given, Material
from review.results.working import working_of
from tests.make_scores import Case, random_case
from tests.spreadsheet import at, cells_of, recalculated, with_inputs

REVIEWS, TOGETHER = 200, 20


@dataclass(frozen=True)
class Written:
    """One review in a workbook of several: where its inputs and its results stand."""

    scheme: Scheme
    said: ScoreInputs
    locale: str
    given: Given
    found: Mapping[str, Cell]

    def scored(self) -> Scorecard:
        said = self.said
        return score(self.scheme, said.evidence, said.items, said.bonus, said.deductions, said.sheet_veto)


def said_in(case: Case) -> ScoreInputs:
    return ScoreInputs(case.evidence(), case.items, case.bonus, case.deductions, case.veto)


def write(path: Path, cases: list[Case], locale: str) -> list[Written]:
    book = Workbook(path, SAFE)
    formats, say, written = formats_of(book), words_in(locale), []
    for number, case in enumerate(cases):
        material = Material(case.scheme, working_of(case.scored()), "=1+1 李", "Q1", locale)
        given, found = add_working(book, formats, material, say, f" {number}")
        written.append(Written(case.scheme, said_in(case), locale, given, found))
    book.close()
    return written


def same(cells: Any, one: Written, card: Scorecard) -> None:
    """The results in the workbook are those of the product, to the last of their two decimals."""
    say = words_in(one.locale)
    expected = {
        "withheld": say(card.withheld.value) if card.withheld else "",
        "rating": "" if card.rating is None else card.rating / 100,
        "kpi": "" if card.kpi is None else card.kpi / 100,
        "total": "" if card.score is None else card.score / 100,
        "grade_final": say(card.grade.value) if card.grade else "",
        "distance": "" if card.distance is None else card.distance / 100,
        "is_exact": say("yes"),
    }
    told = {key: at(cells, one.found[key].ref) for key in expected}
    assert {key: hundredths(value) for key, value in told.items()} == {
        key: hundredths(value) for key, value in expected.items()
    }


def is_near(one: Any, other: Any) -> bool:
    return isinstance(one, float | int) and isinstance(other, float | int) and abs(one - other) < 1e-9


def hundredths(value: Any) -> Any:
    return round(value * 100, 6) if isinstance(value, float | int) else value


# Changes of one input, each in a cell and in the domain's own terms; None where a review has no such input.

Change = tuple[dict[str, int | float | str], Written] | None


def other_level(one: Written, chance: Random) -> Change:
    at_ = chance.randrange(len(one.given.criteria))
    cell, key = one.given.criteria[at_].level, one.scheme.criteria[at_].key
    if not cell.value or len(one.said.evidence.supervisor) != 1:
        return None
    level = chance.choice(LEVELS)
    name = next(rule.name.of(one.locale) for rule in one.scheme.levels if rule.level is level)
    answers = {**one.said.evidence.supervisor[0], key: level}
    evidence = replace(one.said.evidence, supervisor=(answers,))
    return {cell.ref: name}, replace(one, said=replace(one.said, evidence=evidence))


def other_customers(one: Written, chance: Random) -> Change:
    able = [
        (place, criterion.key)
        for place, criterion in enumerate(one.scheme.criteria)
        if one.given.criteria[place].counts[Source.CUSTOMERS].value
    ]
    if not able:
        return None
    place, key = chance.choice(able)
    count = chance.randint(one.scheme.minimums[Source.CUSTOMERS] - 1, 60)
    total = 20 * chance.randint(count, 5 * count)
    cells = one.given.criteria[place]
    evidence = replace(one.said.evidence, customers={**one.said.evidence.customers, key: Tally(total, count)})
    changed = {cells.totals[Source.CUSTOMERS].ref: total, cells.counts[Source.CUSTOMERS].ref: count}
    return changed, replace(one, said=replace(one.said, evidence=evidence))


def other_share(one: Written, chance: Random) -> Change:
    at_, share = chance.randrange(len(one.scheme.criteria)), chance.randint(1, 100)
    criteria = list(one.scheme.criteria)
    criteria[at_] = replace(criteria[at_], share=share)
    return {one.given.criteria[at_].share.ref: share}, replace(
        one, scheme=replace(one.scheme, criteria=tuple(criteria))
    )


def other_minimum(one: Written, chance: Random) -> Change:
    """More customers wanted: sources drop out, and their weight passes to the others."""
    least = one.scheme.minimums[Source.CUSTOMERS] + chance.randint(1, 15)
    minimums = {**one.scheme.minimums, Source.CUSTOMERS: least}
    return {one.given.least_customers.ref: least}, replace(one, scheme=replace(one.scheme, minimums=minimums))


def other_figure(one: Written, chance: Random) -> Change:
    able = [
        place
        for place, item in enumerate(one.said.items)
        if item.rule in (KpiRule.HIGHER, KpiRule.LOWER, KpiRule.BRACKETS)
    ]
    if not able:
        return None
    place, actual = chance.choice(able), Fraction(chance.randint(0, 12000), 100)
    items = list(one.said.items)
    items[place] = replace(items[place], actual=actual)
    cell = one.given.rows[place].cells["actual"]
    return {cell.ref: float(actual)}, replace(one, said=replace(one.said, items=tuple(items)))


def one_bonus_more(one: Written, chance: Random) -> Change:
    """Into the first empty line."""
    points = Fraction(chance.randint(0, 500), 100)
    sheet, first = one.given.lines[0].split(":")[0].rsplit("$", 1)
    cell = f"{sheet}${int(first) + len(one.said.bonus)}"
    return {cell: float(points)}, replace(one, said=replace(one.said, bonus=(*one.said.bonus, Line(points, "more"))))


CHANGES: list[Callable[[Written, Random], Change]] = [
    *(other_level, other_customers, other_share, other_minimum, other_figure, one_bonus_more)
]


def changed(one: Written, chance: Random) -> tuple[dict[str, int | float | str], Written]:
    for change in chance.sample(CHANGES, len(CHANGES)):
        found = change(one, chance)
        if found is not None:
            return found
    raise AssertionError("a share can always be changed")


@pytest.mark.xdist_group("libreoffice")
def test_libreoffice_computes_the_same_two_decimals_for_200_reviews_also_with_other_inputs(tmp_path: Path) -> None:
    chance, before, after = Random(20261122), {}, {}
    for number in range(REVIEWS // TOGETHER):
        path, other = tmp_path / f"book-{number}.xlsx", tmp_path / f"other-{number}.xlsx"
        cases = [random_case(Random(1000 * number + each)) for each in range(TOGETHER)]
        before[path.name] = write(path, cases, "zh" if number % 2 else "en")
        pairs = [changed(one, chance) for one in before[path.name]]
        with_inputs(path, other, {cell: value for cells, _ in pairs for cell, value in cells.items()})
        after[other.name] = [one for _, one in pairs]
    told = recalculated(sorted(tmp_path.glob("*.xlsx")), tmp_path)
    moved = 0
    for name, written in before.items():
        stated = cells_of(tmp_path / name)
        for one in written:
            same(told[name], one, one.scored())
        for sheet, rows in stated.items():  # what stands beside each formula is what the formula comes to
            for row, cells in enumerate(rows):
                for column, value in enumerate(cells):
                    there = told[name][sheet][row][column] if column < len(told[name][sheet][row]) else ""
                    assert there == value or is_near(there, value), (name, sheet, row, column)
    for name, written in after.items():
        for one, unchanged in zip(written, before[name.replace("other", "book")], strict=True):
            same(told[name], one, one.scored())
            moved += one.scored().score != unchanged.scored().score
    assert moved > REVIEWS // 3  # the inputs are live


def test_no_name_and_no_reason_is_ever_a_formula(tmp_path: Path) -> None:
    seed = next(seed for seed in range(100) if random_case(Random(seed)).bonus)
    case = random_case(Random(seed))
    path = tmp_path / "one.xlsx"
    path.write_bytes(workbook(Material(case.scheme, working_of(case.scored()), "=1+1", "@Q1", "zh"), words_in("zh")))
    cells = cells_of(path)
    assert any("=HYPERLINK(0)" in row for row in cells["输入"])
    assert cells["计算过程"][0][0] == "得分计算：=1+1，@Q1"


def test_what_does_not_count_stands_nowhere_in_the_workbook(tmp_path: Path) -> None:
    """Peers' ballots under the minimum, and customers' sums."""
    for seed in range(60):
        case = random_case(Random(seed))
        card = case.scored()
        path = tmp_path / f"{seed}.xlsx"
        path.write_bytes(workbook(Material(case.scheme, working_of(card), "Li", "Q1", "en"), words_in("en")))
        rows = {row[0]: row for row in cells_of(path)["Inputs"]}
        for criterion, line in zip(case.scheme.criteria, card.criteria, strict=True):
            if len([one for one in case.scheme.criteria if one.name == criterion.name]) > 1:
                continue  # found by its name below
            row = rows[criterion.name.en]
            if not line.sources[Source.PEERS].counted:
                assert row[8:11] == ["", "", ""]
            if not line.sources[Source.CUSTOMERS].counted:
                assert row[11:13] == ["", ""]


def test_figures_that_are_no_finite_decimals_stay_exact(tmp_path: Path) -> None:
    """Means over 93 answers or 421 cases, as sheets take them from the records, against targets of a mix of kinds."""
    cases = []
    for number in range(20):
        chance = Random(360 + number)
        answers, tickets = chance.choice((7, 30, 93, 337)), chance.choice((420, 421, 780, 997))
        items = (
            KpiItem("smile", Fraction(45), KpiRule.HIGHER, Fraction(90), Fraction(100 * (answers - 2), answers)),
            KpiItem("volume", Fraction(20), KpiRule.HIGHER, Fraction(750), Fraction(3 * tickets, 4)),
            KpiItem(
                "speed",
                Fraction(35),
                KpiRule.LOWER,
                Fraction(60 * tickets + 60 * 11, tickets),
                Fraction(90 * tickets + 13, tickets),
                Fraction(180 * tickets + 180 * 11, tickets),
            ),
        )
        cases.append(replace(random_case(chance), items=items))
    written = write(tmp_path / "fractions.xlsx", cases, "zh")
    told = recalculated([tmp_path / "fractions.xlsx"], tmp_path)
    for one in written:
        same(told["fractions.xlsx"], one, one.scored())
