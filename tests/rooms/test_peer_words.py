"""Peers' words on their way: asked for where the scheme says so, sealed, counted, shown in a place of their own."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from review.ballots import service as ballots
from review.ballots.tables import CommentRow
from review.domain.cycle import Stage
from review.domain.peer_words import LONGEST
from review.domain.responses import Ballot
from review.domain.scheme import parse_scheme
from review.domain.scheme_dump import dump_scheme
from review.domain.vocabulary import Level, Source
from review.infra.db import db
from review.infra.settings import Settings
from review.peer_review import service as peers
from review.results import service as results
from review.results.publication import publication_of
from review.schemes import service as schemes
from review.schemes.library import builtin
from tests.browse import Browser
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle, review_of, set_stage
from tests.make_peers import ASKED, EXCELLENT, GOOD, TEAM, open_ballots, seat_team
from tests.make_results import COUNTED, Told, publish, rate, sign_off

Browse = Callable[..., Browser]
FILLED = {f"c-{key}": "good" for key in ASKED}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.peer_review.views.now", lambda: NOW)


def scheme_with_words(peers_from: int = 6) -> int:
    scheme = builtin()
    wanted = replace(
        scheme, version=2, comments=replace(scheme.comments, peers_from=peers_from),
        minimums={**scheme.minimums, Source.PEERS: 5},
    )  # fmt: skip
    return schemes.store(parse_scheme(dump_scheme(wanted)), NOW, None).id


def cycle_with_words(cast: Cast, words: dict[str, str], peers_from: int = 6) -> int:
    """Ada's colleagues rate her, each with these words; only those who are named in `words` cast."""
    cycle_id = make_cycle(cast, who=[cast[one] for one in TEAM], scheme_id=scheme_with_words(peers_from))
    seats = seat_team(cycle_id, cast)
    for rater, text in words.items():
        ballots.cast(cycle_id, seats[rater, "ada"], Ballot(review_of(cycle_id, cast["ada"]), GOOD, text))
    return cycle_id


def count(cycle_id: int) -> None:
    ballots.count(cycle_id, peers.seats_for_count(cycle_id), now=COUNTED)


ALL_SIX = {rater: f"Words number {place}." for place, rater in enumerate(TEAM[1:])}


def test_the_words_of_enough_ballots_are_stored_once_and_in_no_order_of_arrival(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = cycle_with_words(cast, ALL_SIX)
        count(cycle_id)
        ada = review_of(cycle_id, cast["ada"])
        shown = ballots.comments_of(cycle_id)
        assert set(shown) == {ada}
        assert sorted(shown[ada]) == sorted(ALL_SIX.values())
        assert list(shown[ada]) != list(ALL_SIX.values())
        count(cycle_id)
        assert ballots.comments_of(cycle_id) == shown


def test_one_ballot_too_few_keeps_no_word_anywhere(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = cycle_with_words(cast, dict(list(ALL_SIX.items())[:5]))
        count(cycle_id)
        assert ballots.comments_of(cycle_id) == {}
        assert db.session.scalars(select(CommentRow)).all() == []


def test_words_sealed_past_the_form_are_spelled_and_cut_at_the_count(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = cycle_with_words(cast, {**ALL_SIX, "bo": "x" * 900, "cy": "\u200b“Quick” \u202ereverse"})
        count(cycle_id)
        (shown,) = ballots.comments_of(cycle_id).values()
        assert "x" * LONGEST in shown
        assert '"Quick" reverse' in shown


def test_the_page_of_a_result_shows_words_away_from_figures(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        cycle_id = cycle_with_words(cast, ALL_SIX)
        told = Told(cycle_id, {who: review_of(cycle_id, cast[who]) for who in TEAM})
        for who in TEAM:
            rate(told, cast, who)
        count(cycle_id)
        set_stage(cycle_id, Stage.FINALISING)
        results.score_cycle(cycle_id, COUNTED)
        sign_off(told)
        publish(told, cast)
        frozen = publication_of(told.reviews["ada"]).body["peer_words"]
        assert frozen["from"] == 6
        assert sorted(frozen["comments"]) == sorted(ALL_SIX.values())
    page = browse(cast["ada"]).get(f"/results/{told.reviews['ada']}")
    section = page.soup.find(id="h-pw").find_parent("section")
    assert all(words in section.get_text() for words in ALL_SIX.values())
    assert not section.select(".r-num, table, svg"), "never beside a score"
    other = browse(cast["bo"]).get(f"/results/{told.reviews['bo']}")
    assert "Too few ballots for showing words" in other.words


def test_the_form_asks_for_words_only_where_the_scheme_does(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        seat = seat_team(make_cycle(cast, who=[cast[one] for one in TEAM]), cast)["bo", "ada"]
    page = browse(cast["bo"]).get(f"/peers/{seat}")
    assert not page.soup.select("textarea")
    browse(cast["bo"]).post(f"/peers/{seat}", {**FILLED, "comment": "nobody asked"}, status=302)


def test_what_was_written_reaches_the_urn_in_the_one_spelling(
    app: Flask, cast: Cast, browse: Browse, settings: Settings
) -> None:
    with app.app_context():
        cycle_id = cycle_with_words(cast, {})
        seat = peers.seats_of(cast["bo"].id, cycle_id)[0].id
    browser = browse(cast["bo"])
    page = browser.get(f"/peers/{seat}")
    assert "Wording can be recognised." in page.words
    assert "at least 6 ballots" in page.words
    browser.submit(page, {**FILLED, "comment": "  “Quick”\n and kind "}, form=str(seat))
    with app.app_context():
        assert [ballot.comment for ballot in open_ballots(settings, cycle_id)] == ['"Quick" and kind']
    assert not browser.get(f"/peers/{seat}").soup.select_one("textarea").get_text().strip(), "never prefilled"
    browser.post(f"/peers/{seat}", dict.fromkeys(FILLED, "excellent"))
    with app.app_context():
        (ballot,) = open_ballots(settings, cycle_id)
        assert (ballot.comment, ballot.answers) == ("", EXCELLENT)


def test_words_that_are_too_long_or_come_with_half_a_ballot_stay_in_the_form(
    app: Flask, cast: Cast, browse: Browse
) -> None:
    with app.app_context():
        cycle_id = cycle_with_words(cast, {})
        seat = peers.seats_of(cast["bo"].id, cycle_id)[0].id
    browser = browse(cast["bo"])
    for sent in ({**FILLED, "comment": "字" * (LONGEST + 1)}, {"c-" + ASKED[0]: "good", "comment": "Half a ballot"}):
        page = browser.post(f"/peers/{seat}", sent, status=422)
        assert page.soup.select_one("textarea").get_text().strip() == sent["comment"]
    with app.app_context():
        assert ballots.has_cast(cycle_id, [seat]) == set()


def test_the_longest_words_fit_into_the_one_size(app: Flask, cast: Cast) -> None:
    """Four bytes a character, or two where JSON escapes them, beside an answer to everything."""
    with app.app_context():
        cycle_id = cycle_with_words(cast, {})
        seats = peers.seats_of(cast["bo"].id, cycle_id)
        for text in ("\U0001f600" * LONGEST, '"' * LONGEST, "\\" * LONGEST):
            answers = dict.fromkeys(ASKED, Level.EXCELLENT)
            ballots.cast(cycle_id, seats[0].id, Ballot(seats[0].review_id, answers, text))
