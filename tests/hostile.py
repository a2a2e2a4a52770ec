"""A mail server that misbehaves by its dice: it stalls, hangs up before or after a letter is safe, and says 421.

with hostile(seed=1) as server:
    server.url, server.kept             # every letter that reached its readers' side, as often as it did
    server.ambiguous                    # letters it kept without the sender ever learning that, by Message-ID
"""

import asyncio
import random
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

from review.infra.mail_catcher import Catcher

# What happens to a letter, in thousandths; the rest is taken and said to be.
MOODS = {
    "kept, then hangs up": 20,
    "kept, then stalls": 3,
    "hangs up": 20,
    "stalls": 3,
    "421 closing": 20,
    "451 later": 30,
    "rcpt 421 closing": 15,
    "rcpt 450 greylisted": 30,
}


@dataclass
class Hostile:
    seed: int
    stall: float  # seconds, longer than the sender waits
    moods: dict[str, int] = field(default_factory=lambda: dict(MOODS))
    url: str = ""
    kept: list[EmailMessage] = field(default_factory=list)
    ambiguous: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        self._mood = "ok"

    def _roll(self) -> str:
        rolled = self._dice.randrange(1000)
        for mood, share in self.moods.items():
            if rolled < share:
                return mood
            rolled -= share
        return "ok"

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        mood = self._roll()
        self.met[mood] += 1
        if mood.startswith("rcpt "):
            return mood.removeprefix("rcpt ")
        envelope.x_mood = mood  # type: ignore[attr-defined]
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        mood: str = envelope.x_mood  # type: ignore[attr-defined]
        letter = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        if mood == "ok" or mood.startswith("kept"):
            self.kept.append(letter)  # type: ignore[arg-type]
        if mood.startswith("kept"):
            self.ambiguous[str(letter["Message-ID"])] += 1
        if mood.endswith("stalls"):
            await asyncio.sleep(self.stall)
        if mood.endswith(("stalls", "hangs up")) and server.transport is not None:
            server.transport.close()
        return mood if mood[0].isdigit() else "250 ok"


@contextmanager
def hostile(seed: int, stall: float = 1.0, moods: dict[str, int] | None = None) -> Iterator[Hostile]:
    server = Hostile(seed, stall, dict(MOODS if moods is None else moods))
    with Catcher(server) as running:
        server.url = running.url
        yield server


@contextmanager
def dribbling(every: float) -> Iterator[str]:
    """A server that answers everything one byte at a time and never gets to the end; its address."""
    import threading

    listening, over = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def serve() -> None:
        taken: list[socket.socket] = []
        while not over.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                break
            taken.append(connection)
            threading.Thread(target=dribble, args=(connection,)).start()

    def dribble(connection: socket.socket) -> None:
        with connection:
            try:
                connection.sendall(b"220-")
                while not over.wait(every):
                    connection.sendall(b"x")
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"smtp://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
