"""Renders letters and hands them to the SMTP server, one connection a batch. Only the worker calls this."""

import logging
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import css_inline
from flask import render_template
from flask_babel import force_locale

from review.infra import organisation, outbox
from review.infra.house import house
from review.infra.outbox import LetterRow

BATCH = 50

log = logging.getLogger(__name__)
_inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)


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
        subject = " ".join(render_template(f"{folder}.subject.txt", **context).split())
        text = render_template(f"{folder}.txt", **context).strip() + "\n"
        html = _inliner.inline(render_template(f"{folder}.html", **context))
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = Address(ours.name, addr_spec=ours.mail_from)
    message["To"] = row.to
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
        client: smtplib.SMTP = smtplib.SMTP_SSL(
            host, parts.port or 465, timeout=30, context=ssl.create_default_context()
        )
    else:
        client = smtplib.SMTP(host, parts.port or 25, timeout=30)
        client.ehlo()
        if client.has_extn("starttls"):
            client.starttls(context=ssl.create_default_context())
            client.ehlo()
    try:
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
    if not rows:
        return 0
    try:
        with connection(url) as client:
            for row in rows:
                _send(client, row, now)
    except (smtplib.SMTPException, OSError) as error:
        log.warning("the mail server did not answer: %s", error)
        for row in rows:
            _put_back(row, now, error)
    return len(rows)


def _send(client: smtplib.SMTP, row: LetterRow, now: datetime) -> None:
    try:
        message = render(row, now)
    except Exception as error:
        outbox.mark_failed(row, now, f"{type(error).__name__}: {error}", for_good=False)
        log.warning("letter %s could not be written", row.kind, exc_info=error)
        row.state = outbox.LetterState.FAILED
        return
    try:
        client.send_message(message)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
        outbox.mark_failed(row, now, str(error), for_good=_is_final(error))
        row.state = outbox.LetterState.FAILED
        client.rset()
    else:
        outbox.mark_sent(row, now)
        row.state = outbox.LetterState.SENT


def _is_final(error: Any) -> bool:
    """Whether the server said 5xx about this one recipient or message."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(500 <= code < 600 for code, _ in error.recipients.values())
    return bool(500 <= error.smtp_code < 600)


def _put_back(row: LetterRow, now: datetime, error: Exception) -> None:
    if row.state is outbox.LetterState.SENDING:
        outbox.mark_failed(row, now, f"{type(error).__name__}: {error}", for_good=False)
