"""how surveys go out."""

import sqlalchemy as sa
from alembic import op

revision = "2a30ca0ab351"
down_revision = "841295898d49"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "survey_stop",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Integer(), nullable=True),
        sa.Column("is_lifted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.CheckConstraint("\"by\" IS NULL OR reason <> ''", name=op.f("ck_survey_stop_staff_say_why")),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_survey_stop_by")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_survey_stop_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_stop")),
    )
    op.create_index("ix_survey_stop_customer_id", "survey_stop", ["customer_id"], unique=False)

    op.create_table(
        "survey_exclusion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_approved", sa.Boolean(), nullable=True),
        sa.Column("answer", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_survey_exclusion_has_a_reason")),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (decided_by IS NULL)", name=op.f("ck_survey_exclusion_decided_by_somebody")
        ),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (is_approved IS NULL)", name=op.f("ck_survey_exclusion_decided_one_way")
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> asked_by", name=op.f("ck_survey_exclusion_decided_by_another")
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name=op.f("fk_survey_exclusion_asked_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_survey_exclusion_decided_by")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_survey_exclusion_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_exclusion")),
        sa.UniqueConstraint("ticket_id", name=op.f("uq_survey_exclusion_ticket_id")),
    )
    op.create_index("ix_survey_exclusion_asked_by", "survey_exclusion", ["asked_by"], unique=False)

    op.create_table(
        "survey_plan",
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column(
            "mode",
            sa.Enum(
                "list",
                "ticket",
                "monthly",
                "bimonthly",
                name="survey_mode",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("everybody", sa.Boolean(), nullable=False),
        sa.Column("expected_percent", sa.Integer(), nullable=False),
        sa.Column("per_person", sa.Integer(), nullable=True),
        sa.Column("delay_hours", sa.Integer(), nullable=False),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column("valid_days", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("delay_hours > 0 AND window_days > 0", name=op.f("ck_survey_plan_time_runs_forward")),
        sa.CheckConstraint("expected_percent BETWEEN 1 AND 100", name=op.f("ck_survey_plan_expects_a_share")),
        sa.CheckConstraint("per_person IS NULL OR per_person > 0", name=op.f("ck_survey_plan_asks_somebody")),
        sa.CheckConstraint("valid_days BETWEEN 1 AND 30", name=op.f("ck_survey_plan_valid_thirty_days_at_most")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_survey_plan_cycle_id")),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name=op.f("fk_survey_plan_set_by")),
        sa.PrimaryKeyConstraint("cycle_id", name=op.f("pk_survey_plan")),
    )
    op.create_table(
        "survey_wave",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=24), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("short", sa.Integer(), nullable=False),
        sa.Column("suppressed", sa.JSON(), nullable=False),
        sa.CheckConstraint("asked BETWEEN 0 AND candidates", name=op.f("ck_survey_wave_asks_candidates")),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_survey_wave_span_runs_forward")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_survey_wave_cycle_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_wave")),
        sa.UniqueConstraint("cycle_id", "key", name=op.f("uq_survey_wave_cycle_id_key")),
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("wave_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("gateway_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column(
                "withdrawn_why",
                sa.Enum(
                    "reopened", "excluded", name="withdrawn_why", native_enum=False, create_constraint=True, length=32
                ),
                nullable=True,
            )
        )
        batch_op.add_column(sa.Column("reopens_then", sa.Integer(), server_default=sa.text("0"), nullable=False))
        batch_op.create_foreign_key(op.f("fk_invitation_wave_id"), "survey_wave", ["wave_id"], ["id"])
        batch_op.create_check_constraint(
            op.f("ck_invitation_withdrawn_unanswered"), "withdrawn_at IS NULL OR used_at IS NULL"
        )
        batch_op.create_check_constraint(
            op.f("ck_invitation_withdrawn_for_a_reason"), "(withdrawn_at IS NULL) = (withdrawn_why IS NULL)"
        )
    op.create_index("ix_invitation_wave_id", "invitation", ["wave_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_invitation_wave_id", table_name="invitation")
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_invitation_withdrawn_for_a_reason"), type_="check")
        batch_op.drop_constraint(op.f("ck_invitation_withdrawn_unanswered"), type_="check")
        batch_op.drop_constraint(op.f("ck_invitation_withdrawn_why"), type_="check")
        batch_op.drop_constraint(op.f("fk_invitation_wave_id"), type_="foreignkey")
        batch_op.drop_column("reopens_then")
        batch_op.drop_column("withdrawn_why")
        batch_op.drop_column("withdrawn_at")
        batch_op.drop_column("gateway_at")
        batch_op.drop_column("wave_id")

    op.drop_table("survey_wave")
    op.drop_table("survey_plan")
    op.drop_index("ix_survey_exclusion_asked_by", table_name="survey_exclusion")

    op.drop_table("survey_exclusion")
    op.drop_index("ix_survey_stop_customer_id", table_name="survey_stop")

    op.drop_table("survey_stop")
