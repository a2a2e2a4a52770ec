"""the inputs of a published score."""

import sqlalchemy as sa
from alembic import op

revision = "d3774c88b186"
down_revision = "3e9d39ad5bac"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("publication", schema=None) as batch_op:
        batch_op.add_column(sa.Column("inputs", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("publication", schema=None) as batch_op:
        batch_op.drop_column("inputs")
