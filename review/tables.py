"""Names every table of the main database once, for Alembic and for the laws that guard the schema."""

import review.ballots.tables
import review.custody.tables
import review.customer_survey.tables
import review.cycles.tables
import review.follow_up.tables
import review.helpdesk.tables
import review.infra.audit
import review.infra.bounces
import review.infra.jobs
import review.infra.mail_server
import review.infra.organisation
import review.infra.outbox
import review.infra.pacing
import review.infra.suppression
import review.infra.wording
import review.kpi.alert_tables
import review.kpi.tables
import review.peer_review.tables
import review.people.tables
import review.quality.tables
import review.responses.tables
import review.results.tables
import review.schemes.tables
import review.supervisor_review.tables
import review.tickets.tables
import review.workflow.tables  # noqa: F401
from review.infra.db import db

__all__ = ["metadata"]

metadata = db.metadata
