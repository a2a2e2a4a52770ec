"""second looks at results near a cut."""

import sqlalchemy as sa
from alembic import op

revision = "661196287e05"
down_revision = "22e3032c9ae7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "second_look",
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("named_by", sa.Integer(), nullable=False),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "confirmed", "sent_back", name="look_outcome", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column("input_hash", sa.String(length=64), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column(
            "final_grade",
            sa.Enum(
                "excellent",
                "good",
                "fair",
                "poor",
                name="look_grade",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(outcome IS NULL) = (reason = '')", name=op.f("ck_second_look_reasoned")),
        sa.CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name=op.f("ck_second_look_decided_at_a_time")),
        sa.CheckConstraint("(outcome IS NULL) = (final_grade IS NULL)", name=op.f("ck_second_look_decided_on_a_grade")),
        sa.CheckConstraint("(outcome IS NULL) = (input_hash IS NULL)", name=op.f("ck_second_look_decided_on_figures")),
        sa.CheckConstraint("(outcome IS NULL) = (score IS NULL)", name=op.f("ck_second_look_decided_on_a_score")),
        sa.ForeignKeyConstraint(["named_by"], ["person.id"], name=op.f("fk_second_look_named_by")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_second_look_person_id")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_second_look_review_id")),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_second_look")),
    )
    op.create_index("ix_second_look_person_id", "second_look", ["person_id"], unique=False)

    with op.batch_alter_table("scorecard", schema=None) as batch_op:
        batch_op.add_column(sa.Column("near_cut", sa.Boolean(), server_default=sa.false(), nullable=False))

    # Cycles that are being finalised keep their flags: the quotes end a word of JSON, which a text inside never does.
    op.execute("UPDATE scorecard SET near_cut = true WHERE CAST(working AS TEXT) LIKE '%\"near_cut\"%'")

    with op.batch_alter_table("sign_off", schema=None) as batch_op:
        batch_op.add_column(sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("sign_off", schema=None) as batch_op:
        batch_op.drop_column("returned_at")

    with op.batch_alter_table("scorecard", schema=None) as batch_op:
        batch_op.drop_column("near_cut")

    op.drop_index("ix_second_look_person_id", table_name="second_look")

    op.drop_table("second_look")
