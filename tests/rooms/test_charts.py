"""Charts as drawn: well-formed pictures with one sentence each, no styles inside, the same figures as their table."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from flask import Flask

from review.domain.disclosure import End, Shown, WhyWithheld, Withheld
from review.infra.assets import init_assets
from review.infra.charts import init_charts, points_text
from review.infra.i18n import translations

ROOT = Path(__file__).resolve().parents[2]
SCORES = {"A": "98.53", "B": "84.26", "C": None, "D": "87.50", "E": "78.00"}
CRITERIA = [{"name": name, "score": score} for name, score in SCORES.items()]
SOURCES = [
    {"key": "supervisor", "values": [100, 80, 100, 80, 80]},
    {
        "key": "peers",
        "values": [None, None, None, 92, 70],
        "texts": [None, None, None, "90 or higher", "70"],
        "note": "two",
    },
    {"key": "customers", "values": ["92.63", "94.21", "88.42", None, None]},
    {"key": "self", "values": [80, 80, 60, 80, 100]},
]
POINTS = [("Q1", "78.40"), ("Q2", None), ("Q3", "88.15"), ("Q4", "93.03")]
DRAWN = {
    "radar": "radar(criteria, sources, 'why')",
    "trend": "trend(points, [(90, 'Excellent'), (70, 'Good')])",
    "sparkline": "sparkline(points, 90)",
    "rate_trend": "rate_trend([('w1', 55), ('w2', 60.5)], 70)",
    "gap_chart": "gap_chart([{'name': 'A', 'own': 100, 'others': '78'}, {'name': 'B', 'own': 60, 'others': 96}])",
    "rate_line": "rate_line(71.4, 66.3, 76.1, 70)",
    "distribution": "distribution({'poor': 0, 'fair': 24, 'good': 78, 'excellent': 23})",
    "dot_rows": "dot_rows([{'name': 'Team', 'note': '', 'scores': ['56', '70.5', 80, 80.1]}], [50, 70, 90], 1.2)",
}


@pytest.fixture(params=["en", "zh"])
def page(request: pytest.FixtureRequest) -> Flask:
    app = Flask("bare", root_path=str(ROOT), template_folder="templates", static_folder="static")
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_translations(translations(request.param), newstyle=True)
    app.jinja_env.filters.update(day=str, deadline=str, moment=str)
    init_assets(app)
    init_charts(app.jinja_env)
    return app


def drawn(app: Flask, call: str) -> ET.Element:
    source = '{% import "layout/charts.html" as charts %}<div>{{ charts.' + call + " }}</div>"
    with app.test_request_context():
        html = app.jinja_env.from_string(source).render(criteria=CRITERIA, sources=SOURCES, points=POINTS)
    assert " style=" not in html
    assert not re.search(r"\son[a-z]+=", html)
    return ET.fromstring(html)


def test_every_chart_is_well_formed_and_says_its_figures_in_one_sentence(page: Flask) -> None:
    for call in DRAWN.values():
        pictures = [svg for svg in drawn(page, call).iter("svg") if svg.get("role") == "img"]
        assert pictures, call
        assert all(re.search(r"\d", picture.get("aria-label", "")) for picture in pictures), call


def test_what_is_not_a_picture_with_words_is_hidden_from_screen_readers(page: Flask) -> None:
    for call in DRAWN.values():
        tree = drawn(page, call)
        hidden = {inner for outer in tree.iter() if outer.get("aria-hidden") == "true" for inner in outer.iter()}
        spoken = {inner for outer in tree.iter("svg") if outer.get("role") == "img" for inner in outer.iter()}
        assert set(tree.iter("svg")) <= hidden | spoken, call


def test_a_radar_draws_partly_asked_sources_open_and_self_dashed(page: Flask) -> None:
    svg = next(svg for svg in drawn(page, DRAWN["radar"]).iter("svg") if svg.get("role") == "img")
    lines = {(shape.tag, shape.get("class")) for shape in svg if shape.tag in {"polygon", "polyline"}}
    assert ("polyline", "c-peer") in lines
    assert ("polyline", "c-cust") in lines
    dashed = [shape.get("class") for shape in svg if shape.get("stroke-dasharray")]
    assert dashed == ["c-self"]


def test_a_radars_table_holds_every_figure_and_a_dash_where_nobody_was_asked(page: Flask) -> None:
    rows = [[cell.text for cell in row] for row in drawn(page, DRAWN["radar"]).find(".//tbody").iter("tr")]
    assert rows[0] == ["A", "100", "—", "92.63", "80", "98.53"]
    assert rows[3] == ["D", "80", "90 or higher", "—", "80", "87.50"]
    assert rows[2][-1] == "—"


def test_two_criteria_get_a_table_instead_of_a_radar(page: Flask) -> None:
    sources = "[{'key': 'supervisor', 'values': [80, 100]}]"
    tree = drawn(page, f"radar([{{'name': 'A', 'score': '1'}}, {{'name': 'B', 'score': none}}], {sources})")
    assert tree.find("svg") is None
    assert len(tree.findall(".//tbody/tr")) == 2


def test_a_big_gap_is_named_and_coloured_and_a_small_one_is_not(page: Flask) -> None:
    tree = drawn(page, DRAWN["gap_chart"])
    assert [chip.get("class") for chip in tree.iter("span") if "r-chip" in (chip.get("class") or "")] == [
        "r-chip r-chip-warn",
        "r-chip r-chip-ok",
    ]
    small = drawn(page, "gap_chart([{'name': 'A', 'own': 80, 'others': '99.99'}])")
    assert "r-chip" not in ET.tostring(small, encoding="unicode")


def test_dots_carry_neither_names_nor_ids(page: Flask) -> None:
    tree = drawn(page, DRAWN["dot_rows"])
    circles = [circle for circle in tree.iter("circle") if "%" in circle.get("cx", "")]
    assert len(circles) == 4
    assert all(set(circle.keys()) == {"cx", "cy", "r", "class", "fill", "stroke", "stroke-width"} for circle in circles)


def test_published_figures_print_whole_points_open_ends_and_reasons(page: Flask) -> None:
    source = '{% import "layout/macros.html" as ui %}{{ ui.figure(f) }}'
    figures = [Shown("5-7", 80), Shown("5-7", 92, 1, End.HIGH), Withheld(WhyWithheld.BELOW_MINIMUM), None]
    with page.test_request_context():
        shown = [page.jinja_env.from_string(source).render(f=figure) for figure in figures]
    assert ">80<" in shown[0]
    assert "92" not in shown[1]
    assert not re.search(r"\d", shown[2])
    assert "—" in shown[3]
    assert points_text(Shown("16", 1405, 16)) == "87.81"
    assert points_text(Shown("8", 1, 8)) == "0.13"  # an exact tie goes up
