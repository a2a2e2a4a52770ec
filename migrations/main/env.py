"""Runs the main database's migrations on the connection that `review.infra.migrate` hands over, in its transaction."""

from typing import Any

from alembic import context

from review.infra.db import UtcDateTime
from review.tables import metadata


def plain(kind: str, item: Any, _autogen: Any) -> str | bool:
    """Write our own column types as SQLAlchemy's, so that old migrations survive when ours change."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def same_type(_context: Any, _inspected: Any, _column: Any, inspected_type: Any, ours: Any) -> bool | None:
    """Whether a column's type differs; SQLite's DATETIME carries our instants."""
    if isinstance(ours, UtcDateTime):
        return "DATETIME" not in str(inspected_type).upper() and "TIMESTAMP" not in str(inspected_type).upper()
    return None


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_item=plain,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=same_type,
)
with context.begin_transaction():
    context.run_migrations()
