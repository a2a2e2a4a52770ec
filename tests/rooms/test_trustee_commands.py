"""Trustees for servers that no browser reaches: named and opened on the command line, over the same services."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from review.app import create_app
from review.ballots import service as ballots
from review.ballots.seal_keys import Share
from review.custody import paper
from review.custody import service as custody
from review.domain.cycle import Stage
from review.domain.refusals import Invalid
from review.infra.db import db
from review.infra.settings import Settings
from review.workflow.cycle_commands import cycle_group
from review.workflow.trustee_commands import commands
from tests.make import NOW, Cast
from tests.make_custody import closed, cycle_id, hr, numbers, stage
from tests.rooms.test_launch import company

__all__ = ["company", "cycle_id", "hr"]

NAME = "Q1 2026"
Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("LANG", "en_GB.UTF-8")

    def invoke(*arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(cycle_group, list(arguments), input=typed, obj=lambda: create_app(settings))

    return invoke


def line_of(share: Share, locale: str = "en") -> str:
    return f"{share.number} {' '.join(paper.words_of(share, locale))}\n"


def test_three_people_are_named_and_listed(app: Flask, company: Cast, cycle_id: int, run: Run) -> None:
    assert cycle_group in commands
    assert run("trustees", NAME).output == ""
    named = run("trustees", NAME, "--name", *numbers(company), "--by", company["south"].employee_no)
    assert named.exit_code == 0, named.output
    assert named.output.splitlines()[0] == f"1: {company['north 1'].employee_no} North 1 -"
    with app.app_context():
        custody.keep(custody.post_of(cycle_id, company["head"].id), custody.mark_of(cycle_id), now=NOW)
        db.session.commit()
    assert not run("trustees", NAME).output.splitlines()[2].endswith("-")


def test_nobody_is_named_who_does_not_exist(app: Flask, company: Cast, cycle_id: int, run: Run) -> None:
    refused = run("trustees", NAME, "--name", *numbers(company)[:2], "E000000")
    assert isinstance(refused.exception, Invalid)
    assert refused.exception.code == "custody:no_such_number"
    with app.app_context():
        assert custody.trustees_of(cycle_id) == []


def test_two_shares_typed_unseen_open_and_count(app: Flask, company: Cast, cycle_id: int, run: Run) -> None:
    papers = closed(app, company, cycle_id)
    code = paper.code_of(cycle_id, papers[3]) + "\n"
    done = run("open", NAME, typed=line_of(papers[1], "zh") + code)
    assert done.exit_code == 0, done.output
    assert "stage: finalising" in done.output
    assert code.strip() not in done.output
    assert papers[1].value.hex() not in done.output
    assert not any(word in done.output for word in paper.words_of(papers[1], "zh"))
    assert stage(app, cycle_id) is Stage.FINALISING


def test_a_wrong_word_typed_unseen_is_named_with_its_share(app: Flask, company: Cast, cycle_id: int, run: Run) -> None:
    papers = closed(app, company, cycle_id)
    refused = run("open", NAME, typed=line_of(papers[1]) + "2 " + "zzz " * 12 + "\n")
    assert isinstance(refused.exception, Invalid)
    assert {one.where for one in refused.exception.problems} == {"2"}
    assert refused.exception.problems[0].params == {"place": 1, "word": "zzz"}
    with app.app_context():
        assert ballots.is_locked(cycle_id)
