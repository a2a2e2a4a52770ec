"""What a mail server's no means: whether the letter, the address, or the connection is at fault, and for how long."""

import re
import smtplib
import socket
import ssl
from dataclasses import dataclass

ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
LONGEST = 500

# Enhanced status codes (RFC 3463, RFC 7505): what they say of the address, of the mailbox, of the letter.
NO_SUCH_ADDRESS = frozenset({(1, 0), (1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (2, 1)})
MAILBOX_FULL = frozenset({(2, 2)})
TOO_LARGE = frozenset({(2, 3), (3, 4)})


@dataclass(frozen=True, slots=True)
class Answer:
    """`is_final`: the same letter to the same address would be refused again. `address_is_bad`: so would any other."""

    reason: str
    text: str
    is_final: bool = False
    address_is_bad: bool = False


def understood(error: Exception) -> Answer:
    """What an exception of smtplib, of the socket or of the message says."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        return of_reply(code, said)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Answer("mail:sign_in", _told(error))
    if isinstance(error, smtplib.SMTPSenderRefused):
        # Not about this letter alone: the server does not take this sender. The letter may be tried another time.
        return Answer("mail:sender_refused" if error.smtp_code >= 500 else "mail:busy", _told(error))
    if isinstance(error, smtplib.SMTPResponseException):
        return of_reply(error.smtp_code, error.smtp_error)
    for kind, reason in _KINDS:
        if isinstance(error, kind):
            return Answer(reason, _told(error), is_final=isinstance(error, _FINAL))
    return Answer("mail:broke_off", _told(error))


_FINAL = (smtplib.SMTPNotSupportedError, ValueError)
_KINDS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "mail:stalled"),
    (socket.gaierror, "mail:name_unknown"),
    (ssl.SSLError, "mail:tls"),
    (ConnectionRefusedError, "mail:unreachable"),
    (smtplib.SMTPNotSupportedError, "mail:not_supported"),
    (smtplib.SMTPServerDisconnected, "mail:broke_off"),
    (smtplib.SMTPException, "mail:broke_off"),
    (ConnectionError, "mail:broke_off"),
    (OSError, "mail:unreachable"),
    (ValueError, "mail:not_an_address"),
)


def of_reply(code: int, said: bytes | str) -> Answer:
    """A reply with its code, as the SMTP standard and the enhanced codes in its text read."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    told = f"{code} {' '.join(text.split())}"[:LONGEST]
    found = ENHANCED.search(text)
    if found is None:
        return _plain(code, told)
    return of_status(int(found[1]), int(found[2]), int(found[3]), told, code=code)


def of_status(kind: int, subject: int, detail: int, told: str, *, code: int = 0) -> Answer:
    """An enhanced status code: `5.1.1` is no such mailbox, `4.2.2` one that is full."""
    is_final = code >= 500 if code else kind == 5
    about = (subject, detail)
    if about in NO_SUCH_ADDRESS and is_final and kind == 5:
        return Answer("mail:no_such_address", told, is_final=True, address_is_bad=True)
    if about in MAILBOX_FULL:
        return Answer("mail:mailbox_full", told)
    if about in TOO_LARGE:
        return Answer("mail:too_large", told, is_final=is_final)
    if subject == 7 and is_final:
        return Answer("mail:refused_by_policy", told, is_final=True)
    return _plain(code or (550 if is_final else 451), told)


def _plain(code: int, told: str) -> Answer:
    if code >= 500:
        return Answer("mail:refused", told, is_final=True)
    if code in {450, 451}:
        return Answer("mail:later", told)
    return Answer("mail:mailbox_full" if code == 452 else "mail:busy", told)


def _told(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return f"{error.smtp_code} {' '.join(text.split())}"[:LONGEST]
    return f"{type(error).__name__}: {error}"[:LONGEST]
