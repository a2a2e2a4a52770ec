"""Disputes: by the agent, once, in time, with words; decided by somebody else, with a reason; before and after kept."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from flask import Flask
from sqlalchemy import select

from review.domain.access import Role
from review.domain.refusals import Invalid, OutOfReach, Taken, TooLate
from review.infra.audit import AuditRow
from review.infra.db import db
from review.infra.outbox import LetterRow
from review.people.tables import RoleRow
from review.quality import checks, disputes
from review.quality.tables import DisputeRow, Verdict
from tests.browse import Browser
from tests.make import NOW, Cast
from tests.make_quality import assign, check, checks_of, file_as, make_sample, the_form, tickets

Browse = Callable[..., Browser]


@pytest.fixture(autouse=True)
def at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ("check_views", "dispute_views", "board_views"):
        monkeypatch.setattr(f"review.quality.{room}.now", lambda: NOW)


@pytest.fixture
def filed(app: Flask, cast: Cast) -> int:
    """Quinn gave Ada 1 of 4 in understanding: (85 * 100 + 0) / 100 = 85."""
    with app.app_context():
        tickets(cast["ada"], 4)
        sample_id = make_sample(cast, each=2)
        assign(sample_id, cast["quinn"])
        one = checks_of(sample_id, cast["ada"])[0]
        file_as(one, understanding=1)
        return one


def raised(app: Flask, cast: Cast, check_id: int, **proposed: int | None) -> None:
    with app.app_context():
        disputes.raise_dispute(
            checks.file_of(check_id),
            cast["ada"].id,
            "I said it back.",
            proposed or {"understanding": 4},
            the_form(),
            NOW,
        )
        db.session.commit()


def decided(app: Flask, cast: Cast, check_id: int, verdict: Verdict, by: str = "hana", **marks: int | None) -> bool:
    with app.app_context():
        said = disputes.Decision(verdict, "Heard the call again.", marks)
        done = disputes.decide(checks.file_of(check_id), said, the_form(), by=cast[by].id, now=NOW)
        db.session.commit()
        return done


def letters(app: Flask, kind: str) -> set[str]:
    with app.app_context():
        return set(db.session.scalars(select(LetterRow.to).where(LetterRow.kind == kind)))


def test_the_agent_disputes_and_checker_and_hr_are_told(app: Flask, cast: Cast, browse: Browse, filed: int) -> None:
    ada = browse(cast["ada"])
    page = ada.get(f"/checks/{filed}")
    assert "Dispute this check" in page.words
    ada.submit(page, {"comment": "I said it back.", "mark_understanding": "4"}, form="/dispute")
    with app.app_context():
        row = db.session.get_one(DisputeRow, filed)
        assert (row.proposed, row.score_before, row.verdict) == ({"understanding": 4}, "85", None)
    assert letters(app, disputes.RAISED) == {"quinn@example.com", "hana@example.com"}
    assert "It does not count while the dispute is open." in ada.get(f"/checks/{filed}").words
    assert "Decide 1 dispute" in browse(cast["hana"]).get("/").words
    assert "Decide 1 dispute" not in browse(cast["quinn"]).get("/").words


@pytest.mark.parametrize("who", ["quinn", "sam", "bo", "hana", "max"])
def test_nobody_else_disputes(app: Flask, cast: Cast, browse: Browse, filed: int, who: str) -> None:
    browse(cast[who]).post(f"/checks/{filed}/dispute", {"comment": "no"}, status=404)
    with app.app_context():
        assert db.session.get(DisputeRow, filed) is None


def test_words_are_needed_and_what_was_typed_stays(app: Flask, cast: Cast, browse: Browse, filed: int) -> None:
    page = browse(cast["ada"]).post(f"/checks/{filed}/dispute", {"comment": " ", "mark_understanding": "3"}, status=422)
    chosen = page.soup.find("select", {"name": "mark_understanding"}).find("option", selected=True)
    assert chosen["value"] == "3"
    with app.app_context():
        assert db.session.get(DisputeRow, filed) is None


def test_a_proposal_must_be_something_that_could_be_filed(app: Flask, cast: Cast, filed: int) -> None:
    with app.app_context():
        for proposed in ({"solution": None}, {"tone": 9}, {"weather": 1}):
            with pytest.raises(Invalid):
                disputes.raise_dispute(checks.file_of(filed), cast["ada"].id, "No.", proposed, the_form(), NOW)


def test_in_time_is_until_the_end_of_the_fifth_working_day(app: Flask, cast: Cast, filed: int) -> None:
    """Filed on Wednesday 1 April in Shanghai: Wednesday 8 April, 23:59 there."""
    ends = datetime(2026, 4, 8, 15, 59, tzinfo=UTC)
    with app.app_context():
        file = checks.file_of(filed)
        with pytest.raises(TooLate):
            disputes.raise_dispute(file, cast["ada"].id, "No.", {}, the_form(), ends + timedelta(seconds=1))
        assert disputes.raise_dispute(file, cast["ada"].id, "No.", {}, the_form(), ends)


def test_too_late_the_page_says_so_and_keeps_the_words(
    app: Flask, cast: Cast, browse: Browse, filed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("review.quality.check_views.now", lambda: NOW + timedelta(days=20))
    ada = browse(cast["ada"])
    assert "The time for a dispute was over" in ada.get(f"/checks/{filed}").words
    page = ada.post(f"/checks/{filed}/dispute", {"comment": "my long words"}, status=410)
    assert "my long words" in page.text


def test_the_same_twice_is_harmless_another_one_is_not(app: Flask, cast: Cast, browse: Browse, filed: int) -> None:
    ada = browse(cast["ada"])
    ada.post(f"/checks/{filed}/dispute", {"comment": "Not so."})
    ada.post(f"/checks/{filed}/dispute", {"comment": "Not so."})
    ada.post(f"/checks/{filed}/dispute", {"comment": "Something else."}, status=409)
    with app.app_context():
        assert db.session.get_one(DisputeRow, filed).comment == "Not so."


def test_of_two_disputes_at_once_one_is_taken(app: Flask, cast: Cast, filed: int) -> None:
    with app.app_context():
        here, there = checks.file_of(filed), checks.file_of(filed)
        assert disputes.raise_dispute(here, cast["ada"].id, "First.", {}, the_form(), NOW)
        with pytest.raises(Taken):
            disputes.raise_dispute(there, cast["ada"].id, "Second.", {}, the_form(), NOW)


@pytest.mark.parametrize(
    ("verdict", "marks", "after"),
    [
        (Verdict.ACCEPTED, {}, Fraction(100)),
        (Verdict.PARTLY, {"understanding": 3}, Fraction(95)),
        (Verdict.PARTLY, {"understanding": 2, "tone": None}, Fraction(75 * 100 + 15 * Fraction(100, 3)) / 90),
        (Verdict.REJECTED, {"understanding": 4}, Fraction(85)),
    ],
)
def test_a_decision_recomputes_exactly_and_keeps_both(
    app: Flask, cast: Cast, filed: int, verdict: Verdict, marks: dict, after: Fraction
) -> None:
    raised(app, cast, filed)
    assert decided(app, cast, filed, verdict, **marks)
    with app.app_context():
        row, told = check(filed), db.session.get_one(DisputeRow, filed)
        assert (row.points, row.filed_points) == (after, Fraction(85))
        assert (told.score_before, Fraction(told.score_after), told.verdict) == ("85", after, verdict)
        kept = checks.marks_of(filed)["understanding"]
        assert kept.filed_mark == 1
        audited = db.session.scalars(select(AuditRow).where(AuditRow.action == "quality:dispute:decided")).one()
        assert audited.details == {"verdict": verdict.value, "before": "85", "after": str(after)}
    assert letters(app, disputes.DECIDED) == {"ada@example.com", "quinn@example.com"}


def test_a_dispute_may_bring_a_check_to_0_through_a_critical_category(app: Flask, cast: Cast, filed: int) -> None:
    raised(app, cast, filed)
    decided(app, cast, filed, Verdict.PARTLY, solution=2)
    with app.app_context():
        assert check(filed).points == 0


def test_the_checker_and_the_agent_never_decide_even_as_hr(app: Flask, cast: Cast, browse: Browse, filed: int) -> None:
    raised(app, cast, filed)
    with app.app_context():
        for name in ("quinn", "ada"):
            db.session.add(RoleRow(person_id=cast[name].id, role=Role.HR))
        db.session.commit()
    for who in ("quinn", "ada"):
        browse(cast[who]).get(f"/disputes/{filed}", status=404)
        browse(cast[who]).post(f"/disputes/{filed}", {"verdict": "accepted", "reason": "mine"}, status=404)
        browse(cast[who]).post(f"/disputes/{filed}/hand-over", {"decider": cast["bo"].employee_no}, status=404)
        with app.app_context():
            file, said = checks.file_of(filed), disputes.Decision(Verdict.ACCEPTED, "mine", {})
            with pytest.raises(OutOfReach):
                disputes.decide(file, said, the_form(), by=cast[who].id, now=NOW)
    with app.app_context():
        assert db.session.get_one(DisputeRow, filed).verdict is None


@pytest.mark.parametrize("who", ["sam", "bo", "lou", "max"])
def test_others_do_not_decide(cast: Cast, app: Flask, browse: Browse, filed: int, who: str) -> None:
    raised(app, cast, filed)
    browse(cast[who]).get(f"/disputes/{filed}", status=404)
    browse(cast[who]).post(f"/disputes/{filed}", {"verdict": "rejected", "reason": "so"}, status=404)


def test_hr_decides_on_the_page(app: Flask, cast: Cast, browse: Browse, filed: int) -> None:
    raised(app, cast, filed)
    hana = browse(cast["hana"])
    page = hana.get(f"/disputes/{filed}")
    assert "I said it back." in page.words
    hana.submit(page, {"verdict": "partly", "reason": "Half of it."}, form=f"/disputes/{filed}")
    with app.app_context():
        assert check(filed).points == 100  # the page is filled with what the agent proposes
    seen = browse(cast["ada"]).get(f"/checks/{filed}").words
    assert "Half of it." in seen
    assert "Points before 85.00, after 100.00." in seen


def test_a_decision_needs_a_reason_and_a_change(app: Flask, cast: Cast, browse: Browse, filed: int) -> None:
    raised(app, cast, filed)
    hana = browse(cast["hana"])
    hana.post(f"/disputes/{filed}", {"verdict": "rejected", "reason": "  "}, status=422)
    hana.post(f"/disputes/{filed}", {"reason": "no verdict"}, status=422)
    page = hana.post(f"/disputes/{filed}", {"verdict": "partly", "reason": "kept words"}, status=422)
    assert "None of the marks is changed" in page.words
    assert "kept words" in page.words
    with app.app_context():
        assert db.session.get_one(DisputeRow, filed).verdict is None


def test_an_acceptance_needs_a_proposal(app: Flask, cast: Cast, filed: int) -> None:
    with app.app_context():
        disputes.raise_dispute(checks.file_of(filed), cast["ada"].id, "No.", {}, the_form(), NOW)
        db.session.commit()
    with pytest.raises(Invalid, match="nothing_proposed"):
        decided(app, cast, filed, Verdict.ACCEPTED)


def test_it_is_decided_once(app: Flask, cast: Cast, browse: Browse, filed: int) -> None:
    raised(app, cast, filed)
    assert decided(app, cast, filed, Verdict.ACCEPTED)
    assert not decided(app, cast, filed, Verdict.ACCEPTED)
    with pytest.raises(Taken):
        decided(app, cast, filed, Verdict.REJECTED)
    browse(cast["ada"]).post(f"/checks/{filed}/dispute", {"comment": "Once more."}, status=409)
    with app.app_context():
        assert check(filed).points == 100


def test_of_two_decisions_at_once_one_is_taken(app: Flask, cast: Cast, filed: int) -> None:
    raised(app, cast, filed)
    with app.app_context():
        stale = checks.file_of(filed)
        before = stale.dispute
        said = disputes.Decision(Verdict.REJECTED, "No.", {})
        db.session.execute(
            DisputeRow.__table__.update().values(
                verdict="accepted", decided_at=NOW, decided_by=cast["lou"].id, reason="Yes.", score_after="100"
            )
        )
        assert before.verdict is None, "the page was loaded before the other decision"
        with pytest.raises(Taken):
            disputes.decide(stale, said, the_form(), by=cast["hana"].id, now=NOW)


def test_hr_may_let_somebody_else_decide(app: Flask, cast: Cast, browse: Browse, filed: int) -> None:
    raised(app, cast, filed)
    hana, lou = browse(cast["hana"]), browse(cast["lou"])
    for number in (cast["ada"].employee_no, cast["quinn"].employee_no, "nobody"):
        hana.post(f"/disputes/{filed}/hand-over", {"decider": number}, status=422)
    lou.get(f"/disputes/{filed}", status=404)
    hana.post(f"/disputes/{filed}/hand-over", {"decider": cast["lou"].employee_no})
    assert "lou@example.com" in letters(app, disputes.RAISED)
    assert "Decide 1 dispute" in lou.get("/").words
    assert "Decide 1 dispute" not in hana.get("/").words
    assert "Ada" in lou.get("/disputes/mine").words
    lou.get("/disputes", status=404)
    lou.submit(lou.get(f"/disputes/{filed}"), {"verdict": "rejected", "reason": "Heard it."}, form=f"/disputes/{filed}")
    lou.get(f"/checks/{filed}")
    with app.app_context():
        row = db.session.get_one(DisputeRow, filed)
        assert (row.verdict, row.decided_by) == (Verdict.REJECTED, cast["lou"].id)


def test_hr_sees_counts_by_checker_and_category(app: Flask, cast: Cast, browse: Browse, filed: int) -> None:
    raised(app, cast, filed, understanding=4, tone=1)
    decided(app, cast, filed, Verdict.PARTLY, understanding=3)
    with app.app_context():
        by_checker = {name: (told.raised, told.partly) for name, told in disputes.by_checker().items()}
        by_category = {key: (told.raised, told.partly) for key, told in disputes.by_category().items()}
        assert disputes.days_taken() == 0
    assert by_checker == {"Quinn": (1, 1)}
    assert by_category == {"understanding": (1, 1), "tone": (1, 1)}
    board = browse(cast["hana"]).get("/quality").words
    assert "Understanding the need 1 0 1 0" in board
    assert "Quinn 1 0 1 0" in board
