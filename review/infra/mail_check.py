"""Tries the mail settings out: signs in to the server and the mailbox, sends nothing, and says what failed."""

import imaplib
import smtplib
from dataclasses import dataclass

from imap_tools import ImapToolsError, MailboxLoginError

from review.infra import bounce_mailbox, smtp_client
from review.infra.mail_answers import understood

PATIENCE = 10.0  # seconds: somebody waits for the page


@dataclass(frozen=True, slots=True)
class Tried:
    """`code` says what was found, `said` what the other side answered."""

    is_ok: bool
    code: str
    said: str = ""


def try_server(url: str, sender: str) -> Tried:
    """Connect, secure, sign in, and ask whether the server lets us write as `sender`."""
    try:
        with smtp_client.connection(url, PATIENCE) as opened:
            code, reply = opened.client.mail(sender)
            if code >= 400:
                return Tried(False, "mail:sender_refused", f"{code} {reply.decode('utf-8', 'replace')}")
            opened.client.rset()
    except (smtplib.SMTPException, OSError) as error:
        answer = understood(error)
        reason = "mail:hung_up" if answer.reason == "mail:broke_off" else answer.reason
        return Tried(False, reason, answer.text)
    return Tried(True, "mail:server_ok")


def try_mailbox(url: str) -> Tried:
    """Connect, secure, sign in and open the folder."""
    try:
        with bounce_mailbox.opened(url, PATIENCE):
            pass
    except MailboxLoginError as error:
        return Tried(False, "mail:mailbox_sign_in", str(error)[:200])
    except (ImapToolsError, imaplib.IMAP4.error) as error:
        return Tried(False, "mail:mailbox_folder", str(error)[:200])
    except OSError as error:
        answer = understood(error)
        reason = "mail:hung_up" if answer.reason == "mail:broke_off" else answer.reason
        return Tried(False, reason, answer.text)
    return Tried(True, "mail:mailbox_ok")
