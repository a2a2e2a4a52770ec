"""A connection to the mail server that cannot hang: each answer has its time, and each letter as a whole, too."""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from urllib.parse import unquote, urlsplit

TIMEOUT = 30.0  # seconds for one answer
PATIENCE = 120.0  # seconds for one letter: a server that dribbles byte by byte never runs into the timeout


class Connection:
    """An open connection and the watch over it."""

    def __init__(self, client: smtplib.SMTP, patience: float) -> None:
        self.client = client
        self._patience = patience
        self._until = monotonic() + patience
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look, name="smtp-watch", daemon=True)
        self._watch.start()

    def begin(self) -> None:
        """The next letter's time starts now."""
        self._until = monotonic() + self._patience

    def _look(self) -> None:
        while not self._over.wait(min(1.0, self._patience / 4)):
            sock = self.client.sock
            if monotonic() > self._until and sock is not None:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)  # whoever reads from it learns that there is nothing more

    def close(self, *, politely: bool) -> None:
        """Hang up, with a word of goodbye unless the connection is broken: a server that stalls would stall at it."""
        self.begin()
        try:
            if politely:
                self.client.quit()
        except (smtplib.SMTPException, OSError):
            pass
        finally:
            self.client.close()
            self._over.set()
            self._watch.join()


@contextmanager
def connection(url: str, timeout: float | None = None) -> Iterator[Connection]:
    """A connection to `smtp://[user:password@]host[:port]` (STARTTLS where offered) or `smtps://…`.

    Raises OSError (smtplib's own errors are some) when there is none to be had.
    """
    parts = urlsplit(url)
    seconds, is_tls = timeout or TIMEOUT, parts.scheme == "smtps"
    context = ssl.create_default_context()
    client = smtplib.SMTP_SSL(timeout=seconds, context=context) if is_tls else smtplib.SMTP(timeout=seconds)
    client._host = parts.hostname or "localhost"  # type: ignore[attr-defined]  # whose certificate is asked for
    opened = Connection(client, PATIENCE if timeout is None else 2 * timeout)  # watched from the greeting on
    try:
        client.connect(parts.hostname or "localhost", parts.port or (465 if is_tls else 25))
        client.ehlo()
        if not is_tls and client.has_extn("starttls"):
            client.starttls(context=context)
            client.ehlo()
        if parts.username:
            client.login(unquote(parts.username), unquote(parts.password or ""))
        opened.begin()
        yield opened
    except BaseException:
        opened.close(politely=False)
        raise
    opened.close(politely=True)


def place_of(url: str) -> str:
    """Scheme, host and port of a mail server's address: what may be shown, without user and password."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or 'localhost'}{port}"
