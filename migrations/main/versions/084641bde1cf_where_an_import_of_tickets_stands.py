"""where an import of tickets stands."""

import sqlalchemy as sa
from alembic import op

revision = "084641bde1cf"
down_revision = "7b259e08be25"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.add_column(sa.Column("csat_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("agent_label", sa.String(length=400), nullable=True))
        batch_op.add_column(sa.Column("closed_is_guess", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("ticket_import", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cycle_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("fingerprint", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False))
        batch_op.add_column(sa.Column("stored", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("look", sa.JSON(none_as_null=True), nullable=True))
        batch_op.create_foreign_key(op.f("fk_ticket_import_cycle_id"), "cycle", ["cycle_id"], ["id"])
    op.create_index("ix_ticket_import_digest", "ticket_import", ["digest"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_ticket_import_digest", table_name="ticket_import")
    with op.batch_alter_table("ticket_import", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("fk_ticket_import_cycle_id"), type_="foreignkey")
        batch_op.drop_column("look")
        batch_op.drop_column("stored")
        batch_op.drop_column("position")
        batch_op.drop_column("fingerprint")
        batch_op.drop_column("cycle_id")

    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.drop_column("source_updated_at")
        batch_op.drop_column("closed_is_guess")
        batch_op.drop_column("agent_label")
        batch_op.drop_column("csat_at")
