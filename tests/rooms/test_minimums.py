"""HR chooses minimums on a page that tells what each costs; every choice is a new version, and cycles keep theirs."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from review.cycles.tables import CycleRow
from review.domain.refusals import Invalid, Taken
from review.domain.scheme import parse_scheme
from review.domain.vocabulary import PeerStep, Source
from review.infra.audit import AuditRow
from review.infra.db import db
from review.schemes import service
from review.schemes.library import builtin
from review.schemes.minimums import Minimums, change, choices_for, minimums_of
from review.schemes.tables import SchemeRow
from tests.browse import Browser
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle

Browse = Callable[..., Browser]
AS_NOW = {"peers": "5", "customers": "15", "comments_from": "10"}


@pytest.fixture
def scheme_id(app: Flask, cast: Cast) -> int:
    with app.app_context():
        made = service.install_default(NOW).id
        db.session.commit()
        return made


def url(scheme_id: int) -> str:
    return f"/scheme/{scheme_id}/minimums"


def versions(app: Flask) -> list[tuple[int, Minimums]]:
    with app.app_context():
        rows = db.session.scalars(select(SchemeRow).order_by(SchemeRow.version)).all()
        return [(row.version, minimums_of(parse_scheme(row.body))) for row in rows]


def test_the_page_tells_the_price_of_each_choice_in_numbers(browse: Browse, cast: Cast, scheme_id: int) -> None:
    page = browse(cast["hana"]).get(url(scheme_id))
    rows = [" ".join(row.get_text(" ").split()) for row in page.soup.select("tbody tr")]
    assert rows == [
        "3 ballots 0.00% 4.69% 40.40% 99.2%",
        "4 ballots 0.00% 0.40% 3.91% 95.6%",
        "5 ballots 0.00% 0.00% 0.49% 84.0%",
        "6 ballots 0.00% 0.00% 0.11% 60.2%",
        "8 ballots 0.00% 0.00% 0.01% 7.2%",
        "10 ballots 0.00% 0.00% 0.01% 0.0%",
    ]
    assert page.soup.select_one("input[name=peers][checked]")["value"] == "5"


def test_a_choice_becomes_the_next_version_and_cycles_keep_theirs(
    app: Flask, browse: Browse, cast: Cast, scheme_id: int
) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        db.session.commit()
    browser = browse(cast["hana"])
    sent = {**AS_NOW, "peers": "6", "customers": "20", "comments": "y", "comments_from": "12"}
    page = browser.follow(browser.submit(browser.get(url(scheme_id)), sent, "/minimums"))
    assert "Kept as version 2" in page.text
    assert "6 ballots" in page.words
    assert versions(app) == [(1, Minimums(5, 15, None)), (2, Minimums(6, 20, 12))]
    with app.app_context():
        assert db.session.get_one(CycleRow, cycle_id).scheme_id == scheme_id
        assert service.scheme_of(scheme_id).minimums[Source.PEERS] == 5
        line = db.session.scalars(select(AuditRow).where(AuditRow.action == "schemes:scheme:minimums")).one()
        assert (line.actor_id, line.about, line.details["version"]) == (cast["hana"].id, "scheme:360-v1", 2)
        assert line.details["before"] == {"peers": 5, "customers": 15, "peer_comments_from": None, "supervisors": 1}
        assert line.details["after"] == {"peers": 6, "customers": 20, "peer_comments_from": 12, "supervisors": 1}


def test_the_same_choice_twice_makes_one_version(app: Flask, browse: Browse, cast: Cast, scheme_id: int) -> None:
    browser = browse(cast["hana"])
    for _ in range(2):
        browser.post(url(scheme_id), {**AS_NOW, "peers": "8"})
    assert [version for version, _ in versions(app)] == [1, 2]
    browser.post(url(scheme_id + 1), {**AS_NOW, "peers": "8"})
    assert len(versions(app)) == 2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"peers": "4"}, "Tick that you want this"),
        ({"peers": "3"}, "Tick that you want this"),
        ({"peers": "2"}, "cannot be read"),
        ({"peers": "many"}, "cannot be read"),
        ({"customers": "4"}, "From 5 to 1000"),
        ({"customers": "viele"}, "cannot be read"),
        ({"comments": "y", "comments_from": "4"}, "From 5 to 1000"),
        ({"comments": "y", "comments_from": ""}, "This is needed"),
    ],
)
def test_what_makes_no_sense_is_refused_and_what_was_typed_stays(
    app: Flask, browse: Browse, cast: Cast, scheme_id: int, wrong: dict[str, str], words: str
) -> None:
    typed = {**AS_NOW, "customers": "21", **wrong}
    page = browse(cast["hana"]).post(url(scheme_id), typed, status=422)
    assert words in page.words
    assert page.soup.select_one("#customers")["value"] == typed["customers"]
    assert page.soup.select_one("#comments_from").get("value", "") == typed["comments_from"]
    assert bool(page.soup.select("#comments[checked]")) == ("comments" in typed)
    assert len(versions(app)) == 1


def test_fewer_than_five_take_a_tick(app: Flask, browse: Browse, cast: Cast, scheme_id: int) -> None:
    browse(cast["hana"]).post(url(scheme_id), {**AS_NOW, "peers": "4", "understood": "y"})
    assert versions(app)[-1] == (2, Minimums(4, 15, None))


def test_an_older_version_is_not_built_upon_unseen(app: Flask, cast: Cast, scheme_id: int, browse: Browse) -> None:
    browse(cast["hana"]).post(url(scheme_id), {**AS_NOW, "peers": "6"})
    browse(cast["hana"]).post(url(scheme_id), {**AS_NOW, "peers": "8"}, status=409)
    with app.app_context(), pytest.raises(Taken, match="newer_version"):
        change(db.session.get_one(SchemeRow, scheme_id), Minimums(8, 15, None), by=cast["hana"].id, now=NOW)
    assert len(versions(app)) == 2


def test_the_floor_holds_past_the_form_too(app: Flask, cast: Cast, scheme_id: int) -> None:
    with app.app_context():
        base = db.session.get_one(SchemeRow, scheme_id)
        for wanted in (Minimums(2, 15, None, understood=True), Minimums(5, 4, None), Minimums(5, 15, 4)):
            with pytest.raises(Invalid):
                change(base, wanted, by=cast["hana"].id, now=NOW)
        assert db.session.scalar(select(func.count()).select_from(SchemeRow)) == 1


def test_only_hr_gets_there_and_only_to_schemes_that_exist(browse: Browse, cast: Cast, scheme_id: int) -> None:
    for who in ("ada", "sam", "max"):
        browse(cast[who]).get(url(scheme_id), status=404)
        assert "minimums" not in browse(cast[who]).get(f"/scheme/{scheme_id}").text
    assert url(scheme_id) in browse(cast["hana"]).get(f"/scheme/{scheme_id}").text
    browse(cast["hana"]).get(url(scheme_id + 7), status=404)


def test_a_minimum_of_the_scheme_itself_is_always_on_offer() -> None:
    scheme = parse_scheme({**_plain(), "minimums": {"peers": 20, "customers": 15}})
    assert [(choice.minimum, choice.price is None) for choice in choices_for(scheme)][-2:] == [(10, False), (20, True)]
    exact = parse_scheme({**_plain(), "peer_step": None})
    assert exact.peer_step is not PeerStep.STEPPED
    assert choices_for(exact)[0].price.two_raters == 1


def _plain() -> dict[str, object]:
    with_text = service.dump_scheme(builtin())
    return dict(with_text)
