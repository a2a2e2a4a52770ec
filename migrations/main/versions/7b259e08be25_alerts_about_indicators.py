"""alerts about indicators."""

import sqlalchemy as sa
from alembic import op

revision = "7b259e08be25"
down_revision = "90c366ac135f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kpi_alert_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_kpi_alert_day")),
    )
    op.create_table(
        "kpi_alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "falling_satisfaction",
                "slow_handling",
                "few_answers",
                "low_response",
                name="kpi_alert_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handled_by", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("note IS NULL OR note <> ''", name=op.f("ck_kpi_alert_note_not_blank")),
        sa.CheckConstraint(
            "(handled_at IS NULL) = (handled_by IS NULL)", name=op.f("ck_kpi_alert_handled_by_somebody")
        ),
        sa.CheckConstraint("(handled_at IS NULL) = (note IS NULL)", name=op.f("ck_kpi_alert_handled_with_a_note")),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_kpi_alert_span_runs_forward")),
        sa.ForeignKeyConstraint(["handled_by"], ["person.id"], name=op.f("fk_kpi_alert_handled_by")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_kpi_alert_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kpi_alert")),
        sa.UniqueConstraint(
            "kind", "person_id", "first_day", "last_day", name=op.f("uq_kpi_alert_kind_person_id_first_day_last_day")
        ),
    )
    op.create_index("ix_kpi_alert_handled_at", "kpi_alert", ["handled_at"], unique=False)
    op.create_index("ix_kpi_alert_person_id", "kpi_alert", ["person_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_kpi_alert_person_id", table_name="kpi_alert")
    op.drop_index("ix_kpi_alert_handled_at", table_name="kpi_alert")

    op.drop_table("kpi_alert")
    op.drop_table("kpi_alert_day")
