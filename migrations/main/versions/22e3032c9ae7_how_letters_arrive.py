"""how letters arrive."""

import sqlalchemy as sa
from alembic import op

revision = "22e3032c9ae7"
down_revision = "2a30ca0ab351"
branch_labels = None
depends_on = None

STATES = "state IN ('waiting', 'sending', 'sent', 'failed'{})"

ABOUT_ONE = "UPDATE letter SET batch = about WHERE about LIKE 'cycle:%' AND about NOT LIKE 'cycle:%:%'"

# Letters that were written before: to which domain, and with which others, they were.
FILL = {
    "sqlite": (
        """UPDATE letter SET domain = CASE WHEN instr("to", '@') > 0
        THEN lower(trim(substr("to", instr("to", '@') + 1))) ELSE '' END""",
        """UPDATE letter SET batch = 'cycle:' || json_extract(params, '$.cycle')
        WHERE json_type(params, '$.cycle') = 'integer'""",
        ABOUT_ONE,
    ),
    "postgresql": (
        """UPDATE letter SET domain = lower(trim(split_part("to", '@', 2)))""",
        """UPDATE letter SET batch = 'cycle:' || (params ->> 'cycle')
        WHERE json_typeof(params -> 'cycle') = 'number'""",
        ABOUT_ONE,
    ),
}


def upgrade() -> None:
    op.create_table(
        "mail_rate",
        sa.Column("domain", sa.String(length=254), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "domain = lower(domain) AND length(domain) > 0", name=op.f("ck_mail_rate_domain_is_lower_case")
        ),
        sa.CheckConstraint("per_minute BETWEEN 1 AND 100000", name=op.f("ck_mail_rate_rate_is_sensible")),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_mail_rate")),
    )
    op.create_table(
        "mail_server",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("broke_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_mail_server_failures_are_counted")),
        sa.CheckConstraint("id = 1", name=op.f("ck_mail_server_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_server")),
    )
    op.create_table(
        "bounce",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("hard", "soft", name="bounce_kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_bounce_digest_is_whole")),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name=op.f("fk_bounce_letter_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounce")),
        sa.UniqueConstraint("letter_id", "digest", name=op.f("uq_bounce_letter_id_digest")),
    )
    op.create_table(
        "suppression",
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column(
            "why",
            sa.Enum("hard", "soft", name="why_stopped", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("address = lower(address)", name=op.f("ck_suppression_address_is_lower_case")),
        sa.ForeignKeyConstraint(
            ["letter_id"], ["letter.id"], name=op.f("fk_suppression_letter_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_suppression")),
    )
    op.create_table(
        "letter_wording",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("opening", sa.Text(), nullable=True),
        sa.Column("closing", sa.Text(), nullable=True),
        sa.Column("signature", sa.Text(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(subject IS NULL) = (opening IS NULL) AND (subject IS NULL) = (closing IS NULL) AND (subject IS NULL) = (signature IS NULL)",
            name=op.f("ck_letter_wording_all_of_it_or_the_default"),
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_letter_wording_versions_count_from_one")),
        sa.ForeignKeyConstraint(["written_by"], ["person.id"], name=op.f("fk_letter_wording_written_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_wording")),
        sa.UniqueConstraint("kind", "locale", "version", name=op.f("uq_letter_wording_kind_locale_version")),
    )
    op.create_table(
        "mail_pause",
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paused_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["paused_by"], ["person.id"], name=op.f("fk_mail_pause_paused_by")),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_mail_pause")),
    )
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.add_column(sa.Column("batch", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("domain", sa.String(length=254), nullable=True))
        batch_op.add_column(sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("reason", sa.String(length=64), nullable=True))
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in FILL["postgresql" if is_postgresql else "sqlite"]:
        op.execute(statement)
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.alter_column("domain", existing_type=sa.String(length=254), nullable=False)
        batch_op.drop_constraint(op.f("ck_letter_letter_state"), type_="check")
        batch_op.create_check_constraint(op.f("ck_letter_letter_state"), STATES.format(", 'bounced'"))
        batch_op.create_check_constraint(op.f("ck_letter_reason_is_a_code"), "reason IS NULL OR reason LIKE '%:%'")
    op.create_index("ix_letter_tried_at", "letter", ["tried_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_letter_tried_at", table_name="letter")
    op.execute("UPDATE letter SET state = 'failed' WHERE state = 'bounced'")
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_letter_reason_is_a_code"), type_="check")
        batch_op.drop_constraint(op.f("ck_letter_letter_state"), type_="check")
        batch_op.create_check_constraint(op.f("ck_letter_letter_state"), STATES.format(""))
        batch_op.drop_column("reason")
        batch_op.drop_column("tried_at")
        batch_op.drop_column("domain")
        batch_op.drop_column("batch")

    op.drop_table("mail_pause")
    op.drop_table("letter_wording")
    op.drop_table("suppression")
    op.drop_table("bounce")
    op.drop_table("mail_server")
    op.drop_table("mail_rate")
