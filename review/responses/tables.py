"""Who answered what, signed or by customer key: one row a response, its levels side by side. Never a peer's."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from review.domain.vocabulary import Source
from review.infra.db import db, enum_column

COLUMNS = tuple(f"c{number}" for number in range(1, 13))

_IN_RANGE = " AND ".join(f"({c} IS NULL OR {c} BETWEEN 1 AND 5)" for c in COLUMNS)
_LEVELS_ARE_FOUR = " AND ".join(f"({c} IS NULL OR {c} <= 4)" for c in COLUMNS)
_NOTHING = " AND ".join(f"{c} IS NULL" for c in COLUMNS)


class ResponseRow(db.Model):
    """One respondent's answer about one review.

    `respondent` is `person:<id>` or the customer's key. Column n holds the n-th criterion of the cycle's scheme: a
    level from 4 (excellent) to 1 (poor), for customers 1 to 5 stars. `texts` is what was filed in words, `draft` what
    is not filed yet; neither ever overwrites the other. `version` counts filings, so that a page that was opened
    before the last one is noticed.
    """

    __tablename__ = "response"
    __table_args__ = (
        UniqueConstraint("review_id", "source", "respondent"),
        # No index on person_id: SQLite would prefer it over the review's when it joins a supervisor's own ratings.
        CheckConstraint("source <> 'peers'", name="never_peers"),
        CheckConstraint(_IN_RANGE, name="in_range"),
        CheckConstraint(f"source = 'customers' OR ({_LEVELS_ARE_FOUR})", name="levels_are_four"),
        CheckConstraint(f"filed_at IS NOT NULL OR (overall IS NULL AND {_NOTHING})", name="unfiled_says_nothing"),
        CheckConstraint("(draft IS NULL) = (draft_saved_at IS NULL)", name="draft_has_its_time"),
        CheckConstraint("(version = 0) = (filed_at IS NULL)", name="version_counts_filings"),
        CheckConstraint("(source = 'customers') = (person_id IS NULL)", name="customers_have_no_account"),
        CheckConstraint("(source = 'customers') = (overall IS NOT NULL)", name="customers_answer_overall"),
        CheckConstraint("overall IS NULL OR overall BETWEEN 1 AND 5", name="overall_in_range"),
        CheckConstraint("source <> 'customers' OR draft IS NULL", name="customers_have_no_draft"),
        CheckConstraint(
            "source = 'customers' OR (NOT wants_contact AND NOT withhold_ticket)", name="only_customers_wish"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"))
    source: Mapped[Source] = mapped_column(enum_column(Source, "response_source"))
    respondent: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    c1: Mapped[int | None] = mapped_column(SmallInteger)
    c2: Mapped[int | None] = mapped_column(SmallInteger)
    c3: Mapped[int | None] = mapped_column(SmallInteger)
    c4: Mapped[int | None] = mapped_column(SmallInteger)
    c5: Mapped[int | None] = mapped_column(SmallInteger)
    c6: Mapped[int | None] = mapped_column(SmallInteger)
    c7: Mapped[int | None] = mapped_column(SmallInteger)
    c8: Mapped[int | None] = mapped_column(SmallInteger)
    c9: Mapped[int | None] = mapped_column(SmallInteger)
    c10: Mapped[int | None] = mapped_column(SmallInteger)
    c11: Mapped[int | None] = mapped_column(SmallInteger)
    c12: Mapped[int | None] = mapped_column(SmallInteger)
    overall: Mapped[int | None] = mapped_column(SmallInteger)
    texts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    wants_contact: Mapped[bool] = mapped_column(default=False)
    withhold_ticket: Mapped[bool] = mapped_column(default=False)
    draft: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    draft_saved_at: Mapped[datetime | None]
    filed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=0)
