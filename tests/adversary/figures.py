"""Checks what was published: no number where a figure is withheld, no total that needs one, none hidden in a page."""

import json
import math
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from bs4 import BeautifulSoup, Comment

from review.domain.vocabulary import Source
from review.schemes.library import builtin
from tests.adversary.told import Snapshot
from tests.adversary.traces import Catalogue

if TYPE_CHECKING:
    from tests.adversary.adversary import Adversary

CELL = {"review_id", "criterion", "n", "points", "over", "end", "withheld"}
SOURCE = {"n", "points", "over", "mean", "weight", "weight_used", "counted", "reason"}
LINE = {"key", "share", "score", "exact", "sources"}
WORKING = {
    "score", "grade", "withheld", "rating", "rating_exact", "kpi", "kpi_exact", "rating_share", "bonus", "deduction",
    "criteria", "flags", "next_grade", "distance", "method", "input_hash", "computed_grade", "kpi_lines", "bonus_lines",
    "deduction_lines", "sheet_veto", "standard_error",
}  # fmt: skip
MINIMUM = builtin().minimums[Source.PEERS]
BUCKETS = {f"{MINIMUM}-7": {52, 70, 80, 92}, "8-12": {52, *range(65, 90, 5), 94}, "13+": {52, *range(62, 90, 2), 94}}
DATA = {"data-r-theme", "data-l", "data-confirm"}
DECIMAL = re.compile(r"(?<![\w.#-])\d+\.\d+(?![\w.])")


def check(adversary: "Adversary") -> None:
    for snapshot in adversary.afterwards:
        main = adversary.main[snapshot.name]
        cells = _cells(adversary, main)
        for card in main.tables["scorecard"].dicts():
            working = _json(card["working"])
            _working(adversary, working, cells, card["review_id"], "scorecard")
        for row in main.tables["publication"].dicts():
            _working(adversary, _json(row["body"])["working"], cells, row["review_id"], "publication")
        _pages(adversary, snapshot, main)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


Cells = dict[tuple[int, str], Mapping[str, Any]]


def _cells(adversary: "Adversary", main: Catalogue) -> Cells:
    """Published cells in their steps, and nothing beside a withheld one."""
    table, found = main.tables["peer_cell"], {}
    if set(table.columns) != CELL:
        adversary.report.found("columns of the cells", "peer_cell", sorted(set(table.columns) ^ CELL))
    for cell in table.dicts():
        found[cell["review_id"], cell["criterion"]] = cell
        numbers = (cell["n"], cell["points"], cell["over"], cell["end"])
        if cell["withheld"] and any(value is not None for value in numbers):
            adversary.report.found("a number beside a withheld figure", "peer_cell", numbers)
        if not cell["withheld"] and (cell["over"] != 1 or cell["points"] not in BUCKETS.get(cell["n"], ())):
            adversary.report.found("a figure finer than its steps", "peer_cell", numbers)
    return found


def _working(adversary: "Adversary", working: Any, cells: Cells, review: int, where: str) -> None:
    report = adversary.report
    for name, held, allowed in [
        ("working", working, WORKING),
        *(("criterion", line, LINE) for line in working["criteria"]),
        *(("source", one, SOURCE) for line in working["criteria"] for one in line["sources"].values()),
    ]:
        if set(held) - allowed:
            report.found("unknown figures", f"{where}: {name}", sorted(set(held) - allowed))
    for line in working["criteria"]:
        peers, cell = line["sources"]["peers"], cells.get((review, line["key"]))
        hidden = (peers["points"], peers["mean"], peers["weight_used"] or None, peers["counted"] or None)
        if (cell is None or cell["withheld"]) and (any(value is not None for value in hidden) or peers["over"] != 1):
            report.found("a number beside a withheld figure", where, f"{line['key']} {hidden}")
        if cell is not None and cell["withheld"] is None and peers["points"] != cell["points"]:
            report.found("another figure than the published one", where, line["key"])
        if line["exact"] is not None and Fraction(line["exact"]) != _mean(line["sources"]):
            report.found("a total needs more than what is shown", where, line["key"])
    if working["rating_exact"] is not None and Fraction(working["rating_exact"]) != _rating(working["criteria"]):
        report.found("a total needs more than what is shown", where, "rating")


def _mean(sources: Mapping[str, Any]) -> Fraction:
    counted = [one for one in sources.values() if one["counted"]]
    return Fraction(sum(one["weight"] * Fraction(one["points"], one["over"]) for one in counted)) / sum(
        one["weight"] for one in counted
    )


def _rating(lines: list[Any]) -> Fraction:
    return Fraction(sum(line["share"] * Fraction(line["exact"]) for line in lines)) / sum(
        line["share"] for line in lines
    )


def _pages(adversary: "Adversary", snapshot: Snapshot, main: Catalogue) -> None:
    """Pages of published results: no hidden field or comment with figures, no decimal that the frozen body lacks."""
    bodies = {row["review_id"]: _json(row["body"]) for row in main.tables["publication"].dicts()}
    for path in sorted((snapshot.folder / "pages").glob("published/*_results_*.html")):
        review = int(path.stem.rsplit("_", 1)[1])
        soup = BeautifulSoup(path.read_text(), "html.parser")
        for tag in soup.find_all(True):
            for name, value in tag.attrs.items():
                if name.startswith("data-") and name not in DATA and re.search(r"\d", str(value)):
                    adversary.report.found("figures in an attribute", path.name, f"{name}={value}")
            if (
                tag.name == "input"
                and tag.get("type") == "hidden"
                and tag.get("name") not in {"csrf_token", "locale", "next"}
            ):
                adversary.report.found("hidden field", path.name, tag.get("name"))
            if tag.name == "script" and tag.get_text(strip=True):
                adversary.report.found("figures in a script", path.name)
        for comment in soup.find_all(string=lambda text: isinstance(text, Comment)):
            if re.search(r"\d", comment):
                adversary.report.found("figures in a comment", path.name)
        _radar(adversary, soup, bodies[review], path.name)
        _decimals(adversary, soup, bodies[review], path.name)


def _radar(adversary: "Adversary", soup: BeautifulSoup, body: Any, where: str) -> None:
    """As many marks of peers in a chart as figures were published."""
    shown = sum(line["sources"]["peers"]["counted"] for line in body["working"]["criteria"])
    for chart in soup.select("svg.r-chart"):
        marks = len(chart.select("circle.c-peer-f"))
        if marks > shown:
            adversary.report.found("a chart shows more than was published", where, f"{marks} of {shown}")


def _decimals(adversary: "Adversary", soup: BeautifulSoup, body: Any, where: str) -> None:
    """Decimals in the words of the page and in what it reads to the blind, against those of the frozen body."""
    known = _numbers(body) | _cuts(body)
    words = [soup.get_text(" "), *(str(tag["aria-label"]) for tag in soup.find_all(attrs={"aria-label": True}))]
    words += [str(tag["title"]) for tag in soup.find_all(attrs={"title": True})]
    told = {Fraction(text) for text in DECIMAL.findall(" ".join(words))}
    strange = sorted(float(number) for number in told - known)
    if strange:
        adversary.report.found("a number that nothing published explains", where, strange)


def _numbers(body: Any) -> set[Fraction]:
    """Every number of the body, as it is, in hundredths, and as differences of two of them (gaps, distances)."""
    found: set[Fraction] = set()
    for text in re.findall(r"-?\d+(?:/\d+)?", json.dumps(body["working"])) + DECIMAL.findall(json.dumps(body)):
        value = Fraction(text)
        found |= {value, value / 100, Fraction(round(value * 100), 100)}
    lines = body["working"]["criteria"]
    for line in lines:
        for one in line["sources"].values():
            if one["counted"]:
                found.add(Fraction(round(Fraction(one["weight"] * one["points"], one["over"]) * 100), 100))
                found.add(Fraction(round(Fraction(one["weight_used"] * one["points"], one["over"] * 10000), 2) * 1))
        own, score = line["sources"]["self"], line["score"]
        if own["points"] is not None and score is not None:
            gap = abs(Fraction(own["points"], own["over"]) - Fraction(score, 100))
            found |= {Fraction(math.floor(10 * gap + Fraction(1, 2)), 10), gap}
    scores = [Fraction(line["score"], 100) for line in lines if line["score"] is not None]
    return found | {sum(scores, Fraction())}


def _cuts(body: Any) -> set[Fraction]:
    """How far the score is from the ends of the grades."""
    score = body["working"]["score"]
    return set() if score is None else {abs(Fraction(score, 100) - cut) for cut in builtin().cuts.values()}
