"""Lives through the end of a cycle for tests, by the services: everybody answers, the urn is counted, scores are worked
out, results are signed off and published.

    told = make_scored(cast)                       # finalising; Ada's team rated, counted and scored
    sign_off(told, "ada"); publish(told, cast)     # published, once all of it is signed off and looked at

Ada's figures are good through and through unless `ballots`, `customers` or `rated` say otherwise. Call inside an
application context.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from review.ballots import service as ballots
from review.cycles.lookup import file_of
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.responses import CustomerAnswer, SelfReview, Statement, SupervisorRating
from review.domain.vocabulary import Level, Source
from review.infra.db import db
from review.peer_review import service as peer_review
from review.responses import service as responses
from review.results import looks, publication, second_look, service
from review.results.tables import LookOutcome
from review.schemes.library import builtin
from tests.make import NOW, Cast
from tests.make_cycle import CLOSES, make_cycle, review_of, set_stage
from tests.make_peers import ASKED, cast_for, seat_team

KEYS = [criterion.key for criterion in builtin().criteria]
STARS = [criterion.key for criterion in builtin().asked_of(Source.CUSTOMERS)]
COUNTED = CLOSES + timedelta(hours=1)
SIGNED = CLOSES + timedelta(days=1)
PUBLISHED = CLOSES + timedelta(days=9)
ALL_GOOD = dict.fromkeys(KEYS, Level.GOOD)
STATEMENT = Statement(
    overview="936 tickets closed.", figures="Solved at first contact: 84 %.", plan="One review of new rules a month."
)
COMMENTS = ("Quick and kind.", "Explained it well.", "Had to wait on Sunday.", "The same person both times.")


@dataclass(frozen=True)
class Told:
    """A cycle of results: its id, and the reviews by the names of the cast."""

    cycle_id: int
    reviews: dict[str, int]


def make_scored(
    cast: Cast,
    *,
    rated: Iterable[str] = ("ada", "bo", "cy", "di", "ed", "fay", "gus"),
    reviewed: Iterable[str] = ("ada", "bo", "cy", "di", "ed", "fay", "gus"),
    ballots_about: Mapping[str, int] | None = None,
    peers: Level = Level.GOOD,
    customers: Mapping[str, int] | None = None,
    levels: Mapping[str, Mapping[str, Level]] | None = None,
    own: Mapping[str, Level] | None = None,
    quarters_ago: int = 1,
    name: str = "Q1 2026",
    scheme_id: int | None = None,
) -> Told:
    """A cycle after its count. `ballots_about` says how many of the six colleagues rated somebody (all by default),
    `customers` how many customers answered about somebody (20 about Ada), `levels` what supervisors gave (good)."""
    who_is = [cast[who] for who in reviewed]
    cycle_id = make_cycle(cast, who=who_is, quarters_ago=quarters_ago, name=name, scheme_id=scheme_id)
    told = Told(cycle_id, {who: review_of(cycle_id, cast[who]) for who in reviewed})
    for who, review_id in told.reviews.items():
        if own is not None or who == "ada":
            answers = {**ALL_GOOD, **(own or {})}
            responses.file_self(review_id, cast[who].id, SelfReview(answers, STATEMENT), NOW)
        for number in range(({"ada": 20} if customers is None else customers).get(who, 0)):
            comment = COMMENTS[number] if number < len(COMMENTS) else ""
            stars = {key: 5 if (number + at) % 3 else 4 for at, key in enumerate(STARS)}
            responses.file_customer(review_id, f"c{number}", CustomerAnswer(stars, 5, comment), NOW)
        if who in rated:
            rate(told, cast, who, (levels or {}).get(who, {}))
    vote(told, cast, dict(ballots_about or {}), peers)
    ballots.count(cycle_id, peer_review.seats_for_count(cycle_id), now=COUNTED)
    set_stage(cycle_id, Stage.FINALISING)
    service.score_cycle(cycle_id, COUNTED)
    db.session.commit()
    return told


def rate(told: Told, cast: Cast, who: str, levels: Mapping[str, Level] | None = None, at: datetime = NOW) -> None:
    """Whoever answers for the review rates it: good, but for `levels`."""
    review = db.session.get_one(ReviewRow, told.reviews[who])
    said = SupervisorRating(
        {**ALL_GOOD, **(levels or {})}, {KEYS[0]: "Six articles for the knowledge base."}, "Steady."
    )
    responses.file_rating(review.id, review.supervisor_id, said, at)


def vote(told: Told, cast: Cast, ballots_about: Mapping[str, int], level: Level) -> None:
    """So many colleagues cast a ballot about each; everybody else of the team is seated."""
    seats = seat_team(told.cycle_id, cast, [who for who in cast if who in told.reviews])
    given = dict.fromkeys(told.reviews, 0)
    for (_rater, subject), seat in sorted(seats.items()):
        if given[subject] < ballots_about.get(subject, len(told.reviews)):
            given[subject] += 1
            cast_for(told.cycle_id, seat, dict.fromkeys(ASKED, level))


def sign_off(told: Told, *names: str, at: datetime = SIGNED, **decided: object) -> None:
    """The responsible supervisor signs these results, all by default."""
    for who in names or told.reviews:
        review = db.session.get_one(ReviewRow, told.reviews[who])
        card = service.scorecard_of(review.id)
        reason = "Rating still missing." if card.grade is None else ""
        said = service.SignOff(**{"summary": f"A steady quarter for {who}.", "reason": reason, **decided})
        service.finalise(review.id, said, by=review.supervisor_id, now=at)
    db.session.commit()


def look(cycle_id: int, by: int, at: datetime = SIGNED) -> int:
    """Whoever is proposed looks at each signed result near a cut and confirms it; how many."""
    cycle = db.session.get_one(CycleRow, cycle_id)
    second_look.name_proposed(cycle, by=by, now=at)
    count = 0
    for row in db.session.execute(looks.listed(cycle_id, only_open=True)).all():
        if row.final_grade is not None:
            found = second_look.LookFile(file_of(row[0].id), row.SecondLookRow)
            said = second_look.Said(LookOutcome.CONFIRMED, "The examples carry it.")
            count += second_look.decide(found, said, by=row.SecondLookRow.person_id, now=at)
    db.session.commit()
    return count


def publish(told: Told, cast: Cast, at: datetime = PUBLISHED) -> int:
    """Freeze what is signed off, as the publication does, after second looks at whatever lies near a cut."""
    if db.session.get_one(CycleRow, told.cycle_id).stage is Stage.FINALISING:
        look(told.cycle_id, cast["hana"].id, at)
    set_stage(told.cycle_id, Stage.PUBLISHED)
    count = publication.freeze_cycle(told.cycle_id, by=cast["hana"].id, now=at)
    db.session.commit()
    return count
