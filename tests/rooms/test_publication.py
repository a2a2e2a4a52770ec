"""Signed-off results are published once and frozen, rewards granted once, and read with a signature."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from review.cycles.lookup import file_of
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.refusals import NotYet, OutOfReach
from review.domain.vocabulary import Grade, Level
from review.infra.audit import AuditRow
from review.infra.db import db
from review.people.tables import PersonRow
from review.results import publication
from review.results.tables import AcknowledgementRow, PublicationRow, RewardRow
from tests.make import Cast
from tests.make_results import COMMENTS, PUBLISHED, STATEMENT, make_scored, publish, rate, sign_off
from tests.queries import count_queries

LATER = PUBLISHED + timedelta(days=1)


@pytest.fixture(autouse=True)
def inside(app: Flask) -> Any:
    with app.app_context():
        yield


def count(table: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_every_signed_result_is_published_with_its_tier(cast: Cast) -> None:
    told = make_scored(cast)
    sign_off(told)
    assert publish(told, cast) == 7
    row = publication.publication_of(told.reviews["ada"])
    assert (row.score, row.grade, row.version, row.published_by) == (82_14, Grade.GOOD, 1, cast["hana"].id)
    reward = publication.reward_of(told.reviews["ada"])
    assert (reward.tier, reward.coefficient, reward.granted_at) == (Grade.GOOD, "1.2", PUBLISHED)


def test_the_decided_grade_is_published_and_rewarded_the_score_stays(cast: Cast) -> None:
    told = make_scored(cast)
    sign_off(told)
    sign_off(told, "ada", at=PUBLISHED, grade=Grade.EXCELLENT, reason="Won back two contracts.")
    publish(told, cast)
    row = publication.publication_of(told.reviews["ada"])
    assert (row.score, row.grade) == (82_14, Grade.EXCELLENT)
    assert row.body["decision"] | {"at": ""} == {
        "computed": "good",
        "final": "excellent",
        "reason": "Won back two contracts.",
        "summary": "A steady quarter for ada.",
        "by": "Sam",
        "at": "",
    }
    assert publication.reward_of(told.reviews["ada"]).coefficient == "1.5"


def test_a_result_without_a_score_is_published_without_a_reward(cast: Cast) -> None:
    told = make_scored(cast, rated=["bo"])
    sign_off(told)
    publish(told, cast)
    row = publication.publication_of(told.reviews["ada"])
    assert (row.score, row.grade, row.body["reward"]) == (None, None, None)
    assert publication.reward_of(told.reviews["ada"]) is None
    assert count(RewardRow) == 1  # Bo's


def test_one_missing_signature_keeps_all_results_back(cast: Cast) -> None:
    told = make_scored(cast)
    sign_off(told, *[who for who in told.reviews if who != "gus"])
    with pytest.raises(NotYet, match="results:not_signed_off") as refused:
        publish(told, cast)
    assert refused.value.problems[0].params == {"name": "Gus"}
    db.session.rollback()
    assert (count(PublicationRow), count(RewardRow)) == (0, 0)


def test_a_signature_on_other_figures_keeps_all_results_back(cast: Cast) -> None:
    told = make_scored(cast, rated=["bo", "cy", "di", "ed", "fay", "gus"])
    sign_off(told)
    rate(told, cast, "ada", at=PUBLISHED)
    with pytest.raises(NotYet):
        publish(told, cast)


def test_a_withdrawn_review_is_neither_awaited_nor_published(cast: Cast) -> None:
    told = make_scored(cast)
    sign_off(told, *[who for who in told.reviews if who != "gus"])
    db.session.get_one(ReviewRow, told.reviews["gus"]).withdrawn_at = PUBLISHED
    db.session.flush()
    assert publish(told, cast) == 6
    with pytest.raises(NotYet):
        publication.publication_of(told.reviews["gus"])


def test_publishing_again_adds_nothing(cast: Cast) -> None:
    told = make_scored(cast)
    sign_off(told)
    assert publish(told, cast) == 7
    assert publish(told, cast, at=LATER) == 0
    assert (count(PublicationRow), count(RewardRow)) == (7, 7)
    assert publication.reward_of(told.reviews["ada"]).granted_at == PUBLISHED


def test_two_publications_at_once_grant_each_reward_once(app: Flask, cast: Cast) -> None:
    told = make_scored(cast)
    sign_off(told)
    hana, outcomes = cast["hana"].id, []
    assert at_once(app, 4, lambda: publication.freeze_cycle(told.cycle_id, by=hana, now=PUBLISHED), outcomes) == []
    assert sorted(outcomes) == [0, 0, 0, 7]
    db.session.rollback()
    assert (count(PublicationRow), count(RewardRow)) == (7, 7)


def at_once(app: Flask, times: int, act: Any, outcomes: list[Any]) -> list[Exception]:
    """Run `act` in so many threads, each with its own session and transaction; what went wrong."""
    wrong: list[Exception] = []
    start = threading.Barrier(times)

    def work() -> None:
        with app.app_context():
            try:
                start.wait(timeout=60)
                outcome = act()
                db.session.commit()
                outcomes.append(outcome)
            except Exception as failure:  # noqa: BLE001  the main thread tells
                db.session.rollback()
                wrong.append(failure)

    threads = [threading.Thread(target=work) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return wrong


def test_what_is_published_stays_as_it_was_whatever_changes_later(cast: Cast) -> None:
    told = make_scored(cast)
    sign_off(told)
    publish(told, cast)
    before = dict(publication.publication_of(told.reviews["ada"]).body)
    db.session.get_one(PersonRow, cast["ada"].id).name = "Ada Newname"
    db.session.get_one(CycleRow, told.cycle_id).name = "Renamed"
    db.session.execute(text("UPDATE response SET c1 = 1 WHERE source = 'supervisor'"))
    db.session.commit()
    after = publication.publication_of(told.reviews["ada"]).body
    assert after == before
    assert after["subject"]["name"] == "Ada"


def test_the_body_holds_everything_its_page_shows(cast: Cast) -> None:
    told = make_scored(cast)
    sign_off(told)
    publish(told, cast)
    body = publication.publication_of(told.reviews["ada"]).body
    assert body["self"]["statement"]["overview"] == STATEMENT.overview
    assert body["supervisor"]["overall"] == "Steady."
    assert body["customers"] == {"n": 20, "stars": [0, 0, 0, 0, 20], "comments": sorted(COMMENTS)}
    assert body["minimums"] == {"peers": 5, "customers": 15}
    assert body["cycle"]["kind"] == "quarterly"


def test_under_the_minimum_customers_words_and_stars_are_not_even_kept(cast: Cast) -> None:
    told = make_scored(cast, customers={"ada": 14})
    sign_off(told)
    publish(told, cast)
    customers = publication.publication_of(told.reviews["ada"]).body["customers"]
    assert (customers["stars"], customers["comments"]) == (None, [])


def test_a_published_body_knows_of_peers_only_what_their_cells_say(cast: Cast) -> None:
    told = make_scored(cast, peers=Level.POOR, ballots_about={"ada": 4})
    sign_off(told)
    publish(told, cast)
    body = publication.publication_of(told.reviews["ada"]).body
    for line in body["working"]["criteria"]:
        peers = line["sources"]["peers"]
        assert (peers["points"], peers["mean"], peers["counted"]) == (None, None, False)


def test_freezing_takes_few_queries_whatever_the_size(cast: Cast) -> None:
    asked = []
    for reviewed, ago, name in ((["ada", "bo"], 1, "Small"), (["ada", "bo", "cy", "di", "ed", "fay"], 2, "Large")):
        told = make_scored(cast, reviewed=reviewed, quarters_ago=ago, name=name)
        sign_off(told)
        with count_queries(db.engine) as seen:
            publication.freeze_cycle(told.cycle_id, by=cast["hana"].id, now=PUBLISHED)
        asked.append(len(seen))
    assert asked[0] == asked[1] < 20


def test_the_newest_version_is_the_one_that_counts(cast: Cast) -> None:
    told = make_scored(cast)
    sign_off(told)
    publish(told, cast)
    first = publication.publication_of(told.reviews["ada"])
    columns = {column.key: getattr(first, column.key) for column in PublicationRow.__table__.columns}
    second = columns | {"id": None, "version": 2, "score": 91_00, "grade": Grade.EXCELLENT, "published_at": LATER}
    db.session.execute(insert(PublicationRow), [{key: value for key, value in second.items() if key != "id"}])
    assert publication.publication_of(told.reviews["ada"]).score == 91_00
    assert [row.score for row in publication.publications_of(cast["ada"].id)] == [91_00]
    assert sum(found.results for found in publication.counts_in(told.cycle_id)) == 7
    assert [row.score for row, _ in publication.lines_in(told.cycle_id).rows if row.subject_id == cast["ada"].id] == [
        91_00
    ]


@pytest.mark.parametrize("lie", [{"score": 8000, "grade": None}, {"score": None, "grade": Grade.GOOD}])
def test_a_publication_has_score_and_grade_or_neither(cast: Cast, lie: dict[str, Any]) -> None:
    told = make_scored(cast, reviewed=["ada", "bo"])
    row = {
        "review_id": told.reviews["ada"],
        "cycle_id": told.cycle_id,
        "subject_id": cast["ada"].id,
        "version": 1,
        "body": {},
        "published_at": PUBLISHED,
        "published_by": cast["hana"].id,
    }
    with pytest.raises(IntegrityError):
        db.session.execute(insert(PublicationRow), [{**row, **lie}])


# ---- signatures -----------------------------------------------------------------------------------------------------


def test_the_employee_signs_once_and_for_good(cast: Cast) -> None:
    told = make_scored(cast)
    sign_off(told)
    publish(told, cast)
    for at in (PUBLISHED, LATER):
        signed = publication.acknowledge(file_of(told.reviews["ada"]), by=cast["ada"].id, now=at)
        db.session.commit()
    assert (signed.person_id, signed.at) == (cast["ada"].id, PUBLISHED)
    assert db.session.query(AuditRow).filter_by(action="results:result:acknowledged").count() == 1


def test_two_signatures_at_once_are_one(app: Flask, cast: Cast) -> None:
    told = make_scored(cast)
    sign_off(told)
    publish(told, cast)
    ada, outcomes = cast["ada"].id, []

    def sign() -> object:
        return publication.acknowledge(file_of(told.reviews["ada"]), by=ada, now=LATER).at

    assert at_once(app, 3, sign, outcomes) == []
    assert outcomes == [LATER] * 3
    db.session.rollback()
    assert count(AcknowledgementRow) == 1


def test_nobody_signs_for_somebody_else_or_before_the_publication(cast: Cast) -> None:
    told = make_scored(cast)
    sign_off(told)
    with pytest.raises(NotYet):
        publication.acknowledge(file_of(told.reviews["ada"]), by=cast["ada"].id, now=LATER)
    publish(told, cast)
    for other in ("sam", "hana", "bo"):
        with pytest.raises(OutOfReach):
            publication.acknowledge(file_of(told.reviews["ada"]), by=cast[other].id, now=LATER)
    assert count(AcknowledgementRow) == 0
