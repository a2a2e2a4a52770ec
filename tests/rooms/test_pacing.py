"""How fast letters leave: limits by domain that all workers share, pauses that hold letters back and lose none."""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from review.app import create_app
from review.infra import claims, mail, migrate, outbox, pacing
from review.infra.db import db
from review.infra.outbox import LetterRow, LetterState
from review.infra.settings import Settings
from tests.make import NOW, Cast, make_person
from tests.make_mail import KIND, left, make_letters
from tests.smtp import Moody, moody


@pytest.fixture
def post(settings: Settings) -> Iterator[Moody]:
    with moody(["250 ok"]) as server:
        app = create_app(replace(settings, smtp_url=server.url))
        with app.app_context():
            yield server
            db.session.remove()
            db.engine.dispose()


def send_for(minutes: int, every: int = 5, start: datetime = NOW) -> list[datetime]:
    """When each letter was sent, while a worker looks every few seconds for so many minutes."""
    for second in range(0, minutes * 60, every):
        while mail.send_due(start + timedelta(seconds=second)):
            pass
    found = list(db.session.scalars(select(LetterRow.sent_at).where(LetterRow.sent_at.is_not(None))))
    db.session.rollback()
    return sorted(found)  # type: ignore[type-var]


def busiest(times: list[datetime]) -> int:
    """The most letters within any sixty seconds."""
    return max(sum(when - pacing.MINUTE < other <= when for other in times) for when in times)


def test_no_sixty_seconds_see_more_letters_to_a_domain_than_its_limit(post: Moody) -> None:
    pacing.set_limits({"example.com": 7})
    make_letters(30)
    times = send_for(4)
    assert busiest(times) == 7
    assert 25 <= len(times) <= 30, "and the limit is used, not only kept"


def test_a_limited_domain_does_not_hold_up_the_others(post: Moody) -> None:
    pacing.set_limits({"slow.example": 2})
    make_letters(120, domains=("slow.example", "slow.example", "fast.example"))
    while mail.send_due(NOW):
        pass
    sent = Counter(db.session.scalars(select(LetterRow.domain).where(LetterRow.state == LetterState.SENT)))
    assert sent == {"slow.example": 2, "fast.example": 40}


def test_the_limit_of_all_others_holds_for_each_of_them_and_not_for_named_ones(post: Moody) -> None:
    pacing.set_limits({pacing.EVERY: 3, "big.example": 9})
    make_letters(40, domains=("one.example", "two.example", "big.example", "big.example"))
    while mail.send_due(NOW):
        pass
    sent = Counter(db.session.scalars(select(LetterRow.domain).where(LetterRow.state == LetterState.SENT)))
    assert sent == {"one.example": 3, "two.example": 3, "big.example": 9}


def test_a_letter_that_was_refused_counts_as_much_as_one_that_was_taken(settings: Settings) -> None:
    with moody(["451 later"]) as server:
        app = create_app(replace(settings, smtp_url=server.url))
        with app.app_context():
            pacing.set_limits({"example.com": 4})
            make_letters(20)
            while mail.send_due(NOW):
                pass
            assert sum(db.session.scalars(select(LetterRow.attempts))) == 4
            db.session.remove()
            db.engine.dispose()


@pytest.mark.parametrize(("domain", "count"), [("Example.com", 1), ("", 1), ("a.example", 0), ("a.example", 100_001)])
def test_the_database_refuses_limits_that_make_no_sense(post: Moody, domain: str, count: int) -> None:
    with pytest.raises(IntegrityError):
        pacing.set_limits({domain: count})


def test_letters_that_are_held_back_wait_and_leave_afterwards(app: Flask, cast: Cast, settings: Settings) -> None:
    with moody(["250 ok"]) as server:
        sending = create_app(replace(settings, smtp_url=server.url))
        with sending.app_context():
            make_letters(3)
            somebody = make_person("Zoe")
            outbox.put(
                "people:password_reset", "x", "zoe@example.com", "en", {"person": somebody.id, "until": 1}, now=NOW
            )
            assert pacing.pause(KIND, by=cast["hana"].id, now=NOW)
            assert not pacing.pause(KIND, by=cast["max"].id, now=NOW)
            db.session.commit()
            assert mail.send_due(NOW) == 1, "only the other kind"
            assert left() == 3
            pacing.pause(pacing.EVERY, by=cast["hana"].id, now=NOW)
            assert pacing.resume(KIND)
            assert not pacing.resume(KIND)
            db.session.commit()
            assert mail.send_due(NOW + timedelta(days=1)) == 0
            pacing.resume(pacing.EVERY)
            db.session.commit()
            assert mail.send_due(NOW + timedelta(days=1)) == 3
            db.session.remove()
            db.engine.dispose()


@pytest.mark.postgres
@pytest.mark.xdist_group("postgres")
def test_several_workers_share_the_letters_and_the_limit(postgres_url: str, urn_url: str, tmp_path: Path) -> None:
    """Three workers at once on PostgreSQL, sixty rounds of a second: each letter once, the limit never passed."""
    with moody(["250 ok"]) as server:
        made = Settings.from_env(
            {
                "REVIEW_DATA": str(tmp_path / "house"),
                "DATABASE_URL": postgres_url,
                "URN_URL": urn_url,
                "SMTP_URL": server.url,
            }
        )
        migrate.upgrade(made.database_url)
        app = create_app(made)
        with app.app_context():
            pacing.set_limits({"slow.example": 20})
            make_letters(200, domains=("slow.example", "fast.example"))
        gate, errors = threading.Barrier(3), []

        def work() -> None:
            with app.app_context():
                try:
                    for second in range(0, 70, 2):
                        gate.wait()
                        while mail.send_due(NOW + timedelta(seconds=second), most=7):
                            pass
                except Exception as error:  # noqa: BLE001  told by the test itself
                    errors.append(error)
                    gate.abort()
                finally:
                    db.session.remove()

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors
        with app.app_context():
            rows = db.session.execute(select(LetterRow.domain, LetterRow.sent_at).where(LetterRow.sent_at.is_not(None)))
            times = [when for domain, when in rows if domain == "slow.example"]
            assert busiest(times) <= 20
            assert len(times) == 40, "twenty in the first minute, twenty after it"
            assert set(db.session.scalars(select(LetterRow.attempts))) <= {0, 1}
            assert claims.claim(NOW, 1) == []
            db.session.remove()
            db.engine.dispose()
    assert len(server.received) == 140
    assert len({letter["Message-ID"] for letter in server.received}) == 140
