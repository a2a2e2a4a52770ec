"""Reports of bounces as mail servers write them, for tests: `dsn` by the standard, others in ways of their own."""

from email.message import EmailMessage


def dsn(
    to: str,
    recipient: str,
    *,
    action: str = "failed",
    status: str = "5.1.1",
    said: str = "smtp; 550 5.1.1 no such user",
    name: str = "<dsn-1@mx.example>",
    returned: str = "",
) -> bytes:
    """A report by RFC 3464; `to` is where it is sent, `returned` the return path in the head of the returned letter."""
    return (
        f"From: Mail Delivery System <MAILER-DAEMON@mx.example>\nTo: {to}\nMessage-ID: {name}\n"
        "Subject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nI could not deliver your message.\n\n"
        "--b\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.example\nArrival-Date: Wed, 1 Apr 2026 08:00:00 +0000\n\n"
        f"Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: {said}\n\n"
        f"--b\nContent-Type: text/rfc822-headers\n\n{f'Return-Path: <{returned}>' if returned else 'X-Nothing: here'}\n"
        f"To: {recipient}\nSubject: Survey\n\n--b--\n"
    ).encode()


def qmail(to: str, recipient: str, why: str = "Sorry, no mailbox here by that name. (#5.1.1)") -> bytes:
    """A report of qmail: plain text, no status part."""
    return (
        f"From: MAILER-DAEMON@mx.example\nTo: {to}\nMessage-ID: <qmail-1@mx.example>\nSubject: failure notice\n\n"
        "Hi. This is the qmail-send program at mx.example.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        f"<{recipient}>:\n{why}\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <{to}>\n"
    ).encode()


def absence(to: str, recipient: str = "reader@customer.example") -> bytes:
    """A note of absence, as programs send it, that quotes a report of a bounce; only its head tells what it is."""
    note = EmailMessage()
    note["From"], note["To"], note["Message-ID"] = recipient, to, "<away@customer.example>"
    note["Subject"], note["Auto-Submitted"] = "Out of office", "auto-replied (vacation)"
    note.set_content(qmail(to, recipient).partition(b"\n\n")[2].decode())
    return note.as_bytes()


def complaint(to: str, returned: str) -> bytes:
    """What a provider sends when a reader presses "this is spam" (RFC 5965)."""
    return (
        f"From: feedback@provider.example\nTo: {to}\nMessage-ID: <arf-1@provider.example>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nThis is an email abuse report.\n\n"
        "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: Provider/1\nVersion: 1\n\n"
        f"--b\nContent-Type: message/rfc822\n\nReturn-Path: <{returned}>\nSubject: Survey\n\nbody\n\n--b--\n"
    ).encode()
