"""Renders letters and hands them to the SMTP server, one connection a batch. Only the worker calls this.

A server that says no, later, or nothing at all costs no letter. Where nobody can know whether one arrived (the
connection broke after its last byte, the worker was killed), it is sent again under the same Message-ID.
"""

import logging
import smtplib
from datetime import datetime, timedelta
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from time import monotonic
from typing import Any

import css_inline
from flask import current_app
from flask_babel import force_locale

from review.domain.refusals import Refusal
from review.infra import claims, mail_server, organisation, return_path, suppression, wording
from review.infra.db import db, only_reading
from review.infra.house import house
from review.infra.mail_answers import LONGEST, Answer, understood
from review.infra.outbox import LetterRow
from review.infra.smtp_client import Connection, connection
from review.infra.suppression import Stopped

BATCH = 50
RENEW_AFTER = claims.LEASE.total_seconds() / 3
REFUSED_IN_A_ROW = 10  # then it is not the addresses: the server takes nothing from us, and no letter is to suffer

log = logging.getLogger(__name__)
_inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)


class _AsItIs(UnstructuredHeader):
    """A header that is written in one line: folding would encode a long address, and no mail program would know it."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]


_headers = HeaderRegistry()
for _name in ("list-unsubscribe", "list-unsubscribe-post"):
    _headers.map_to_type(_name, _AsItIs)  # type: ignore[arg-type]
_policy = SMTP.clone(header_factory=_headers)


def render(row: LetterRow, now: datetime) -> EmailMessage:
    """The letter as a message: subject, plain text and HTML from its three templates, in the reader's language.

    The Message-ID depends on the row alone, so that a repeat after a crash is recognisable as one.
    """
    ours = organisation.current()
    context = dict(house().letters[row.kind](row.params))
    headers: dict[str, str] = context.pop("headers", {})
    subject, text, html = parts(context.pop("as_kind", row.kind), context, row.locale)
    message = EmailMessage(_policy)
    message["Subject"] = subject
    message["From"] = Address(ours.name, addr_spec=ours.mail_from)
    message["To"] = Address(addr_spec=row.to)  # one address: commas and line breaks are refused here
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id(row, ours.mail_from)
    message["Auto-Submitted"] = "auto-generated"
    for name, value in headers.items():
        message[name] = value
    message.set_content(text)
    message.add_alternative(_inliner.inline(html), subtype="html")
    return message


def parts(kind: str, context: dict[str, Any], locale: str) -> tuple[str, str, str]:
    """Subject, plain text and HTML (its style still in one block) of a letter of this kind about these facts."""
    folder = f"letters/{kind.replace(':', '/')}"
    if kind in house().worded:
        context = context | {"words": wording.filled(kind, locale, context, context.get("words"))}
    with force_locale(locale):
        context |= {"organisation": organisation.current(), "locale": locale, "base_url": house().settings.base_url}
        # Not by Flask's render_template: what it adds (who is signed in, where they can go) belongs to pages.
        templates = current_app.jinja_env
        subject = " ".join(templates.get_template(f"{folder}.subject.txt").render(context).split())
        text = templates.get_template(f"{folder}.txt").render(context).strip() + "\n"
        return subject, text, templates.get_template(f"{folder}.html").render(context)


def message_id(row: LetterRow, sender: str) -> str:
    """The same at every attempt, another for every letter of every installation, and nothing anybody could guess."""
    return f"<{house().links.token('message', row.id)[:32]}.{row.id}@{sender.rpartition('@')[2]}>"


class _Batch:
    """Letters under way on one connection, on the clock of the machine: `now` was true when they were claimed."""

    def __init__(self, rows: list[LetterRow], now: datetime) -> None:
        self.waiting = list(rows)
        self.accepted = self.refused_in_a_row = 0
        self._began, self._now = monotonic(), now
        self._held_since = self._began

    def now(self) -> datetime:
        return self._now + timedelta(seconds=monotonic() - self._began)

    def hold_on(self) -> None:
        """A slow server: keep the claim on what is still to come."""
        if monotonic() - self._held_since > RENEW_AFTER:
            self._held_since = monotonic()
            self.waiting = claims.renew(self.waiting, self.now())

    def note(self, row: LetterRow, answer: Answer) -> None:
        """The server does not take this letter, or not now."""
        claims.mark_failed(row, self.now(), answer.reason, answer.text, for_good=answer.is_final)
        self.refused_in_a_row += 1
        if answer.address_is_bad:
            suppression.stop(row.to, Stopped.HARD, answer.reason, answer.text, letter_id=row.id, now=self.now())
            db.session.commit()


def send_due(now: datetime, most: int = BATCH) -> int:
    """Send the letters that are due, up to `most`; how many were taken. Without a mail server they wait."""
    url = house().settings.smtp_url
    if url is None or mail_server.rests(now):
        return 0
    rows = claims.claim(now, most)
    if not rows:
        return 0
    batch = _Batch(_writable(rows, now), now)
    try:
        if batch.waiting:
            with connection(url) as opened:
                while batch.waiting:
                    batch.hold_on()
                    if batch.waiting:
                        _send(opened, batch)
    except (smtplib.SMTPException, OSError) as error:
        # Only the letter on the wire has been tried; the rest must not use up their attempts on a broken connection.
        answer = understood(error)
        log.warning("the mail server broke off: %s", answer.reason)
        claims.release(batch.waiting, answer.reason, answer.text)
        mail_server.broke_off(batch.now(), answer.reason, answer.text, did_work=batch.accepted > 0)
    return len(rows)


def _writable(rows: list[LetterRow], now: datetime) -> list[LetterRow]:
    """Those whose address is written to; the others are noted."""
    with only_reading():
        stopped = suppression.stopped_of(row.to for row in rows)
        db.session.rollback()
    for row in rows:
        if suppression.plain(row.to) in stopped:
            claims.mark_failed(row, now, "mail:suppressed", "", for_good=True)
    return [row for row in rows if suppression.plain(row.to) not in stopped]


def _send(opened: Connection, batch: _Batch) -> None:
    """Send the next letter and note what became of it; raises only when the connection is of no more use."""
    row = batch.waiting.pop(0)
    message = _rendered(row, batch.now())
    if message is None:
        return
    opened.begin()
    try:
        opened.client.send_message(message, from_addr=return_path.address_for(row), to_addrs=[row.to])
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
        batch.note(row, understood(error))
        if opened.client.sock is None or batch.refused_in_a_row >= REFUSED_IN_A_ROW:  # smtplib hangs up after 421
            raise
    except (smtplib.SMTPNotSupportedError, ValueError) as error:
        batch.note(row, understood(error))
    except (smtplib.SMTPException, OSError) as error:
        batch.note(row, understood(error))
        raise
    else:
        claims.mark_sent(row, batch.now())
        mail_server.works()
        batch.accepted, batch.refused_in_a_row = batch.accepted + 1, 0


def _rendered(row: LetterRow, now: datetime) -> EmailMessage | None:
    """The message, or None after noting why there is none."""
    try:
        with only_reading():
            try:
                return render(row, now)
            finally:
                db.session.rollback()  # nothing stays open while a slow server is talked to
    except Refusal as refusal:
        # A refusal is an answer: what the letter is about is over, and will be at the next attempt.
        claims.mark_failed(row, now, "mail:matter_is_over", str(refusal), for_good=True)
    except Exception as error:
        log.warning("letter %s could not be written", row.kind, exc_info=error)
        told = f"{type(error).__name__}: {error}"[:LONGEST]
        claims.mark_failed(row, now, "mail:not_written", told, for_good=False)
    return None
