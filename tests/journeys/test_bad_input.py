"""What goes wrong in the life of a cycle: each a clear refusal or a clean resumption, and nothing is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from review.ballots import service as ballots
from review.cycles.tables import CycleRow, MoveRow, ReviewRow
from review.domain.cycle import Move, Stage
from review.infra.db import db, only_reading
from review.infra.settings import ROOT
from review.people.tables import PersonRow
from review.responses import service as responses
from review.results import service as results
from tests.browse import Browser, Page, fields_of
from tests.world import World

CLOSE = """
import sys, time
from pathlib import Path
from review.app import create_app
from review.cycles.tables import CycleRow
from review.domain.refusals import Taken
from review.infra.clock import now
from review.infra.db import db
from review.workflow import close
here, cycle_id = Path(sys.argv[1]), int(sys.argv[2])
app = create_app()
with app.app_context():
    (here / f"ready-{sys.argv[3]}").touch()
    while not (here / "go").exists():
        time.sleep(0.005)
    try:
        close.close(db.session.get_one(CycleRow, cycle_id), by=None, now=now(), early=True)
        db.session.commit()
        print("closed")
    except Taken:
        print("taken")
"""

# A worker that stops for ever in the middle of the count, where the test kills it.
COUNT = """
import sys, time
from pathlib import Path
from review.app import create_app
from review.ballots import service as ballots
from review.workflow.worker import run_here
real = ballots.count
def slow(cycle_id, seats, **options):
    def at(step):
        options["at"](step)
        if step == sys.argv[2]:
            (Path(sys.argv[1]) / "reached").touch()
            time.sleep(600)
    return real(cycle_id, seats, **{**options, "at": at})
ballots.count = slow
run_here(create_app())
"""


def environment(world: World) -> dict[str, str]:
    places = {"REVIEW_DATA": str(world.settings.data_dir), "REVIEW_KEYS": str(world.settings.keys_dir)}
    return {**os.environ, **places, "REVIEW_NO_VENV": "1", "PYTHONPATH": str(ROOT)}


def wait_until(is_so: object, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.1)


def stage_of(world: World, cycle_id: int) -> Stage:
    with world.app.app_context(), only_reading():
        return db.session.get_one(CycleRow, cycle_id).stage


def new_cycle(world: World, **changed: str) -> Page:
    """HR sends the form of a new cycle with something wrong in it."""
    hana = Browser(world.app, world.somebody("hana"), "en")
    page = hana.get("/cycles/new")
    values = {"name": "A cycle with a mistake", **changed}
    return hana.submit(page, values, status=422)


def cycles_in(world: World) -> int:
    with world.app.app_context(), only_reading():
        return db.session.scalar(select(func.count()).select_from(CycleRow)) or 0


def test_reversed_dates_are_refused_with_everything_typed_kept(world: World) -> None:
    before = cycles_in(world)
    page = new_cycle(world, opens_at="2027-03-10T09:00", closes_at="2027-03-01T18:00")
    typed = fields_of(page.form())
    assert (typed["opens_at"], typed["closes_at"]) == ("2027-03-10T09:00", "2027-03-01T18:00")
    assert typed["name"] == "A cycle with a mistake"
    assert page.soup.select("[aria-invalid=true]"), "the field that is wrong is marked"
    assert cycles_in(world) == before


def test_a_reversed_period_is_refused(world: World) -> None:
    before = cycles_in(world)
    new_cycle(world, kind="custom", period_start="2026-09-30", period_end="2026-07-01")
    assert cycles_in(world) == before


def test_a_period_that_overlaps_another_cycles_is_refused_by_its_name(world: World) -> None:
    before = cycles_in(world)
    with world.app.app_context(), only_reading():
        running = db.session.get_one(CycleRow, world.facts.collecting)
        dates = {"period_start": str(running.period_start), "period_end": str(running.period_end)}
        kind, name = running.kind.value, running.name
    page = new_cycle(world, kind=kind, **dates)
    assert name in page.words
    assert cycles_in(world) == before


def test_weights_that_do_not_add_up_are_refused_in_one_line(tmp_path: Path) -> None:
    scheme = json.loads((ROOT / "review" / "schemes" / "360-v1.json").read_text())
    first = scheme["criteria"][0]
    source = next(iter(first["weights"]))
    first["weights"][source] = str(float(first["weights"][source]) + 1)
    asked = tmp_path / "asked.json"
    asked.write_text(json.dumps({"scheme": scheme, "responses": {}}))
    command = [sys.executable, "-m", "review", "score", str(asked)]
    environ = {**os.environ, "REVIEW_NO_VENV": "1", "LANG": "en"}
    done = subprocess.run(command, check=False, cwd=ROOT, env=environ, capture_output=True)
    assert done.returncode == 1
    assert not done.stdout
    told = done.stderr.decode().strip()
    assert len(told.splitlines()) == 1, told
    assert "100" in told
    assert "criteria[0].weights" in told


def test_a_person_without_a_supervisor_is_named_before_the_launch_and_stops_it(world: World) -> None:
    with world.app.app_context():
        bo = db.session.get_one(PersonRow, world.facts.bo)
        bo.supervisor_id, name = None, bo.name
        db.session.commit()
    hana = Browser(world.app, world.somebody("hana"), "en")
    assert name in hana.get(f"/cycles/{world.facts.draft}").words
    hana.post(f"/cycles/{world.facts.draft}/launch", status=409)
    assert stage_of(world, world.facts.draft) is Stage.DRAFT


def answers(world: World, **more: str) -> tuple[str, dict[str, str]]:
    """The customer's form as it stands, all stars given."""
    url = f"/s/{world.facts.survey_token}"
    page = Browser(world.app).get(url)
    form = page.form()
    stars = {str(tag["name"]): "5" for tag in form.select("input[type=radio]")}
    return url, {**fields_of(form), **stars, **more}


def filed_by_customers(world: World) -> int:
    with world.app.app_context(), only_reading():
        reviews = db.session.scalars(select(ReviewRow.id).where(ReviewRow.cycle_id == world.facts.collecting)).all()
        return sum(responses.tally(review).customer_overall.count for review in reviews)


def test_a_survey_link_counts_once_however_often_it_is_used(world: World) -> None:
    before = filed_by_customers(world)
    url, form = answers(world)
    client = world.app.test_client()
    assert client.post(url, data=form).status_code == 303
    assert client.post(url, data=form).status_code == 303, "the same form again, a double click: the same thanks"
    assert client.post(url, data={**form, "form": "another-form-of-the-same"}).status_code == 404
    assert client.get(url).status_code == 404
    assert filed_by_customers(world) == before + 1


def test_a_survey_link_is_dead_after_the_close(world: World) -> None:
    before = filed_by_customers(world)
    url, form = answers(world)
    Browser(world.app, world.somebody("hana")).post(f"/cycles/{world.facts.collecting}/close")
    answer = world.app.test_client().post(url, data=form)
    assert answer.status_code == 404
    assert filed_by_customers(world) == before


def test_two_browsers_that_send_the_same_form_file_one_thing(world: World) -> None:
    """A colleague's ballot, sent from two windows at once: one row in the urn, the last word counts."""
    from review.domain.vocabulary import Source
    from review.schemes.library import builtin

    asked = [criterion.key for criterion in builtin().asked_of(Source.PEERS)]
    urn = next(world.urns.glob(f"{world.facts.collecting}.sqlite"))
    first, second = (Browser(world.app, world.somebody("peer")) for _ in range(2))
    tokens = [browser.token() for browser in (first, second)]
    held = rows_in(urn)
    for browser, token, level in zip((first, second), tokens, ("good", "fair"), strict=True):
        form = {"csrf_token": token, **{f"c-{key}": level for key in asked}}
        assert browser.client.post(f"/peers/{world.facts.seat}", data=form).status_code == 302
    assert rows_in(urn) == held + 1


def rows_in(urn: Path) -> int:
    import sqlite3

    with sqlite3.connect(urn) as raw:
        return int(raw.execute("SELECT count(*) FROM ballot").fetchone()[0])


def test_a_cycle_closed_twice_at_once_is_closed_once(world: World, tmp_path: Path) -> None:
    """Two processes press at the same moment: one closes, the other hears that it has been done."""
    cycle_id = world.facts.collecting
    here = tmp_path / "signals"
    here.mkdir()
    both = [
        subprocess.Popen(
            [sys.executable, "-c", CLOSE, str(here), str(cycle_id), str(number)],
            env=environment(world),
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    wait_until(lambda: len(list(here.glob("ready-*"))) == 2)
    (here / "go").touch()
    said = sorted(process.communicate(timeout=60)[0].strip() for process in both)
    assert said == ["closed", "taken"]
    with world.app.app_context(), only_reading():
        closes = select(func.count()).where(MoveRow.cycle_id == cycle_id, MoveRow.move == Move.CLOSE)
        assert db.session.scalar(closes) == 1
    assert stage_of(world, cycle_id) is Stage.COUNTING


@pytest.mark.parametrize("step", ["closed", "written", "key_destroyed"])
def test_a_worker_killed_in_the_middle_of_the_count_loses_nothing(world: World, tmp_path: Path, step: str) -> None:
    """kill -9, at a real process; the next worker, just started, finishes what lies there."""
    cycle_id = world.facts.collecting
    Browser(world.app, world.somebody("hana")).post(f"/cycles/{cycle_id}/close")
    command = [sys.executable, "-c", COUNT, str(tmp_path), step]
    doomed = subprocess.Popen(command, env=environment(world), stderr=subprocess.DEVNULL)
    wait_until((tmp_path / "reached").exists)
    doomed.send_signal(signal.SIGKILL)
    assert doomed.wait(30) == -signal.SIGKILL
    assert stage_of(world, cycle_id) is Stage.COUNTING
    next_one = subprocess.Popen(
        [sys.executable, "-m", "review", "worker"], cwd=ROOT, env=environment(world), stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: stage_of(world, cycle_id) is Stage.FINALISING)
    finally:
        next_one.terminate()
        assert next_one.wait(30) == 0
    with world.app.app_context(), only_reading():
        assert ballots.is_counted(cycle_id)
        assert ballots.is_destroyed(cycle_id)
        assert results.scorecard_of(world.facts.collecting_review).working
