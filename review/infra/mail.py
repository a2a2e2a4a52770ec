"""Renders letters and hands them to the SMTP server, one connection a batch. Only the worker calls this."""

import logging
import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import css_inline
from flask import current_app
from flask_babel import force_locale

from review.domain.refusals import Refusal
from review.infra import organisation, outbox
from review.infra.db import db, only_reading
from review.infra.house import house
from review.infra.outbox import LetterRow

BATCH = 50
RENEW_AFTER = outbox.LEASE.total_seconds() / 3
TIMEOUT = 30

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
    folder = f"letters/{row.kind.replace(':', '/')}"
    with force_locale(row.locale):
        context |= {"organisation": ours, "locale": row.locale, "base_url": house().settings.base_url}
        # Not by Flask's render_template: what it adds (who is signed in, where they can go) belongs to pages.
        templates = current_app.jinja_env
        subject = " ".join(templates.get_template(f"{folder}.subject.txt").render(context).split())
        text = templates.get_template(f"{folder}.txt").render(context).strip() + "\n"
        html = _inliner.inline(templates.get_template(f"{folder}.html").render(context))
    message = EmailMessage(_policy)
    message["Subject"] = subject
    message["From"] = Address(ours.name, addr_spec=ours.mail_from)
    message["To"] = Address(addr_spec=row.to)  # one address: commas and line breaks are refused here
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<letter-{row.id}@{ours.mail_from.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    for name, value in headers.items():
        message[name] = value
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


@contextmanager
def connection(url: str) -> Iterator[smtplib.SMTP]:
    """An SMTP connection to `smtp://[user:password@]host[:port]` (STARTTLS where offered) or `smtps://…`."""
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    if parts.scheme == "smtps":
        context = ssl.create_default_context()
        client: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT, context=context)
    else:
        client = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT)
    try:
        client.ehlo()
        if parts.scheme != "smtps" and client.has_extn("starttls"):
            client.starttls(context=ssl.create_default_context())
            client.ehlo()
        if parts.username:
            client.login(unquote(parts.username), unquote(parts.password or ""))
        yield client
    finally:
        try:
            client.quit()
        except (smtplib.SMTPException, OSError):
            client.close()


def send_due(now: datetime, most: int = BATCH) -> int:
    """Send the letters that are due, up to `most`; how many were taken. Without a mail server they wait."""
    url = house().settings.smtp_url
    if url is None:
        return 0
    rows = outbox.claim(now, most)
    waiting, began = list(rows), time.monotonic()
    held_since = began
    if not rows:
        return 0
    try:
        with connection(url) as client:
            while waiting:
                if time.monotonic() - held_since > RENEW_AFTER:  # a slow server: hold on to the rest of the batch
                    elapsed, held_since = timedelta(seconds=time.monotonic() - began), time.monotonic()
                    waiting = outbox.renew(waiting, now + elapsed)
                    continue
                _send(client, waiting.pop(0), now)
    except (smtplib.SMTPException, OSError) as error:
        # Only the letter on the wire has been tried; the rest must not use up their attempts on a broken connection.
        log.warning("the mail server broke off: %s", type(error).__name__)
        outbox.release(waiting, now, _told(error))
    return len(rows)


def _send(client: smtplib.SMTP, row: LetterRow, now: datetime) -> None:
    """Send one letter and note what became of it; raises only when the connection is of no more use."""
    message = _rendered(row, now)
    if message is None:
        return
    try:
        client.send_message(message)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
        outbox.mark_failed(row, now, _told(error), for_good=_is_final(error))
        if client.sock is None:  # smtplib hangs up after 421
            raise
    except (smtplib.SMTPNotSupportedError, ValueError) as error:
        outbox.mark_failed(row, now, _told(error), for_good=True)
    except (smtplib.SMTPException, OSError) as error:
        outbox.mark_failed(row, now, _told(error), for_good=False)
        raise
    else:
        outbox.mark_sent(row, now)


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
        outbox.mark_failed(row, now, str(refusal), for_good=True)
    except Exception as error:
        log.warning("letter %s could not be written", row.kind, exc_info=error)
        outbox.mark_failed(row, now, _told(error), for_good=False)
    return None


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _is_final(error: Any) -> bool:
    """Whether the server said 5xx about this one recipient or message."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(500 <= code < 600 for code, _ in error.recipients.values())
    return bool(500 <= error.smtp_code < 600)
