"""The one organisation this installation serves: its name, its clock's zone, its holidays, its first language."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import JSON, CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from review.infra.db import db


class OrganisationRow(db.Model):
    """Exactly one row, number 1."""

    __tablename__ = "organisation"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(120))
    zone: Mapped[str] = mapped_column(String(64))
    locale: Mapped[str] = mapped_column(String(8))
    holidays: Mapped[list[str]] = mapped_column(JSON, default=list)
    mail_from: Mapped[str] = mapped_column(String(254))


@dataclass(frozen=True)
class Organisation:
    """What the rest of the house may know of it, without a row in hand."""

    name: str = "环评 Review360"
    zone_key: str = "Asia/Shanghai"
    locale: str = "zh"
    holidays: frozenset[date] = frozenset()
    mail_from: str = "review360@example.com"

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone_key)


def current() -> Organisation:
    """The organisation as configured; the defaults until somebody configures it. One query."""
    row = db.session.get(OrganisationRow, 1)
    if row is None:
        return Organisation()
    db.session.info["organisation"] = row  # held, or the session would forget it and read it again at every call
    holidays = frozenset(date.fromisoformat(day) for day in row.holidays)
    return Organisation(row.name, row.zone, row.locale, holidays, row.mail_from)


def configure(organisation: Organisation) -> None:
    """Write the organisation's settings; the caller has validated them."""
    db.session.merge(
        OrganisationRow(
            id=1,
            name=organisation.name,
            zone=organisation.zone_key,
            locale=organisation.locale,
            holidays=sorted(day.isoformat() for day in organisation.holidays),
            mail_from=organisation.mail_from,
        )
    )
