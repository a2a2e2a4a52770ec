"""Stored schemes: every version is kept as it was, because results refer to it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from review.infra.db import db, enum_column


class SchemeState(StrEnum):
    DRAFT = "draft"
    OPEN = "open"  # readable by everyone; cycles may use it; never changes again
    RETIRED = "retired"


class SchemeRow(db.Model):
    """One version of one scheme. `body` is the canonical form that `domain.scheme.parse_scheme` reads."""

    __tablename__ = "scheme"
    __table_args__ = (UniqueConstraint("key", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    state: Mapped[SchemeState] = mapped_column(enum_column(SchemeState, "scheme_state"))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
