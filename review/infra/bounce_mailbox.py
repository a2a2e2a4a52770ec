"""Fetches reports of bounces from a mailbox over IMAP. Each counts once, however often it is fetched."""

import imaplib
import logging
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import unquote, urlsplit

from imap_tools import BaseMailBox, ImapToolsError, MailBox, MailBoxUnencrypted
from sqlalchemy.exc import SQLAlchemyError

from review.infra import bounces
from review.infra.bounce_report import MOST
from review.infra.bounces import Outcome
from review.infra.db import db
from review.infra.house import house

TIMEOUT = 30.0
AT_ONCE = 200  # messages a round; the next round takes the rest
FAILURES = (OSError, ImapToolsError, imaplib.IMAP4.error)  # what a mailbox that cannot be read raises

log = logging.getLogger(__name__)


@contextmanager
def opened(url: str, timeout: float = TIMEOUT) -> Iterator[BaseMailBox]:
    """The mailbox of `imaps://user:password@host[:port][/folder]`; `imap://` takes STARTTLS where it is offered."""
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    box: BaseMailBox
    if parts.scheme == "imaps":
        box = MailBox(host, parts.port or 993, timeout=timeout, ssl_context=ssl.create_default_context())
    else:
        box = MailBoxUnencrypted(host, parts.port or 143, timeout=timeout)
    try:
        if parts.scheme == "imap" and "STARTTLS" in box.client.capabilities:
            box.client.starttls(ssl_context=ssl.create_default_context())
        box.login(unquote(parts.username or ""), unquote(parts.password or ""), None)
        box.folder.set(unquote(parts.path.strip("/")) or "INBOX")
        yield box
    finally:
        try:
            box.client.logout()
        except Exception:  # noqa: BLE001  goodbye to a server that is gone already
            box.client.shutdown()


def poll(now: datetime) -> Counter[Outcome]:
    """Take every message nobody has looked at yet, each in a transaction of its own; what they were."""
    found: Counter[Outcome] = Counter()
    url = house().settings.bounce_imap
    if url is None:
        return found
    with opened(url) as box:
        for uid in box.uids("UNSEEN", charset=None)[:AT_ONCE]:
            outcome = _taken(_fetched(box, uid), now)
            found[outcome] += 1
            box.client.uid("STORE", uid, "+FLAGS", r"(\Seen)")
    return found


def _fetched(box: BaseMailBox, uid: str) -> bytes:
    """The beginning of a message, without marking it as seen: that comes once it has been acted on."""
    _status, answer = box.client.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MOST}>)")
    return next((bytes(part[1]) for part in answer or () if isinstance(part, tuple)), b"")


def _taken(raw: bytes, now: datetime) -> Outcome:
    try:
        outcome = bounces.take(raw, now)
    except SQLAlchemyError:
        db.session.rollback()
        raise  # the message stays unseen and is taken in the next round
    except Exception as error:
        db.session.rollback()
        log.warning("a message at the bounce address could not be read", exc_info=error)
        return Outcome.NO_BOUNCE
    db.session.commit()
    return outcome
