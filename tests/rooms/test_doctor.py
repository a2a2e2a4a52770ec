"""The doctor tells what is wrong with urns and keys, whose they are, and that each finding has words."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import NullPool, create_engine, text

from review.app import create_app
from review.ballots import keys
from review.ballots import service as ballots
from review.ballots.postgres_urn import PostgresUrn
from review.domain.cycle import Stage
from review.infra import outbox, pacing
from review.infra.db import db
from review.infra.preconditions import archives_wal
from review.infra.settings import Settings
from review.infra.words import say
from review.workflow import doctor_mail, doctor_urns
from review.workflow.doctor import examine
from review.workflow.finding import Finding
from tests.imap import imap_server
from tests.make import NOW, Cast, make_person
from tests.make_cycle import make_cycle, set_stage
from tests.make_peers import seat_team
from tests.postgres import cluster, new_database
from tests.smtp import moody

Look = Callable[[], dict[str, Finding]]


@pytest.fixture
def cycle(app: Flask, cast: Cast) -> Iterator[int]:
    with app.app_context():
        made = make_cycle(cast)
        seat_team(made, cast)
        db.session.commit()
        yield made


@pytest.fixture
def look(settings: Settings) -> Look:
    """All findings by code; every one of them has words in both languages."""

    def findings() -> dict[str, Finding]:
        found = {finding.code: finding for finding in examine(settings, NOW)}
        for finding in found.values():
            for locale in ("zh", "en"):
                assert say(finding.problem, locale) != finding.code, f"{finding.code} has no words in {locale}"
        return found

    return findings


def test_an_urn_with_its_keys_is_as_it_should_be(cycle: int, look: Look) -> None:
    found = look()
    for code in ("preconditions_ok", "keys_ok", "key_files_ok", "urn_ok", "urns_match"):
        assert found[f"workflow:{code}"].is_ok, code


def test_keys_of_a_running_cycle_that_are_gone_are_missed(cycle: int, look: Look, settings: Settings) -> None:
    (settings.keys_dir / f"urn-{cycle}.key").unlink()
    missed = look()["workflow:running_without_keys"]
    assert (missed.is_ok, missed.detail) == (False, str(cycle))


def test_urns_and_keys_of_cycles_that_are_over_are_left_over(cycle: int, look: Look) -> None:
    set_stage(cycle, Stage.PUBLISHED)
    db.session.commit()
    found = look()
    assert found["workflow:urns_left"].detail == str(cycle)
    assert found["workflow:keys_left"].detail == str(cycle)


def test_keys_and_urns_of_cycles_nobody_knows_are_left_over(
    app: Flask, cast: Cast, look: Look, settings: Settings
) -> None:
    (settings.keys_dir / "seal-77.key").touch(0o600)
    (settings.keys_dir / "tickets-78").mkdir(0o700)
    with app.app_context():
        assert look()["workflow:keys_left"].detail == "77, 78"


def test_keys_made_before_the_launch_are_where_they_belong(
    app: Flask, cast: Cast, look: Look, settings: Settings
) -> None:
    with app.app_context():
        coming = make_cycle(cast, Stage.DRAFT)
        db.session.commit()
        (settings.keys_dir / f"seal-{coming}.wrapped").touch(0o600)
        assert look()["workflow:urns_match"].is_ok


def test_a_cycle_that_runs_though_it_was_destroyed_is_named(cycle: int, look: Look, settings: Settings) -> None:
    keys.remember(settings.keys_dir, cycle, ballots._mark(cycle))
    assert look()["workflow:running_but_destroyed"].detail == str(cycle)


def test_keys_and_urns_that_others_can_read_are_named(cycle: int, look: Look, settings: Settings) -> None:
    (settings.keys_dir / f"urn-{cycle}.key").chmod(0o640)
    (settings.data_dir / "urns" / f"{cycle}.sqlite").chmod(0o644)
    found = look()
    assert f"urn-{cycle}.key" in found["workflow:key_files_readable"].detail
    assert not found["workflow:urn_readable_by_others"].is_ok


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ballot ADD COLUMN cast_at TEXT",
        "CREATE TABLE log (at TEXT)",
        "CREATE TRIGGER noted AFTER INSERT ON ballot BEGIN SELECT 1; END",
        "PRAGMA journal_mode=WAL",
    ],
)
def test_an_urn_that_could_keep_more_than_ballots_is_unsafe(
    cycle: int, look: Look, settings: Settings, statement: str
) -> None:
    with closing(sqlite3.connect(settings.data_dir / "urns" / f"{cycle}.sqlite")) as urn:
        urn.execute(statement)
        urn.commit()
    assert not look()["workflow:urn_unsafe"].is_ok


def test_an_urn_that_cannot_be_read_is_named(cycle: int, look: Look, settings: Settings) -> None:
    (settings.data_dir / "urns" / f"{cycle}.sqlite").write_bytes(b"no database at all" * 100)
    assert look()["workflow:urn_unreadable"].detail == f"{cycle}.sqlite"


@pytest.mark.postgres
def test_urns_on_postgresql_hold_ballots_in_leaves_and_nothing_else(settings: Settings, urn_url: str) -> None:
    away = replace(settings, urn_url=urn_url)
    urn = PostgresUrn(urn_url, 7)
    urn.create()
    for number in range(300):
        urn.put(number.to_bytes(2, "big") * 16, 1, bytes(50))
    assert [(f.code, f.detail) for f in looked(away)] == [("workflow:urn_ok", "urn_7")]
    engine = create_engine(urn_url, poolclass=NullPool)
    for statement, undo in (
        ("ALTER TABLE urn_7.ballot ADD COLUMN cast_at timestamptz", "ALTER TABLE urn_7.ballot DROP COLUMN cast_at"),
        ("CREATE TABLE urn_7.log (at timestamptz)", "DROP TABLE urn_7.log"),
        ("CREATE SEQUENCE urn_7.turn", "DROP SEQUENCE urn_7.turn"),
        ("CREATE INDEX later ON urn_7.ballot (version)", "DROP INDEX urn_7.later"),
        ("ALTER TABLE urn_7.ballot ALTER version SET DEFAULT 1", "ALTER TABLE urn_7.ballot ALTER version DROP DEFAULT"),
    ):
        with engine.begin() as connection:
            connection.execute(text(statement))
        assert [f.code for f in looked(away)] == ["workflow:urn_unsafe"], statement
        with engine.begin() as connection:
            connection.execute(text(undo))
    assert [f.code for f in looked(away)] == ["workflow:urn_ok"]


def looked(settings: Settings) -> list[Finding]:
    found = doctor_urns.look_over(settings, with_cycles=False)
    return [finding for finding in found if finding.code != "workflow:key_files_ok"]


@pytest.mark.postgres
def test_a_server_that_archives_its_log_is_a_warning_and_no_refusal(settings: Settings, postgres_url: str) -> None:
    with cluster("-c archive_mode=on -c archive_command=/bin/true") as server:
        away = replace(settings, database_url=postgres_url, urn_url=new_database(server))
        assert archives_wal(str(away.urn_url))
        assert create_app(away).name == "review"
        assert [f.code for f in looked(away)] == ["workflow:urn_wal_archived"]
    assert [f.code for f in looked(away)] == ["workflow:urn_server_unreachable"]


def test_mail_is_looked_over_and_what_is_wrong_is_named(app: Flask, settings: Settings) -> None:
    def codes(made: Settings, now: datetime = NOW) -> dict[str, Finding]:
        with app.app_context():
            found = {finding.code: finding for finding in doctor_mail.look_over(made, now, with_letters=True)}
        for finding in found.values():
            for locale in ("zh", "en"):
                assert say(finding.problem, locale) != finding.code, f"{finding.code} has no words in {locale}"
        return found

    assert not codes(settings)["workflow:mail_not_set_up"].is_ok
    assert codes(settings)["workflow:bounces_unset"].is_ok
    with moody(["250 ok"]) as server, imap_server() as box:
        here = replace(settings, smtp_url=server.url, bounce_address="b@example.com", bounce_imap=box.url)
        assert [(code, one.is_ok) for code, one in codes(here).items()] == [
            ("workflow:mail_ok", True),
            ("mail:mailbox_ok", True),
            ("workflow:mail_in_time", True),
        ]
        wrong = codes(replace(here, bounce_imap=f"{box.url}/Elsewhere", bounce_address=None))
        assert not wrong["mail:mailbox_folder"].is_ok
        assert not wrong["workflow:bounces_unset"].is_ok, "a mailbox without an address reads what never comes"
    assert not codes(here)["mail:unreachable"].is_ok
    with app.app_context():
        outbox.put("people:activation", "person:1", "a@example.com", "zh", {}, now=NOW)
        db.session.commit()
    later = NOW + timedelta(hours=2)
    assert codes(here, NOW + timedelta(minutes=50))["workflow:mail_in_time"].is_ok
    assert codes(here, later)["workflow:mail_late"].detail == "1"
    with app.app_context():
        made = make_person("Hana")
        pacing.pause("people:activation", by=made.id, now=NOW)
        db.session.commit()
    found = codes(here, later)
    assert found["workflow:mail_held_back"].detail == "people:activation"
    assert found["workflow:mail_in_time"].is_ok, "what is held back by hand is not late"


def test_links_to_this_machine_in_letters_to_others_are_told(app: Flask, settings: Settings) -> None:
    elsewhere = replace(settings, smtp_url="smtp://relay.invalid:25")
    with app.app_context():
        codes = {finding.code for finding in doctor_mail.look_over(elsewhere, NOW, with_letters=False)}
    assert {"mail:name_unknown", "workflow:links_lead_nowhere"} <= codes
