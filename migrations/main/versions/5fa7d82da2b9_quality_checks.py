"""quality checks."""

import sqlalchemy as sa
from alembic import op

revision = "5fa7d82da2b9"
down_revision = "0bac31f6f0a2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quality_form",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "open",
                "retired",
                name="quality_form_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("(opened_at IS NULL) = (state = 'draft')", name=op.f("ck_quality_form_opened_unless_draft")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_quality_form_created_by")),
        sa.ForeignKeyConstraint(["opened_by"], ["person.id"], name=op.f("fk_quality_form_opened_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_form")),
        sa.UniqueConstraint("key", "version", name=op.f("uq_quality_form_key_version")),
    )
    op.create_table(
        "quality_round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("form_id", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(closed_at IS NULL) OR (closed_at <= due_at)", name=op.f("ck_quality_round_closed_in_time")
        ),
        sa.ForeignKeyConstraint(["closed_by"], ["person.id"], name=op.f("fk_quality_round_closed_by")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_quality_round_created_by")),
        sa.ForeignKeyConstraint(["form_id"], ["quality_form.id"], name=op.f("fk_quality_round_form_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_round")),
        sa.UniqueConstraint("name", name=op.f("uq_quality_round_name")),
    )
    op.create_table(
        "quality_sample",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("form_id", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("per_agent", sa.Integer(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("least_replies", sa.Integer(), nullable=False),
        sa.Column("least_handling", sa.Integer(), nullable=False),
        sa.Column("not_own_team", sa.Boolean(), nullable=False),
        sa.Column("dispute_days", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "drawing",
                "drawn",
                "running",
                name="quality_sample_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(drawn_at IS NULL) = (state = 'drawing')", name=op.f("ck_quality_sample_drawn_when_over")),
        sa.CheckConstraint("dispute_days BETWEEN 1 AND 30", name=op.f("ck_quality_sample_dispute_days_in_range")),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_quality_sample_span_runs_forward")),
        sa.CheckConstraint("per_agent BETWEEN 1 AND 50", name=op.f("ck_quality_sample_per_agent_in_range")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_quality_sample_created_by")),
        sa.ForeignKeyConstraint(["form_id"], ["quality_form.id"], name=op.f("fk_quality_sample_form_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_sample")),
        sa.UniqueConstraint("name", name=op.f("uq_quality_sample_name")),
    )
    op.create_table(
        "quality_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("is_reserve", sa.Boolean(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("replaces_id", sa.Integer(), nullable=True),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced_by", sa.Integer(), nullable=True),
        sa.Column("replaced_why", sa.String(length=300), nullable=True),
        sa.Column("checker_id", sa.Integer(), nullable=True),
        sa.Column("draft", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("draft_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("overall", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("filed_score", sa.String(length=120), nullable=True),
        sa.Column("score", sa.String(length=120), nullable=True),
        sa.Column("dispute_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(filed_at IS NULL) = (dispute_until IS NULL)", name=op.f("ck_quality_check_clock_when_filed")
        ),
        sa.CheckConstraint(
            "(filed_at IS NULL) = (filed_score IS NULL)", name=op.f("ck_quality_check_filed_score_when_filed")
        ),
        sa.CheckConstraint("(filed_at IS NULL) = (score IS NULL)", name=op.f("ck_quality_check_score_when_filed")),
        sa.CheckConstraint(
            "(replaced_at IS NULL) = (replaced_why IS NULL)", name=op.f("ck_quality_check_replaced_with_reason")
        ),
        sa.CheckConstraint(
            "NOT is_reserve OR checker_id IS NULL", name=op.f("ck_quality_check_reserves_have_no_checker")
        ),
        sa.CheckConstraint(
            "checker_id IS NULL OR checker_id <> agent_id", name=op.f("ck_quality_check_not_own_ticket")
        ),
        sa.CheckConstraint("filed_at IS NULL OR replaced_at IS NULL", name=op.f("ck_quality_check_filed_or_replaced")),
        sa.ForeignKeyConstraint(["agent_id"], ["person.id"], name=op.f("fk_quality_check_agent_id")),
        sa.ForeignKeyConstraint(["checker_id"], ["person.id"], name=op.f("fk_quality_check_checker_id")),
        sa.ForeignKeyConstraint(["replaced_by"], ["person.id"], name=op.f("fk_quality_check_replaced_by")),
        sa.ForeignKeyConstraint(["replaces_id"], ["quality_check.id"], name=op.f("fk_quality_check_replaces_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["quality_sample.id"], name=op.f("fk_quality_check_sample_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_quality_check_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_check")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_quality_check_replaces_id")),
        sa.UniqueConstraint("sample_id", "ticket_id", name=op.f("uq_quality_check_sample_id_ticket_id")),
    )
    op.create_index("ix_quality_check_agent_id", "quality_check", ["agent_id"], unique=False)
    op.create_index("ix_quality_check_checker_id", "quality_check", ["checker_id"], unique=False)
    op.create_index("ix_quality_check_closed_on", "quality_check", ["closed_on"], unique=False)
    op.create_index("ix_quality_check_ticket_id", "quality_check", ["ticket_id"], unique=False)

    op.create_table(
        "quality_round_answer",
        sa.Column("round_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ticket_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("draft", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("said", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(filed_at IS NULL) = (said IS NULL)", name=op.f("ck_quality_round_answer_said_when_filed")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_quality_round_answer_person_id")),
        sa.ForeignKeyConstraint(["round_id"], ["quality_round.id"], name=op.f("fk_quality_round_answer_round_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_quality_round_answer_ticket_id")),
        sa.PrimaryKeyConstraint("round_id", "person_id", "ticket_id", name=op.f("pk_quality_round_answer")),
    )
    op.create_index("ix_quality_round_answer_person_id", "quality_round_answer", ["person_id"], unique=False)

    op.create_table(
        "quality_dispute",
        sa.Column("check_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("proposed", sa.JSON(), nullable=False),
        sa.Column("decider_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column(
            "verdict",
            sa.Enum(
                "accepted",
                "partly",
                "rejected",
                name="quality_verdict",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("reason", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("score_before", sa.String(length=120), nullable=False),
        sa.Column("score_after", sa.String(length=120), nullable=True),
        sa.CheckConstraint("comment <> ''", name=op.f("ck_quality_dispute_has_a_comment")),
        sa.CheckConstraint("decided_at IS NULL OR reason <> ''", name=op.f("ck_quality_dispute_decided_with_reason")),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (decided_by IS NULL)", name=op.f("ck_quality_dispute_decided_by_somebody")
        ),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (verdict IS NULL)", name=op.f("ck_quality_dispute_verdict_when_decided")
        ),
        sa.ForeignKeyConstraint(["check_id"], ["quality_check.id"], name=op.f("fk_quality_dispute_check_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_quality_dispute_decided_by")),
        sa.ForeignKeyConstraint(["decider_id"], ["person.id"], name=op.f("fk_quality_dispute_decider_id")),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_quality_dispute")),
    )
    op.create_index("ix_quality_dispute_decider_id", "quality_dispute", ["decider_id"], unique=False)

    op.create_table(
        "quality_mark",
        sa.Column("check_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("category_key", sa.String(length=40), nullable=False),
        sa.Column("scale", sa.Integer(), nullable=False),
        sa.Column("mark", sa.Integer(), nullable=True),
        sa.Column("filed_mark", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=True),
        sa.CheckConstraint(
            "filed_mark IS NULL OR filed_mark BETWEEN 1 AND 5", name=op.f("ck_quality_mark_filed_mark_in_range")
        ),
        sa.CheckConstraint("mark IS NULL OR mark BETWEEN 1 AND 5", name=op.f("ck_quality_mark_mark_in_range")),
        sa.CheckConstraint("scale BETWEEN 2 AND 5", name=op.f("ck_quality_mark_scale_in_range")),
        sa.ForeignKeyConstraint(["check_id"], ["quality_check.id"], name=op.f("fk_quality_mark_check_id")),
        sa.PrimaryKeyConstraint("check_id", "category_key", name=op.f("pk_quality_mark")),
    )


def downgrade() -> None:
    op.drop_table("quality_mark")
    op.drop_index("ix_quality_dispute_decider_id", table_name="quality_dispute")

    op.drop_table("quality_dispute")
    op.drop_index("ix_quality_round_answer_person_id", table_name="quality_round_answer")

    op.drop_table("quality_round_answer")
    op.drop_index("ix_quality_check_ticket_id", table_name="quality_check")
    op.drop_index("ix_quality_check_closed_on", table_name="quality_check")
    op.drop_index("ix_quality_check_checker_id", table_name="quality_check")
    op.drop_index("ix_quality_check_agent_id", table_name="quality_check")

    op.drop_table("quality_check")
    op.drop_table("quality_sample")
    op.drop_table("quality_round")
    op.drop_table("quality_form")
