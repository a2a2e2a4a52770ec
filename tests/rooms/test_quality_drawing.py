"""The draw in the database: what may be drawn, frozen once, by the worker; and who is named to check."""

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from review.domain.records import TicketStatus, TicketSystem
from review.domain.refusals import Invalid, NotYet
from review.helpdesk.tables import TicketRow
from review.infra import jobs
from review.infra.audit import AuditRow
from review.infra.db import db
from review.infra.house import house
from review.infra.outbox import LetterRow
from review.people.tables import PersonRow
from review.quality import checks, drawing, samples
from review.quality.tables import CheckRow, SampleRow, SampleState
from tests.make import NOW, Cast
from tests.make_quality import assign, check, checks_of, file_as, make_sample, plan, tickets


@pytest.fixture
def inside(app: Flask):
    with app.app_context():
        yield


def sample(sample_id: int) -> SampleRow:
    db.session.expire_all()
    return db.session.get_one(SampleRow, sample_id)


def drawn(sample_id: int) -> set[int]:
    query = select(CheckRow.ticket_id).where(CheckRow.sample_id == sample_id, CheckRow.is_reserve.is_(False))
    return set(db.session.scalars(query))


@pytest.mark.usefixtures("inside")
def test_each_agent_is_drawn_so_often_and_has_as_many_reserves(cast: Cast) -> None:
    for name, many in (("ada", 10), ("bo", 3), ("cy", 1)):
        tickets(cast[name], many)
    made = make_sample(cast, each=2)
    assert [len(checks_of(made, cast[name])) for name in ("ada", "bo", "cy")] == [2, 2, 1]
    assert [len(checks_of(made, cast[name], reserve=True)) for name in ("ada", "bo", "cy")] == [2, 1, 0]
    assert sample(made).counts["channels"] == {"chat": 4, "phone": 10}
    assert sum(sample(made).counts["drawn"].values()) == 5


@pytest.mark.usefixtures("inside")
def test_what_may_not_be_drawn_is_left_out_and_counted(cast: Cast) -> None:
    good = tickets(cast["ada"], 2, replies=3, handling=600)
    tickets(cast["ada"], 3, replies=1)
    tickets(cast["ada"], 4, handling=59)
    tickets(cast["ada"], 2, status=TicketStatus.OPEN)
    tickets(cast["ada"], 1, closed_on=date(2026, 4, 1))
    tickets(cast["ada"], 5, system=TicketSystem.LIST)
    tickets(cast["ada"], 1, status=TicketStatus.OPEN, closed_on=None)
    made = make_sample(cast, each=10, least_replies=2, least_handling=60)
    assert drawn(made) == set(good)
    assert sample(made).counts["left_out"] == {"list": 5, "short": 7, "unsolved": 3}


@pytest.mark.usefixtures("inside")
def test_what_the_system_does_not_tell_is_not_held_against_a_ticket(cast: Cast) -> None:
    made_of = tickets(cast["ada"], 2)
    assert drawn(make_sample(cast, each=5, least_replies=4, least_handling=300)) == set(made_of)


@pytest.mark.usefixtures("inside")
def test_the_plain_list_is_drawn_from_where_there_is_nothing_else(cast: Cast) -> None:
    listed = tickets(cast["bo"], 3, system=TicketSystem.LIST)
    assert drawn(make_sample(cast, each=5)) == set(listed)


@pytest.mark.usefixtures("inside")
def test_channels_and_kinds_narrow_it_down(cast: Cast) -> None:
    tickets(cast["ada"], 6)
    wanted = tickets(cast["ada"], 2, channels=("mail",), kind="invoice")
    tickets(cast["ada"], 2, channels=("mail",))
    assert drawn(make_sample(cast, each=20, channels=("mail",), kinds=("invoice",))) == set(wanted)


@pytest.mark.usefixtures("inside")
def test_who_has_left_is_not_drawn(cast: Cast) -> None:
    tickets(cast["ada"], 2)
    tickets(cast["bo"], 2)
    db.session.execute(update(PersonRow).where(PersonRow.id == cast["bo"].id).values(left_on=date(2026, 3, 20)))
    made = make_sample(cast)
    assert checks_of(made, cast["bo"]) == []
    assert len(checks_of(made, cast["ada"])) == 2


@pytest.mark.usefixtures("inside")
def test_a_ticket_is_not_drawn_into_two_samples(cast: Cast) -> None:
    tickets(cast["ada"], 5)
    first, second = make_sample(cast, each=3), make_sample(cast, each=3, name="Again", seed=8)
    assert not drawn(first) & drawn(second)
    assert sample(second).counts["left_out"]["checked"] == 3
    assert len(drawn(second)) == 2


@pytest.mark.usefixtures("inside")
def test_a_sample_is_frozen_by_its_draw(cast: Cast) -> None:
    tickets(cast["ada"], 4)
    made = make_sample(cast, each=2)
    before = drawn(made)
    tickets(cast["ada"], 30)
    assert drawing.freeze(sample(made), NOW + timedelta(days=1)) == 0
    db.session.commit()
    assert drawn(made) == before
    assert sample(made).drawn_at == NOW


@pytest.mark.usefixtures("inside")
def test_the_order_in_which_rows_came_changes_nothing(cast: Cast) -> None:
    """The same tickets put in backwards, with other ids: the same numbers are drawn."""
    tickets(cast["ada"], 12)
    first = make_sample(cast, each=4)
    names = set(db.session.scalars(select(TicketRow.reference).where(TicketRow.id.in_(drawn(first)))))
    rows = [
        {column.key: getattr(row, column.key) for column in TicketRow.__table__.columns if column.key != "id"}
        for row in db.session.scalars(select(TicketRow).order_by(TicketRow.id.desc()))
    ]
    db.session.query(CheckRow).delete()
    db.session.query(TicketRow).delete()
    db.session.execute(TicketRow.__table__.insert(), [{"id": 500 - n, **row} for n, row in enumerate(rows)])
    again = make_sample(cast, each=4, name="Again")
    assert set(db.session.scalars(select(TicketRow.reference).where(TicketRow.id.in_(drawn(again))))) == names


@pytest.mark.usefixtures("inside")
def test_the_worker_draws_and_says_how_far_it_is(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.quality.drawing.PORTION", 2)
    for name in ("ada", "bo", "cy"):
        tickets(cast[name], 2)
    row = samples.create(plan(), by=cast["hana"].id, now=NOW)
    drawing.ask(row, NOW)
    drawing.ask(row, NOW)
    db.session.commit()
    told = []
    progress = house().progress
    monkeypatch.setattr(progress, "write", lambda *said: told.append(said[1:]))
    assert jobs.work_all(house().handlers, progress, "w", NOW) == 1
    assert told == [(2, 3, "draw"), (3, 3, "draw")]
    assert sample(row.id).state is SampleState.DRAWN
    assert len(drawn(row.id)) == 6


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"name": " "}, "name"),
        ({"last_day": date(2026, 2, 1)}, "last_day"),
        ({"each": 0}, "per_agent"),
        ({"each": 51}, "per_agent"),
        ({"due_at": NOW}, "due_on"),
        ({"dispute_days": 0}, "dispute_days"),
    ],
)
def test_a_sample_that_makes_no_sense_is_refused_at_its_field(cast: Cast, more: dict, where: str) -> None:
    with pytest.raises(Invalid) as caught:
        samples.create(plan(**more), by=cast["hana"].id, now=NOW)
    assert [problem.where for problem in caught.value.problems] == [where]
    assert db.session.scalar(select(func.count()).select_from(SampleRow)) == 0


@pytest.mark.usefixtures("inside")
def test_a_name_is_given_once(cast: Cast) -> None:
    make_sample(cast)
    with pytest.raises(Invalid, match="form:taken"):
        samples.create(plan(), by=cast["hana"].id, now=NOW)


@pytest.mark.usefixtures("inside")
def test_checkers_get_even_shares_never_their_own_and_a_letter(cast: Cast) -> None:
    for name in ("ada", "bo", "cy", "di"):
        tickets(cast[name], 6)
    made = make_sample(cast, each=3)
    assert assign(made, cast["ada"], cast["bo"], cast["quinn"], by=cast["hana"])
    rows = [check(one) for one in checks_of(made)]
    loads = {name: sum(row.checker_id == cast[name].id for row in rows) for name in ("ada", "bo", "quinn")}
    assert set(loads.values()) == {4}
    assert all(row.agent_id != row.checker_id for row in rows)
    letters = db.session.scalars(select(LetterRow).where(LetterRow.kind == samples.ASSIGNED)).all()
    assert {row.to for row in letters} == {"ada@example.com", "bo@example.com", "quinn@example.com"}
    assert {row.params["count"] for row in letters} == {4}
    told = db.session.scalars(select(AuditRow).where(AuditRow.action == "quality:sample:assigned")).one()
    assert told.actor_id == cast["hana"].id


@pytest.mark.usefixtures("inside")
def test_naming_the_same_people_again_changes_nothing(cast: Cast) -> None:
    tickets(cast["ada"], 4)
    made = make_sample(cast)
    assert assign(made, cast["bo"], cast["quinn"])
    before = [check(one).checker_id for one in checks_of(made)]
    assert not assign(made, cast["quinn"], cast["bo"])
    assert [check(one).checker_id for one in checks_of(made)] == before
    assert db.session.scalar(select(func.count()).select_from(LetterRow)) == 2


@pytest.mark.usefixtures("inside")
def test_other_names_share_out_what_is_open_and_leave_what_is_filed_or_begun(cast: Cast) -> None:
    tickets(cast["ada"], 9)
    made = make_sample(cast, each=6)
    assign(made, cast["bo"], cast["cy"])
    ids = {name: [one for one in checks_of(made) if check(one).checker_id == cast[name].id] for name in ("bo", "cy")}
    file_as(ids["bo"][0])
    begun = checks.file_of(ids["cy"][0])
    checks.save_draft(begun, cast["cy"].id, checks.Sheet({"opening": 2}), NOW)
    dropped = checks.file_of(ids["bo"][1])
    checks.save_draft(dropped, cast["bo"].id, checks.Sheet({"opening": 1}), NOW)
    db.session.commit()
    assign(made, cast["cy"], cast["di"])
    assert check(ids["bo"][0]).checker_id == cast["bo"].id
    assert (check(ids["cy"][0]).checker_id, check(ids["cy"][0]).draft["marks"]) == (cast["cy"].id, {"opening": 2})
    assert check(ids["bo"][1]).checker_id in {cast["cy"].id, cast["di"].id}
    assert check(ids["bo"][1]).draft is None, "nobody reads another checker's draft"


@pytest.mark.usefixtures("inside")
def test_a_supervisor_may_be_kept_from_their_own_people(cast: Cast) -> None:
    for name in ("ada", "bo", "rae"):
        tickets(cast[name], 4)
    made = make_sample(cast, not_own_team=True)
    assign(made, cast["sam"], cast["quinn"])
    by_agent = {name: {check(one).checker_id for one in checks_of(made, cast[name])} for name in ("ada", "bo", "rae")}
    assert by_agent == {"ada": {cast["quinn"].id}, "bo": {cast["quinn"].id}, "rae": {cast["sam"].id}}


@pytest.mark.usefixtures("inside")
def test_when_nobody_may_check_something_nothing_is_shared_out(cast: Cast) -> None:
    tickets(cast["ada"], 3)
    tickets(cast["bo"], 3)
    made = make_sample(cast)
    with pytest.raises(Invalid) as caught:
        assign(made, cast["ada"])
    assert caught.value.problems[0].params == {"names": "Ada"}
    db.session.rollback()
    assert {check(one).checker_id for one in checks_of(made)} == {None}
    assert db.session.scalar(select(func.count()).select_from(LetterRow)) == 0


@pytest.mark.usefixtures("inside")
def test_nobody_is_named_before_the_draw(cast: Cast) -> None:
    row = samples.create(plan(), by=cast["hana"].id, now=NOW)
    with pytest.raises(NotYet, match="not_drawn"):
        assign(row.id, cast["bo"])


@pytest.mark.usefixtures("inside")
def test_numbers_are_read_as_people_type_them(cast: Cast) -> None:
    assert samples.numbers_in(" E1, E2；E3\nE1、E4 ") == ["E1", "E2", "E3", "E4"]
    with pytest.raises(Invalid) as caught:
        samples.people_of([cast["bo"].employee_no.lower(), "nobody", "none"], "checkers", NOW.date())
    assert caught.value.problems[0].params == {"numbers": "nobody, none"}
