"""From a ticket system's file to a published total, and what the total owes to the sheet a quarter later."""

from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from threading import Barrier, Thread

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.helpdesk.commands import kpi_command
from review.infra import jobs
from review.infra.clock import now as clock_now
from review.infra.db import db
from review.infra.house import house
from review.kpi import filling, signing
from review.kpi.beside import figures_beside
from review.kpi.sheets import sheet_of
from review.kpi.tables import SignatureRow, Step
from review.reports.movement import moved_since
from review.results import service as results
from review.results.publication import publication_of
from review.schemes.service import scheme_of
from review.workflow import kpi_filling
from tests.browse import Browser
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle, review_of, set_dates, set_stage
from tests.make_kpi import every_rule, open_sheets, plan_cycle, put, row, text
from tests.make_results import COUNTED, Told, make_scored, publish, sign_off

Browse = Callable[..., Browser]
DAY = timedelta(days=1)
TEAM = ("ada", "bo", "cy", "di", "ed", "fay", "gus")


def plan() -> dict[str, object]:
    """Volume, first response and satisfaction out of the records, and one row by hand."""
    system = {"obtained": "system", "record": "tickets"}
    rows = [
        row("volume", "25", "higher", "volume", **system),
        row("speed", "25", "lower", "first_response", **system),
        row("smile", "30", "higher", "satisfaction", **system),
        row("help", "20", "points"),
    ]
    aims = {"volume": {"target": "400"}, "speed": {"target": "60", "limit": "180"}, "smile": {"target": "90"}}
    everybody = {"key": "all", "name": text("All"), "posts": [], "tenure": "any", "channels": [], "aims": aims}
    return every_rule(rows=rows, groups=[everybody], key="journey")


def bring_in(app: Flask, cast: Cast, told: Told, folder: Path, name: str, volume: int, good: int) -> None:
    """A file with one row a person and quarter, through the command that HR scripts."""
    with app.app_context():
        cycle = db.session.get_one(CycleRow, told.cycle_id)
        span = f"{cycle.period_start},{cycle.period_end}"
    lines = ["工号,开始日期,结束日期,工单量,平均首次响应时长(秒),满意度(%),评价数"]
    lines += [f"{cast[who].employee_no},{span},{volume},90,{good},30" for who in TEAM]
    file = folder / f"{name}.csv"
    file.write_text("\n".join(lines) + "\n")
    done = CliRunner().invoke(kpi_command, ["--cycle", name, "--from", "sheet", str(file)], obj=lambda: app)
    assert done.exit_code == 0, done.output


def fill(cycle_id: int, by: int, at: object) -> None:
    """HR presses the button, and the worker does it."""
    kpi_filling.ask(db.session.get_one(CycleRow, cycle_id), by=by, now=at)  # type: ignore[arg-type]
    db.session.commit()
    jobs.work_all(house().handlers, house().progress, "test", at)  # type: ignore[arg-type]
    found = jobs.find(filling.key_of(cycle_id))
    assert found is not None
    assert found.error is None, found.error


def live(app: Flask, cast: Cast, folder: Path, ago: int, name: str, volume: int, good: int, help_: str) -> Told:
    """One quarter: rated, counted, its file brought in, the sheets filled, published."""
    counted = COUNTED + timedelta(days=20 * (2 - ago))  # answers are filed at one time in all these cycles
    with app.app_context():
        told = make_scored(cast, quarters_ago=ago, name=name, customers={})
        plan_cycle(told.cycle_id, plan())
        open_sheets(told.cycle_id, counted)
        db.session.commit()
    bring_in(app, cast, told, folder, name, volume, good)
    with app.app_context():
        fill(told.cycle_id, cast["hana"].id, counted + timedelta(hours=1))
        for review_id in told.reviews.values():
            put(told.cycle_id, review_id, counted + timedelta(hours=2), help=help_)
        results.score_cycle(told.cycle_id, counted + timedelta(hours=3))
        sign_off(told, at=counted + timedelta(hours=4))
        publish(told, cast, counted + timedelta(days=9))
    return told


def test_from_a_file_to_a_published_total_and_what_moved_it(
    app: Flask, cast: Cast, browse: Browse, tmp_path: Path
) -> None:
    first = live(app, cast, tmp_path, 2, "Q4 2025", 300, 90, "80")
    second = live(app, cast, tmp_path, 1, "Q1 2026", 360, 72, "50")
    with app.app_context():
        was, now = (publication_of(told.reviews["ada"]) for told in (first, second))
        # Everybody rated good: R = 80. Volume 300/400 = 75, speed (180-90)/120 = 75, satisfaction 90/90 = 100, help 80:
        # K = (25*75 + 25*75 + 30*100 + 20*80) / 100 = 83.5 and T = 48 + 33.4 = 81.4.
        assert (was.body["working"]["kpi"], was.score) == (83_50, 81_40)
        # Volume 90, speed 75, satisfaction 21.6 of 30 told as 72 %: 22 of 30, so 100 * (220/3) / 90; help 50.
        smile = Fraction(100 * 22, 30) / 90 * 100
        k = (25 * 90 + 25 * 75 + 30 * smile + 20 * 50) / 100
        assert Fraction(now.body["working"]["kpi_exact"]) == k
        rounded = (48 + Fraction(2, 5) * k) * 100
        assert now.score == int(rounded + Fraction(1, 2))
        scheme = scheme_of(now.body["scheme_id"])
        moved = moved_since(was, scheme, now, scheme)
        assert moved is not None
        assert [one.part.cause.value for one in moved.rows] == ["sheet"]
        assert moved.rows[0].points + moved.rounding == moved.change == now.score - was.score
        beside = figures_beside(second.reviews["ada"])
        assert beside is not None
        assert beside.since == "Q4 2025"
        told = {one.name.en: (one.now, one.before) for one in beside.rows}
        assert told["Row volume"] == (360, 300)
        assert told["Row help"] == (50, 80)
    page = browse(cast["ada"], "en").get(f"/results/{second.reviews['ada']}")
    assert "Row volume" in page.words
    assert "360 of 400" in page.words
    assert "1 min 30 s, full points up to 1 min" in page.words
    sheet = browse(cast["ada"], "en").get(f"/kpi/sheets/{second.reviews['ada']}")
    assert f"{now.score // 100}.{now.score % 100:02}" in sheet.words


def test_the_self_review_shows_the_figures_that_the_system_filled_in(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        plan_cycle(cycle_id, every_rule())
        open_sheets(cycle_id)
        put(cycle_id, review_of(cycle_id, cast["ada"]), speed="1:30")
        db.session.commit()
        ada = review_of(cycle_id, cast["ada"])
        assert figures_beside(ada + 1000) is None
        at = clock_now()  # the page asks the real clock
        set_dates(cycle_id, opens_at=at - DAY, self_due_at=at + DAY, closes_at=at + 2 * DAY)
        db.session.commit()
    page = browse(cast["ada"], "en").get(f"/self-review/{ada}")
    assert "Row speed 1 min 30 s" in page.words
    assert page.soup.find("button", {"data-into": "figures"}) is not None


@pytest.mark.parametrize("run", range(2))
def test_of_two_who_sign_at_once_there_is_one_name(app: Flask, cast: Cast, run: int) -> None:
    """The same employee in two windows: both are told that it is signed, and one signature stands there."""
    del run
    with app.app_context():
        cycle_id = make_cycle(cast)
        plan_cycle(cycle_id, every_rule())
        open_sheets(cycle_id)
        ada = review_of(cycle_id, cast["ada"])
        put(cycle_id, ada, volume="440", speed="90", smile="81", errors="2", help="85", training="5")
        set_stage(cycle_id, Stage.FINALISING)
        db.session.commit()
        seen = sheet_of(ada).digest
    together, steps = Barrier(2), list[object]()

    def one() -> None:
        with app.app_context():
            together.wait()
            try:
                steps.append(signing.sign(ada, cast["ada"].id, seen, "", NOW))
                db.session.commit()
            except Exception as error:  # noqa: BLE001  whatever it is, the test shows it
                steps.append(error)
                db.session.rollback()

    threads = [Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert steps == [Step.EMPLOYEE, Step.EMPLOYEE]
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(SignatureRow)) == 1
        assert sheet_of(ada).signature(Step.EMPLOYEE) is not None


def test_a_task_says_when_it_is_due_once(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        plan_cycle(cycle_id, every_rule())
        open_sheets(cycle_id)
        ada = review_of(cycle_id, cast["ada"])
        put(cycle_id, ada, volume="440", speed="90", smile="81", errors="2", help="85", training="5")
        set_stage(cycle_id, Stage.FINALISING)
        db.session.commit()
    page = browse(cast["ada"], "en").get("/")
    task = page.soup.find("a", {"href": f"/kpi/sheets/{ada}/sign"})
    assert task is not None
    assert "Read and sign your KPI sheet" in page.words
    assert len(task.find_parent("li").find_all("p", {"class": "r-tasks-meta"})) == 1
    team = browse(cast["sam"], "en").get("/")
    assert "Enter figures on" in team.words
