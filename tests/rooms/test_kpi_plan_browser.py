"""The editor of KPI plans in a real browser: sums follow the typing, Enter saves, no script is needed."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.serving import make_server

from review.infra.db import db
from review.kpi import plans
from review.kpi.tables import StoredPlanRow
from tests.chromium import chromium
from tests.make import NOW, Cast


@pytest.fixture
def draft(app: Flask, cast: Cast) -> int:
    with app.app_context():
        first = plans.install_starting_set(NOW)
        made = plans.draft_from(first, by=cast["hana"].id, now=NOW).id
        db.session.commit()
        return made


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def session_of(app: Flask, cast: Cast, address: str) -> dict[str, str]:
    """HR's session as a cookie."""
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = cast["hana"].session_id, True
    cookie = client.get_cookie("review")
    assert cookie is not None
    return {"name": "review", "value": cookie.value, "url": address}


def weights(app: Flask, draft: int) -> list[str]:
    with app.app_context():
        return [row["weight"] for row in db.session.get_one(StoredPlanRow, draft).body["rows"]]


@pytest.mark.browser
def test_sums_follow_the_typing_and_enter_saves(app: Flask, cast: Cast, draft: int, address: str) -> None:
    with chromium() as browser:
        context = browser.new_context()
        context.add_cookies([session_of(app, cast, address)])  # type: ignore[list-item]
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{address}/kpi/plan/{draft}/rows")
        total, fit = page.locator("[data-total]"), page.locator("[data-fit]")
        assert (total.inner_text(), fit.is_visible()) == ("100", False)
        page.locator("#rows-0-weight").fill("12.5")
        assert (total.inner_text(), fit.is_visible()) == ("92.5", True)
        page.locator("#rows-2-weight").fill("29")
        assert page.locator("[data-satisfaction]").inner_text() == "29"
        page.locator("#rows-5-indicator").select_option("bad_rate")
        assert page.locator("[data-satisfaction]").inner_text() == "34"
        page.locator("#rows-5-indicator").select_option("proactive")
        fit.click()
        assert total.inner_text() == "100"
        assert page.locator("#rows-2-weight").input_value() == "32"  # 29 of 91.5
        cap, lapses = page.locator("#rows-0-cap"), page.locator("#rows-0-cost")
        assert (cap.is_visible(), lapses.is_visible()) == (True, False)
        page.locator("#rows-0-rule").select_option("lapses")
        assert (cap.is_visible(), lapses.is_visible()) == (False, True)
        page.locator("#rows-0-rule").select_option("higher")
        page.locator("#rows-0-name_en").fill("Volume")
        page.locator("#rows-0-name_en").press("Enter")
        page.wait_for_url(f"**/kpi/plan/{draft}")
    assert complaints == []
    assert sum(map(int, weights(app, draft))) == 100
    with app.app_context():
        assert db.session.get_one(StoredPlanRow, draft).body["rows"][0]["name"]["en"] == "Volume"


@pytest.mark.browser
def test_without_scripts_rows_come_and_go_and_typed_words_stay(
    app: Flask, cast: Cast, draft: int, address: str
) -> None:
    with chromium() as browser:
        context = browser.new_context(java_script_enabled=False)
        context.add_cookies([session_of(app, cast, address)])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(f"{address}/kpi/plan/{draft}/rows")
        page.locator("#rows-0-weight").fill("30")
        page.get_by_role("button", name="Add a row").click()
        assert page.locator("#rows-0-weight").input_value() == "30"
        page.locator("#row-7").get_by_role("button", name="Take this row out").click()
        page.locator("#row-6").get_by_role("button", name="Move up").click()
        page.get_by_role("button", name="Save the rows").click()
        assert page.locator("[data-total]").inner_text() == "110"
        page.get_by_role("button", name="Change the weights to").click()
        page.get_by_role("button", name="Save the rows").click()
        assert page.url.endswith(f"/kpi/plan/{draft}")
    assert weights(app, draft) == ["26", "13", "30", "18", "4", "9"]  # 70 shared as 30, 15, 20, 5 and 10
