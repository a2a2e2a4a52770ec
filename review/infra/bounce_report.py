"""Reads what comes back: reports of failed delivery (RFC 3464), those of servers with ways of their own, complaints.

Notes of absence, receipts and warnings of a delay are no bounces. Nothing here trusts a report: see `bounces`.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message

from flufl.bounce import all_failures

from review.infra import return_path
from review.infra.mail_answers import ENHANCED, LONGEST, NO_SUCH_ADDRESS, of_status
from review.infra.suppression import Stopped

MOST = 256 * 2**10  # bytes that are read of a message: a report's beginning says all
TO = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to", "x-forwarded-to", "resent-to")
INNER = frozenset({"message/rfc822", "text/rfc822-headers", "message/rfc822-headers"})
COMPLAINED = "mail:complained"
UNDELIVERED = "mail:undelivered"
STATUS = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})")

# Codes that end in "failed" but say something of the moment, the letter or the sender, not of the address.
PASSING_SUBJECTS = frozenset({4, 5, 6, 7})


@dataclass(frozen=True, slots=True)
class Report:
    """`letters` are those whose return path stands in it, each with its seal; `kind` is None where it is no bounce.

    `recipients` are the addresses that a report without status codes speaks of: it counts for no other.
    """

    letters: tuple[tuple[int, str], ...]
    kind: Stopped | None
    reason: str
    said: str
    digest: str
    recipients: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class _Verdict:
    kind: Stopped | None = None
    reason: str = ""
    said: str = ""
    recipients: frozenset[str] | None = None


def read(raw: bytes, to: str | None = None) -> Report:
    """Read a message as it came; `to` is the address it was delivered to, where the mail server tells that apart."""
    message = message_from_bytes(raw[:MOST])
    verdict = _verdict(message)
    letters = tuple(
        dict.fromkeys(letter for text in _addresses(message, to) for letter in return_path.letters_in(text))
    )
    return Report(letters, verdict.kind, verdict.reason, verdict.said, _digest(message, raw), verdict.recipients)


def _digest(message: Message, raw: bytes) -> str:
    """The same for the same message, however it came in."""
    name = str(message.get("Message-ID") or "").strip()
    return hashlib.sha256(name.encode("utf-8", "replace") if name else raw).hexdigest()


def _addresses(message: Message, to: str | None) -> Iterator[str]:
    """Where our return path may stand: whom the report was delivered to, then the head of what it returns."""
    yield to or ""
    for name in TO:
        yield from (str(value) for value in message.get_all(name, []))
    for part in message.walk():
        if part.get_content_type() in INNER:
            payload = part.get_payload()
            inner = payload[0] if isinstance(payload, list) and payload else payload
            yield str(inner.get("Return-Path", "")) if isinstance(inner, Message) else str(inner)


def _verdict(message: Message) -> _Verdict:
    kind = str(message.get_param("report-type") or "").lower()
    if kind == "feedback-report":
        return _complaint(message)
    blocks = list(_blocks(message))
    if blocks:
        return _reported(blocks)
    if kind == "disposition-notification" or _is_automatic(message):
        return _Verdict()
    return _guessed(message)


def _complaint(message: Message) -> _Verdict:
    """The reader pressed "this is spam" (RFC 5965)."""
    for part in message.walk():
        if part.get_content_type() == "message/feedback-report" and "abuse" in part.as_string().lower():
            return _Verdict(Stopped.HARD, COMPLAINED, "abuse")
    return _Verdict()


def _blocks(message: Message) -> Iterator[Message]:
    """The parts of a delivery status that speak of a recipient each."""
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            payload = part.get_payload()
            yield from (block for block in payload if isinstance(block, Message) and block.get("Action"))


def _reported(blocks: Iterable[Message]) -> _Verdict:
    failed = [
        _of_block(block) for block in blocks if str(block["Action"]).strip().lower().startswith(("fail", "error"))
    ]
    hard = [verdict for verdict in failed if verdict.kind is Stopped.HARD]
    return next(iter(hard or failed), _Verdict())


def _of_block(block: Message) -> _Verdict:
    diagnostic = " ".join(str(block.get("Diagnostic-Code") or "").split())
    found = STATUS.match(str(block.get("Status") or ""))
    status = tuple(map(int, found.groups())) if found else (5, 0, 0)
    finer = ENHANCED.search(diagnostic)
    if finer and status[1:] == (0, 0):  # "5.0.0" says nothing; what the reader's server said often does
        status = tuple(map(int, finer.groups()))
    told = f"{'.'.join(map(str, status))} {diagnostic}".strip()[:LONGEST]
    return _of_status(status[0], status[1], status[2], told)


def _of_status(kind: int, subject: int, detail: int, told: str) -> _Verdict:
    answer = of_status(kind, subject, detail, told)
    if kind != 5 or answer.reason in {"mail:mailbox_full", "mail:too_large"}:
        return _Verdict(Stopped.SOFT, answer.reason if kind == 5 else _given_up(answer.reason), told)
    if subject in PASSING_SUBJECTS:
        return _Verdict(Stopped.SOFT, answer.reason, told)
    known = (subject, detail) in NO_SUCH_ADDRESS
    return _Verdict(Stopped.HARD, answer.reason if known else UNDELIVERED, told)


def _given_up(reason: str) -> str:
    """Our own relay tried until it gave up: what was "later" to it is undelivered to us."""
    return reason if reason == "mail:mailbox_full" else UNDELIVERED


def _is_automatic(message: Message) -> bool:
    """Notes of absence and other answers of programs, by the headers that such programs set (RFC 3834 and custom)."""
    answered = str(message.get("Auto-Submitted") or "no").split(";")[0].strip().lower() != "no"
    precedence = str(message.get("Precedence") or "").strip().lower() in {"auto_reply", "auto-reply"}
    odd = any(message.get(name) for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder"))
    return answered or precedence or odd


def _guessed(message: Message) -> _Verdict:
    """A report without status codes, by the ways of many mail servers. Only what it names as failed counts."""
    try:
        _delayed, failed = all_failures(message)
    except Exception:  # noqa: BLE001  detectors of other people's oddities meet odder ones; then it is no report
        return _Verdict()
    if not failed:
        return _Verdict()
    recipients = frozenset(one.decode("ascii", "replace").strip().lower() for one in failed)
    found = ENHANCED.search(_text(message))
    if found is None:
        return _Verdict(Stopped.HARD, UNDELIVERED, "", recipients)
    verdict = _of_status(int(found[1]), int(found[2]), int(found[3]), found[0])
    return _Verdict(verdict.kind, verdict.reason, verdict.said, recipients)


def _text(message: Message) -> str:
    for part in message.walk():
        if part.get_content_maintype() == "text":
            payload = part.get_payload(decode=True)
            return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else str(payload)
    return ""
