"""Peers' figures by department: frozen at the count, shown to HR and along one's own line, never released twice."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update

from review.ballots.tables import CellRow, CountRow, CycleFigureRow
from review.cycles.tables import ReviewRow
from review.domain.cycle import Stage
from review.domain.disclosure import WhyWithheld
from review.infra.db import db
from review.people.tables import DepartmentRow, PersonRow
from review.results import service
from review.results.tables import TeamCellRow
from review.results.teams import agreement_in, team_lines
from tests.browse import Browser
from tests.make import NOW, Cast, make_department, make_person
from tests.make_cycle import make_cycle
from tests.make_peers import ASKED
from tests.make_results import make_scored, publish, sign_off

Browse = Callable[..., Browser]


def counted(people: dict[str, list[int]], cast: Cast) -> int:
    """A counted cycle: departments below "Calls" by name, each with people of these published figures (0: withheld).

    Every department has a head of its own, who is led by Lou and not reviewed.
    """
    calls = make_department("Calls")
    everybody, figures = {}, {}
    for name, points in people.items():
        department = make_department(name, calls)
        head = make_person(f"Head of {name}", department=department, supervisor=cast["lou"].id)
        for place, figure in enumerate(points):
            one = make_person(f"{name} {place}", department=department, supervisor=head.id)
            everybody[one.name], figures[one.id] = one, figure
    cycle_id = make_cycle(cast, Stage.FINALISING, who=everybody.values(), name="Counted by hand")
    cells = []
    for review in db.session.scalars(select(ReviewRow).where(ReviewRow.cycle_id == cycle_id)):
        shown = {"n": "5-7", "points": figures[review.subject_id], "over": 1, "withheld": None}
        withheld = {"n": None, "points": None, "over": None, "withheld": WhyWithheld.BELOW_MINIMUM}
        figure = shown if figures[review.subject_id] else withheld
        cells += [{"review_id": review.id, "criterion": key, "end": None, **figure} for key in ASKED]
    db.session.execute(insert(CellRow), cells)
    db.session.execute(insert(CountRow), {"cycle_id": cycle_id, "counted_at": NOW, "ballots": 0, "strangers": 0})
    service.score_cycle(cycle_id, NOW)
    db.session.commit()
    return cycle_id


def told(cycle_id: int, supervisor: int | None = None) -> dict[str, str | int]:
    key = ASKED[0]
    return {
        line.department: f"{figure.points} of {figure.n}" if (figure := line.figures[key]) else "-"
        for line in team_lines(cycle_id, supervisor)
    }


@pytest.fixture
def small_beside_large(app: Flask, cast: Cast) -> int:
    with app.app_context():
        return counted({"A": [80] * 6, "B": [70] * 9, "C": [80] * 3, "D": [92] * 4 + [0] * 3, "E": [70] * 4}, cast)


def test_small_departments_are_not_told_and_large_ones_are(app: Flask, small_beside_large: int) -> None:
    with app.app_context():
        expected = {"Calls": "75 of 20-49", "A": "80 of 5-9", "B": "70 of 5-9", "C": "-", "D": "-", "E": "-"}
        assert told(small_beside_large) == expected


def test_one_small_department_alone_takes_its_siblings_with_it(app: Flask, cast: Cast) -> None:
    """Calls less A and B would be C; and whoever leads A knows A's people, so that B alone would not do."""
    with app.app_context():
        cycle_id = counted({"A": [80] * 6, "B": [70] * 9, "C": [80] * 3}, cast)
        assert told(cycle_id) == {"Calls": "75 of 10-19", "A": "-", "B": "-", "C": "-"}


def test_the_table_is_never_worked_out_a_second_time(app: Flask, small_beside_large: int) -> None:
    with app.app_context():
        before = told(small_beside_large)
        db.session.execute(update(CellRow).values(points=52).where(CellRow.points.is_not(None)))
        db.session.execute(update(DepartmentRow).where(DepartmentRow.name == "A").values(parent_id=None))
        service.score_cycle(small_beside_large, NOW)
        assert told(small_beside_large)["A"] == before["A"] == "80 of 5-9"
        rows = db.session.scalar(select(func.count()).select_from(TeamCellRow))
        assert rows == len(ASKED) * 6


def test_a_supervisor_sees_departments_wholly_in_their_line_and_no_others(
    app: Flask, cast: Cast, small_beside_large: int
) -> None:
    with app.app_context():
        head = db.session.scalars(
            select(ReviewRow.supervisor_id).where(ReviewRow.cycle_id == small_beside_large).order_by(ReviewRow.id)
        ).first()
        assert set(told(small_beside_large, head)) == {"A"}
        assert set(told(small_beside_large, cast["lou"].id)) == {"Calls", "A", "B", "C", "D", "E"}
        assert told(small_beside_large, cast["sam"].id) == {}


def test_the_stored_table_holds_ranges_and_steps_only(app: Flask, small_beside_large: int) -> None:
    with app.app_context():
        rows = db.session.scalars(select(TeamCellRow)).all()
        assert {row.people for row in rows} <= {None, "5-9", "10-19", "20-49", "50+"}
        assert all(row.points is None or row.points % 5 == 0 for row in rows)


def test_hr_and_the_supervisor_read_the_table_after_publication(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        made = make_scored(cast)
        sign_off(made)
        publish(made, cast)
        cycle = made.cycle_id
        figures = [
            {"cycle_id": cycle, "criterion": key, "reviews": 31, "icc1_hundredths": icc, "variance_hundredths": 213_45}
            for key, icc in zip(ASKED, (21, -3), strict=True)
        ]
        db.session.execute(insert(CycleFigureRow), figures)
        db.session.commit()
        assert [line.reviews for line in agreement_in(cycle)] == [31] * 2
    page = browse(cast["hana"]).get(f"/cycles/{cycle}/report")
    assert "Peers by department" in page.words
    agreement = page.soup.find(id="h-agree").find_parent("section").get_text(" ")
    assert "0.21" in agreement
    assert "0.00" in agreement
    assert "213.45" in agreement
    assert "-0.03" not in agreement
    team = browse(cast["sam"]).get(f"/team/{cycle}/report")
    assert "Peers by department" in team.words
    assert "How far peers agree" not in team.words
    with app.app_context():
        db.session.get_one(PersonRow, cast["hana"].id).locale = "zh"
        db.session.commit()
    chinese = browse(cast["hana"]).get(f"/cycles/{cycle}/report")
    assert "各部门的同事评" in chinese.words
