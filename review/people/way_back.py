"""Where to go after signing in: only to a page of this house, whatever the address asks for."""

from urllib.parse import urlsplit

from flask import current_app
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

HOME = "/"


def safe_way(wanted: str | None) -> str:
    """`wanted` if it is a relative path to a page that can be shown, else the start page.

    Browsers drop tabs and line breaks and take a backslash for a stroke, so none of them may be in it.
    """
    if not wanted or not wanted.startswith("/") or wanted.startswith("//"):
        return HOME
    if "\\" in wanted or not wanted.isprintable() or " " in wanted:
        return HOME
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or parts.fragment:
        return HOME
    try:
        endpoint, _ = current_app.url_map.bind("").match(parts.path, method="GET")
    except (HTTPException, RequestRedirect):
        return HOME
    return HOME if endpoint == "static" else wanted
