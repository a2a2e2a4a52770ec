"""For load balancers: is the process alive, and can it serve."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from review.infra.db import db
from review.infra.gate import open_to_all

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@open_to_all("a load balancer has no account")
def healthz() -> ResponseReturnValue:
    return jsonify(status="ok")


@bp.get("/readyz")
@open_to_all("a load balancer has no account")
def readyz() -> ResponseReturnValue:
    try:
        db.session.execute(text("SELECT 1 FROM organisation LIMIT 1"))
    except SQLAlchemyError:
        return jsonify(status="no database, or not upgraded: run `python3 -m review upgrade`"), 503
    return jsonify(status="ok")
