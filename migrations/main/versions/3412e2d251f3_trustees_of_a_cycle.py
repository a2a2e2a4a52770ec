"""trustees of a cycle."""

import sqlalchemy as sa
from alembic import op

revision = "3412e2d251f3"
down_revision = "f827dc03ef1e"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trustee",
        sa.Column("cycle_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("mark", sa.String(length=16), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("number BETWEEN 1 AND 3", name=op.f("ck_trustee_one_of_three")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_trustee_cycle_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_trustee_person_id")),
        sa.PrimaryKeyConstraint("cycle_id", "number", name=op.f("pk_trustee")),
        sa.UniqueConstraint("cycle_id", "person_id", name=op.f("uq_trustee_cycle_id_person_id")),
    )
    op.create_index("ix_trustee_person_id", "trustee", ["person_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_trustee_person_id", table_name="trustee")

    op.drop_table("trustee")
