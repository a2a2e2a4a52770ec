"""HR edits a KPI plan in the browser and loses nothing typed; everybody reads it with their own targets."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.kpi_plan import parse_plan
from review.infra.db import db
from review.kpi import plans
from review.kpi.tables import PlanState, StoredPlanRow
from review.people.tables import PersonRow
from tests.browse import Browser
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle

Browse = Callable[..., Browser]
LONG_AGO = NOW - timedelta(days=400)


@pytest.fixture
def opened(app: Flask, cast: Cast) -> int:
    with app.app_context():
        made = plans.install_starting_set(LONG_AGO, cast["hana"].id).id
        db.session.get_one(PersonRow, cast["ada"].id).post = "售后客服"
        db.session.commit()
        return made


@pytest.fixture
def draft(app: Flask, cast: Cast, opened: int) -> int:
    with app.app_context():
        made = plans.draft_from(plans.stored(opened), by=cast["hana"].id, now=NOW).id
        db.session.commit()
        return made


@pytest.fixture
def hana(browse: Browse, cast: Cast) -> Browser:
    return browse(cast["hana"])


def body_of(app: Flask, plan_id: int) -> dict:
    with app.app_context():
        return db.session.get_one(StoredPlanRow, plan_id).body


def parts_of(draft: int) -> tuple[str, ...]:
    edited = ("rows", "targets", "targets/new", "targets/after_sales_new", "targets/everybody", "settings", "try")
    return (f"/kpi/plan/{draft}", *(f"/kpi/plan/{draft}/{part}" for part in (*edited, "changes")))


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_every_page_stands_in_both_languages(app, cast, browse, opened, draft, locale):
    with app.app_context():
        db.session.get_one(PersonRow, cast["hana"].id).locale = locale
        db.session.commit()
    somebody = browse(cast["hana"])
    for url in ("/kpi/plan", "/kpi/plan/versions", f"/kpi/plan/{opened}", *parts_of(draft)):
        page = somebody.get(url)
        assert "kpi_plan:" not in page.words, url
        assert "schemes:" not in page.words, url


def test_without_any_plan_the_page_says_so_and_hr_begins_with_the_starting_set(app, browse, cast, hana):
    assert "There is no KPI plan yet" in browse(cast["ada"]).get("/kpi/plan").words
    page = hana.get("/kpi/plan/versions")
    for _ in range(2):  # a double click
        hana.submit(page, {}, "start")
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(StoredPlanRow)) == 1


def test_everybody_reads_the_plan_with_the_targets_that_are_theirs(app, browse, cast, opened):
    with app.app_context():
        cycle = db.session.get_one(CycleRow, make_cycle(cast))
        db.session.execute(CycleRow.__table__.update().values(stage=Stage.DRAFT))
        db.session.refresh(cycle)
        plans.use(cycle, opened, by=None, now=NOW)
        db.session.commit()
    page = browse(cast["ada"]).get("/kpi/plan")
    assert page.soup.select_one("tr.cur th").get_text(" ").startswith("After-sales, senior")
    panel = page.soup.select_one("section[aria-labelledby=h-mine]").get_text(" ", strip=True)
    assert "Q1 2026" in panel
    assert "10 min limit 40 min" in " ".join(panel.split())
    assert "set after the period began" not in panel
    assert page.soup.select_one("section[aria-labelledby=h-customers] .r-big").get_text().startswith("21.6%")
    page = browse(cast["bo"]).get(f"/kpi/plan/{opened}")
    assert page.soup.select_one("tr.cur th").get_text(" ").startswith("Everybody else")
    assert not page.soup.select("a[href*='/rows']")


def test_targets_set_after_the_period_began_are_shown_as_such_with_the_dates(app, browse, cast):
    with app.app_context():
        late = plans.install_starting_set(NOW, None)
        cycle = db.session.get_one(CycleRow, make_cycle(cast, Stage.DRAFT))
        plans.use(cycle, late.id, by=None, now=NOW)
        db.session.commit()
    words = browse(cast["ada"]).get("/kpi/plan").words
    assert "These targets were set after the period began." in words
    assert "1 April 2026" in words or "1 Apr 2026" in words


def test_a_draft_is_not_there_for_anybody_but_hr(app, browse, cast, opened, draft):
    for name in ("ada", "sam", "max"):
        somebody = browse(cast[name])
        for url in ("/kpi/plan/versions", *parts_of(draft)):
            somebody.get(url, 404)
        page = somebody.get(f"/kpi/plan/{opened}")
        assert "Draft" not in page.words
        assert not page.soup.select(f"a[href^='/kpi/plan/{draft}']")
        somebody.post(f"/kpi/plan/{draft}/rows", status=404)
        somebody.post(f"/kpi/plan/{opened}/draft", status=404)
        somebody.get(f"/kpi/plan/{opened}/try")
        somebody.get(f"/kpi/plan/{opened}/changes?since={draft}", 302)
    stranger = browse()
    stranger.get("/kpi/plan", 302)


def test_weights_that_are_not_100_are_refused_with_a_repair_and_nothing_typed_is_lost(app, hana, draft):
    url = f"/kpi/plan/{draft}/rows"
    typed = {"rows-0-weight": "25", "rows-0-definition_en": "Something typed.", "rows-1-name_en": "Speed"}
    page = hana.submit(hana.get(url), typed, status=422)
    assert "the weights add up to 105, not to 100" in page.words
    assert page.soup.select_one("[name=rows-0-definition_en]")["value"] == "Something typed."
    offer = page.soup.select_one("[data-total]")
    assert (offer.get_text(), "r-badc" in offer["class"]) == ("105", True)
    button = page.soup.select_one("button[value=fit]:not([data-fit])")
    assert button.get_text() == "Change the weights to 23 / 14 / 30 / 19 / 9 / 5"  # 30 and 70 shared in proportion
    page = hana.submit(page, {"act": "fit"}, status=200)
    fitted = ["23", "14", "30", "19", "9", "5"]
    assert [page.soup.select_one(f"[name=rows-{n}-weight]")["value"] for n in range(6)] == fitted
    assert page.soup.select_one("[name=rows-1-name_en]")["value"] == "Speed"
    hana.submit(page, {})
    rows = body_of(app, draft)["rows"]
    assert [row["weight"] for row in rows] == fitted
    assert rows[0]["definition"]["en"] == "Something typed."


def test_satisfaction_under_30_is_refused_with_the_reason(app, hana, draft):
    page = hana.submit(hana.get(f"/kpi/plan/{draft}/rows"), {"rows-2-weight": "25", "rows-3-weight": "25"}, status=422)
    assert "customer satisfaction weighs 25 %, but never under 30 %" in page.words
    assert body_of(app, draft)["rows"][2]["weight"] == "30"


def test_without_a_row_of_satisfaction_one_is_offered(hana, draft):
    page = hana.get(f"/kpi/plan/{draft}/rows")
    page = hana.submit(page, {"act": "remove:2", "rows-0-name_en": "Typed"}, status=200)
    assert len(page.soup.select(".r-kpi-row")) == 5
    assert page.soup.select_one("[name=rows-0-name_en]")["value"] == "Typed"
    assert page.soup.select_one("button[value=satisfaction]").get_text() == "Add a row of satisfaction"
    page = hana.submit(page, {"act": "satisfaction"}, status=200)
    added = page.soup.select("select[name$=-indicator]")[-1]
    assert added.select_one("[selected]")["value"] == "satisfaction"
    hana.submit(page, {})


def test_rows_are_added_moved_and_given_rules_without_any_script(app, hana, draft):
    page = hana.get(f"/kpi/plan/{draft}/rows")
    page = hana.submit(page, {"act": "add"}, status=200)
    typed = {
        "rows-6-name_zh": "服务态度",
        "rows-6-group_zh": "其他",
        "rows-6-definition_zh": "按描述打分",
        "rows-6-supplier_zh": "主管",
        "rows-6-rule": "brackets",
        "rows-6-unit": "seconds",
        "rows-6-weight": "5%",
        "rows-6-obtained": "hand",
        "rows-6-record": "hand",
        "rows-5-rule": "lapses",
        "rows-5-full": "50",
        "rows-5-cost": "12.5",
        "rows-5-veto_at": "3",
        "rows-0-weight": "15",
    }
    page = hana.submit(page, {**typed, "act": "bracket:6"}, status=200)
    page = hana.submit(page, {"act": "bracket:6"}, status=200)
    brackets = {f"rows-6-brackets-{n}-{name}": value for n, name, value in [(0, "start", "0秒"), (0, "points", "100")]}
    page = hana.submit(page, {**brackets, "rows-6-brackets-1-start": "soon", "act": "up:6"}, status=200)
    assert page.soup.select_one("[name=rows-5-name_zh]")["value"] == "服务态度"
    page = hana.submit(page, {}, status=422)
    assert "“soon” is no duration" in page.soup.select("#row-6 .r-err")[0].get_text()
    right = {"rows-5-brackets-1-start": "1min 30s", "rows-5-brackets-1-points": "60"}
    hana.submit(page, right)
    own, lapses = body_of(app, draft)["rows"][5:]
    assert (own["key"], own["unit"], own["name"]["en"], own["weight"]) == ("own", "seconds", "服务态度", "5")
    assert own["brackets"] == [{"from": "0", "points": "100"}, {"from": "90", "points": "60"}]
    assert (lapses["full"], lapses["cost"], lapses["veto_at"], "cap" in lapses) == ("50", "12.5", 3, False)


def test_mistakes_stand_beside_their_fields(hana, draft):
    typed = {"rows-0-weight": "many", "rows-1-rule": "higher", "rows-3-name_zh": "", "rows-3-name_en": " "}
    page = hana.submit(hana.get(f"/kpi/plan/{draft}/rows"), typed, status=422)
    for place, words in [(1, "must be a number"), (2, "less is better"), (4, "must not be blank")]:
        assert words in page.soup.select_one(f"#row-{place} .r-err").get_text(), place
    assert "Nothing was saved yet." in page.words


def test_nonsense_from_outside_is_refused_and_never_breaks_the_page(hana, draft):
    url = f"/kpi/plan/{draft}/rows"
    for typed in (
        {"act": "remove:99"},
        {"act": "up:0"},
        {"act": "bracket:-1"},
        {"act": "nonsense"},
        {"rows-0-rule": "x", "act": "add"},
    ):
        hana.submit(hana.get(url), typed, status=200)
    for typed in ({"rows-0-rule": "x"}, {"rows-0-indicator": "x"}, {"rows-0-key": "../x"}, {"rows-0-unit": "x"}):
        hana.submit(hana.get(url), typed, status=422 if "rows-0-unit" not in typed else 302)
    many = {f"rows-{n}-weight": "1" for n in range(40)}
    page = hana.submit(hana.get(url), many, status=422)
    assert "at most 30 entries" in page.words


def test_whoever_saves_second_keeps_the_text_and_overwrites_nothing(app, hana, draft):
    url = f"/kpi/plan/{draft}/rows"
    mine, theirs = hana.get(url), hana.get(url)  # two windows
    hana.submit(mine, {"rows-0-name_en": "First"})
    page = hana.submit(theirs, {"rows-0-name_en": "Second"}, status=409)
    assert "Somebody else changed this draft" in page.words
    assert page.soup.select_one("[name=rows-0-name_en]")["value"] == "Second"
    assert body_of(app, draft)["rows"][0]["name"]["en"] == "First"


def test_an_open_version_cannot_be_edited(hana, opened):
    for part in ("rows", "targets", "targets/everybody", "settings"):
        page = hana.get(f"/kpi/plan/{opened}/{part}", 409)
        assert "never changes again" in page.soup.get_text()


def test_a_group_gets_targets_in_minutes_and_by_problem_type(app, hana, draft):
    url = f"/kpi/plan/{draft}/targets/new"
    page = hana.submit(hana.get(url), {"act": "kind:1", "name_en": "Night shift"}, status=200)
    assert page.soup.select_one("[name=name_en]")["value"] == "Night shift"
    typed = {
        "posts_more": "夜班客服、夜班组长",
        "tenure": "senior",
        "channels_more": "phone",
        "aims-1-target": "8",
        "aims-1-limit": "40分",
        "aims-1-by_kind-0-kind": "refund",
        "aims-1-by_kind-0-target": "90s",
        "aims-1-by_kind-0-limit": "5min",
        "aims-2-target": "101%",
    }
    page = hana.submit(page, typed, status=422)
    assert "“8” is no duration" in page.words
    page = hana.submit(page, {"aims-1-target": "8 min"}, status=422)
    assert "must lie between 0 and 100" in page.words
    hana.submit(page, {"aims-2-target": "93.5%"})
    group = body_of(app, draft)["groups"][-2]
    assert (group["posts"], group["tenure"], group["channels"]) == (["夜班客服", "夜班组长"], "senior", ["phone"])
    assert group["name"] == {"zh": "Night shift", "en": "Night shift"}
    assert group["aims"]["satisfaction"] == {"target": "93.5", "limit": None}
    assert group["aims"]["timeliness"] == {
        "target": "480",
        "limit": "2400",
        "by_kind": [{"kind": "refund", "target": "90", "limit": "300"}],
    }
    page = hana.get(f"/kpi/plan/{draft}/targets/{group['key']}")
    assert page.soup.select_one("[name=aims-1-by_kind-0-target]")["value"] == "1 min 30 s"
    assert [box["value"] for box in page.soup.select("[name=posts][checked]")] == ["夜班客服", "夜班组长"]
    hana.submit(page, {"posts": ["夜班客服"]})
    assert body_of(app, draft)["groups"][-2]["posts"] == ["夜班客服"]
    hana.submit(hana.get(f"/kpi/plan/{draft}/targets"), {}, f"{group['key']}/remove")
    hana.post(f"/kpi/plan/{draft}/targets/{group['key']}/remove")
    assert len(body_of(app, draft)["groups"]) == 5
    hana.get(f"/kpi/plan/{draft}/targets/{group['key']}", 404)


def test_a_limit_below_its_target_is_refused_beside_the_limit(hana, draft):
    page = hana.submit(hana.get(f"/kpi/plan/{draft}/targets/everybody"), {"aims-1-limit": "1min"}, status=422)
    assert "must lie above the target" in page.soup.select_one("#aims-1-limit-e").get_text()
    page = hana.submit(hana.get(f"/kpi/plan/{draft}/targets/everybody"), {"aims-0-target": ""}, status=422)
    assert "missing" in page.soup.select_one("#aims-0-target-e").get_text()


def test_what_holds_for_the_whole_plan(app, hana, draft):
    url = f"/kpi/plan/{draft}/settings"
    page = hana.submit(hana.get(url), {"act": "kind", "new_months": "x"}, status=200)
    typed = {"difficulty-2-kind": "投诉", "difficulty-2-weight": "1.2", "sheet_veto": "y"}
    page = hana.submit(page, typed, status=422)
    assert "stands here twice" in page.words
    page = hana.submit(page, {"difficulty-2-kind": "refund", "difficulty-2-weight": "0"}, status=422)
    assert "must be above 0" in page.soup.select_one("#difficulty-2-weight-e").get_text()
    assert "must be a number" in page.soup.select_one("#new_months-e").get_text()
    hana.submit(page, {"difficulty-2-weight": "1.2", "new_months": "3"})
    body = body_of(app, draft)
    assert (body["new_months"], body["sheet_veto"]) == (3, True)
    assert body["difficulty"] == {"投诉": "2", "技术故障": "1.5", "refund": "1.2"}


def test_a_draft_is_opened_only_when_nothing_is_missing_and_as_it_was_seen(app, hana, draft, opened):
    page = hana.submit(hana.get(f"/kpi/plan/{draft}/rows"), {"act": "add"}, status=200)
    typed = {f"rows-6-{name}_zh": "新" for name in ("name", "group", "definition", "supplier")}
    hana.submit(page, {**typed, "rows-6-weight": "5", "rows-6-obtained": "hand", "rows-0-weight": "15"})
    page = hana.get(f"/kpi/plan/{draft}")
    assert "Open (5 things to mend)" in page.words
    assert "Pre-sales, new · 新 · this is missing" in page.words
    hana.submit(page, {}, "/open", status=422)
    for group in [one["key"] for one in body_of(app, draft)["groups"]]:
        hana.submit(hana.get(f"/kpi/plan/{draft}/targets/{group}"), {"aims-6-target": "7"})
    hana.submit(page, {}, "/open", status=409)  # the page shows what was there before
    page = hana.get(f"/kpi/plan/{draft}")
    hana.submit(page, {}, "/open")
    hana.submit(page, {}, "/open")  # a double click
    with app.app_context():
        row = db.session.get_one(StoredPlanRow, draft)
        assert row.state is PlanState.OPEN
        assert parse_plan(row.body).hash == row.hash
    page = hana.get(f"/kpi/plan/{draft}/changes")
    words = page.words
    assert "Version 1 to version 2" in words
    assert "7 differences." in words  # a weight, a row, five targets
    assert "Tickets handled · weight 20% 15%" in words
    hana.submit(hana.get(f"/kpi/plan/{opened}"), {}, "/retire")
    assert "Retired" in hana.get(f"/kpi/plan/{opened}").words


def test_figures_can_be_tried(browse, cast, opened):
    url = f"/kpi/plan/{opened}/try?group=after_sales_senior&f-volume=600&f-timeliness=12min&f-satisfaction=91%25"
    page = browse(cast["ada"]).get(f"{url}&f-proactive=x&f-compliance=101")
    points = [cell.get_text() for cell in page.soup.select("tbody td:last-child")]
    assert points == ["80.00", "93.33", "100.00", "–", "–", "–"]
    # by hand: 20 parts of 80, 15 of 280/3 and 30 of 100 over 65
    assert page.soup.select_one("tfoot td:last-child").get_text() == "92.31"
    assert "“x” is no number" in page.words
    assert "at most 100 points" in page.words
    assert browse(cast["ada"]).get(f"/kpi/plan/{opened}/try?group=nobody").status == 200


def test_copies_and_discarded_drafts(app, hana, opened, draft):
    hana.submit(hana.get("/kpi/plan/versions"), {}, f"{draft}/copy")
    with app.app_context():
        assert (
            db.session.scalars(select(StoredPlanRow.key).order_by(StoredPlanRow.id)).all()[-1] == "customer-service-2"
        )
    page = hana.get(f"/kpi/plan/{draft}")
    hana.submit(page, {}, "/discard")
    hana.get(f"/kpi/plan/{draft}", 404)
