"""KPI plans and sheets."""

import sqlalchemy as sa
from alembic import op

revision = "841295898d49"
down_revision = "73fa3577f1dc"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kpi_plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft", "open", "retired", name="kpi_plan_state", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("(opened_at IS NULL) = (state = 'draft')", name=op.f("ck_kpi_plan_opened_unless_draft")),
        sa.CheckConstraint("length(hash) = 64", name=op.f("ck_kpi_plan_hash_is_one")),
        sa.CheckConstraint(
            "opened_by IS NULL OR opened_at IS NOT NULL", name=op.f("ck_kpi_plan_opened_by_when_opened")
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_kpi_plan_version_positive")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_kpi_plan_created_by")),
        sa.ForeignKeyConstraint(["opened_by"], ["person.id"], name=op.f("fk_kpi_plan_opened_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kpi_plan")),
        sa.UniqueConstraint("key", "version", name=op.f("uq_kpi_plan_key_version")),
    )
    op.create_index(
        "uq_kpi_plan_key_draft",
        "kpi_plan",
        ["key"],
        unique=True,
        sqlite_where=sa.text("state = 'draft'"),
        postgresql_where=sa.text("state = 'draft'"),
    )

    op.create_table(
        "kpi_cycle",
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_kpi_cycle_cycle_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["kpi_plan.id"], name=op.f("fk_kpi_cycle_plan_id")),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name=op.f("fk_kpi_cycle_set_by")),
        sa.PrimaryKeyConstraint("cycle_id", name=op.f("pk_kpi_cycle")),
        sa.UniqueConstraint("cycle_id", "plan_id", name=op.f("uq_kpi_cycle_cycle_id_plan_id")),
    )
    op.create_table(
        "kpi_sheet",
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("group_key", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reopened_by", sa.Integer(), nullable=True),
        sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("group_key <> ''", name=op.f("ck_kpi_sheet_has_a_group")),
        sa.CheckConstraint(
            "(reopened_by IS NULL) = (reopened_at IS NULL)", name=op.f("ck_kpi_sheet_reopened_by_somebody")
        ),
        sa.ForeignKeyConstraint(
            ["cycle_id", "plan_id"],
            ["kpi_cycle.cycle_id", "kpi_cycle.plan_id"],
            name=op.f("fk_kpi_sheet_cycle_id_plan_id"),
        ),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_kpi_sheet_cycle_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["kpi_plan.id"], name=op.f("fk_kpi_sheet_plan_id")),
        sa.ForeignKeyConstraint(["reopened_by"], ["person.id"], name=op.f("fk_kpi_sheet_reopened_by")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_kpi_sheet_review_id")),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_kpi_sheet")),
    )
    op.create_index("ix_kpi_sheet_cycle_id", "kpi_sheet", ["cycle_id"], unique=False)

    op.create_table(
        "kpi_figure",
        sa.Column("review_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row_key", sa.String(length=40), nullable=False),
        sa.Column("target", sa.String(length=80), nullable=True),
        sa.Column("target_limit", sa.String(length=80), nullable=True),
        sa.Column("actual", sa.String(length=80), nullable=True),
        sa.Column("count", sa.String(length=80), nullable=True),
        sa.Column("lapses", sa.Integer(), nullable=True),
        sa.Column("points", sa.String(length=80), nullable=True),
        sa.Column(
            "origin",
            sa.Enum(
                "system", "hand", "file", name="kpi_figure_origin", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column("not_applicable", sa.Boolean(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("supplied_by", sa.Integer(), nullable=True),
        sa.Column("supplied_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "origin IS NULL OR (origin = 'system') = (supplied_by IS NULL)",
            name=op.f("ck_kpi_figure_supplied_by_somebody_or_system"),
        ),
        sa.CheckConstraint("why IS NULL OR why <> ''", name=op.f("ck_kpi_figure_why_not_blank")),
        sa.CheckConstraint("(origin IS NULL) = (supplied_at IS NULL)", name=op.f("ck_kpi_figure_supplied_with_origin")),
        sa.CheckConstraint("lapses IS NULL OR lapses >= 0", name=op.f("ck_kpi_figure_lapses_not_negative")),
        sa.CheckConstraint("not_applicable = (why IS NOT NULL)", name=op.f("ck_kpi_figure_not_applicable_with_reason")),
        sa.CheckConstraint(
            "origin IS NOT NULL OR (actual IS NULL AND lapses IS NULL AND points IS NULL)",
            name=op.f("ck_kpi_figure_figure_has_origin"),
        ),
        sa.ForeignKeyConstraint(["review_id"], ["kpi_sheet.review_id"], name=op.f("fk_kpi_figure_review_id")),
        sa.ForeignKeyConstraint(["supplied_by"], ["person.id"], name=op.f("fk_kpi_figure_supplied_by")),
        sa.PrimaryKeyConstraint("review_id", "row_key", name=op.f("pk_kpi_figure")),
    )
    op.create_table(
        "kpi_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column(
            "direction",
            sa.Enum(
                "bonus", "deduction", name="kpi_line_direction", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("points", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("entered_by", sa.Integer(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_approved", sa.Boolean(), nullable=True),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_kpi_line_has_a_reason")),
        sa.CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name=op.f("ck_kpi_line_decided_by_somebody")),
        sa.CheckConstraint("(decided_at IS NULL) = (is_approved IS NULL)", name=op.f("ck_kpi_line_decided_one_way")),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> entered_by", name=op.f("ck_kpi_line_four_eyes")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_kpi_line_decided_by")),
        sa.ForeignKeyConstraint(["entered_by"], ["person.id"], name=op.f("fk_kpi_line_entered_by")),
        sa.ForeignKeyConstraint(["review_id"], ["kpi_sheet.review_id"], name=op.f("fk_kpi_line_review_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kpi_line")),
    )
    op.create_index("ix_kpi_line_review_id", "kpi_line", ["review_id"], unique=False)

    op.create_table(
        "kpi_signature",
        sa.Column("review_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "step",
            sa.Enum(
                "employee",
                "superior",
                "head",
                name="kpi_signature_step",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_kpi_signature_digest_is_one")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_kpi_signature_person_id")),
        sa.ForeignKeyConstraint(["review_id"], ["kpi_sheet.review_id"], name=op.f("fk_kpi_signature_review_id")),
        sa.PrimaryKeyConstraint("review_id", "step", name=op.f("pk_kpi_signature")),
    )
    op.create_table(
        "kpi_veto",
        sa.Column("review_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "cap",
            sa.Enum(
                "excellent",
                "good",
                "fair",
                "poor",
                name="kpi_veto_cap",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("entered_by", sa.Integer(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_approved", sa.Boolean(), nullable=True),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_kpi_veto_has_a_reason")),
        sa.CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name=op.f("ck_kpi_veto_decided_by_somebody")),
        sa.CheckConstraint("(decided_at IS NULL) = (is_approved IS NULL)", name=op.f("ck_kpi_veto_decided_one_way")),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> entered_by", name=op.f("ck_kpi_veto_four_eyes")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_kpi_veto_decided_by")),
        sa.ForeignKeyConstraint(["entered_by"], ["person.id"], name=op.f("fk_kpi_veto_entered_by")),
        sa.ForeignKeyConstraint(["review_id"], ["kpi_sheet.review_id"], name=op.f("fk_kpi_veto_review_id")),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_kpi_veto")),
    )
    op.create_table(
        "kpi_word",
        sa.Column("review_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "part",
            sa.Enum("self", "leader", name="kpi_word_part", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Integer(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("text <> ''", name=op.f("ck_kpi_word_not_blank")),
        sa.ForeignKeyConstraint(["review_id"], ["kpi_sheet.review_id"], name=op.f("fk_kpi_word_review_id")),
        sa.ForeignKeyConstraint(["written_by"], ["person.id"], name=op.f("fk_kpi_word_written_by")),
        sa.PrimaryKeyConstraint("review_id", "part", name=op.f("pk_kpi_word")),
    )


def downgrade() -> None:
    op.drop_table("kpi_word")
    op.drop_table("kpi_veto")
    op.drop_table("kpi_signature")
    op.drop_index("ix_kpi_line_review_id", table_name="kpi_line")

    op.drop_table("kpi_line")
    op.drop_table("kpi_figure")
    op.drop_index("ix_kpi_sheet_cycle_id", table_name="kpi_sheet")

    op.drop_table("kpi_sheet")
    op.drop_table("kpi_cycle")
    op.drop_index("uq_kpi_plan_key_draft", table_name="kpi_plan")

    op.drop_table("kpi_plan")
