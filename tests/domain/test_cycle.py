"""The table of stages and moves: every combination, every need, and what a refusal says."""

from dataclasses import fields, replace
from itertools import product

import pytest

from review.domain.cycle import (
    MOVES,
    OVER,
    Facts,
    Move,
    Need,
    Stage,
    advance,
    checklist,
    moves_from,
    unmet_needs,
)
from review.domain.refusals import Invalid, NotYet, Taken

READY = Facts(
    reviewed_count=60,
    people_without_supervisor=0,
    second_raters_missing=0,
    scheme_published=True,
    dates_valid=True,
    plan_current=True,
    peer_shortages=2,
    peer_shortages_confirmed=True,
    seal_ready=True,
    ticket_keys_ready=True,
    deadline_passed=True,
    close_asked_by_hr=False,
    count_verified=True,
    keys_destroyed=True,
    unfinalised_count=0,
    withheld_unexplained=0,
    looks_missing=0,
    open_sheets=0,
    open_appeals=0,
    reason_given=True,
)
HOPELESS = Facts(
    reviewed_count=0,
    people_without_supervisor=3,
    second_raters_missing=4,
    peer_shortages=2,
    unfinalised_count=7,
    withheld_unexplained=1,
    looks_missing=2,
    open_sheets=5,
    open_appeals=4,
)

# Written out by hand, so that a slip in the table cannot hide behind the table.
EXPECTED = {
    ("draft", "open_nominations"): "nominating",
    ("draft", "launch"): "collecting",
    ("draft", "cancel"): "cancelled",
    ("nominating", "launch"): "collecting",
    ("nominating", "cancel"): "cancelled",
    ("collecting", "close"): "counting",
    ("collecting", "cancel"): "cancelled",
    ("counting", "finish_count"): "finalising",
    ("finalising", "publish"): "published",
    ("finalising", "cancel"): "cancelled",
    ("published", "archive"): "archived",
}
DONE_ALREADY = {
    *product(["nominating", "collecting", "counting", "finalising", "published"], ["open_nominations"]),
    *product(["collecting", "counting", "finalising", "published"], ["launch"]),
    *product(["counting", "finalising", "published"], ["close"]),
    *product(["finalising", "published"], ["finish_count"]),
    ("published", "publish"),
    *product(["archived", "cancelled"], list(Move)),
}
EVERY_COMBINATION = [pytest.param(stage, move, id=f"{stage}-{move}") for stage, move in product(Stage, Move)]


@pytest.mark.parametrize(("stage", "move"), EVERY_COMBINATION)
def test_every_move_from_every_stage_leads_where_it_should_or_is_refused(stage, move):
    if (stage, move) in EXPECTED:
        assert advance(stage, move, READY) == EXPECTED[stage, move]
        return
    refusal = Taken if (stage, move) in DONE_ALREADY else Invalid
    code = "cycle:already_moved" if refusal is Taken else "cycle:no_such_move"
    with pytest.raises(refusal) as refused:
        advance(stage, move, READY)
    assert refused.value.code == code
    assert refused.value.problems[0].params == {"stage": stage.value, "move": move.value}


@pytest.mark.parametrize(("stage", "move"), list(MOVES))
def test_a_move_that_is_not_ready_names_every_unmet_need_at_once(stage, move):
    with pytest.raises(NotYet) as refused:
        advance(stage, move, HOPELESS)
    assert [problem.code for problem in refused.value.problems] == [need.code for need in MOVES[stage, move].needs]


@pytest.mark.parametrize(("stage", "move"), list(MOVES))
def test_each_need_alone_stops_its_move(stage, move):
    for need in MOVES[stage, move].needs:
        spoilt = [
            replace(READY, **{field.name: getattr(HOPELESS, field.name)})
            for field in fields(Facts)
            if not need.met(replace(READY, **{field.name: getattr(HOPELESS, field.name)}))
        ]
        assert len(spoilt) == 1, f"{need.code} should hang on exactly one fact of READY"
        assert [problem.code for problem in unmet_needs(stage, move, spoilt[0])] == [need.code]


def test_a_count_comes_with_its_number():
    with pytest.raises(NotYet) as refused:
        advance(Stage.DRAFT, Move.LAUNCH, replace(READY, people_without_supervisor=3))
    (problem,) = refused.value.problems
    assert (problem.code, problem.params) == ("cycle:people_without_supervisor", {"count": 3})


def test_hr_may_close_before_the_deadline_by_asking_for_it():
    early = replace(READY, deadline_passed=False)
    assert advance(Stage.COLLECTING, Move.CLOSE, replace(early, close_asked_by_hr=True)) is Stage.COUNTING
    with pytest.raises(NotYet, match="cycle:deadline_not_passed"):
        advance(Stage.COLLECTING, Move.CLOSE, early)


def test_a_plan_without_shortages_needs_no_confirmation():
    unconfirmed = replace(READY, peer_shortages_confirmed=False)
    assert advance(Stage.DRAFT, Move.LAUNCH, replace(unconfirmed, peer_shortages=0)) is Stage.COLLECTING
    with pytest.raises(NotYet, match="cycle:peer_shortages_unconfirmed"):
        advance(Stage.DRAFT, Move.LAUNCH, unconfirmed)


def test_a_count_is_finished_only_when_the_keys_are_gone_too():
    with pytest.raises(NotYet, match="cycle:keys_not_destroyed"):
        advance(Stage.COUNTING, Move.FINISH_COUNT, replace(READY, keys_destroyed=False))


def test_a_cycle_under_count_cannot_be_cancelled():
    assert Move.CANCEL not in moves_from(Stage.COUNTING)
    with pytest.raises(Invalid, match="cycle:no_such_move"):
        advance(Stage.COUNTING, Move.CANCEL, READY)


def test_closing_twice_says_that_it_has_been_done():
    after = advance(Stage.COLLECTING, Move.CLOSE, READY)
    with pytest.raises(Taken, match="cycle:already_moved"):
        advance(after, Move.CLOSE, READY)


def test_nothing_leads_out_of_a_cycle_that_is_over():
    assert all(moves_from(stage) == () for stage in OVER)
    assert moves_from(Stage.PUBLISHED) == (Move.ARCHIVE,)


def test_every_stage_can_be_reached_from_the_draft():
    reached = {Stage.DRAFT}
    for _ in Stage:
        reached |= {path.to_stage for (stage, _move), path in MOVES.items() if stage in reached}
    assert reached == set(Stage)


def test_a_fact_nobody_gathered_is_never_guessed():
    with pytest.raises(LookupError, match="unfinalised_count"):
        advance(Stage.FINALISING, Move.PUBLISH, Facts(open_sheets=0, withheld_unexplained=0))
    with pytest.raises(NotYet):
        advance(Stage.COLLECTING, Move.CLOSE, Facts())


def test_the_checklist_shows_met_and_unmet_needs_alike():
    shown = checklist(Stage.FINALISING, Move.PUBLISH, replace(READY, unfinalised_count=2))
    assert [(need.code, met) for need, met in shown] == [
        ("cycle:sheets_open", True),
        ("cycle:unfinalised", False),
        ("cycle:withheld_unexplained", True),
        ("cycle:second_looks_missing", True),
    ]
    assert all(isinstance(need, Need) for need, _ in shown)
    with pytest.raises(Taken):
        checklist(Stage.PUBLISHED, Move.PUBLISH, READY)
