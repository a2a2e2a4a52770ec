"""The demo's inbox: every letter the product sent over SMTP, for whoever tries it. Exists in the demo only."""

from pathlib import Path

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from review.demo import inbox
from review.domain.refusals import OutOfReach
from review.infra.gate import open_to_all
from review.infra.headers import POLICY
from review.infra.house import house

bp = Blueprint("demo", __name__)

MOST = 100
WHY = "the demo's mail server delivers to nobody else"
LETTER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'"


def _folder() -> Path:
    return house().settings.data_dir / "mail"


@bp.get("/demo/inbox")
@open_to_all(WHY)
def listing() -> ResponseReturnValue:
    wanted = request.args.get("to", "")
    found, total = inbox.posts(_folder(), wanted, MOST)
    return render_template("demo/inbox.html", posts=found, total=total, wanted=wanted)


@bp.get("/demo/inbox/<key>")
@open_to_all(WHY)
def letter(key: str) -> ResponseReturnValue:
    return _framing(render_template("demo/letter.html", post=_found(key)))


@bp.get("/demo/inbox/<key>/html")
@open_to_all(WHY)
def html(key: str) -> ResponseReturnValue:
    """The letter's own page, for a sandboxed frame: it may style itself and do nothing else."""
    body = _found(key).html.replace("<head>", '<head><base target="_blank">', 1)
    response = make_response(body)
    response.headers["Content-Security-Policy"] = LETTER_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _framing(body: str) -> Response:
    response = make_response(body)
    response.headers["Content-Security-Policy"] = f"{POLICY.format(elsewhere='')}; frame-src 'self'"
    return response


def _found(key: str) -> inbox.Post:
    found = inbox.post(_folder(), key)
    if found is None:
        raise OutOfReach("demo:no_such_letter")
    return found
