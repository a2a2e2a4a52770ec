"""Refusals and errors meet the reader here, once: each gets a status and a page that says what to do next."""

import logging

from flask import Flask, Response, make_response, render_template
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from review.domain.refusals import Invalid, NotAllowed, NotYet, OutOfReach, Problem, Refusal, Taken, TooLate
from review.infra.db import only_reading
from review.infra.settings import ROOT

STATUS: dict[type[Refusal], int] = {
    Invalid: 422,
    NotAllowed: 403,
    NotYet: 409,
    OutOfReach: 404,
    Taken: 409,
    TooLate: 410,
}
PAGES = frozenset({400, 401, 403, 404, 405, 409, 410, 413, 422, 429, 500})

PLAIN = ROOT / "templates" / "errors" / "plain.html"

log = logging.getLogger(__name__)


def _page(status: int, problems: tuple[Problem, ...] = ()) -> Response:
    name = status if status in PAGES else 400 if status < 500 else 500
    with only_reading():  # or a page that says "not found" would wait for whoever writes
        return make_response(render_template(f"errors/{name}.html", problems=problems), status)


def _refused(refusal: Refusal) -> ResponseReturnValue:
    # What is missing and what is not for this reader must look the same, so neither says which of the two it is.
    told = () if isinstance(refusal, OutOfReach) else refusal.problems
    return _page(STATUS.get(type(refusal), 400), told)


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error
    page = _page(error.code)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            page.headers[name] = value
    return page


def _csrf(_error: CSRFError) -> ResponseReturnValue:
    return _page(400, (Problem("form:csrf"),))


def _failed(error: Exception) -> ResponseReturnValue:
    log.error("a request failed", exc_info=error)
    try:
        return _page(500)
    except Exception:  # noqa: BLE001  the page itself needs the database, which may be what failed
        return make_response(PLAIN.read_text(encoding="utf-8"), 500)


def init_errors(app: Flask) -> None:
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _failed)
