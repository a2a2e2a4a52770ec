"""case reviews and customers who were contacted."""

import sqlalchemy as sa
from alembic import op

revision = "90c366ac135f"
down_revision = "661196287e05"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customer_contact",
        sa.Column("response_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("note <> ''", name=op.f("ck_customer_contact_has_a_note")),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_customer_contact_by_id")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_customer_contact_cycle_id")),
        sa.PrimaryKeyConstraint("response_id", name=op.f("pk_customer_contact")),
    )
    op.create_index(op.f("ix_customer_contact_cycle_id"), "customer_contact", ["cycle_id"], unique=False)

    op.create_table(
        "case_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column(
            "origin",
            sa.Enum(
                "low_score",
                "complaint",
                "manual",
                name="case_origin",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("response_id", sa.Integer(), nullable=True),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column(
            "cause",
            sa.Enum(
                "knowledge",
                "communication",
                "delay",
                "process",
                "product",
                "system",
                "outside",
                name="case_cause",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("talk", sa.Text(), nullable=False),
        sa.Column("talked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("talked_by", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(origin = 'low_score') = (response_id IS NOT NULL)",
            name=op.f("ck_case_review_low_scores_come_from_answers"),
        ),
        sa.CheckConstraint(
            "(origin = 'manual') = (opened_by IS NOT NULL)",
            name=op.f("ck_case_review_somebody_opened_what_no_record_did"),
        ),
        sa.CheckConstraint("(talked_at IS NULL) = (talk = '')", name=op.f("ck_case_review_talk_has_its_time")),
        sa.CheckConstraint(
            "closed_at IS NULL OR (cause IS NOT NULL AND measure <> '' AND note <> '')",
            name=op.f("ck_case_review_closed_with_findings"),
        ),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name=op.f("ck_case_review_closed_by_somebody")),
        sa.CheckConstraint(
            "(talked_at IS NULL) = (talked_by IS NULL)", name=op.f("ck_case_review_talk_has_its_author")
        ),
        sa.ForeignKeyConstraint(["closed_by"], ["person.id"], name=op.f("fk_case_review_closed_by")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_case_review_cycle_id")),
        sa.ForeignKeyConstraint(["opened_by"], ["person.id"], name=op.f("fk_case_review_opened_by")),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_case_review_owner_id")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_case_review_review_id")),
        sa.ForeignKeyConstraint(["talked_by"], ["person.id"], name=op.f("fk_case_review_talked_by")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_case_review_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_review")),
        sa.UniqueConstraint("cycle_id", "ticket_id", name=op.f("uq_case_review_cycle_id_ticket_id")),
        sa.UniqueConstraint("response_id", name=op.f("uq_case_review_response_id")),
    )
    op.create_index("ix_case_review_cycle_id_closed_at", "case_review", ["cycle_id", "closed_at"], unique=False)
    op.create_index("ix_case_review_owner_id", "case_review", ["owner_id"], unique=False)
    op.create_index("ix_case_review_review_id", "case_review", ["review_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_case_review_review_id", table_name="case_review")
    op.drop_index("ix_case_review_owner_id", table_name="case_review")
    op.drop_index("ix_case_review_cycle_id_closed_at", table_name="case_review")

    op.drop_table("case_review")
    op.drop_index(op.f("ix_customer_contact_cycle_id"), table_name="customer_contact")

    op.drop_table("customer_contact")
