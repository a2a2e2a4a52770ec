"""What nobody can see of a peer's ballot: not its subject on any page, not the database, not a log, not a letter.

The channels are those of the anonymity promise; the urn itself is looked at in test_urn_schema.py and in
tests/rooms/test_ballots.py, the count in tests/rooms/test_count.py.
"""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Uuid, select

from review.ballots import service as ballots
from review.cycles.tables import ReviewRow
from review.domain.vocabulary import Level, Source
from review.infra import mail
from review.infra.clock import now
from review.infra.db import db
from review.infra.outbox import LetterRow
from review.peer_review.tables import SeatRow
from review.people.tables import PersonRow
from review.results.tables import PublicationRow
from review.schemes.library import builtin
from review.tables import metadata
from tests.browse import Browser
from tests.laws.doors import DOORS
from tests.laws.sweep import dump, fingerprint
from tests.world import FACTS, World, open_copy

ASKED = [criterion.key for criterion in builtin().asked_of(Source.PEERS)]
# Ada's own list of colleagues: here her teammates stand, as people she rates.
HER_OWN_LIST = {"peer_review.mine", "peer_review.ballot"}


@pytest.fixture(scope="module")
def still(built_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world that is only looked at."""
    made = open_copy(built_world, tmp_path_factory.mktemp("anonymity") / "world")
    yield made
    made.let_go()


def raters_of_ada(world: World) -> set[str]:
    """The signs of everybody who was ever seated for a review of hers: name, employee number, address."""
    query = select(PersonRow.name, PersonRow.employee_no, PersonRow.email)
    query = query.join(SeatRow, SeatRow.rater_id == PersonRow.id).join(ReviewRow, ReviewRow.id == SeatRow.review_id)
    with world.app.app_context():
        rows = db.session.execute(query.where(ReviewRow.subject_id == world.facts.ada)).all()
        db.session.rollback()
    return {sign for row in rows for sign in row if sign}


def names_in(text: str, signs: set[str]) -> list[str]:
    return sorted(sign for sign in signs if sign in text)


def seats(world: World) -> dict[UUID, SeatRow]:
    with world.app.app_context():
        return {row.id: row for row in db.session.scalars(select(SeatRow))}


def urls_for_ada(world: World) -> Iterator[tuple[str, str]]:
    """Every address without arguments, and every one about a review or cycle with each of those she is in."""
    with world.app.app_context():
        query = select(ReviewRow.id, ReviewRow.cycle_id).where(ReviewRow.subject_id == world.facts.ada)
        reviews = [tuple(row) for row in db.session.execute(query)]
    adapter = world.app.url_map.bind("localhost")
    for rule in world.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in HER_OWN_LIST or rule.endpoint == "static":
            continue
        if rule.arguments == {"review_id"}:
            for review_id, _cycle_id in reviews:
                yield rule.endpoint, adapter.build(rule.endpoint, {"review_id": review_id})
        elif rule.arguments == {"cycle_id"}:
            for _review_id, cycle_id in reviews:
                yield rule.endpoint, adapter.build(rule.endpoint, {"cycle_id": cycle_id})
        else:
            yield rule.endpoint, adapter.build(rule.endpoint, dict(DOORS[rule.endpoint].args(world.facts)), "GET")


def test_no_page_that_ada_can_open_names_who_rates_her(still: World) -> None:
    people = raters_of_ada(still)
    assert len(people) >= 16, "the world must seat peers for Ada, or this test sees nothing"
    browser = Browser(still.app, still.somebody("ada"))
    shown, wrong = set(), []
    for endpoint, url in urls_for_ada(still):
        answer = browser.client.get(url)
        if answer.status_code != 200:
            continue
        shown.add(endpoint)
        body = answer.get_data()
        named = names_in(body.decode("utf-8", "replace"), people)
        wrong += [f"{url} names {name}" for name in named]
    assert {"reports.result", "reports.mine", "self_review.show", "start.home"} <= shown
    assert not wrong, "\n".join([*wrong, "what is about Ada's review must not name her peers"])


def test_what_is_frozen_about_ada_holds_no_rater_and_no_seat(still: World) -> None:
    people = raters_of_ada(still)
    with still.app.app_context():
        body = db.session.scalars(
            select(PublicationRow.body).where(PublicationRow.review_id == still.facts.published_review)
        ).one()
        frozen = json.dumps(body, ensure_ascii=False)
        db.session.rollback()
    assert not names_in(frozen, people)
    assert not [seat for seat in seats(still) if seat.hex in frozen or str(seat) in frozen]
    keys = set(re.findall(r'"(\w+)":', frozen))
    assert not keys & {"seat", "seat_id", "rater", "rater_id", "raters", "ballot", "ballots", "cast_at"}


def test_no_letter_to_ada_names_who_rates_her(still: World) -> None:
    people = raters_of_ada(still)
    with still.app.app_context():
        ada = db.session.get_one(PersonRow, still.facts.ada)
        letters = db.session.scalars(select(LetterRow).where(LetterRow.to == ada.email)).all()
        kinds = {letter.kind for letter in letters}
        assert {"workflow:opening", "workflow:published"} <= kinds
        for letter in letters:
            message = mail.render(letter, now())
            text = "\n".join(part.get_content() for part in message.walk() if part.get_content_maintype() == "text")
            assert not names_in(text + str(message["Subject"]), people), letter.kind
        db.session.rollback()


# What was drawn for a seat, under maximum protection: a rater draws for all their seats in one go, so the rows tell of
# the draw and nothing of a cast; they are erased at the count (tests/rooms/test_tickets.py, test_ticket_count.py).
DRAWN = {"ballot_ticket.seat_id"}


def test_nothing_points_at_a_seat(still: World) -> None:
    pointing = [
        f"{table.name}.{key.parent.name}"
        for table in metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == "seat" and f"{table.name}.{key.parent.name}" not in DRAWN
    ]
    assert not pointing, f"{pointing}: whatever hangs on a seat tells what its rater did"
    named = [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if table.name != "seat" and (column.name.startswith("seat_") or isinstance(column.type, Uuid))
        if f"{table.name}.{column.name}" not in DRAWN
    ]
    assert not named, f"{named}: only the table of seats itself may hold seats"


def test_a_seat_knows_whom_and_who_and_nothing_of_a_cast() -> None:
    columns = {column.name for column in metadata.tables["seat"].columns}
    assert columns == {"id", "review_id", "rater_id", "is_closed"}, "no time, no mark, no count: see docs/anonymity.md"


def test_no_table_of_the_main_database_holds_ballots() -> None:
    telling = {"token_hash", "sealed", "ballot_id", "cast_at", "voted_at", "has_cast", "is_cast"}
    found = {
        (table.name, column.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name in telling and table.name != "invitation"  # a customer's link is no ballot
    }
    assert not found, f"{found}: ballots live in the urn alone"


def test_no_row_outside_the_seats_ever_holds_a_seat(still: World) -> None:
    """Audit log, jobs, letters, responses, all of it: the whole database but the table of seats."""
    rest = "\n".join(line for line in dump(still.database).splitlines() if not line.startswith('INSERT INTO "seat"'))
    known = seats(still)
    assert len(known) > 200
    assert not [seat for seat in known if seat.hex in rest or str(seat) in rest]


def test_no_file_beside_the_database_holds_a_seat(still: World) -> None:
    known = seats(still)
    files = [path for path in still.settings.data_dir.parent.rglob("*") if path.is_file()]
    files = [path for path in files if not path.name.startswith("review.sqlite") and path.name != FACTS]
    assert any(path.parent.name == "urns" for path in files)
    for path in files:
        content = path.read_bytes()
        for seat in known:
            assert seat.bytes not in content, path
            assert seat.hex.encode() not in content, path
            assert str(seat).encode() not in content, path


def filled_in(level: str = "poor") -> dict[str, str]:
    return {f"c-{key}": level for key in ASKED}


def home(world: World) -> str:
    """Of everything the installation keeps, the urns and SQLite's shared memory aside."""
    data = world.settings.data_dir
    parts = [path for path in sorted(data.iterdir()) if path.name != "urns" and not path.name.endswith("-shm")]
    whole = [path.read_bytes() if path.is_file() else fingerprint(path).encode() for path in parts]
    return "|".join([*(path.name for path in parts), str(hash(tuple(whole)))])


def test_casting_leaves_no_trace_outside_the_urn(world: World) -> None:
    """Not in a row, not in the log of writes, not in a file, not in the cookie: not the first time, not at a change."""
    browser = Browser(world.app, world.somebody("peer"))
    browser.get(f"/peers/{world.facts.seat}")
    token = browser.token()
    rows, files, urns = dump(world.database), home(world), fingerprint(world.urns)
    for level in ("poor", "excellent"):
        answer = browser.client.post(f"/peers/{world.facts.seat}", data={"csrf_token": token, **filled_in(level)})
        assert answer.status_code == 302
        assert fingerprint(world.urns) != urns
        urns = fingerprint(world.urns)
        with browser.client.session_transaction() as session:
            assert set(session) <= {"_user_id", "_fresh", "csrf_token", "locale", "_id"}
        assert dump(world.database) == rows
        assert home(world) == files
    with world.app.app_context():
        seat = UUID(world.facts.seat)
        assert ballots.has_cast(world.facts.collecting, [seat]) == {seat}


class Listening:
    """Everything any logger says, down to DEBUG; SQL without the echo of rows, which are in the database anyway."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def said(self) -> str:
        records = self._caplog.records
        formatter = logging.Formatter("%(name)s %(levelname)s %(message)s")
        return "\n".join(formatter.format(record) for record in records) + "\n".join(
            str(value) for record in records for value in vars(record).values() if not isinstance(value, type(None))
        )


@pytest.fixture
def listening(caplog: pytest.LogCaptureFixture) -> Listening:
    caplog.set_level(logging.DEBUG)
    for name in list(logging.Logger.manager.loggerDict):
        if not name.startswith("sqlalchemy"):
            caplog.set_level(logging.DEBUG, logger=name)
    caplog.set_level(logging.INFO, logger="sqlalchemy.engine")
    return Listening(caplog)


def assert_silent(said: str, world: World) -> None:
    seat = UUID(world.facts.seat)
    peer = world.somebody("peer")
    for sign in (str(seat), seat.hex, repr(seat.bytes), peer.name, peer.employee_no):
        assert sign not in said, f"a log line tells {sign}"
    for level in Level:
        assert not re.search(rf"\b{level.value}\b", said), f"a log line tells a level: {level.value}"


def cast_in(world: World, data: dict[str, Any]) -> int:
    browser = Browser(world.app, world.somebody("peer"))
    sent = {"csrf_token": browser.token(), **data}
    return browser.client.post(f"/peers/{world.facts.seat}", data=sent).status_code


def test_no_log_line_tells_of_a_cast(built_world: Path, tmp_path: Path, listening: Listening, caplog: Any) -> None:
    world = open_copy(built_world, tmp_path / "world", is_checked=False)  # SQLAlchemy asks once who listens
    browser = Browser(world.app, world.somebody("peer"))
    token = browser.token()
    caplog.clear()
    answer = browser.client.post(f"/peers/{world.facts.seat}", data={"csrf_token": token, **filled_in("fair")})
    assert answer.status_code == 302
    said = listening.said()
    assert "sqlalchemy" in said, "the test must hear something, or it proves nothing"
    assert_silent(said, world)
    world.let_go()


@pytest.mark.parametrize(
    "data",
    [
        {},
        filled_in("not-a-level-at-all"),
        {**filled_in("excellent"), f"c-{ASKED[0]}": "\x00\udcff".encode("utf-8", "surrogatepass").decode("latin-1")},
        {f"c-{ASKED[0]}": "excellent"},
        {**filled_in("good"), "c-unknown": "poor"},
    ],
    ids=["empty", "no level", "broken bytes", "half", "too much"],
)
def test_no_log_line_tells_of_a_cast_that_fails(
    built_world: Path, tmp_path: Path, listening: Listening, caplog: Any, data: dict[str, str]
) -> None:
    world = open_copy(built_world, tmp_path / "world", is_checked=False)
    browser = Browser(world.app, world.somebody("peer"))
    token = browser.token()
    caplog.clear()
    status = browser.client.post(f"/peers/{world.facts.seat}", data={"csrf_token": token, **data}).status_code
    assert status in {302, 400, 422}
    assert_silent(listening.said(), world)
    world.let_go()


def test_no_log_line_tells_of_a_cast_that_the_urn_could_not_take(
    built_world: Path, tmp_path: Path, listening: Listening, caplog: Any
) -> None:
    world = open_copy(built_world, tmp_path / "world", is_checked=False)
    browser = Browser(world.app, world.somebody("peer"))
    token = browser.token()
    for path in world.urns.glob("*.sqlite"):
        path.write_bytes(b"no database at all" * 100)
    caplog.clear()
    answer = browser.client.post(f"/peers/{world.facts.seat}", data={"csrf_token": token, **filled_in("excellent")})
    assert answer.status_code == 500
    said = listening.said()
    assert "a request failed" in said
    assert_silent(said, world)
    assert "excellent" not in answer.text
    world.let_go()


def test_the_page_of_a_ballot_never_shows_what_was_cast_before(world: World) -> None:
    assert cast_in(world, filled_in("poor")) == 302
    page = Browser(world.app, world.somebody("peer")).get(f"/peers/{world.facts.seat}")
    assert not page.soup.select("input[type=radio][checked]"), "nothing is prefilled: the server cannot read it back"


def test_hr_sees_counts_of_raters_and_never_pairs(still: World) -> None:
    """No page of HR's desk about a running cycle names a rater on the page of the person they rate."""
    people = raters_of_ada(still)
    page = Browser(still.app, still.somebody("hana")).get(f"/reviews/{still.facts.collecting_review}")
    assert not names_in(page.text, people)
