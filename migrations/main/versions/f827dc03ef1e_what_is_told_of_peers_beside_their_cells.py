"""what is told of peers beside their cells."""

import sqlalchemy as sa
from alembic import op

revision = "f827dc03ef1e"
down_revision = "20261122_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "peer_comment",
        sa.Column("review_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_peer_comment_review_id")),
        sa.PrimaryKeyConstraint("review_id", "number", name=op.f("pk_peer_comment")),
    )
    op.create_table(
        "peer_cycle_figure",
        sa.Column("cycle_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("criterion", sa.String(length=40), nullable=False),
        sa.Column("reviews", sa.Integer(), nullable=False),
        sa.Column("icc1_hundredths", sa.Integer(), nullable=True),
        sa.Column("variance_hundredths", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_peer_cycle_figure_cycle_id")),
        sa.PrimaryKeyConstraint("cycle_id", "criterion", name=op.f("pk_peer_cycle_figure")),
    )
    op.create_table(
        "peer_team_cell",
        sa.Column("cycle_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("department_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("criterion", sa.String(length=40), nullable=False),
        sa.Column("people", sa.String(length=8), nullable=True),
        sa.Column("points", sa.Integer(), nullable=True),
        sa.Column(
            "end",
            sa.Enum("low", "high", name="team_cell_end", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.CheckConstraint('"end" IS NULL OR points IS NOT NULL', name=op.f("ck_peer_team_cell_end_with_points")),
        sa.CheckConstraint("(points IS NULL) = (people IS NULL)", name=op.f("ck_peer_team_cell_people_with_points")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_peer_team_cell_cycle_id")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_peer_team_cell_department_id")),
        sa.PrimaryKeyConstraint("cycle_id", "department_id", "criterion", name=op.f("pk_peer_team_cell")),
    )


def downgrade() -> None:
    op.drop_table("peer_team_cell")
    op.drop_table("peer_cycle_figure")
    op.drop_table("peer_comment")
