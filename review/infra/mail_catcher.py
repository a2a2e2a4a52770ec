"""A mail server for this machine alone: takes every letter over SMTP and writes it into a Maildir folder.

`python3 -m review.infra.mail_catcher FOLDER [--port PORT]` prints the SMTP_URL to send to. It listens on the loopback
address and passes nothing on.
"""

import argparse
import contextlib
import mailbox
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

LOOPBACK = "127.0.0.1"
LARGEST = 10 * 2**20


class Keeper:
    """Writes what the server accepts into the folder, envelope addresses as headers on top."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        open_maildir(folder)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        content = envelope.original_content or b""
        heads = [f"X-Envelope-From: {envelope.mail_from}", *(f"X-Envelope-To: {to}" for to in envelope.rcpt_tos)]
        with self._lock:
            open_maildir(self._folder).add("\r\n".join(heads).encode() + b"\r\n" + content)
        return "250 kept"


class Catcher(Controller):
    """The server; `port` 0 takes a free one. Use it with `with`, or start and stop it."""

    def __init__(self, handler: Any, port: int = 0) -> None:
        self._socket = socket.create_server((LOOPBACK, port))
        super().__init__(handler, LOOPBACK, self._socket.getsockname()[1], data_size_limit=LARGEST)

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._socket)

    @property
    def url(self) -> str:
        return f"smtp://{LOOPBACK}:{self.port}"

    def __enter__(self) -> "Catcher":
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()


def open_maildir(folder: Path) -> mailbox.Maildir:
    """The folder as a mailbox, made if it is not there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return mailbox.Maildir(folder, create=True)


def letters(folder: Path) -> Iterator[tuple[str, EmailMessage]]:
    """Every letter in the folder with its key, oldest first."""
    box = open_maildir(folder)
    files = [(key, folder / box._lookup(key)) for key in box.keys()]  # type: ignore[attr-defined]  # noqa: SIM118
    for key, path in sorted(files, key=lambda each: (each[1].stat().st_mtime_ns, each[0])):
        with contextlib.suppress(FileNotFoundError):
            yield key, message_from_bytes(path.read_bytes(), policy=policy.default)


def main() -> None:
    parser = argparse.ArgumentParser(prog="review.infra.mail_catcher", description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    with Catcher(Keeper(given.folder), given.port) as catcher:
        sys.stdout.write(f"{catcher.url}\n")
        sys.stdout.flush()
        stop.wait()


if __name__ == "__main__":
    main()
