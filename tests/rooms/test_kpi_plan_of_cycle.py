"""HR picks the KPI plan with the cycle, sees whom its targets are for before the launch, and cannot change it after."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.infra.db import db
from review.kpi import plans
from review.kpi.tables import CyclePlanRow
from review.people.tables import PersonRow
from review.schemes.service import install_default
from tests.browse import Browser
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle, set_stage

Browse = Callable[..., Browser]


@pytest.fixture
def hana(browse: Browse, cast: Cast) -> Browser:
    return browse(cast["hana"])


@pytest.fixture
def plan_id(app: Flask, cast: Cast) -> int:
    with app.app_context():
        install_default(NOW)
        made = plans.install_starting_set(NOW, cast["hana"].id).id
        for name in ("ada", "bo"):
            db.session.get_one(PersonRow, cast[name].id).post = "售后客服"
        db.session.commit()
        return made


@pytest.fixture
def draft(app: Flask, cast: Cast) -> int:
    with app.app_context():
        made = make_cycle(cast, Stage.DRAFT, name="Q4 2025", quarters_ago=2)
        db.session.commit()
        return made


def chosen(app: Flask, cycle_id: int) -> int | None:
    with app.app_context():
        row = plans.choice_of(cycle_id)
        return None if row is None else row.plan_id


def test_a_new_cycle_gets_the_plan_hr_picks_and_none_unless_they_do(app, hana, plan_id):
    page = hana.get("/cycles/new")
    assert [option["value"] for option in page.soup.select("#kpi_plan_id option")] == ["0", str(plan_id)]
    assert page.soup.select_one("#kpi_plan_id [selected]")["value"] == "0"
    hana.submit(page, {"name": "With", "kpi_plan_id": str(plan_id)})
    with app.app_context():
        (row,) = db.session.scalars(select(CyclePlanRow)).all()
        assert row.plan_id == plan_id
        assert db.session.get_one(CycleRow, row.cycle_id).name == "With"
    again = hana.get("/cycles/new")  # the next cycle starts with the plan of the last one
    assert again.soup.select_one("#kpi_plan_id [selected]")["value"] == str(plan_id)


def test_the_choice_can_be_changed_and_taken_back_until_the_launch(app, hana, draft, plan_id):
    url = f"/cycles/{draft}/edit"
    hana.submit(hana.get(url), {"kpi_plan_id": str(plan_id)})
    assert chosen(app, draft) == plan_id
    page = hana.get(url)
    assert page.soup.select_one("#kpi_plan_id [selected]")["value"] == str(plan_id)
    hana.submit(page, {"kpi_plan_id": "99"}, status=422)
    assert chosen(app, draft) == plan_id
    hana.submit(hana.get(url), {"kpi_plan_id": "0"})
    assert chosen(app, draft) is None
    with app.app_context():
        plans.use(db.session.get_one(CycleRow, draft), plan_id, by=None, now=NOW)
        set_stage(draft, Stage.COLLECTING)
        db.session.commit()
    hana.submit(page, {"kpi_plan_id": "0"}, status=409)
    assert chosen(app, draft) == plan_id


def test_the_page_before_the_launch_says_how_many_fall_into_which_group(app, hana, draft, plan_id):
    words = hana.get(f"/cycles/{draft}").words
    assert "this cycle has no KPI sheets" in words
    hana.submit(hana.get(f"/cycles/{draft}/edit"), {"kpi_plan_id": str(plan_id)})
    page = hana.get(f"/cycles/{draft}")
    panel = page.soup.select_one("section[aria-labelledby=h-kpi]")
    rows = {row.th.get_text(): row.td.get_text() for row in panel.select("tbody tr")}
    assert rows == {
        "Pre-sales, new": "0",
        "Pre-sales, senior": "0",
        "After-sales, new": "0",
        "After-sales, senior": "2",
        "Everybody else": "9",
    }
    told = " ".join(panel.get_text(" ").split())
    assert (
        "Only in “Everybody else”: no group asks for what they are. Cy, Di, Ed, Fay, Gus, Hana, Quinn, Rae and 1 more"
        in told
    )
    assert "Customers weigh 21.6% of the total: 9.6% in the rating, 12% in the KPI sheet." in told
    assert "These targets were set after the period began." in told  # opened in April, about the last quarter of 2025


def test_a_retired_plan_is_offered_only_where_it_is_used(app, hana, draft, plan_id, cast):
    hana.submit(hana.get(f"/cycles/{draft}/edit"), {"kpi_plan_id": str(plan_id)})
    with app.app_context():
        plans.retire(plans.stored(plan_id), by=cast["hana"].id, now=NOW)
        db.session.commit()
    page = hana.get(f"/cycles/{draft}/edit")
    assert page.soup.select_one("#kpi_plan_id [selected]")["value"] == str(plan_id)
    hana.submit(page, {})
    assert len(hana.get("/cycles/new").soup.select("#kpi_plan_id option")) == 1
