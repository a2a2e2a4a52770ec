"""Ids from outside: what no row can have is an address that leads nowhere, never a failure of the database."""

from typing import Any

from flask import Flask
from werkzeug.routing import IntegerConverter

LARGEST = 2**31 - 1  # what an id's column holds in PostgreSQL; SQLite's is larger, but not endless either


def row_id(text: str) -> int:
    """An id out of a query or a form. Raises ValueError for what no row can have, so that `type=row_id` drops it."""
    number = int(text)
    if not 0 <= number <= LARGEST:
        raise ValueError("no row has this id")
    return number


class RowId(IntegerConverter):
    """`<int:…>` in a route: a number that is too large matches no route and answers 404."""

    def __init__(self, map: Any, **options: Any) -> None:  # noqa: A002  werkzeug's name
        super().__init__(map, **{"max": LARGEST, **options})


def init_ids(app: Flask) -> None:
    app.url_map.converters["int"] = RowId
