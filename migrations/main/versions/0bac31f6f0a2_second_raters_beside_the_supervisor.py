"""second raters beside the supervisor."""

import sqlalchemy as sa
from alembic import op

revision = "0bac31f6f0a2"
down_revision = "b94f89dbafb4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.add_column(sa.Column("second_rater_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_review_second_rater_id"), "person", ["second_rater_id"], ["id"])
        batch_op.create_check_constraint(
            op.f("ck_review_second_rater_is_not_the_subject"),
            "second_rater_id IS NULL OR second_rater_id <> subject_id",
        )
        batch_op.create_check_constraint(
            op.f("ck_review_second_rater_is_another"),
            "second_rater_id IS NULL OR supervisor_id IS NULL OR second_rater_id <> supervisor_id",
        )
    op.create_index("ix_review_second_rater_id", "review", ["second_rater_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_review_second_rater_id", table_name="review")
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_review_second_rater_is_another"), type_="check")
        batch_op.drop_constraint(op.f("ck_review_second_rater_is_not_the_subject"), type_="check")
        batch_op.drop_constraint(op.f("fk_review_second_rater_id"), type_="foreignkey")
        batch_op.drop_column("second_rater_id")
