"""The slot as a WSGI application of its own: no cookies, no sessions, no logs, the same empty answers to everybody.

It can run beside the web application or on a host of its own; it needs the key directory and the urns, nothing else.
"""

from collections.abc import Callable, Iterable
from typing import Any

from review.ballots import letterbox
from review.ballots.letterbox import Answer
from review.infra.headers import origin_of
from review.infra.settings import Settings

Environ = dict[str, Any]
Start = Callable[[str, list[tuple[str, str]]], Any]
Endpoint = Callable[[Environ, Start], Iterable[bytes]]

STATUS = {Answer.TAKEN: "204 No Content", Answer.CLOSED: "410 Gone", Answer.REFUSED: "400 Bad Request"}
TELLS_WHO = ("HTTP_COOKIE", "HTTP_AUTHORIZATION")
A_DAY = "86400"


def create_endpoint(settings: Settings) -> Endpoint:
    """The application. Pages of this installation may call it, and read nothing but the status."""
    dress = [
        ("Access-Control-Allow-Origin", origin_of(settings.base_url)),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    allowed = [
        ("Access-Control-Allow-Methods", "POST"),
        ("Access-Control-Allow-Headers", "Content-Type"),
        ("Access-Control-Max-Age", A_DAY),
    ]

    def cast(environ: Environ, start: Start) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "OPTIONS":
            start(STATUS[Answer.TAKEN], [*dress, *allowed])
            return []
        answer = _answer(settings, environ)
        empty = [] if answer is Answer.TAKEN else [("Content-Length", "0")]
        start(STATUS[answer], [*dress, *empty])
        return []

    return cast


def _answer(settings: Settings, environ: Environ) -> Answer:
    """Whatever goes wrong is refused and forgotten: a traceback would keep what was cast, and when."""
    try:
        size = environ.get("CONTENT_LENGTH") or ""
        is_fit = environ["REQUEST_METHOD"] == "POST" and not any(name in environ for name in TELLS_WHO)
        if not is_fit or not (size.isascii() and size.isdigit()) or int(size) not in letterbox.SIZES:
            return Answer.REFUSED
        return letterbox.take(settings, environ["wsgi.input"].read(int(size)))
    except Exception:  # noqa: BLE001  see above
        return Answer.REFUSED
