"""Versions of KPI plans: an open one never changes, a draft is changed by one hand at a time, cycles keep theirs."""

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from review.app import create_app
from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.kpi_plan import dump_plan, parse_plan
from review.domain.records import TicketSystem
from review.domain.refusals import Invalid, OutOfReach, Taken
from review.helpdesk.tables import TicketRow
from review.infra import migrate
from review.infra.audit import AuditRow
from review.infra.db import db
from review.infra.settings import Settings
from review.kpi import placing, plan_edits, plans
from review.kpi.library import starting_data, starting_plan
from review.kpi.opening import months_between
from review.kpi.tables import PlanState, StoredPlanRow
from review.people.tables import PersonRow
from review.schemes import service as schemes
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def house(app: Flask, cast: Cast) -> Iterator[Flask]:
    """An application context around a test that calls services only."""
    with app.app_context():
        yield app
        db.session.rollback()


@pytest.fixture
def hana(cast: Cast) -> int:
    return cast["hana"].id


@pytest.fixture
def opened(house: Flask, hana: int) -> StoredPlanRow:
    return plans.install_starting_set(NOW, hana)


@pytest.fixture
def draft(opened: StoredPlanRow, hana: int) -> StoredPlanRow:
    return plans.draft_from(opened, by=hana, now=NOW)


def audited() -> list[str]:
    return list(db.session.scalars(select(AuditRow.action).order_by(AuditRow.id)))


def set_weight(place: int, weight: str):
    def change(body):
        body["rows"][place]["weight"] = weight

    return change


def rows_with(**changes):
    rows = starting_data()["rows"]
    for key, change in changes.items():
        next(row for row in rows if row["key"] == key).update(change)
    return rows


def test_the_starting_set_is_installed_once_and_open(opened, hana):
    assert (opened.version, opened.state, opened.hash) == (1, PlanState.OPEN, starting_plan().hash)
    assert plans.install_starting_set(LATER, hana) is opened
    assert audited() == ["kpi:plan:installed"]


def test_editing_makes_one_draft_of_the_next_version(opened, draft, hana):
    assert (draft.version, draft.state, opened.state) == (2, PlanState.DRAFT, PlanState.OPEN)
    assert plans.draft_from(opened, by=hana, now=LATER).id == draft.id  # a double click makes no second one
    assert plans.version_of(draft).plan.rows == plans.version_of(opened).plan.rows


def test_the_database_refuses_a_second_draft_and_a_state_that_lies(draft, hana):
    twin = {"key": draft.key, "body": {}, "hash": "0" * 64, "created_at": NOW, "created_by": hana}
    for lie in (
        {"version": 3, "state": PlanState.DRAFT},
        {"version": 3, "state": PlanState.OPEN},
        {"version": 3, "state": PlanState.DRAFT, "opened_at": NOW, "key": "other"},
        {"version": 1, "state": PlanState.RETIRED, "opened_at": NOW},
        {"version": 3, "state": PlanState.RETIRED, "opened_at": NOW, "hash": "short"},
    ):
        with pytest.raises(IntegrityError), db.session.begin_nested():
            db.session.add(StoredPlanRow(**{**twin, **lie}))


def test_a_draft_is_changed_and_opened_and_then_never_changes_again(opened, draft, hana):
    plan_edits.keep_rows(
        draft, rows_with(volume={"weight": "15"}, proactive={"weight": "10"}), draft.hash, by=hana, now=NOW
    )
    plans.open_version(draft, draft.hash, by=hana, now=LATER)
    assert (draft.state, draft.opened_at, draft.opened_by) == (PlanState.OPEN, LATER, hana)
    assert plans.version_of(draft).plan.row("volume").weight == 15
    assert plans.version_of(opened).plan.row("volume").weight == 20
    plans.open_version(draft, draft.hash, by=hana, now=LATER)  # twice: harmless
    for act in (
        lambda: plan_edits.keep_rows(draft, starting_data()["rows"], draft.hash, by=hana, now=LATER),
        lambda: plan_edits.keep_settings(draft, {"new_months": 3}, draft.hash, by=hana, now=LATER),
        lambda: plans.discard(draft, by=hana, now=LATER),
    ):
        with pytest.raises(Taken, match="not_a_draft"):
            act()
    assert audited() == ["kpi:plan:installed", "kpi:plan:drafted", "kpi:plan:changed", "kpi:plan:opened"]
    assert plans.draft_from(opened, by=hana, now=LATER).version == 3  # copied from the newest


def test_who_saw_an_older_draft_overwrites_nothing(draft, hana):
    seen = draft.hash
    plans.rewrite(draft, seen, set_weight(0, "19"), by=hana, now=NOW, part="rows")
    with pytest.raises(Taken, match="changed_meanwhile"):
        plans.rewrite(draft, seen, set_weight(0, "18"), by=hana, now=NOW, part="rows")
    plans.rewrite(draft, seen, set_weight(0, "19"), by=hana, now=NOW, part="rows")  # the same again: a double submit
    with pytest.raises(Taken, match="changed_meanwhile"):
        plans.open_version(draft, seen, by=hana, now=NOW)
    assert draft.body["rows"][0]["weight"] == "19"


def test_a_draft_with_something_missing_is_kept_but_not_opened(draft, hana):
    def forget(body):
        del body["groups"][1]["aims"]["volume"]

    plans.rewrite(draft, draft.hash, forget, by=hana, now=NOW, part="targets")
    version = plans.version_of(draft)
    assert [(p.code, p.where) for p in version.problems] == [("schemes:missing", "groups[1].aims.volume")]
    with pytest.raises(Invalid, match="schemes:missing"):
        plans.open_version(draft, draft.hash, by=hana, now=NOW)
    assert draft.state is PlanState.DRAFT


def test_targets_follow_the_rows(draft, hana):
    rows = rows_with(
        timeliness={"rule": "brackets", "brackets": [{"from": "0", "points": "100"}, {"from": "600", "points": "50"}]},
        volume={"indicator": "follow_up_rate", "obtained": "hand"},
    )
    rows = [row for row in rows if row["key"] != "proactive"]
    rows[0]["weight"] = "25"
    plan_edits.keep_rows(draft, rows, draft.hash, by=hana, now=NOW)
    aims = draft.body["groups"][2]["aims"]
    assert aims["timeliness"] == {"target": "900"}  # neither limit nor problem types where brackets score
    assert set(aims) == {"timeliness", "satisfaction", "resolution"}  # pieces are no percent, and one row went
    assert {(p.code, p.where) for p in plans.version_of(draft).problems} == {
        ("schemes:missing", f"groups[{place}].aims.volume") for place in range(5)
    }


def test_rows_that_break_a_rule_are_not_taken(draft, hana):
    before = draft.hash
    with pytest.raises(Invalid) as refused:
        plan_edits.keep_rows(draft, rows_with(satisfaction={"weight": "25"}), before, by=hana, now=NOW)
    assert {p.code for p in refused.value.problems} == {"schemes:weights_sum", "kpi_plan:satisfaction_too_light"}
    assert draft.hash == before


def test_a_group_is_added_before_the_one_that_takes_everybody(draft, hana):
    last = draft.body["groups"][-1]
    chat = {**last, "key": plan_edits.free_key(draft.body), "channels": ["Chat"], "name": {"zh": "聊天", "en": "Chat"}}
    plan_edits.keep_group(draft, plan_edits.NEW, chat, draft.hash, by=hana, now=NOW)
    assert [group["key"] for group in draft.body["groups"]][-2:] == ["group_1", "everybody"]
    assert plans.version_of(draft).problems == ()
    with pytest.raises(Invalid) as refused:  # told by places inside the group, and nothing of others
        plan_edits.keep_group(
            draft,
            "group_1",
            {**chat, "aims": {**chat["aims"], "volume": {"target": "x"}}},
            draft.hash,
            by=hana,
            now=NOW,
        )
    assert [(p.code, p.where) for p in refused.value.problems] == [("schemes:not_a_number", "aims.volume.target")]
    with pytest.raises(Invalid, match="group_never_reached"):
        plan_edits.keep_group(draft, plan_edits.NEW, {**chat, "key": "x"}, draft.hash, by=hana, now=NOW)
    plan_edits.remove_group(draft, "group_1", by=hana, now=NOW)
    plan_edits.remove_group(draft, "group_1", by=hana, now=NOW)  # gone already
    with pytest.raises(Invalid, match="last_group_takes_all"):
        plan_edits.remove_group(draft, "everybody", by=hana, now=NOW)
    with pytest.raises(OutOfReach):
        plan_edits.keep_group(draft, "nobody", chat, draft.hash, by=hana, now=NOW)


def test_settings_are_checked_alone(draft, hana):
    said = {"new_months": 3, "sheet_veto": True, "difficulty": {"投诉": "3"}, "name": {"zh": "甲", "en": "A"}}
    plan_edits.keep_settings(draft, said, draft.hash, by=hana, now=NOW)
    plan = plans.version_of(draft).plan
    assert (plan.new_months, plan.sheet_veto, plan.difficulty["投诉"], plan.name.en) == (3, True, 3, "A")
    with pytest.raises(Invalid) as refused:
        plan_edits.keep_settings(draft, {**said, "difficulty": {"x": "0"}}, draft.hash, by=hana, now=NOW)
    assert refused.value.code == "schemes:must_be_positive"


def test_a_discarded_draft_leaves_its_number_to_the_next(opened, draft, hana):
    plans.discard(draft, by=hana, now=NOW)
    assert plans.newest(opened.key) is opened
    assert plans.draft_from(opened, by=hana, now=LATER).version == 2


def test_a_copy_is_another_plan(opened, hana):
    copies = [plans.copy_as(opened, by=hana, now=NOW) for _ in range(2)]
    assert [(row.key, row.version) for row in copies] == [("customer-service-2", 1), ("customer-service-3", 1)]
    plans.open_version(copies[0], copies[0].hash, by=hana, now=NOW)


def test_a_file_becomes_the_next_draft(opened, hana):
    row = plans.draft_of(starting_data(), by=hana, now=NOW)
    assert (row.version, row.state) == (2, PlanState.DRAFT)
    with pytest.raises(Taken, match="draft_there"):
        plans.draft_of(starting_data(), by=hana, now=NOW)


def make_ticket(
    reference: str, agent: int, channel: str, closed_on: date, system: TicketSystem = TicketSystem.ZENDESK
) -> None:
    db.session.add(
        TicketRow(
            system=system, reference=reference, agent_id=agent, channel=channel, kind="question", closed_on=closed_on
        )
    )
    db.session.flush()


def cycle_of(cast: Cast, stage: Stage = Stage.DRAFT, **how) -> CycleRow:
    return db.session.get_one(CycleRow, make_cycle(cast, stage, **how))


def test_a_cycle_uses_a_plan_until_it_is_launched(opened, draft, cast, hana):
    cycle = cycle_of(cast)
    assert plans.choice_of(cycle.id) is None
    plans.use(cycle, opened.id, by=hana, now=NOW)
    plans.use(cycle, opened.id, by=hana, now=LATER)  # twice: harmless
    chosen = plans.choice_of(cycle.id)
    assert (chosen.plan_id, chosen.set_by, chosen.set_at) == (opened.id, hana, NOW)
    assert plans.used_by() == {opened.id: [(cycle.id, cycle.name)]}
    with pytest.raises(Invalid, match="not_open"):
        plans.use(cycle, draft.id, by=hana, now=NOW)
    plans.open_version(draft, draft.hash, by=hana, now=NOW)
    plans.use(cycle, draft.id, by=hana, now=NOW)
    plans.use(cycle, None, by=hana, now=NOW)
    assert plans.choice_of(cycle.id) is None
    plans.use(cycle, opened.id, by=hana, now=NOW)
    db.session.execute(update(CycleRow).where(CycleRow.id == cycle.id).values(stage=Stage.COLLECTING))
    for wanted in (draft.id, None):
        with pytest.raises(Taken, match="cycle_launched"):
            plans.use(cycle, wanted, by=hana, now=NOW)
    plans.use(cycle, opened.id, by=hana, now=NOW)  # what it uses already
    assert audited().count("kpi:plan:chosen") == 4


def test_a_retired_plan_stays_where_it_is_used_and_goes_nowhere_else(opened, cast, hana):
    cycle, other = cycle_of(cast), cycle_of(cast, name="Q4 2025", quarters_ago=2)
    plans.use(cycle, opened.id, by=hana, now=NOW)
    plans.retire(opened, by=hana, now=NOW)
    plans.retire(opened, by=hana, now=NOW)
    plans.use(cycle, opened.id, by=hana, now=NOW)
    with pytest.raises(Invalid, match="not_open"):
        plans.use(other, opened.id, by=hana, now=NOW)
    assert plans.open_versions() == []


def test_a_draft_is_thrown_away_not_retired(draft, hana):
    with pytest.raises(Taken, match="only_a_draft"):
        plans.retire(draft, by=hana, now=NOW)


def test_a_cap_above_what_the_scheme_allows_is_refused(draft, cast, hana):
    plan_edits.keep_rows(draft, rows_with(volume={"cap": "150"}), draft.hash, by=hana, now=NOW)
    plans.open_version(draft, draft.hash, by=hana, now=NOW)
    scheme = schemes.stored(schemes.install_default(NOW).id)
    scheme.body = {**scheme.body, "kpi_cap_limit": "120"}
    scheme.hash = "1" * 64
    cycle = cycle_of(cast)
    with pytest.raises(Invalid) as refused:
        plans.use(cycle, draft.id, by=hana, now=NOW)
    (problem,) = refused.value.problems
    assert (problem.code, dict(problem.params)) == ("kpi_plan:cap_over_scheme", {"cap": "150", "most": "120"})


def test_people_fall_into_groups_as_they_were_on_the_first_day_of_the_period(opened, cast, hana):
    cycle = cycle_of(cast)  # Q1 2026
    posts = {"ada": "售后客服", "bo": "售前客服", "cy": "售后客服", "di": "售后客服"}
    for name, post in posts.items():
        db.session.get_one(PersonRow, cast[name].id).post = post
    db.session.get_one(PersonRow, cast["cy"].id).joined_on = cycle.period_start.replace(year=2025, month=7, day=2)
    db.session.get_one(PersonRow, cast["di"].id).joined_on = None
    db.session.flush()
    mix = placing.mix_of(starting_plan(), cycle, 3)
    assert mix.counts == {
        "pre_sales_new": 0,
        "pre_sales_senior": 1,
        "after_sales_new": 1,  # five months and some days
        "after_sales_senior": 1,
        "everybody": mix.people - 3,
    }
    assert mix.rest[0] == "Di"
    assert len(mix.rest) == 3


def test_the_channel_most_cases_came_by_decides(house, cast):
    cycle = cycle_of(cast)
    data = starting_data()
    chat = {**data["groups"][-1], "key": "chat", "channels": ["chat"]}
    data["groups"].insert(0, chat)
    plan = parse_plan(data)
    drawn = [("ada", "chat"), ("ada", "chat"), ("ada", "phone"), ("bo", "phone"), ("bo", "phone"), ("bo", "chat")]
    for number, (name, channel) in enumerate(drawn):
        make_ticket(f"T{number}", cast[name].id, channel, cycle.period_end)
    for number in range(5):  # a list of customers tells nothing of channels
        make_ticket(f"L{number}", cast["bo"].id, "chat", cycle.period_end, TicketSystem.LIST)
    mix = placing.mix_of(plan, cycle, 50)
    assert (mix.counts["chat"], "Ada" in mix.rest, "Bo" in mix.rest) == (1, False, True)


@pytest.mark.parametrize(
    ("joined", "first", "months"),
    [("2025-07-01", "2026-01-01", 6), ("2025-07-02", "2026-01-01", 5), ("2026-02-01", "2026-01-01", 0)],
)
def test_months_are_whole_ones(joined, first, months):
    assert months_between(date.fromisoformat(joined), date.fromisoformat(first)) == months


def test_what_is_stored_is_read_back_as_it_was(opened):
    assert dump_plan(plans.version_of(opened).plan) == opened.body


@pytest.fixture
def on_postgresql(tmp_path: Path, postgres_url: str, urn_url: str) -> Iterator[Flask]:
    migrate.upgrade(postgres_url)
    environ = {"REVIEW_DATA": str(tmp_path / "instance"), "DATABASE_URL": postgres_url, "URN_URL": urn_url}
    made = create_app(Settings.from_env(environ))
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.mark.postgres
def test_drafts_that_are_begun_at_once_are_one(on_postgresql: Flask) -> None:
    with on_postgresql.app_context():
        base = plans.install_starting_set(NOW).id
        db.session.commit()
    start, made = threading.Barrier(4), []

    def begin() -> None:
        with on_postgresql.app_context():
            row = plans.stored(base)
            start.wait()
            made.append(plans.draft_from(row, by=None, now=NOW).id)
            db.session.commit()

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1
    with on_postgresql.app_context():
        assert audited() == ["kpi:plan:installed", "kpi:plan:drafted"]


@pytest.mark.postgres
def test_of_two_who_save_at_once_one_is_told(on_postgresql: Flask) -> None:
    with on_postgresql.app_context():
        draft = plans.draft_from(plans.install_starting_set(NOW), by=None, now=NOW)
        draft_id, seen = draft.id, draft.hash
        db.session.commit()
    start, told = threading.Barrier(2), []

    def save(weight: str) -> None:
        with on_postgresql.app_context():
            row = plans.stored(draft_id)
            start.wait()
            try:
                plans.rewrite(row, seen, set_weight(0, weight), by=None, now=NOW, part="rows")
                db.session.commit()
                told.append("saved")
            except Taken as refusal:
                db.session.rollback()
                told.append(refusal.code)

    threads = [threading.Thread(target=save, args=(weight,)) for weight in ("18", "19")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["kpi_plan:changed_meanwhile", "saved"]
