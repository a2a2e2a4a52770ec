"""what ticket systems record."""

import sqlalchemy as sa
from alembic import op

revision = "73fa3577f1dc"
down_revision = "d3774c88b186"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agent_alias",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "system",
            sa.Enum(
                "zendesk",
                "zoho",
                "sobot",
                "jiandaoyun",
                "kingdee",
                "qidian",
                "yozo",
                "wecom",
                "sheet",
                "list",
                name="alias_system",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("said_by", sa.Integer(), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_agent_alias_person_id")),
        sa.ForeignKeyConstraint(["said_by"], ["person.id"], name=op.f("fk_agent_alias_said_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_alias")),
        sa.UniqueConstraint("system", "label", name=op.f("uq_agent_alias_system_label")),
    )
    op.create_table(
        "column_mapping",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "system",
            sa.Enum(
                "zendesk",
                "zoho",
                "sobot",
                "jiandaoyun",
                "kingdee",
                "qidian",
                "yozo",
                "wecom",
                "sheet",
                "list",
                name="mapping_system",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("heading", sa.String(length=120), nullable=False),
        sa.Column("field", sa.String(length=40), server_default=sa.text("('')"), nullable=False),
        sa.Column("said_by", sa.Integer(), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["said_by"], ["person.id"], name=op.f("fk_column_mapping_said_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_column_mapping")),
        sa.UniqueConstraint("system", "heading", name=op.f("uq_column_mapping_system_heading")),
    )
    op.create_table(
        "ticket_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "system",
            sa.Enum(
                "zendesk",
                "zoho",
                "sobot",
                "jiandaoyun",
                "kingdee",
                "qidian",
                "yozo",
                "wecom",
                "sheet",
                "list",
                name="import_system",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("filename", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "running",
                "done",
                "refused",
                name="import_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("brought_by", sa.Integer(), nullable=True),
        sa.Column("brought_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(finished_at IS NULL) = (state IN ('waiting', 'running'))",
            name=op.f("ck_ticket_import_finished_when_over"),
        ),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_ticket_import_digest_is_one")),
        sa.ForeignKeyConstraint(["brought_by"], ["person.id"], name=op.f("fk_ticket_import_brought_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_import")),
    )
    op.create_index("ix_ticket_import_brought_at", "ticket_import", ["brought_at"], unique=False)

    op.create_table(
        "agent_figure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "system",
            sa.Enum(
                "zendesk",
                "zoho",
                "sobot",
                "jiandaoyun",
                "kingdee",
                "qidian",
                "yozo",
                "wecom",
                "sheet",
                "list",
                name="figure_system",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("indicator", sa.String(length=40), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("numerator", sa.BigInteger(), nullable=False),
        sa.Column("denominator", sa.BigInteger(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=True),
        sa.Column("source_row", sa.Integer(), nullable=True),
        sa.CheckConstraint("denominator > 0", name=op.f("ck_agent_figure_denominator_positive")),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_agent_figure_span_runs_forward")),
        sa.ForeignKeyConstraint(["import_id"], ["ticket_import.id"], name=op.f("fk_agent_figure_import_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_agent_figure_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_figure")),
        sa.UniqueConstraint(
            "system",
            "person_id",
            "indicator",
            "first_day",
            "last_day",
            name=op.f("uq_agent_figure_system_person_id_indicator_first_day_last_day"),
        ),
    )
    op.create_index("ix_agent_figure_first_day_last_day", "agent_figure", ["first_day", "last_day"], unique=False)

    op.create_table(
        "ticket_share",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.CheckConstraint("parts > 0", name=op.f("ck_ticket_share_parts_positive")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_ticket_share_person_id")),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_share_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket_id", "person_id", name=op.f("pk_ticket_share")),
    )
    op.create_index("ix_ticket_share_person_id", "ticket_share", ["person_id"], unique=False)

    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "system",
                sa.Enum(
                    "zendesk",
                    "zoho",
                    "sobot",
                    "jiandaoyun",
                    "kingdee",
                    "qidian",
                    "yozo",
                    "wecom",
                    "sheet",
                    "list",
                    name="ticket_system",
                    native_enum=False,
                    create_constraint=True,
                    length=32,
                ),
                server_default="list",
                nullable=False,
            )
        )
        batch_op.add_column(
            sa.Column(
                "status",
                sa.Enum("open", "solved", name="ticket_status", native_enum=False, create_constraint=True, length=32),
                server_default="solved",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("first_response", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("first_response_business", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("resolution", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("resolution_business", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("customer_wait", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("customer_wait_business", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("handling", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("reopens", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("replies", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("reassigns", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("difficulty", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("is_complaint", sa.Boolean(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "csat",
                sa.Enum(
                    "not_offered",
                    "offered",
                    "good",
                    "neutral",
                    "bad",
                    name="ticket_csat",
                    native_enum=False,
                    create_constraint=True,
                    length=32,
                ),
                nullable=True,
            )
        )
        batch_op.add_column(sa.Column("csat_points", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("csat_comment", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("customer_opened", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("agent_answered", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("import_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("source_row", sa.Integer(), nullable=True))
        batch_op.alter_column("customer_id", existing_type=sa.INTEGER(), nullable=True)
        batch_op.alter_column("agent_id", existing_type=sa.INTEGER(), nullable=True)
        batch_op.alter_column("closed_on", existing_type=sa.DATE(), nullable=True)
        batch_op.drop_constraint(op.f("uq_ticket_reference"), type_="unique")
        batch_op.create_check_constraint(
            op.f("ck_ticket_csat_points_in_range"), "csat_points IS NULL OR csat_points BETWEEN 0 AND 100"
        )
        batch_op.create_check_constraint(op.f("ck_ticket_difficulty_positive"), "difficulty IS NULL OR difficulty > 0")
        batch_op.create_unique_constraint(op.f("uq_ticket_system_reference"), ["system", "reference"])
        batch_op.create_foreign_key(op.f("fk_ticket_import_id"), "ticket_import", ["import_id"], ["id"])
    op.create_index("ix_ticket_opened_at", "ticket", ["opened_at"], unique=False)


def downgrade() -> None:
    # What came in with its facts has no place in the older table.
    op.execute("DELETE FROM ticket WHERE system <> 'list'")
    op.drop_index("ix_ticket_opened_at", table_name="ticket")
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_ticket_ticket_system"), type_="check")
        batch_op.drop_constraint(op.f("ck_ticket_ticket_status"), type_="check")
        batch_op.drop_constraint(op.f("ck_ticket_ticket_csat"), type_="check")
        batch_op.drop_constraint(op.f("ck_ticket_csat_points_in_range"), type_="check")
        batch_op.drop_constraint(op.f("ck_ticket_difficulty_positive"), type_="check")
        batch_op.drop_constraint(op.f("fk_ticket_import_id"), type_="foreignkey")
        batch_op.drop_constraint(op.f("uq_ticket_system_reference"), type_="unique")
        batch_op.create_unique_constraint(op.f("uq_ticket_reference"), ["reference"])
        batch_op.alter_column("closed_on", existing_type=sa.DATE(), nullable=False)
        batch_op.alter_column("agent_id", existing_type=sa.INTEGER(), nullable=False)
        batch_op.alter_column("customer_id", existing_type=sa.INTEGER(), nullable=False)
        batch_op.drop_column("source_row")
        batch_op.drop_column("import_id")
        batch_op.drop_column("agent_answered")
        batch_op.drop_column("customer_opened")
        batch_op.drop_column("csat_comment")
        batch_op.drop_column("csat_points")
        batch_op.drop_column("csat")
        batch_op.drop_column("is_complaint")
        batch_op.drop_column("difficulty")
        batch_op.drop_column("reassigns")
        batch_op.drop_column("replies")
        batch_op.drop_column("reopens")
        batch_op.drop_column("handling")
        batch_op.drop_column("customer_wait_business")
        batch_op.drop_column("customer_wait")
        batch_op.drop_column("resolution_business")
        batch_op.drop_column("resolution")
        batch_op.drop_column("first_response_business")
        batch_op.drop_column("first_response")
        batch_op.drop_column("closed_at")
        batch_op.drop_column("opened_at")
        batch_op.drop_column("status")
        batch_op.drop_column("system")

    op.drop_index("ix_ticket_share_person_id", table_name="ticket_share")

    op.drop_table("ticket_share")
    op.drop_index("ix_agent_figure_first_day_last_day", table_name="agent_figure")

    op.drop_table("agent_figure")
    op.drop_index("ix_ticket_import_brought_at", table_name="ticket_import")

    op.drop_table("ticket_import")
    op.drop_table("column_mapping")
    op.drop_table("agent_alias")
