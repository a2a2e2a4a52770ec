"""Responses are kept as they were given: drafts apart from filings, nothing overwritten unseen, sums that add up."""

import time
from datetime import timedelta
from fractions import Fraction

import pytest
from flask import Flask
from sqlalchemy import event, insert, select
from sqlalchemy.exc import IntegrityError

from review.app import create_app
from review.cycles.tables import ReviewRow
from review.domain.records import Measured
from review.domain.refusals import Taken
from review.domain.responses import CustomerAnswer, SelfReview, Statement, SupervisorRating, Tally
from review.domain.vocabulary import Level, Source
from review.infra.db import db
from review.infra.settings import Settings
from review.responses import service
from review.responses.tables import ResponseRow
from review.schemes.library import builtin
from review.tables import metadata
from tests.make import NOW, Cast, make_cast, make_person
from tests.make_cycle import make_cycle, review_of

KEYS = [criterion.key for criterion in builtin().criteria]
GOOD = dict.fromkeys(KEYS, Level.GOOD)
SELF = SelfReview(GOOD, Statement(overview="936 tickets", plan="84 % at first contact"))
RATING = SupervisorRating({**GOOD, KEYS[0]: Level.EXCELLENT}, {KEYS[0]: "Wrote six articles."}, "Steady.")
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def review(app: Flask, cast: Cast):
    with app.app_context():
        cycle_id = make_cycle(cast)
        db.session.commit()
        yield review_of(cycle_id, cast["ada"])


def count_queries():
    seen: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda c, cur, statement, *rest: seen.append(statement))
    return seen


def test_a_self_review_comes_back_as_it_was_filed(review: int, cast: Cast) -> None:
    assert service.file_self(review, cast["ada"].id, SELF, NOW)
    sheet = service.self_of(review)
    assert sheet.filed == SELF
    assert (sheet.filed_at, sheet.version, sheet.state) == (NOW, 1, service.State.FILED)


def test_a_draft_alone_is_not_a_self_review(review: int, cast: Cast) -> None:
    service.save_self_draft(review, cast["ada"].id, {"statement": {"overview": "begun"}}, NOW)
    assert service.self_of(review) is None
    assert service.self_sheet(review).draft == {"statement": {"overview": "begun"}}
    assert service.self_sheet(review).state is service.State.DRAFT


def test_a_draft_beside_a_filed_self_review_leaves_it_as_it_is(review: int, cast: Cast) -> None:
    service.file_self(review, cast["ada"].id, SELF, NOW)
    service.save_self_draft(review, cast["ada"].id, {"statement": {"overview": "better"}}, LATER)
    assert service.self_of(review).filed == SELF
    assert service.self_of(review).draft is None


def test_filing_the_same_twice_changes_nothing(review: int, cast: Cast) -> None:
    service.file_self(review, cast["ada"].id, SELF, NOW, version=0)
    assert not service.file_self(review, cast["ada"].id, SELF, LATER, version=0)
    assert service.self_of(review).filed_at == NOW


def test_filing_over_something_unseen_is_refused(review: int, cast: Cast) -> None:
    service.file_self(review, cast["ada"].id, SELF, NOW, version=0)
    other = SelfReview(GOOD, Statement(overview="from the other browser"))
    with pytest.raises(Taken):
        service.file_self(review, cast["ada"].id, other, LATER, version=0)
    with pytest.raises(Taken):
        service.save_self_draft(review, cast["ada"].id, {}, LATER, version=0)
    assert service.self_of(review).filed == SELF


def test_a_seen_self_review_can_be_replaced(review: int, cast: Cast) -> None:
    service.file_self(review, cast["ada"].id, SELF, NOW, version=0)
    other = SelfReview(GOOD, Statement(overview="rewritten"))
    assert service.file_self(review, cast["ada"].id, other, LATER, version=1)
    assert service.self_of(review).filed == other
    assert service.self_of(review).version == 2


def test_a_rating_is_filed_once_and_stays(review: int, cast: Cast) -> None:
    sam = cast["sam"].id
    assert service.file_rating(review, sam, RATING, NOW)
    assert not service.file_rating(review, sam, RATING, LATER)
    with pytest.raises(Taken):
        service.file_rating(review, sam, SupervisorRating(GOOD, {}), LATER)
    with pytest.raises(Taken):
        service.save_rating_draft(review, sam, {}, LATER)
    assert service.rating_of(review).filed == RATING


def test_a_new_supervisor_sees_no_draft_and_their_rating_is_the_official_one(review: int, cast: Cast) -> None:
    sam, quinn = cast["sam"].id, cast["quinn"].id
    service.save_rating_draft(review, sam, {"overall": "not yours"}, NOW)
    service.file_rating(review, sam, RATING, NOW)
    db.session.get(ReviewRow, review).supervisor_id = quinn
    db.session.flush()
    assert service.rating_sheet(review, quinn) is None
    assert service.rating_of(review) is None
    assert service.tally(review).supervisor == ()
    service.file_rating(review, quinn, SupervisorRating(GOOD, {}), LATER)
    assert service.rating_of(review).person_id == quinn
    assert service.tally(review).supervisor == (GOOD,)


def test_one_customer_counts_once(review: int) -> None:
    answer = CustomerAnswer({KEYS[0]: 5, KEYS[1]: None}, 4, "Fast", wants_contact=True)
    assert service.file_customer(review, "c-1", answer, NOW)
    assert not service.file_customer(review, "c-1", answer, LATER)
    with pytest.raises(Taken):
        service.file_customer(review, "c-1", CustomerAnswer({KEYS[0]: 1}, 1), LATER)
    assert service.tally(review).customer_overall == service.Stars(4, 1, (0, 0, 0, 1, 0))


def test_a_tally_sums_what_was_said_and_leaves_out_what_was_not(review: int, cast: Cast) -> None:
    service.file_self(review, cast["ada"].id, SELF, NOW)
    service.save_rating_draft(review, cast["sam"].id, {"answers": {KEYS[0]: "poor"}}, NOW)
    for number, stars in enumerate((5, 4, None)):
        service.file_customer(review, f"c-{number}", CustomerAnswer({KEYS[0]: stars}, 3), NOW)
    found = service.tally(review)
    assert found.self == GOOD
    assert found.supervisor == ()  # a draft is nothing
    assert found.customers == {KEYS[0]: Tally(180, 2)}
    assert found.customer_overall == service.Stars(9, 3, (0, 0, 3, 0, 0))
    assert found.evidence().customers == found.customers


def test_satisfaction_is_the_share_of_four_and_five_stars(review: int) -> None:
    assert service.tally(review).customer_overall.satisfaction == Measured(None, Fraction(0))
    for number, stars in enumerate((5, 4, 4, 3, 2, 1, 5)):
        service.file_customer(review, f"c-{number}", CustomerAnswer({}, stars), NOW)
    found = service.tally(review).customer_overall
    assert found.satisfaction == Measured(Fraction(400, 7), Fraction(7))
    assert (found.satisfied, found.neutral, found.dissatisfied) == (4, 1, 2)


def test_how_to_reach_a_customer_is_kept_only_beside_the_wish(review: int) -> None:
    service.file_customer(review, "c-1", CustomerAnswer({}, 2, "Slow", wants_contact=True, contact="138 0000"), NOW)
    service.file_customer(review, "c-2", CustomerAnswer({}, 2, "Slow", contact="139 0000"), NOW)
    assert [word.contact for word in service.customer_words(review)] == ["138 0000", ""]
    assert "139 0000" not in str([row.texts for row in db.session.scalars(select(ResponseRow))])


def test_comments_do_not_tell_in_which_order_customers_wrote(review: int) -> None:
    for key, comment in (("z", "Alpha"), ("a", "Beta"), ("m", " ")):
        service.file_customer(review, key, CustomerAnswer({}, 5, comment), NOW)
    assert service.customer_comments(review) == ["Alpha", "Beta"]
    assert {word.customer_key for word in service.customer_words(review)} == {"z", "a"}


@pytest.mark.parametrize(
    "lie",
    [
        {"source": Source.PEERS, "person_id": None},
        {"c1": 5, "filed_at": NOW, "version": 1},
        {"c1": 3},
        {"filed_at": NOW},
        {"overall": 4, "filed_at": NOW, "version": 1},
        {"wants_contact": True},
        {"draft": {"a": "b"}},
        {"person_id": None},
    ],
)
def test_the_database_refuses_what_cannot_be_true(review: int, cast: Cast, lie: dict) -> None:
    row = {"review_id": review, "source": Source.SELF, "respondent": "x", "person_id": cast["ada"].id, "texts": {}}
    with pytest.raises(IntegrityError):
        db.session.execute(insert(ResponseRow), [{**row, **lie}])


def test_the_database_takes_what_can_be_true(review: int, cast: Cast) -> None:
    row = {"review_id": review, "source": Source.SELF, "respondent": "x", "person_id": cast["ada"].id, "texts": {}}
    db.session.execute(insert(ResponseRow), [{**row, "c1": 4, "filed_at": NOW, "version": 1}])


def test_progress_counts_filings_only(review: int, cast: Cast) -> None:
    cycle_id = db.session.get(ReviewRow, review).cycle_id
    service.save_self_draft(review, cast["ada"].id, {}, NOW)
    service.save_rating_draft(review, cast["sam"].id, {}, NOW)
    assert (service.self_progress(cycle_id), service.rating_progress(cycle_id)) == (set(), set())
    service.file_self(review, cast["ada"].id, SELF, NOW)
    service.file_rating(review, cast["sam"].id, RATING, NOW)
    assert (service.self_progress(cycle_id), service.rating_progress(cycle_id)) == (
        {review},
        {(review, cast["sam"].id)},
    )


def test_a_cycle_is_tallied_in_a_constant_number_of_queries_and_fast(app: Flask, cast: Cast) -> None:
    with app.app_context():
        people = {f"p{n}": make_person(f"P{n}", supervisor=cast["sam"].id) for n in range(300)}
        cycle_id = make_cycle(cast, who=people.values())
        ids = [review_of(cycle_id, person) for person in people.values()]
        stars = {"source": Source.CUSTOMERS, "texts": {}, "filed_at": NOW, "version": 1, "overall": 5}
        rows = [
            {**stars, "review_id": review_id, "respondent": f"c{n}", **{f"c{i}": 1 + (n + i) % 5 for i in range(1, 4)}}
            for review_id in ids
            for n in range(17)
        ]
        db.session.execute(insert(ResponseRow), rows)
        db.session.commit()
        seen, started = count_queries(), time.perf_counter()
        found = service.tallies(cycle_id)
        assert time.perf_counter() - started < 2
        assert len(found) == 300
        assert all(tallied.customer_overall.count == 17 for tallied in found.values())
        assert found[ids[0]] == service.tally(ids[0])
        assert len([s for s in seen if s.startswith("SELECT")]) <= 10, seen  # both calls together


@pytest.mark.postgres
def test_responses_are_kept_and_summed_the_same_on_postgresql(
    settings: Settings, postgres_url: str, urn_url: str
) -> None:
    values = {name: getattr(settings, name) for name in settings.__slots__}
    app = create_app(Settings(**values | {"database_url": postgres_url, "urn_url": urn_url}))
    with app.app_context():
        metadata.create_all(db.engine)
        cast = make_cast()
        review = review_of(make_cycle(cast), cast["ada"])
        service.save_self_draft(review, cast["ada"].id, {"statement": {}}, NOW)
        service.file_self(review, cast["ada"].id, SELF, NOW, version=0)
        service.file_rating(review, cast["sam"].id, RATING, NOW)
        for number, stars in enumerate((5, 4, None)):
            service.file_customer(review, f"c-{number}", CustomerAnswer({KEYS[0]: stars}, 3), NOW)
        db.session.commit()
        found = service.tally(review)
        assert (found.self, found.supervisor) == (GOOD, (RATING.answers,))
        assert found.customers == {KEYS[0]: Tally(180, 2)}
        assert found.customer_overall == service.Stars(9, 3, (0, 0, 3, 0, 0))
        assert service.self_of(review).filed == SELF
        lie = {"review_id": review, "source": Source.SELF, "respondent": "x", "person_id": cast["bo"].id, "texts": {}}
        with pytest.raises(IntegrityError):
            db.session.execute(insert(ResponseRow), [{**lie, "c1": 3}])
        db.session.remove()
        db.engine.dispose()
