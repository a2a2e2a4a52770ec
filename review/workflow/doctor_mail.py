"""What the doctor says of the mail: server, return path and mailbox, letters that are late, links nobody reaches."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import func, select

from review.infra import mail_check, organisation, pacing
from review.infra.db import db
from review.infra.outbox import LetterRow, LetterState
from review.infra.settings import Settings
from review.workflow.finding import Finding

LATE = timedelta(hours=1)
HERE = frozenset({"localhost", "127.0.0.1", "::1"})


def look_over(settings: Settings, now: datetime, *, with_letters: bool) -> Iterator[Finding]:
    """Every check; those of the letters themselves only where the database has the newest schema."""
    if settings.smtp_url is None:
        yield Finding("workflow:mail_not_set_up", False)
    else:
        sender = settings.bounce_address or (organisation.current().mail_from if with_letters else "")
        db.session.rollback()
        tried = mail_check.try_server(settings.smtp_url, sender)
        yield Finding("workflow:mail_ok" if tried.is_ok else tried.code, tried.is_ok, tried.said)
        if urlsplit(settings.base_url).hostname in HERE and urlsplit(settings.smtp_url).hostname not in HERE:
            yield Finding("workflow:links_lead_nowhere", False, settings.base_url)
    yield from _what_comes_back(settings)
    if with_letters:
        yield from _letters(now)


def _what_comes_back(settings: Settings) -> Iterator[Finding]:
    if settings.bounce_address is None:
        yield Finding("workflow:bounces_unset", settings.bounce_imap is None)
    if settings.bounce_imap is not None:
        tried = mail_check.try_mailbox(settings.bounce_imap)
        yield Finding(tried.code, tried.is_ok, tried.said)


def _letters(now: datetime) -> Iterator[Finding]:
    """Letters that should have left long ago, and whether somebody holds them back."""
    held = sorted(pacing.paused())
    late = select(func.count()).where(
        LetterRow.state == LetterState.WAITING, LetterRow.send_after < now - LATE, pacing.may_leave()
    )
    count = db.session.scalar(late) or 0
    db.session.rollback()
    if held:
        yield Finding("workflow:mail_held_back", True, ", ".join(held))
    yield Finding("workflow:mail_late" if count else "workflow:mail_in_time", not count, str(count))
