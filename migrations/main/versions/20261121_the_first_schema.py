"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "20261121"
down_revision = None
branch_labels = None
depends_on = None

# The database itself refuses to change what the audit log says.
APPEND_ONLY = {
    "sqlite": (
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "customer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("unsubscribed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("email IS NULL OR email LIKE '_%@_%'", name=op.f("ck_customer_email_is_one")),
        sa.CheckConstraint("external_id IS NULL OR external_id <> ''", name=op.f("ck_customer_external_id_not_blank")),
        sa.CheckConstraint("locale IN ('zh', 'en')", name=op.f("ck_customer_locale_known")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_customer_has_a_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("external_id", name=op.f("uq_customer_external_id")),
    )
    op.create_index("ix_customer_email", "customer", ["email"], unique=False)

    op.create_table(
        "department",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["department.id"], name=op.f("fk_department_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_department")),
        sa.UniqueConstraint("parent_id", "name", name=op.f("uq_department_parent_id_name")),
    )
    op.create_index(
        "uq_department_top_name",
        "department",
        ["name"],
        unique=True,
        sqlite_where=sa.text("parent_id IS NULL"),
        postgresql_where=sa.text("parent_id IS NULL"),
    )

    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "running",
                "done",
                "failed",
                name="job_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worker", sa.String(length=64), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("refusal", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("key", name=op.f("uq_job_key")),
    )
    op.create_index("ix_job_state_run_at", "job", ["state", "run_at"], unique=False)

    op.create_table(
        "letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("about", sa.String(length=120), nullable=False),
        sa.Column("to", sa.String(length=254), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "sending",
                "sent",
                "failed",
                name="letter_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("send_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("kind", "about", "to", name=op.f("uq_letter_kind_about_to")),
    )
    op.create_index("ix_letter_state_send_after", "letter", ["state", "send_after"], unique=False)

    op.create_table(
        "organisation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("holidays", sa.JSON(), nullable=False),
        sa.Column("mail_from", sa.String(length=254), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_organisation_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
    )
    op.create_index("ix_sign_in_attempt_about_at", "sign_in_attempt", ["about", "at"], unique=False)

    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("employee_no", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("supervisor_id", sa.Integer(), nullable=True),
        sa.Column("post", sa.String(length=80), nullable=True),
        sa.Column("joined_on", sa.Date(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.Column("activation", sa.Integer(), nullable=False),
        sa.Column("slip_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "left_on IS NULL OR joined_on IS NULL OR left_on >= joined_on", name=op.f("ck_person_left_after_joined")
        ),
        sa.CheckConstraint("supervisor_id IS NULL OR supervisor_id <> id", name=op.f("ck_person_not_own_supervisor")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_person_department_id")),
        sa.ForeignKeyConstraint(["supervisor_id"], ["person.id"], name=op.f("fk_person_supervisor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
        sa.UniqueConstraint("employee_no", name=op.f("uq_person_employee_no")),
    )
    op.create_index("ix_person_department_id", "person", ["department_id"], unique=False)
    op.create_index("ix_person_supervisor_id", "person", ["supervisor_id"], unique=False)

    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("about", sa.String(length=120), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_audit_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_about"), "audit", ["about"], unique=False)

    op.create_table(
        "conflict",
        sa.Column("person_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("other_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.CheckConstraint("person_id <> other_id", name=op.f("ck_conflict_not_oneself")),
        sa.ForeignKeyConstraint(["other_id"], ["person.id"], name=op.f("fk_conflict_other_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_conflict_person_id")),
        sa.PrimaryKeyConstraint("person_id", "other_id", name=op.f("pk_conflict")),
    )
    op.create_table(
        "customer_upload",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filename", sa.String(length=120), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(content) > 0", name=op.f("ck_customer_upload_has_content")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_customer_upload_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_upload")),
        sa.UniqueConstraint("person_id", name=op.f("uq_customer_upload_person_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "person_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "agent",
                "supervisor",
                "hr",
                "administrator",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_person_role_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_role")),
        sa.UniqueConstraint("person_id", "role", name=op.f("uq_person_role_person_id_role")),
    )
    op.create_table(
        "scheme",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft", "open", "retired", name="scheme_state", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_scheme_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheme")),
        sa.UniqueConstraint("key", "version", name=op.f("uq_scheme_key_version")),
    )
    op.create_table(
        "supervisor_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("criterion", sa.String(length=40), nullable=True),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("author_id <> subject_id", name=op.f("ck_supervisor_note_never_about_oneself")),
        sa.CheckConstraint("length(text) > 0", name=op.f("ck_supervisor_note_says_something")),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_supervisor_note_author_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["person.id"], name=op.f("fk_supervisor_note_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supervisor_note")),
    )
    op.create_index("ix_supervisor_note_subject_id_on", "supervisor_note", ["subject_id", "on"], unique=False)

    op.create_table(
        "ticket",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.CheckConstraint("reference <> ''", name=op.f("ck_ticket_has_a_reference")),
        sa.ForeignKeyConstraint(["agent_id"], ["person.id"], name=op.f("fk_ticket_agent_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_ticket_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("id", "customer_id", name=op.f("uq_ticket_id_customer_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_ticket_reference")),
    )
    op.create_index("ix_ticket_agent_id_closed_on", "ticket", ["agent_id", "closed_on"], unique=False)
    op.create_index("ix_ticket_closed_on", "ticket", ["closed_on"], unique=False)
    op.create_index("ix_ticket_customer_id", "ticket", ["customer_id"], unique=False)

    op.create_table(
        "cycle",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "monthly",
                "quarterly",
                "half_yearly",
                "yearly",
                "custom",
                name="period_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("scheme_id", sa.Integer(), nullable=False),
        sa.Column(
            "stage",
            sa.Enum(
                "draft",
                "nominating",
                "collecting",
                "counting",
                "finalising",
                "published",
                "archived",
                "cancelled",
                name="stage",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("self_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finalise_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("publish_on", sa.Date(), nullable=False),
        sa.Column("acknowledge_days", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("max_load", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("plan_digest", sa.String(length=64), nullable=True),
        sa.Column("plan_confirmed", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("opens_at < closes_at", name=op.f("ck_cycle_opens_before_close")),
        sa.CheckConstraint("period_start <= period_end", name=op.f("ck_cycle_period_runs_forward")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_cycle_created_by")),
        sa.ForeignKeyConstraint(["scheme_id"], ["scheme.id"], name=op.f("fk_cycle_scheme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cycle")),
    )
    op.create_index(
        "uq_cycle_name_living",
        "cycle",
        ["name"],
        unique=True,
        sqlite_where=sa.text("stage <> 'cancelled'"),
        postgresql_where=sa.text("stage <> 'cancelled'"),
    )

    op.create_table(
        "cycle_move",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column(
            "move",
            sa.Enum(
                "open_nominations",
                "launch",
                "close",
                "finish_count",
                "publish",
                "archive",
                "cancel",
                name="move",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "from_stage",
            sa.Enum(
                "draft",
                "nominating",
                "collecting",
                "counting",
                "finalising",
                "published",
                "archived",
                "cancelled",
                name="from_stage",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "to_stage",
            sa.Enum(
                "draft",
                "nominating",
                "collecting",
                "counting",
                "finalising",
                "published",
                "archived",
                "cancelled",
                name="to_stage",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_cycle_move_cycle_id")),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name=op.f("fk_cycle_move_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cycle_move")),
    )
    op.create_index("ix_cycle_move_cycle_id", "cycle_move", ["cycle_id"], unique=False)

    op.create_table(
        "cycle_plan",
        sa.Column("cycle_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed", sa.Integer(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("reciprocal_pairs", sa.Integer(), nullable=False),
        sa.Column("loads", sa.JSON(), nullable=False),
        sa.Column("shortages", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_cycle_plan_cycle_id")),
        sa.PrimaryKeyConstraint("cycle_id", name=op.f("pk_cycle_plan")),
    )
    op.create_table(
        "cycle_reminder",
        sa.Column("cycle_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("deadline", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_cycle_reminder_cycle_id")),
        sa.PrimaryKeyConstraint("cycle_id", "deadline", "due_at", name=op.f("pk_cycle_reminder")),
    )
    op.create_table(
        "cycle_schedule",
        sa.Column("cycle_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name=op.f("fk_cycle_schedule_asked_by")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_cycle_schedule_cycle_id")),
        sa.PrimaryKeyConstraint("cycle_id", name=op.f("pk_cycle_schedule")),
    )
    op.create_table(
        "peer_count",
        sa.Column("cycle_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ballots", sa.Integer(), nullable=False),
        sa.Column("strangers", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_peer_count_cycle_id")),
        sa.PrimaryKeyConstraint("cycle_id", name=op.f("pk_peer_count")),
    )
    op.create_table(
        "peer_progress",
        sa.Column("cycle_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.CheckConstraint("percent % 10 = 0 AND percent BETWEEN 0 AND 100", name=op.f("ck_peer_progress_only_tens")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_peer_progress_cycle_id")),
        sa.PrimaryKeyConstraint("cycle_id", "day", name=op.f("pk_peer_progress")),
    )
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("supervisor_id", sa.Integer(), nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("without_peers", sa.Boolean(), nullable=False),
        sa.Column("self_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rating_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "supervisor_id IS NULL OR supervisor_id <> subject_id", name=op.f("ck_review_not_own_supervisor")
        ),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_review_cycle_id")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_review_department_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["person.id"], name=op.f("fk_review_subject_id")),
        sa.ForeignKeyConstraint(["supervisor_id"], ["person.id"], name=op.f("fk_review_supervisor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("cycle_id", "subject_id", name=op.f("uq_review_cycle_id_subject_id")),
    )
    op.create_index("ix_review_subject_id", "review", ["subject_id"], unique=False)
    op.create_index("ix_review_supervisor_id_cycle_id", "review", ["supervisor_id", "cycle_id"], unique=False)

    op.create_table(
        "urn",
        sa.Column("cycle_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_urn_cycle_id")),
        sa.PrimaryKeyConstraint("cycle_id", name=op.f("pk_urn")),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_form", sa.String(length=64), nullable=True),
        sa.CheckConstraint("(used_at IS NULL) = (used_form IS NULL)", name=op.f("ck_invitation_used_with_a_form")),
        sa.CheckConstraint("expires_at > invited_at", name=op.f("ck_invitation_expires_after_invited")),
        sa.CheckConstraint("generation >= 1", name=op.f("ck_invitation_generation_counts_from_one")),
        sa.CheckConstraint("length(token_hash) = 64", name=op.f("ck_invitation_token_is_hashed")),
        sa.CheckConstraint(
            "reminded_at IS NULL OR reminded_at > invited_at", name=op.f("ck_invitation_reminded_after_invited")
        ),
        sa.CheckConstraint(
            "used_at IS NULL OR (used_at >= invited_at AND used_at < expires_at)",
            name=op.f("ck_invitation_used_while_it_was_valid"),
        ),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_invitation_cycle_id")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_invitation_review_id")),
        sa.ForeignKeyConstraint(
            ["ticket_id", "customer_id"],
            ["ticket.id", "ticket.customer_id"],
            name=op.f("fk_invitation_ticket_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("cycle_id", "customer_id", name=op.f("uq_invitation_cycle_id_customer_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
    )
    op.create_index("ix_invitation_customer_id_invited_at", "invitation", ["customer_id", "invited_at"], unique=False)
    op.create_index("ix_invitation_invited_at", "invitation", ["invited_at"], unique=False)
    op.create_index("ix_invitation_review_id", "invitation", ["review_id"], unique=False)
    op.create_index("ix_invitation_ticket_id", "invitation", ["ticket_id"], unique=False)

    op.create_table(
        "peer_cell",
        sa.Column("review_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("criterion", sa.String(length=40), nullable=False),
        sa.Column("n", sa.String(length=8), nullable=True),
        sa.Column("points", sa.Integer(), nullable=True),
        sa.Column("over", sa.Integer(), nullable=True),
        sa.Column(
            "end",
            sa.Enum("low", "high", name="cell_end", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.Column(
            "withheld",
            sa.Enum(
                "below_minimum",
                "not_asked",
                "panel_too_small",
                "left_out",
                name="cell_withheld",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.CheckConstraint('"end" IS NULL OR points IS NOT NULL', name=op.f("ck_peer_cell_end_with_points")),
        sa.CheckConstraint('(points IS NULL) = ("over" IS NULL)', name=op.f("ck_peer_cell_over_with_points")),
        sa.CheckConstraint("(points IS NULL) = (n IS NULL)", name=op.f("ck_peer_cell_n_with_points")),
        sa.CheckConstraint("(withheld IS NULL) = (points IS NOT NULL)", name=op.f("ck_peer_cell_shown_or_withheld")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_peer_cell_review_id")),
        sa.PrimaryKeyConstraint("review_id", "criterion", name=op.f("pk_peer_cell")),
    )
    op.create_table(
        "publication",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column(
            "grade",
            sa.Enum(
                "excellent",
                "good",
                "fair",
                "poor",
                name="publication_grade",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Integer(), nullable=False),
        sa.CheckConstraint("(score IS NULL) = (grade IS NULL)", name=op.f("ck_publication_graded_when_scored")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_publication_cycle_id")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_publication_department_id")),
        sa.ForeignKeyConstraint(["published_by"], ["person.id"], name=op.f("fk_publication_published_by")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_publication_review_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["person.id"], name=op.f("fk_publication_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
        sa.UniqueConstraint("review_id", "version", name=op.f("uq_publication_review_id_version")),
    )
    op.create_index("ix_publication_cycle_id", "publication", ["cycle_id"], unique=False)
    op.create_index(op.f("ix_publication_subject_id"), "publication", ["subject_id"], unique=False)

    op.create_table(
        "response",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "self",
                "supervisor",
                "peers",
                "customers",
                name="response_source",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("respondent", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("c1", sa.SmallInteger(), nullable=True),
        sa.Column("c2", sa.SmallInteger(), nullable=True),
        sa.Column("c3", sa.SmallInteger(), nullable=True),
        sa.Column("c4", sa.SmallInteger(), nullable=True),
        sa.Column("c5", sa.SmallInteger(), nullable=True),
        sa.Column("c6", sa.SmallInteger(), nullable=True),
        sa.Column("c7", sa.SmallInteger(), nullable=True),
        sa.Column("c8", sa.SmallInteger(), nullable=True),
        sa.Column("c9", sa.SmallInteger(), nullable=True),
        sa.Column("c10", sa.SmallInteger(), nullable=True),
        sa.Column("c11", sa.SmallInteger(), nullable=True),
        sa.Column("c12", sa.SmallInteger(), nullable=True),
        sa.Column("overall", sa.SmallInteger(), nullable=True),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("wants_contact", sa.Boolean(), nullable=False),
        sa.Column("withhold_ticket", sa.Boolean(), nullable=False),
        sa.Column("draft", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("draft_saved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(source = 'customers') = (overall IS NOT NULL)", name=op.f("ck_response_customers_answer_overall")
        ),
        sa.CheckConstraint(
            "(source = 'customers') = (person_id IS NULL)", name=op.f("ck_response_customers_have_no_account")
        ),
        sa.CheckConstraint("source <> 'customers' OR draft IS NULL", name=op.f("ck_response_customers_have_no_draft")),
        sa.CheckConstraint("source <> 'peers'", name=op.f("ck_response_never_peers")),
        sa.CheckConstraint(
            "source = 'customers' OR ((c1 IS NULL OR c1 <= 4) AND (c2 IS NULL OR c2 <= 4) AND (c3 IS NULL OR c3 <= 4) AND (c4 IS NULL OR c4 <= 4) AND (c5 IS NULL OR c5 <= 4) AND (c6 IS NULL OR c6 <= 4) AND (c7 IS NULL OR c7 <= 4) AND (c8 IS NULL OR c8 <= 4) AND (c9 IS NULL OR c9 <= 4) AND (c10 IS NULL OR c10 <= 4) AND (c11 IS NULL OR c11 <= 4) AND (c12 IS NULL OR c12 <= 4))",
            name=op.f("ck_response_levels_are_four"),
        ),
        sa.CheckConstraint(
            "source = 'customers' OR (NOT wants_contact AND NOT withhold_ticket)",
            name=op.f("ck_response_only_customers_wish"),
        ),
        sa.CheckConstraint(
            "(c1 IS NULL OR c1 BETWEEN 1 AND 5) AND (c2 IS NULL OR c2 BETWEEN 1 AND 5) AND (c3 IS NULL OR c3 BETWEEN 1 AND 5) AND (c4 IS NULL OR c4 BETWEEN 1 AND 5) AND (c5 IS NULL OR c5 BETWEEN 1 AND 5) AND (c6 IS NULL OR c6 BETWEEN 1 AND 5) AND (c7 IS NULL OR c7 BETWEEN 1 AND 5) AND (c8 IS NULL OR c8 BETWEEN 1 AND 5) AND (c9 IS NULL OR c9 BETWEEN 1 AND 5) AND (c10 IS NULL OR c10 BETWEEN 1 AND 5) AND (c11 IS NULL OR c11 BETWEEN 1 AND 5) AND (c12 IS NULL OR c12 BETWEEN 1 AND 5)",
            name=op.f("ck_response_in_range"),
        ),
        sa.CheckConstraint("(draft IS NULL) = (draft_saved_at IS NULL)", name=op.f("ck_response_draft_has_its_time")),
        sa.CheckConstraint("(version = 0) = (filed_at IS NULL)", name=op.f("ck_response_version_counts_filings")),
        sa.CheckConstraint(
            "filed_at IS NOT NULL OR (overall IS NULL AND c1 IS NULL AND c2 IS NULL AND c3 IS NULL AND c4 IS NULL AND c5 IS NULL AND c6 IS NULL AND c7 IS NULL AND c8 IS NULL AND c9 IS NULL AND c10 IS NULL AND c11 IS NULL AND c12 IS NULL)",
            name=op.f("ck_response_unfiled_says_nothing"),
        ),
        sa.CheckConstraint("overall IS NULL OR overall BETWEEN 1 AND 5", name=op.f("ck_response_overall_in_range")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_response_person_id")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_response_review_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_response")),
        sa.UniqueConstraint("review_id", "source", "respondent", name=op.f("uq_response_review_id_source_respondent")),
    )
    op.create_table(
        "reward",
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column(
            "tier",
            sa.Enum(
                "excellent", "good", "fair", "poor", name="tier", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("coefficient", sa.String(length=16), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_reward_review_id")),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_reward")),
    )
    op.create_table(
        "scorecard",
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column(
            "grade",
            sa.Enum(
                "excellent",
                "good",
                "fair",
                "poor",
                name="scorecard_grade",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("withheld", sa.String(length=32), nullable=True),
        sa.Column("working", sa.JSON(), nullable=False),
        sa.Column("method_hash", sa.String(length=64), nullable=False),
        sa.Column("input_hash", sa.String(length=64), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(score IS NULL) = (grade IS NULL)", name=op.f("ck_scorecard_graded_when_scored")),
        sa.CheckConstraint(
            "(score IS NULL) = (withheld IS NOT NULL)", name=op.f("ck_scorecard_withheld_when_unscored")
        ),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_scorecard_cycle_id")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_scorecard_review_id")),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_scorecard")),
    )
    op.create_index("ix_scorecard_cycle_id", "scorecard", ["cycle_id"], unique=False)

    op.create_table(
        "seat",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("rater_id", sa.Integer(), nullable=False),
        sa.Column("is_closed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["rater_id"], ["person.id"], name=op.f("fk_seat_rater_id")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_seat_review_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat")),
        sa.UniqueConstraint("review_id", "rater_id", name=op.f("uq_seat_review_id_rater_id")),
    )
    op.create_index("ix_seat_rater_id", "seat", ["rater_id"], unique=False)

    op.create_table(
        "sign_off",
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column(
            "computed_grade",
            sa.Enum(
                "excellent",
                "good",
                "fair",
                "poor",
                name="computed_grade",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "final_grade",
            sa.Enum(
                "excellent",
                "good",
                "fair",
                "poor",
                name="final_grade",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("input_hash", sa.String(length=64), nullable=False),
        sa.Column("signed_by", sa.Integer(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "coalesce(final_grade = computed_grade, false) OR reason <> ''", name=op.f("ck_sign_off_reasoned")
        ),
        sa.CheckConstraint("summary <> ''", name=op.f("ck_sign_off_summarised")),
        sa.CheckConstraint(
            "(computed_grade IS NULL) = (final_grade IS NULL)", name=op.f("ck_sign_off_graded_when_scored")
        ),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_sign_off_review_id")),
        sa.ForeignKeyConstraint(["signed_by"], ["person.id"], name=op.f("fk_sign_off_signed_by")),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_sign_off")),
    )
    op.create_table(
        "acknowledgement",
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_acknowledgement_person_id")),
        sa.ForeignKeyConstraint(["publication_id"], ["publication.id"], name=op.f("fk_acknowledgement_publication_id")),
        sa.PrimaryKeyConstraint("publication_id", name=op.f("pk_acknowledgement")),
    )
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("acknowledgement")
    op.drop_table("sign_off")
    op.drop_index("ix_seat_rater_id", table_name="seat")

    op.drop_table("seat")
    op.drop_index("ix_scorecard_cycle_id", table_name="scorecard")

    op.drop_table("scorecard")
    op.drop_table("reward")
    op.drop_table("response")
    op.drop_index(op.f("ix_publication_subject_id"), table_name="publication")
    op.drop_index("ix_publication_cycle_id", table_name="publication")

    op.drop_table("publication")
    op.drop_table("peer_cell")
    op.drop_index("ix_invitation_ticket_id", table_name="invitation")
    op.drop_index("ix_invitation_review_id", table_name="invitation")
    op.drop_index("ix_invitation_invited_at", table_name="invitation")
    op.drop_index("ix_invitation_customer_id_invited_at", table_name="invitation")

    op.drop_table("invitation")
    op.drop_table("urn")
    op.drop_index("ix_review_supervisor_id_cycle_id", table_name="review")
    op.drop_index("ix_review_subject_id", table_name="review")

    op.drop_table("review")
    op.drop_table("peer_progress")
    op.drop_table("peer_count")
    op.drop_table("cycle_schedule")
    op.drop_table("cycle_reminder")
    op.drop_table("cycle_plan")
    op.drop_index("ix_cycle_move_cycle_id", table_name="cycle_move")

    op.drop_table("cycle_move")
    op.drop_index("uq_cycle_name_living", table_name="cycle")

    op.drop_table("cycle")
    op.drop_index("ix_ticket_customer_id", table_name="ticket")
    op.drop_index("ix_ticket_closed_on", table_name="ticket")
    op.drop_index("ix_ticket_agent_id_closed_on", table_name="ticket")

    op.drop_table("ticket")
    op.drop_index("ix_supervisor_note_subject_id_on", table_name="supervisor_note")

    op.drop_table("supervisor_note")
    op.drop_table("scheme")
    op.drop_table("person_role")
    op.drop_table("customer_upload")
    op.drop_table("conflict")
    op.drop_index(op.f("ix_audit_about"), table_name="audit")

    op.drop_table("audit")
    op.drop_index("ix_person_supervisor_id", table_name="person")
    op.drop_index("ix_person_department_id", table_name="person")

    op.drop_table("person")
    op.drop_index("ix_sign_in_attempt_about_at", table_name="sign_in_attempt")

    op.drop_table("sign_in_attempt")
    op.drop_table("organisation")
    op.drop_index("ix_letter_state_send_after", table_name="letter")

    op.drop_table("letter")
    op.drop_index("ix_job_state_run_at", table_name="job")

    op.drop_table("job")
    op.drop_index("uq_department_top_name", table_name="department")

    op.drop_table("department")
    op.drop_index("ix_customer_email", table_name="customer")

    op.drop_table("customer")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_refuse()")
