"""People, departments, roles. Other rooms may read these tables and point at them; only this room writes them."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from review.domain.access import Role
from review.infra.db import db, enum_column


class DepartmentRow(db.Model):
    """A unit of the organisation. Two units may bear the same name below different parents ("一组")."""

    __tablename__ = "department"
    __table_args__ = (
        UniqueConstraint("parent_id", "name"),
        # NULLs differ from each other in a unique constraint, so the top of the tree needs an index of its own.
        Index(
            "uq_department_top_name",
            "name",
            unique=True,
            sqlite_where=text("parent_id IS NULL"),
            postgresql_where=text("parent_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))


class PersonRow(db.Model):
    """A colleague. `employee_no` is how the organisation knows them; e-mail is optional.

    `password_hash` is empty until the account is activated. `session_version` is raised to end every open session,
    `activation` to make earlier activation links and slips worthless. `slip_at` says when a printed slip was last
    issued; a slip nobody issued opens nothing.
    """

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("supervisor_id IS NULL OR supervisor_id <> id", name="not_own_supervisor"),
        CheckConstraint("left_on IS NULL OR joined_on IS NULL OR left_on >= joined_on", name="left_after_joined"),
        Index("ix_person_supervisor_id", "supervisor_id"),
        Index("ix_person_department_id", "department_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    employee_no: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    supervisor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    post: Mapped[str | None] = mapped_column(String(80))
    joined_on: Mapped[date | None]
    left_on: Mapped[date | None]
    locale: Mapped[str] = mapped_column(String(8), default="zh")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    session_version: Mapped[int] = mapped_column(default=1)
    activation: Mapped[int] = mapped_column(default=1)
    slip_at: Mapped[datetime | None]

    department: Mapped[DepartmentRow | None] = relationship(lazy="raise_on_sql")
    roles: Mapped[list["RoleRow"]] = relationship(lazy="select", cascade="all, delete-orphan")


class RoleRow(db.Model):
    __tablename__ = "person_role"
    __table_args__ = (UniqueConstraint("person_id", "role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    role: Mapped[Role] = mapped_column(enum_column(Role, "role"))


class AttemptRow(db.Model):
    """Failed sign-ins, so that guessing gets slower. `about` is a digest of what was typed, never the text."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (Index("ix_sign_in_attempt_about_at", "about", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    about: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
