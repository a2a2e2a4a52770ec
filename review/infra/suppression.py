"""Addresses nobody writes to any more, because letters to them came back. HR may lift that."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, String, Text, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from review.infra.db import db, enum_column, insert_into


class Stopped(StrEnum):
    """Why: HARD is an address that does not exist, SOFT one where letters came back three times."""

    HARD = "hard"
    SOFT = "soft"


class SuppressionRow(db.Model):
    """One address, in small letters. `letter_id` is the letter that came back, while it is still there."""

    __tablename__ = "suppression"
    __table_args__ = (CheckConstraint("address = lower(address)", name="address_is_lower_case"),)

    address: Mapped[str] = mapped_column(String(254), primary_key=True)
    why: Mapped[Stopped] = mapped_column(enum_column(Stopped, "why_stopped"))
    reason: Mapped[str] = mapped_column(String(64))
    said: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]
    letter_id: Mapped[int | None] = mapped_column(ForeignKey("letter.id", ondelete="SET NULL"))


def plain(address: str) -> str:
    """The address as it is compared."""
    return address.strip().lower()


def stop(address: str, why: Stopped, reason: str, said: str, *, letter_id: int | None, now: datetime) -> None:
    """Write to this address no more; what was noted first stays."""
    row = {"address": plain(address), "why": why, "reason": reason, "said": said, "since": now, "letter_id": letter_id}
    db.session.execute(insert_into(SuppressionRow).values(row).on_conflict_do_nothing(index_elements=["address"]))


def lift(address: str) -> SuppressionRow | None:
    """Write to it again; the note that was removed, or None where there was none."""
    gone = delete(SuppressionRow).where(SuppressionRow.address == plain(address)).returning(SuppressionRow)
    return db.session.scalar(gone)


def is_stopped(address: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Whether the address in a column is written to no more, as a condition in SQL."""
    return func.lower(address).in_(select(SuppressionRow.address))


def all_stopped() -> set[str]:
    """Every address that is written to no more, in small letters."""
    return set(db.session.scalars(select(SuppressionRow.address)))


def stopped_of(addresses: Iterable[str]) -> set[str]:
    """Those of the addresses that are written to no more, in small letters."""
    wanted = {plain(address) for address in addresses}
    return set(db.session.scalars(select(SuppressionRow.address).where(SuppressionRow.address.in_(wanted))))
