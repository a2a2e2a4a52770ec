"""Real mail servers for tests: `Catcher` keeps every letter, `Moody` answers as the test tells it to.

with caught_mail(tmp_path / "mail") as mail:          # mail.url for SMTP_URL
    ...
    [letter] = mail.letters()

with moody(["451 later", "250 ok"]) as server:        # one answer a letter, then always the last
    ...
    server.received                                   # what was taken, as messages
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from review.infra.mail_catcher import Catcher, Keeper, letters


class Caught:
    """A running catcher and its folder."""

    def __init__(self, catcher: Catcher, folder: Path) -> None:
        self.url, self.folder = catcher.url, folder

    def letters(self, to: str | None = None) -> list[EmailMessage]:
        """Every letter caught so far, oldest first; those to one address if given."""
        return [letter for _, letter in letters(self.folder) if to is None or letter["X-Envelope-To"] == to]


@contextmanager
def caught_mail(folder: Path) -> Iterator[Caught]:
    with Catcher(Keeper(folder)) as catcher:
        yield Caught(catcher, folder)


class Moody:
    """Gives one scripted answer a letter: an SMTP reply to DATA, `rcpt …` for a reply to RCPT, `drop` to hang up after
    DATA without a word (the letter is kept all the same, as a server does that dies after writing it)."""

    def __init__(self, answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.received: list[EmailMessage] = []
        self.url = ""

    def _next(self) -> str:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.answers[0].startswith("rcpt "):
            return self._next().removeprefix("rcpt ")
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self._next()
        if answer == "drop" or answer.startswith("250"):
            content = envelope.original_content or b""
            self.received.append(message_from_bytes(content, policy=policy.default))  # type: ignore[arg-type]
        if answer == "drop":
            assert server.transport is not None
            server.transport.close()
        return answer


@contextmanager
def moody(answers: Sequence[str]) -> Iterator[Moody]:
    server = Moody(answers)
    with Catcher(server) as running:
        server.url = running.url
        yield server
