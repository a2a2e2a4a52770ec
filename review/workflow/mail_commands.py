"""`bounce`: takes what comes back from a mail server's pipe, or from the mailbox; for programs, so it says one line."""

import os
import sys

import click
from sqlalchemy.exc import SQLAlchemyError

from review.domain.refusals import Invalid, Problem
from review.infra import bounce_mailbox, bounces
from review.infra.bounce_mailbox import FAILURES
from review.infra.bounce_report import MOST
from review.infra.clock import now as clock_now
from review.infra.command import with_app
from review.infra.db import db
from review.infra.house import house
from review.infra.i18n import caller_locale
from review.infra.words import say

TRY_AGAIN = 75  # EX_TEMPFAIL: the mail server keeps the message and comes back


@click.command("bounce")
@click.option(
    "--to", help="The address it was delivered to; without it ORIGINAL_RECIPIENT, else what the message says."
)
@click.option("--mailbox", is_flag=True, help="Look into the mailbox of BOUNCE_IMAP instead of reading a message.")
@with_app
def bounce_command(to: str | None, mailbox: bool) -> None:
    """Read one message that came to the bounce address from standard input and act on it.

    Whatever the message is, the exit status is 0, so that nothing bounces back at a bounce; 75 while the database
    does not answer.
    """
    if mailbox:
        _look_into_mailbox()
        return
    raw = sys.stdin.buffer.read(MOST)
    while sys.stdin.buffer.read(MOST):  # read to the end, or the mail server's pipe breaks
        pass
    try:
        outcome = bounces.take(raw, clock_now(), to or os.environ.get("ORIGINAL_RECIPIENT"))
        db.session.commit()
    except SQLAlchemyError:
        db.session.rollback()
        sys.exit(TRY_AGAIN)
    _tell(f"workflow:bounce_{outcome.value}")


def _look_into_mailbox() -> None:
    if house().settings.bounce_imap is None:
        raise Invalid("workflow:no_bounce_mailbox")
    try:
        found = bounce_mailbox.poll(clock_now())
    except FAILURES as error:
        raise Invalid("workflow:bounce_mailbox_unreadable", detail=f"{type(error).__name__}: {error}") from None
    for outcome, count in found.items():
        click.echo(f"{count}  {say(Problem(f'workflow:bounce_{outcome.value}'), caller_locale())}")
    if not found:
        _tell("workflow:bounce_mailbox_empty")


def _tell(code: str) -> None:
    click.echo(say(Problem(code), caller_locale()))


commands: list[click.Command] = [bounce_command]
