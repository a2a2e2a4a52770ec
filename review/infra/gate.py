"""The door of every view: finds the thing, decides, hands the actor over, and owns the transaction.

A view that carries neither `allow` nor `open_to_all` stops the application from starting.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Flask, abort, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from review.domain.access import Actor, Deed, Standing, may
from review.domain.refusals import OutOfReach
from review.infra.db import db, only_reading

View = Callable[..., ResponseReturnValue]


@dataclass(frozen=True, slots=True)
class Found:
    """A thing a loader fetched, and what the actor is to it."""

    thing: Any
    standings: frozenset[Standing] = frozenset()


def allow(deed: Deed, find: Callable[..., Found] | None = None) -> Callable[[View], View]:
    """Only who may do `deed` gets in. `find(actor, **url_args)` loads the thing or raises OutOfReach.

    The view is called as `view(actor, thing)` with a finder, else as `view(actor, **url_args)`. What somebody may
    not know of answers 404, never 403: that it exists is private too.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def door(**url_args: Any) -> ResponseReturnValue:
            def enter() -> ResponseReturnValue:
                if not current_user.is_authenticated:
                    return _to_sign_in()
                actor: Actor = current_user.actor
                found = find(actor, **url_args) if find else Found(None)
                if not may(actor, deed, found.standings):
                    raise OutOfReach("gate:out_of_reach")
                return view(actor, found.thing) if find else view(actor, **url_args)

            return _in_transaction(enter)

        door.entry = deed  # type: ignore[attr-defined]
        return door

    return guard


def open_to_all(reason: str) -> Callable[[View], View]:
    """Anybody gets in, signed in or not; `reason` says in a few words why that is right."""

    def guard(view: View) -> View:
        @wraps(view)
        def door(**url_args: Any) -> ResponseReturnValue:
            return _in_transaction(lambda: view(**url_args))

        door.entry = reason  # type: ignore[attr-defined]
        return door

    return guard


def _in_transaction(enter: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    """GET and HEAD read and are rolled back; every other method commits unless the view raised."""
    reading = request.method in {"GET", "HEAD", "OPTIONS"}
    with only_reading() if reading else nullcontext():
        try:
            # The body is rendered here, inside the transaction, so that nothing a page shows can change underway.
            response = make_response(enter())
        except BaseException:
            db.session.rollback()
            raise
        if reading:
            db.session.rollback()
        else:
            db.session.commit()
        return response


def _to_sign_in() -> ResponseReturnValue:
    if request.method != "GET":
        abort(401)
    return redirect(url_for("people.sign_in", next=request.full_path.rstrip("?")))


def refuse_unguarded(app: Flask) -> None:
    """Called last in create_app: the house does not open with an unlocked door."""
    naked = [
        name for name, view in app.view_functions.items() if not name.endswith("static") and not hasattr(view, "entry")
    ]
    if naked:
        raise RuntimeError(
            f"these views say nothing about who may enter: {', '.join(sorted(naked))}. "
            "Put @allow(Deed.…) or @open_to_all(reason) directly under the route."
        )
