"""What every response carries: a strict content policy, no referrer, no storing of private pages."""

import base64
import hashlib
from urllib.parse import urlsplit

from flask import Flask, Response, request

from review.infra.settings import Settings

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # Tabler draws its ticks as data: images
        "font-src 'self'",
        "connect-src 'self'{elsewhere}",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


def origin_of(url: str) -> str:
    """Scheme and host of an address, as browsers compare them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _policy(settings: Settings | None) -> str:
    """Pages talk to their own host, and to the one that takes sealed ballots where that is another."""
    cast = origin_of(settings.cast_url) if settings else ""
    is_elsewhere = settings is not None and cast != origin_of(settings.base_url)
    return POLICY.format(elsewhere=f" {cast}" if is_elsewhere else "")


def style_source(block: str) -> str:
    """What a content policy says to allow this one style block and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()}'"


def allow_style(response: Response, block: str, settings: Settings) -> Response:
    """Let the frames of this page use one style block, known by its hash: a letter is shown as it looks."""
    policy = _policy(settings).replace("style-src 'self'", f"style-src 'self' {style_source(block)}")
    response.headers["Content-Security-Policy"] = policy
    return response


def _dress(response: Response, policy: str) -> Response:
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer" if request.path.startswith("/s/") else "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["X-Frame-Options"] = response.headers.get("X-Frame-Options", "DENY")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def init_headers(app: Flask, settings: Settings | None = None) -> None:
    """Dress every response. Without `settings` pages talk to their own host alone."""
    policy = _policy(settings)
    app.after_request(lambda response: _dress(response, policy))
