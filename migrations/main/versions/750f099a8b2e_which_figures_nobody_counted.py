"""which figures nobody counted."""

import sqlalchemy as sa
from alembic import op

revision = "750f099a8b2e"
down_revision = "5fa7d82da2b9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("agent_figure", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_counted", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("agent_figure", schema=None) as batch_op:
        batch_op.drop_column("is_counted")
