"""Names every table of the main database once, for Alembic and for the laws that guard the schema."""

from review.infra.db import db

__all__ = ["metadata"]

metadata = db.metadata
