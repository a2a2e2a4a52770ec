"""when a KPI sheet changed and what was said at its signing."""

import sqlalchemy as sa
from alembic import op

revision = "b94f89dbafb4"
down_revision = "084641bde1cf"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("kpi_sheet", schema=None) as batch_op:
        batch_op.add_column(sa.Column("group_why", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE kpi_sheet SET changed_at = opened_at")
    with op.batch_alter_table("kpi_sheet", schema=None) as batch_op:
        batch_op.alter_column("changed_at", existing_type=sa.DateTime(timezone=True), nullable=False)

    with op.batch_alter_table("kpi_signature", schema=None) as batch_op:
        batch_op.add_column(sa.Column("remark", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("kpi_signature", schema=None) as batch_op:
        batch_op.drop_column("remark")

    with op.batch_alter_table("kpi_sheet", schema=None) as batch_op:
        batch_op.drop_column("changed_at")
        batch_op.drop_column("group_why")
