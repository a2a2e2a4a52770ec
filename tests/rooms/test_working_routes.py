"""The working of a published result as JSON and as a workbook: for whoever may read the result, and no more than it."""

from typing import Any

import pytest
from flask import Flask

from review.domain.vocabulary import Level
from review.infra.db import db
from review.people.tables import PersonRow
from review.results import publication
from tests.make import Cast
from tests.make_results import make_scored, publish, sign_off
from tests.spreadsheet import cells_of


@pytest.fixture
def told(app: Flask, cast: Cast) -> Any:
    with app.app_context():
        told = make_scored(
            cast,
            reviewed=["ada", "bo", "cy", "di", "ed", "fay"],
            peers=Level.POOR,
            ballots_about={"bo": 4},
            customers={"ada": 20, "bo": 9},
        )
        sign_off(told)
        publish(told, cast)
    return told


@pytest.mark.parametrize("who", ["ada", "sam", "hana"])
def test_those_who_may_read_the_result_get_its_working(told: Any, cast: Cast, browse: Any, who: str) -> None:
    document = browse(cast[who]).client.get(f"/results/{told.reviews['ada']}/working.json").json
    assert (document["score"], document["grade"]) == ("78.22", "good")
    coordination = next(one for one in document["criteria"] if one["key"] == "interpersonal_coordination")
    assert coordination["sources"]["peers"] == {
        "counted": True,
        "reason": None,
        "n": "5-7",
        "points": 52,
        "over": 1,
        "mean": "52.00",
        "weight": 50,
        "weight_used": "50.00",
    }
    assert len(document["input_hash"]) == 64
    assert "/" in document["rating_exact"]


@pytest.mark.parametrize("who", ["bo", "quinn", "max", "lou"])
def test_for_everybody_else_there_is_no_such_result(told: Any, cast: Cast, browse: Any, who: str) -> None:
    for name in ("json", "xlsx"):
        assert browse(cast[who]).client.get(f"/results/{told.reviews['ada']}/working.{name}").status_code == 404


def test_what_is_under_its_minimum_is_in_neither(told: Any, cast: Cast, browse: Any, tmp_path: Any) -> None:
    hana, review_id = browse(cast["hana"]).client, told.reviews["bo"]
    document = hana.get(f"/results/{review_id}/working.json").json
    for criterion in document["criteria"]:
        for source in ("peers", "customers"):
            told_of_it = criterion["sources"][source]
            assert set(told_of_it) == {"counted", "reason", "weight", "weight_used"}
    assert document["input_hash"] is None  # whoever knows it could try out what is withheld
    path = tmp_path / "bo.xlsx"
    path.write_bytes(hana.get(f"/results/{review_id}/working.xlsx").data)
    rows = next(cells for name, cells in cells_of(path).items() if name in ("Inputs", "输入"))
    criteria = rows[next(at for at, row in enumerate(rows) if row[1:3] == ["Share", "Weight: supervisor"]) + 1 :][:5]
    assert all(row[6:] == [""] * 7 for row in criteria)


def test_a_result_that_is_not_published_has_no_working_yet(app: Flask, cast: Cast, browse: Any) -> None:
    with app.app_context():
        told = make_scored(cast, reviewed=["ada", "bo", "cy", "di", "ed", "fay"])
        sign_off(told)
    for name in ("json", "xlsx"):
        assert browse(cast["ada"]).client.get(f"/results/{told.reviews['ada']}/working.{name}").status_code != 200


def test_the_workbook_speaks_the_readers_language_and_tells_the_published_score(
    told: Any, cast: Cast, app: Flask, browse: Any, tmp_path: Any
) -> None:
    with app.app_context():
        db.session.get_one(PersonRow, cast["ada"].id).locale = "zh"
        db.session.commit()
    answer = browse(cast["ada"], "zh").client.get(f"/results/{told.reviews['ada']}/working.xlsx")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="working-{told.reviews["ada"]}.xlsx"'
    path = tmp_path / "ada.xlsx"
    path.write_bytes(answer.data)
    cells = cells_of(path)
    assert list(cells) == ["计算过程", "输入", "精确进位"]
    rows = {row[0]: row[9] for row in cells["计算过程"] if len(row) > 9}
    with app.app_context():
        assert rows["总分"] == publication.publication_of(told.reviews["ada"]).score / 100
    assert (rows["按规则得出的等级"], rows["全部精确"]) == ("良好", "是")
