"""Commands that need the application: opened for them, with one transaction that commits when the command ends well."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from review.infra.db import db


def with_app(command: Callable[..., Any]) -> Callable[..., Any]:
    """Run a click command inside an application context.

    Click's object carries the factory (`review.app.create_app`), because the assembly lies above every room.
    """

    @click.pass_obj
    @wraps(command)
    def run(create_app: Callable[[], Any], *args: Any, **kwargs: Any) -> Any:
        with create_app().app_context():
            try:
                result = command(*args, **kwargs)
            except BaseException:
                db.session.rollback()
                raise
            db.session.commit()
            return result

    return run
