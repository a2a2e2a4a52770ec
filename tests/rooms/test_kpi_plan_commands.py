"""`kpi plan` as scripts use it: what it prints is read again, every problem has a line, and the exit status tells."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select

from review.app import create_app
from review.domain.kpi_plan import GROUP_KEYS, PLAN_KEYS, ROW_KEYS, ROW_MAY, parse_plan
from review.domain.refusals import Invalid, Taken
from review.infra.db import db
from review.infra.settings import Settings
from review.kpi import plans
from review.kpi.library import starting_data
from review.kpi.plan_commands import plan_group
from review.kpi.plan_schema import plan_schema
from review.kpi.tables import CyclePlanRow, PlanState, StoredPlanRow
from review.workflow.cycle_commands import cycle_group
from tests.make import NOW, Cast

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("LANG", "en_GB.UTF-8")

    def invoke(*arguments: str, command: object = plan_group, typed: bytes | None = None) -> Result:
        return CliRunner().invoke(  # type: ignore[call-overload,no-any-return]
            command, list(arguments), obj=lambda **how: create_app(settings, **how), input=typed
        )

    return invoke


def file_of(folder: Path, data: object) -> str:
    path = folder / "plan.json"
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return str(path)


def test_without_any_plan_the_starting_set_is_printed_and_can_be_checked(run, app, tmp_path):
    for arguments in ((), ("--starting-set",)):
        printed = run(*arguments)
        assert printed.exit_code == 0
        assert json.loads(printed.stdout) == starting_data()
    checked = run("check", file_of(tmp_path, json.loads(printed.stdout)))
    assert checked.exit_code == 0
    assert checked.stdout.startswith("The plan is in order: 6 rows, 5 target groups")
    assert parse_plan(starting_data()).hash in checked.stdout


def test_the_newest_open_version_is_printed_and_any_can_be_asked_for(run, app):
    with app.app_context():
        first = plans.install_starting_set(NOW)
        draft = plans.draft_from(first, by=None, now=NOW)
        db.session.commit()
        told = {"first": first.body, "draft": draft.body}
    assert json.loads(run().stdout) == told["first"]
    assert json.loads(run("--version", "2").stdout) == told["draft"]
    assert isinstance(run("--key", "other").exception, Invalid)


def test_every_problem_of_a_file_has_a_line_with_its_place(run, tmp_path):
    data = starting_data()
    data["rows"][2]["weight"] = "20"
    data["groups"][1]["aims"]["timeliness"]["limit"] = "1"
    result = run("check", file_of(tmp_path, data))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "rows: the weights add up to 90, not to 100",
        "rows: customer satisfaction weighs 20 %, but never under 30 %: it decides who may stay with customers",
        "groups[1].aims.timeliness.limit: the limit must lie above the target",
    ]


@pytest.mark.parametrize("typed", [b"{", b"\xff", b"[]", b'{"key": 1, "key": 2}', b"[" * 100_000, b'{"rows": NaN}'])
def test_what_is_no_plan_is_refused_in_words(run, typed):
    result = run("check", "-", typed=typed)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Traceback" not in result.stderr
    assert "schemes:" not in result.stderr


def test_wrong_usage_is_status_2(run):
    assert run("check").exit_code == 2
    assert run("chek", "x").exit_code == 2


def test_a_file_that_is_not_there_is_named(run):
    result = run("check", "/nowhere/plan.json")
    assert (result.exit_code, "cannot be read" in result.stderr) == (1, True)


def test_a_file_becomes_a_draft_that_hr_opens(run, app: Flask, cast: Cast, tmp_path):
    path = file_of(tmp_path, starting_data())
    made = run("draft", path, "--by", cast["hana"].employee_no)
    assert made.output == "customer-service, version 1, is a draft now. HR looks at it and opens it.\n"
    with app.app_context():
        (row,) = db.session.scalars(select(StoredPlanRow)).all()
        assert (row.state, row.created_by) == (PlanState.DRAFT, cast["hana"].id)
    assert isinstance(run("draft", path, "--by", cast["hana"].employee_no).exception, Taken)
    assert isinstance(run("draft", path, "--by", "nobody").exception, Invalid)
    assert run("draft", path).exit_code == 2


def test_a_cycle_is_made_with_a_plan_by_its_key(run, app: Flask, cast: Cast):
    with app.app_context():
        plan_id = plans.install_starting_set(NOW).id
        db.session.commit()
    made = run("create", "Spring", "--kpi-plan", "customer-service", command=cycle_group)
    assert made.exit_code == 0, made.exception
    refused = run("create", "Autumn", "--kind", "yearly", "--kpi-plan", "other", command=cycle_group)
    assert isinstance(refused.exception, Invalid)
    with app.app_context():
        (row,) = db.session.scalars(select(CyclePlanRow)).all()
        assert row.plan_id == plan_id


def test_the_schema_describes_what_is_printed(run):
    schema = json.loads(run("--schema").stdout)
    assert schema == plan_schema()
    assert set(schema["required"]) == set(PLAN_KEYS) == set(starting_data())
    row, group = schema["properties"]["rows"]["items"], schema["properties"]["groups"]["items"]
    assert set(row["required"]) == set(ROW_KEYS)
    assert set(row["properties"]) == {*ROW_KEYS, *ROW_MAY}
    assert set(group["required"]) == set(GROUP_KEYS)
    for one in starting_data()["rows"]:
        assert set(ROW_KEYS) <= set(one) <= set(row["properties"])
