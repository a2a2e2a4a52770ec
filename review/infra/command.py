"""Commands that need the application: opened for them, with one transaction that commits when the command ends well."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

from review.domain.refusals import Invalid
from review.infra import migrate
from review.infra.db import db
from review.infra.house import house


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
            except (OperationalError, ProgrammingError):
                db.session.rollback()
                if not migrate.is_at_head(house().settings.database_url):
                    raise Invalid("settings:not_upgraded") from None
                raise
            except BaseException:
                db.session.rollback()
                raise
            db.session.commit()
            return result

    return run
