"""Reads the Maildir that the demo's mail server writes, newest letter first."""

import mailbox
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Post:
    """One letter as it arrived. `key` names it in the mailbox."""

    key: str
    to: str
    sender: str
    subject: str
    sent_at: datetime
    text: str
    html: str


def _parsed(box: mailbox.Maildir, key: str) -> EmailMessage:
    return BytesParser(policy=policy.default).parsebytes(box.get_bytes(key))


def _post(key: str, message: EmailMessage) -> Post:
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    return Post(
        key=key,
        to=str(message["To"]),
        sender=str(message["From"]),
        subject=str(message["Subject"]),
        sent_at=parsedate_to_datetime(str(message["Date"])),
        text=plain.get_content() if plain else "",
        html=rich.get_content() if rich else "",
    )


def posts(folder: Path, to: str, most: int) -> tuple[list[Post], int]:
    """The newest letters whose recipient or subject contains `to`, and how many there are of them."""
    if not folder.is_dir():
        return [], 0
    box = mailbox.Maildir(folder, create=False)
    wanted = to.strip().casefold()
    found = []
    for key in box.keys():  # noqa: SIM118  a Maildir iterates over messages, not keys
        message = _parsed(box, key)
        if not wanted or wanted in f"{message['To']} {message['Subject']}".casefold():
            found.append(_post(key, message))
    found.sort(key=lambda post: (post.sent_at, post.key), reverse=True)
    return found[:most], len(found)


def post(folder: Path, key: str) -> Post | None:
    """One letter, None when there is none of that key."""
    if not folder.is_dir():
        return None
    box = mailbox.Maildir(folder, create=False)
    try:
        return _post(key, _parsed(box, key))
    except KeyError:
        return None
