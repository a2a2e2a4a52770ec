"""Tickets and receipts of cycles under maximum protection."""

import sqlalchemy as sa
from alembic import op

revision = "3e9d39ad5bac"
down_revision = "3412e2d251f3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "receipt",
        sa.Column("cycle_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_receipt_cycle_id")),
        sa.PrimaryKeyConstraint("cycle_id", "code", name=op.f("pk_receipt")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ticket_draw",
        sa.Column("cycle_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rater_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_ticket_draw_cycle_id")),
        sa.ForeignKeyConstraint(["rater_id"], ["person.id"], name=op.f("fk_ticket_draw_rater_id")),
        sa.PrimaryKeyConstraint("cycle_id", "rater_id", name=op.f("pk_ticket_draw")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ticket_index",
        sa.Column("cycle_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_ticket_index_cycle_id")),
        sa.PrimaryKeyConstraint("cycle_id", name=op.f("pk_ticket_index")),
    )
    op.create_table(
        "ballot_ticket",
        sa.Column("seat_id", sa.Uuid(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("blinded_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_ballot_ticket_cycle_id")),
        sa.ForeignKeyConstraint(["seat_id"], ["seat.id"], name=op.f("fk_ballot_ticket_seat_id")),
        sa.PrimaryKeyConstraint("seat_id", name=op.f("pk_ballot_ticket")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("ballot_ticket")
    op.drop_table("ticket_index")
    op.drop_table("ticket_draw")
    op.drop_table("receipt")
