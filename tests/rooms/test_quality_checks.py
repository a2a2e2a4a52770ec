"""One check: whose it is, its draft, filing it once and for good, putting a ticket aside, and what counts of it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from flask import Flask
from sqlalchemy import select

from review.domain.records import Measured
from review.domain.refusals import Taken
from review.infra.db import db
from review.infra.outbox import LetterRow
from review.quality import checks, disputes, service
from review.quality.tables import CheckRow, MarkRow
from tests.browse import Browser
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle
from tests.make_quality import assign, check, checks_of, fields, file_as, make_sample, sheet, the_form, tickets

Browse = Callable[..., Browser]
WHOLE = {"act": "submit", "overall": "Thank you."}


@pytest.fixture(autouse=True)
def at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.quality.check_views.now", lambda: NOW)


@pytest.fixture
def made(app: Flask, cast: Cast) -> tuple[int, list[int]]:
    """A sample of three tickets of Ada's that Quinn checks, with one reserve of each channel."""
    with app.app_context():
        tickets(cast["ada"], 6, channels=("phone", "chat"))
        sample_id = make_sample(cast, each=3)
        assign(sample_id, cast["quinn"])
        return sample_id, checks_of(sample_id, cast["ada"])


@pytest.fixture
def url(made: tuple[int, list[int]]) -> str:
    return f"/checks/{made[1][0]}"


def number(url: str) -> int:
    return int(url.split("/")[2])


def test_the_checker_marks_and_submits(app: Flask, cast: Cast, browse: Browse, url: str) -> None:
    quinn = browse(cast["quinn"])
    page = quinn.get(url)
    assert "Phone" in page.words or "Live chat" in page.words
    with app.app_context():
        sent = fields(process="na", opening=2)
    after = quinn.submit(page, {**sent, **WHOLE})
    with app.app_context():
        row = check(number(url))
        assert Fraction(row.score) == (Fraction(10 * 50) + 15 * 100 + 30 * 100 + 10 * 100 + 10 * 100 + 5 * 100) / 80
        assert (row.filed_at, row.draft, row.filed_score) == (NOW, None, row.score)
        assert row.dispute_until == datetime(2026, 4, 8, 15, 59, tzinfo=UTC)  # five working days, end of the day there
    assert after.location != url, "the next ticket comes up"


@pytest.mark.parametrize("who", ["ada", "bo", "sam", "hana", "max"])
def test_nobody_else_writes_it(app: Flask, cast: Cast, browse: Browse, url: str, who: str) -> None:
    with app.app_context():
        sent = fields()
    browse(cast[who]).post(url, {**sent, **WHOLE}, status=404)
    browse(cast[who]).post(url + "/draft", sent, status=404)
    browse(cast[who]).post(url + "/aside", {"reason": "no"}, status=404)
    with app.app_context():
        assert (check(number(url)).filed_at, check(number(url)).draft) == (None, None)


@pytest.mark.parametrize(
    ("who", "before", "after"),
    [
        ("ada", 404, 200),
        ("sam", 404, 200),
        ("quinn", 200, 200),
        ("hana", 200, 200),
        ("bo", 404, 404),
        ("lou", 404, 404),
        ("max", 404, 404),
    ],
)
def test_who_sees_it_before_and_after(
    app: Flask, cast: Cast, browse: Browse, url: str, who: str, before: int, after: int
) -> None:
    browse(cast[who]).get(url, status=before)
    with app.app_context():
        file_as(number(url), understanding=1)
    page = browse(cast[who]).get(url, status=after)
    if after == 200:
        assert "seen in the ticket" in page.words


def test_a_draft_is_the_checkers_alone(app: Flask, cast: Cast, browse: Browse, url: str) -> None:
    quinn = browse(cast["quinn"])
    quinn.post(url + "/draft", {"comment_tone": "half a sen", "mark_tone": "2", "mark_record": "na"}, status=204)
    assert "half a sen" in quinn.get(url).words
    with app.app_context():
        assert check(number(url)).draft["marks"] == {"tone": 2, "record": None}
    assert "half a sen" not in browse(cast["hana"]).get(url).text
    quinn.post(url + "/draft", {"comment_tone": "x" * 20_001}, status=422)


def test_an_incomplete_check_is_refused_with_all_reasons_and_keeps_what_was_typed(
    app: Flask, cast: Cast, browse: Browse, url: str
) -> None:
    page = browse(cast["quinn"]).post(
        url, {"act": "submit", "mark_tone": "1", "comment_record": "what I typed"}, status=422
    )
    assert "what I typed" in page.words
    assert page.words.count("Choose a mark.") == 2 * 6
    assert "Below 50 points a comment is needed" in page.words
    assert "Below 50 points a cause is needed" in page.words
    with app.app_context():
        assert check(number(url)).filed_at is None


@pytest.mark.parametrize("mark", ["6", "0", "-1", "x", "11", "²"])
def test_marks_off_the_scale_are_refused(app: Flask, cast: Cast, browse: Browse, url: str, mark: str) -> None:
    with app.app_context():
        sent = fields(tone=mark)
    browse(cast["quinn"]).post(url, {**sent, **WHOLE}, status=422)
    with app.app_context():
        assert check(number(url)).filed_at is None


def test_what_must_be_rated_cannot_be_left_out(app: Flask, cast: Cast, browse: Browse, url: str) -> None:
    with app.app_context():
        sent = fields(solution="na")
    page = browse(cast["quinn"]).post(url, {**sent, **WHOLE}, status=422)
    assert "This cannot be read." in page.words or "This category cannot be left out." in page.words
    with app.app_context():
        assert check(number(url)).filed_at is None


def test_a_check_is_submitted_once(app: Flask, cast: Cast, browse: Browse, url: str) -> None:
    quinn = browse(cast["quinn"])
    with app.app_context():
        first, other = fields(), fields(opening=2)
    quinn.post(url, {**first, **WHOLE})
    quinn.post(url, {**first, **WHOLE})  # sent twice: harmless
    page = quinn.post(url, {**other, **WHOLE, "overall": "my second thoughts"}, status=409)
    assert "my second thoughts" in page.words
    quinn.post(url + "/draft", other, status=409)
    with app.app_context():
        assert check(number(url)).score == "100"
        told = db.session.scalars(select(LetterRow).where(LetterRow.kind == checks.RESULT)).all()
        assert [row.to for row in told] == ["ada@example.com"]


def test_of_two_at_once_one_is_taken(app: Flask, cast: Cast, made: tuple[int, list[int]]) -> None:
    """Both loaded the open check; the second finds it filed, and nothing of hers is mixed in."""
    with app.app_context():
        here, there = checks.file_of(made[1][0]), checks.file_of(made[1][0])
        assert checks.file_check(here, cast["quinn"].id, sheet(), the_form(), NOW)
        with pytest.raises(Taken):
            checks.file_check(there, cast["quinn"].id, sheet(opening=1), the_form(), NOW)
        with pytest.raises(Taken):
            checks.replace(there, cast["quinn"].id, "too late", NOW)
        db.session.commit()
        assert (check(made[1][0]).score, check(made[1][0]).replaced_at) == ("100", None)
        marks = db.session.scalars(select(MarkRow.mark).where(MarkRow.category_key == "opening")).all()
        assert marks == [3]


def test_a_late_check_is_still_taken(app: Flask, cast: Cast, made: tuple[int, list[int]]) -> None:
    with app.app_context():
        assert file_as(made[1][0], now=NOW + timedelta(days=30))


def test_a_critical_category_sets_it_to_0_and_says_so(app: Flask, cast: Cast, browse: Browse, url: str) -> None:
    with app.app_context():
        file_as(number(url), solution=2)
        assert check(number(url)).score == "0"
    page = browse(cast["ada"]).get(url)
    assert "the whole check is 0" in page.words
    assert "33.33" in page.words
    assert "Without that rule it would be 80.00" in page.words


def test_a_ticket_put_aside_is_followed_by_the_next_one_by_lot(
    app: Flask, cast: Cast, browse: Browse, made: tuple[int, list[int]], url: str
) -> None:
    with app.app_context():
        first = check(made[1][0])
        spare = db.session.scalars(
            select(CheckRow)
            .where(CheckRow.sample_id == made[0], CheckRow.is_reserve, CheckRow.channel == first.channel)
            .order_by(CheckRow.place)
        ).first()
        wanted = spare.id if spare else checks_of(made[0], cast["ada"], reserve=True)[0]
    quinn = browse(cast["quinn"])
    quinn.post(url + "/aside", {"reason": " "}, status=422)
    after = quinn.post(url + "/aside", {"reason": "The recording is missing"})
    assert after.location == f"/checks/{wanted}"
    quinn.get(after.location)
    with app.app_context():
        row = check(wanted)
        assert (row.is_reserve, row.checker_id, row.replaces_id) == (False, cast["quinn"].id, number(url))
        assert check(number(url)).replaced_why == "The recording is missing"
    quinn.post(url, {**WHOLE}, status=404)
    board = browse(cast["hana"]).get(f"/quality/samples/{made[0]}")
    assert "1 ticket was put aside." in board.words
    assert "The recording is missing" in board.words


def test_when_reserves_run_out_it_is_said_and_counted(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        tickets(cast["bo"], 2)
        sample_id = make_sample(cast, each=2)
        assign(sample_id, cast["quinn"])
        one = checks_of(sample_id, cast["bo"])[0]
    quinn = browse(cast["quinn"])
    page = quinn.follow(quinn.post(f"/checks/{one}/aside", {"reason": "Empty"}))
    assert "No other ticket of this agent is left" in page.text
    assert "1 found no successor." in browse(cast["hana"]).get(f"/quality/samples/{sample_id}").words


def test_hr_is_checked_like_anybody(app: Flask, cast: Cast, browse: Browse) -> None:
    """Of her own tickets Hana learns when they are checked, not before, though she runs the sample."""
    with app.app_context():
        tickets(cast["hana"], 2)
        sample_id = make_sample(cast)
        assign(sample_id, cast["quinn"])
        one = checks_of(sample_id, cast["hana"])[0]
        reference = checks.file_of(one).ticket.reference
    hana = browse(cast["hana"])
    hana.get(f"/checks/{one}", status=404)
    hana.get(f"/quality/samples/{sample_id}/people/{cast['hana'].id}", status=404)
    assert reference not in hana.get(f"/quality/samples/{sample_id}").text
    with app.app_context():
        file_as(one)
    assert "Dispute this check" in hana.get(f"/checks/{one}").words


def test_a_reserve_is_not_to_be_found(app: Flask, cast: Cast, browse: Browse, made: tuple[int, list[int]]) -> None:
    with app.app_context():
        spare = checks_of(made[0], cast["ada"], reserve=True)[0]
    for who in ("quinn", "hana", "ada"):
        browse(cast[who]).get(f"/checks/{spare}", status=404)


def test_compliance_is_the_exact_mean_of_valid_checks(app: Flask, cast: Cast, made: tuple[int, list[int]]) -> None:
    with app.app_context():
        one, two, three = made[1]
        file_as(one, understanding=3)  # (85 * 100 + 15 * 200/3) / 100 = 95
        file_as(two, solution=1)  # critical: 0
        assert service.compliance_between(date(2026, 3, 1), date(2026, 3, 31)) == {
            cast["ada"].id: Measured(Fraction(95, 2), Fraction(2))
        }
        file = checks.file_of(two)
        disputes.raise_dispute(file, cast["ada"].id, "Not so.", {"solution": 4}, the_form(), NOW)
        db.session.commit()
        found = service.compliance_between(date(2026, 3, 1), date(2026, 3, 31))
        assert found == {cast["ada"].id: Measured(Fraction(95), Fraction(1))}
        assert check(three).filed_at is None


def test_only_tickets_of_the_span_and_of_the_cycles_period_count(app: Flask, cast: Cast) -> None:
    with app.app_context():
        tickets(cast["ada"], 1, closed_on=date(2026, 3, 31))
        sample_id = make_sample(cast)
        assign(sample_id, cast["quinn"])
        file_as(checks_of(sample_id)[0])
        whole = {cast["ada"].id: Measured(Fraction(100), Fraction(1))}
        assert service.compliance_between(date(2026, 3, 31), date(2026, 3, 31)) == whole
        assert service.compliance_between(date(2026, 3, 1), date(2026, 3, 30)) == {}
        assert service.compliance_of(make_cycle(cast)) == whole
        assert service.compliance_of(make_cycle(cast, quarters_ago=2, name="Before")) == {}


def test_the_start_page_asks_checkers(app: Flask, cast: Cast, browse: Browse, made: tuple[int, list[int]]) -> None:
    assert "Check 3 tickets" in browse(cast["quinn"]).get("/").words
    assert "Check 3 tickets" not in browse(cast["ada"]).get("/").words
    with app.app_context():
        for one in made[1]:
            file_as(one)
    assert "Check 3 tickets" not in browse(cast["quinn"]).get("/").words


def test_ones_own_list_tells_nothing_of_what_is_still_open(
    app: Flask, cast: Cast, browse: Browse, made: tuple[int, list[int]]
) -> None:
    with app.app_context():
        references = [checks.file_of(one).ticket.reference for one in made[1]]
        file_as(made[1][0])
    page = browse(cast["ada"]).get("/checks")
    assert references[0] in page.words
    assert references[1] not in page.text
    assert references[2] not in page.text


def test_a_supervisor_sees_their_own_people_only(app: Flask, cast: Cast, browse: Browse, url: str) -> None:
    with app.app_context():
        reference = checks.file_of(number(url)).ticket.reference
    team = browse(cast["sam"]).get("/team/quality")
    assert reference not in team.words
    assert "Ada" in team.words
    with app.app_context():
        file_as(number(url), now=datetime.now(UTC))
    page = browse(cast["quinn"]).get("/team/quality")
    assert "Rae" in page.words
    assert "Ada" not in page.words
