"""protection and custody of a cycle."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_1"
down_revision = "20261121"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("cycle", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "protection",
                sa.Enum("standard", "maximum", name="protection", native_enum=False, create_constraint=True, length=32),
                server_default="standard",
                nullable=False,
            )
        )
        batch_op.add_column(
            sa.Column(
                "custody",
                sa.Enum("managed", "trustees", name="custody", native_enum=False, create_constraint=True, length=32),
                server_default="managed",
                nullable=False,
            )
        )


def downgrade() -> None:
    with op.batch_alter_table("cycle", schema=None) as batch_op:
        batch_op.drop_constraint("custody", type_="check")
        batch_op.drop_constraint("protection", type_="check")
        batch_op.drop_column("custody")
        batch_op.drop_column("protection")
