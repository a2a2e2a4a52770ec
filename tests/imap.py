"""A small IMAP server for tests, over a real socket: one mailbox, what a client needs to fetch and mark messages.

with imap_server() as server:                         # server.url for BOUNCE_IMAP
    server.put(b"From: …")                             # a message nobody has seen
    server.unseen()                                    # how many are left
"""

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Mailbox:
    """The messages, and what went on: `commands` lists what clients asked, `breaks` makes STORE hang up so often."""

    def __init__(self, user: str, password: str) -> None:
        self.user, self.password = user, password
        self.messages: list[bytes] = []
        self.seen: set[int] = set()
        self.commands: list[str] = []
        self.breaks = 0
        self.url = ""

    def put(self, raw: bytes) -> None:
        self.messages.append(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    def unseen(self) -> list[int]:
        return [uid for uid in range(1, len(self.messages) + 1) if uid not in self.seen]


class _Handler(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        self.wfile.write(b"* OK ready\r\n")
        while line := self.rfile.readline():
            tag, _, rest = line.decode().strip().partition(" ")
            self.server.box.commands.append(rest)
            if not self._answer(tag, rest):
                return

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def _answer(self, tag: str, command: str) -> bool:
        """Answer one command; False ends the connection."""
        words = command.split()
        verb = words[0].upper() if words[0].upper() != "UID" else f"UID_{words[1].upper()}"
        said = getattr(self, f"do_{verb}", lambda _words: "OK")(words)
        if said:
            self._say(f"{tag} {said} done")
        return bool(said) and verb != "LOGOUT"

    def do_CAPABILITY(self, _words: list[str]) -> str:  # noqa: N802
        self._say("* CAPABILITY IMAP4rev1")
        return "OK"

    def do_LOGIN(self, words: list[str]) -> str:  # noqa: N802
        box = self.server.box
        return "OK" if [word.strip('"') for word in words[1:]] == [box.user, box.password] else "NO"

    def do_SELECT(self, words: list[str]) -> str:  # noqa: N802
        if words[1].strip('"') != "INBOX":
            return "NO"
        self._say(f"* {len(self.server.box.messages)} EXISTS", "* OK [UIDVALIDITY 1] ok")
        return "OK"

    def do_UID_SEARCH(self, _words: list[str]) -> str:  # noqa: N802
        self._say("* SEARCH" + "".join(f" {uid}" for uid in self.server.box.unseen()))
        return "OK"

    def do_UID_FETCH(self, words: list[str]) -> str:  # noqa: N802
        self._fetch(int(words[2]), " ".join(words))
        return "OK"

    def do_UID_STORE(self, words: list[str]) -> str:  # noqa: N802
        """Mark as seen, or hang up first, as a connection does that breaks at the worst moment."""
        if self.server.box.breaks:
            self.server.box.breaks -= 1
            return ""
        self.server.box.seen.add(int(words[2]))
        return "OK"

    def do_LOGOUT(self, _words: list[str]) -> str:  # noqa: N802
        self._say("* BYE")
        return "OK"

    def _fetch(self, uid: int, command: str) -> None:
        part = re.search(r"BODY\.PEEK\[\]<0\.(\d+)>", command)
        assert part, f"a fetch that marks messages as seen: {command}"
        raw = self.server.box.messages[uid - 1][: int(part[1])]
        self.wfile.write(f"* {uid} FETCH (UID {uid} BODY[]<0> {{{len(raw)}}}\r\n".encode() + raw + b")\r\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    box: Mailbox


@contextmanager
def imap_server(user: str = "bounce", password: str = "s3cret") -> Iterator[Mailbox]:
    box = Mailbox(user, password)
    server: Any = _Server(("127.0.0.1", 0), _Handler)
    server.box = box
    box.url = f"imap://{user}:{password}@127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield box
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
