"""One installation, copied before the ballots: other ballots under the minimum change no byte of anything anywhere.

Not of a page, a chart's data, a frozen result, the audit log, the doctor's words, nor of any row of the database.
"""

import io
import re
import shutil
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from flask import Flask

from review.app import create_app
from review.ballots import service as ballots
from review.domain.cycle import Stage
from review.domain.responses import Answers, Ballot
from review.domain.vocabulary import Level
from review.infra.db import db
from review.infra.house import house as this_house
from review.infra.settings import Settings
from review.peer_review import service as peers
from review.results import service as results
from review.results import working
from review.tables import metadata
from review.workflow.doctor import examine
from tests.browse import Browser
from tests.laws.sweep import dump
from tests.make import NOW, Cast, make_cast
from tests.make_cycle import make_cycle, review_of, set_stage
from tests.make_peers import ASKED, TEAM, seat_team, seats_by_name
from tests.make_results import COUNTED, Told, publish, rate, sign_off

HIDDEN = ("ada", "gus")  # four colleagues rate each of them, five are needed
ONE = [dict.fromkeys(ASKED, Level.POOR), *[dict.fromkeys(ASKED, Level.FAIR)] * 3]
OTHER = [dict.fromkeys(ASKED, Level.EXCELLENT), *[dict.fromkeys(ASKED[:1], Level.GOOD)] * 3]
# Signed with the time of the request, or named after a random session.
TOKEN = re.compile(r"[\w-]{20,}\.[\w-]{5,}\.[\w-]{20,}")
ARGUMENTS = {"cycle_id", "review_id", "scheme_id", "person_id"}


@dataclass
class House:
    """A copy of the installation, with the people and the cycle of the original."""

    settings: Settings
    cast: Cast
    told: Told

    def open(self) -> Flask:
        return create_app(self.settings)

    @property
    def database(self) -> Path:
        return self.settings.data_dir / "review.sqlite"


def settings_in(folder: Path) -> Settings:
    made = Settings.from_env({"REVIEW_DATA": str(folder / "instance"), "REVIEW_BASE_URL": "http://localhost"})
    return replace(made, is_testing=True)


def close(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def begun(folder: Path) -> House:
    """Everybody is seated and every supervisor has rated; no ballot is in."""
    settings = settings_in(folder)
    app = create_app(settings)
    with app.app_context():
        metadata.create_all(db.engine)
        cast = make_cast()
        cycle_id = make_cycle(cast, who=[cast[one] for one in TEAM])
        told = Told(cycle_id, {who: review_of(cycle_id, cast[who]) for who in TEAM})
        seat_team(cycle_id, cast)
        for who in TEAM:
            rate(told, cast, who)
        this_house().links.token("made", "before the copies")  # draws the key that both copies then have
        db.session.commit()
    close(app)
    return House(settings, cast, told)


def vote(house: House, hidden: Iterable[Answers]) -> None:
    """Everybody is rated good by all six, but those in HIDDEN, whom four rate as `hidden` says."""
    seats = seats_by_name(house.told.cycle_id, house.cast)
    given = dict.fromkeys(HIDDEN, 0)
    hidden = list(hidden)
    for (_rater, subject), seat in sorted(seats.items()):
        answers = dict.fromkeys(ASKED, Level.GOOD)
        if subject in HIDDEN:
            if given[subject] == len(hidden):
                continue
            answers = hidden[given[subject]]
            given[subject] += 1
        ballots.cast(house.told.cycle_id, seat, Ballot(house.told.reviews[subject], answers))


def lived(house: House, hidden: Iterable[Answers], readers: tuple[str, ...] = ("ada", "sam", "hana")) -> dict[str, str]:
    """Everything that can be read in a copy after the count and after the publication, by where it was read."""
    app = house.open()
    with app.app_context():
        vote(house, hidden)
        ballots.count(house.told.cycle_id, peers.seats_for_count(house.told.cycle_id), now=COUNTED)
        set_stage(house.told.cycle_id, Stage.FINALISING)
        results.score_cycle(house.told.cycle_id, COUNTED)
        db.session.commit()
    read = pages(app, house, "counted", readers[1:2])
    with app.app_context():
        sign_off(house.told)
        publish(house.told, house.cast)
    read |= pages(app, house, "published", readers)
    with app.app_context():
        read["doctor"] = "\n".join(map(repr, examine(house.settings, NOW))).replace(str(house.settings.data_dir), "")
        db.session.rollback()
    close(app)
    read["database"] = dump(house.database)
    return read


def pages(app: Flask, house: House, when: str, who: Iterable[str]) -> dict[str, str]:
    read = {}
    with app.app_context():
        urls = list(addresses(app, house))
    for name in who:
        browser = Browser(app, house.cast[name])
        for url in urls:
            answer = browser.client.get(url)
            if answer.status_code == 200:
                read[f"{when}, {name}: {url}"] = TOKEN.sub("", content_of(answer.get_data()))
            answer.close()
    return read


def content_of(body: bytes) -> str:
    """The text of an answer; of a workbook that of its parts, without the time at which it was made."""
    if not body.startswith(b"PK"):
        return body.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        parts = [book.read(name) for name in sorted(book.namelist()) if not name.startswith("docProps/")]
    return b"\n".join(parts).decode("utf-8", "replace")


def addresses(app: Flask, house: House) -> Iterable[str]:
    """Every address that shows something, about Ada, about a colleague whose figures are told, about the cycle."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or not rule.arguments <= ARGUMENTS or rule.endpoint.startswith("health."):
            continue
        for who in ("ada", "bo") if rule.arguments & {"review_id", "person_id"} else ("ada",):
            known = {
                "cycle_id": house.told.cycle_id,
                "review_id": house.told.reviews[who],
                "person_id": house.cast[who].id,
                "scheme_id": 1,
            }
            yield adapter.build(rule.endpoint, {key: known[key] for key in rule.arguments})


def copies(folder: Path, count: int) -> list[House]:
    house = begun(folder / "original")
    made = []
    for number in range(count):
        place = folder / f"copy {number}" / "house"
        shutil.copytree(folder / "original", place)
        made.append(replace(house, settings=settings_in(place)))
    return made


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    return sorted(where for where in one.keys() | other.keys() if one.get(where) != other.get(where))


def test_other_hidden_ballots_change_no_byte_of_any_page_export_or_row(tmp_path: Path) -> None:
    first, second = copies(tmp_path, 2)
    one, other = lived(first, ONE), lived(second, OTHER)
    assert {"published, ada: /results/{}".format(first.told.reviews["ada"]), "database", "doctor"} <= one.keys()
    assert len(one) > 60
    assert differences(one, other) == []


def test_it_sees_a_hidden_mean_in_a_frozen_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same comparison with a product that keeps, well hidden, what it does not show."""
    first, second = copies(tmp_path, 2)
    said: list[Iterable[Answers]] = [ONE]
    source = working._source

    def telling(line: object) -> dict[str, object]:
        told = source(line)
        if told["reason"] == "below_minimum":
            told["debug"] = sum(len(answers) for answers in said[0])
        return told

    monkeypatch.setattr(working, "_source", telling)
    one = lived(first, said[0], ())
    said[0] = OTHER
    other = lived(second, said[0], ())
    assert "database" in differences(one, other)
