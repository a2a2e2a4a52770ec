"""Who may do what: one vocabulary of deeds, one function that decides, no request in sight."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person is in the organisation. One person may hold several; a supervisor is reviewed like anybody."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    HR = "hr"
    ADMINISTRATOR = "administrator"


class Standing(StrEnum):
    """What a person is to the one thing at hand; the loader that fetched the thing says so."""

    ABOVE = "above"  # the head above the supervisor who answers for this review
    CHECKER = "checker"  # holds the quality check, or a place in the calibration round
    DECIDER = "decider"  # was asked to decide this dispute
    RATER = "rater"  # holds the seat
    RESPONSIBLE = "responsible"  # the supervisor who rates and finalises this review
    SECOND = "second"  # named for the second look at this result
    SECOND_RATER = "second_rater"  # rates this review beside the responsible supervisor
    SUBJECT = "subject"  # the review, result or account is about this person
    TRUSTEE = "trustee"  # keeps a share of the cycle's key
    HANDLER = "handler"  # owns the case review


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person, as far as a decision needs to know them."""

    person_id: int
    name: str
    roles: frozenset[Role]
    locale: str = "zh"


class Deed(StrEnum):
    """Everything somebody can do, as `room:thing:verb`, in alphabetical order (a law keeps it so)."""

    KEY_OPEN = "custody:key:open"
    SHARE_TAKE = "custody:share:take"
    CUSTOMER_IMPORT = "customer_survey:customer:import"
    EXCLUSION_ASK = "customer_survey:exclusion:ask"
    EXCLUSION_DECIDE = "customer_survey:exclusion:decide"
    STOP_EDIT = "customer_survey:stop:edit"
    SURVEY_READ = "customer_survey:survey:read"
    SURVEY_READ_TEAM = "customer_survey:survey:read_team"
    SURVEY_RUN = "customer_survey:survey:run"
    CYCLE_CREATE = "cycles:cycle:create"
    CYCLE_RUN = "cycles:cycle:run"
    CYCLE_SEE = "cycles:cycle:see"
    METHOD_SEE = "diagnostics:method:see"
    WHAT_IF_TRY = "diagnostics:what_if:try"
    CASE_ASSIGN = "follow_up:case:assign"
    CASE_SEE_OWN = "follow_up:case:see_own"
    CASE_WORK = "follow_up:case:work"
    CUSTOMER_CONTACT = "follow_up:customer:contact"
    RECORDS_IMPORT = "helpdesk:records:import"
    ALERT_HANDLE = "kpi:alert:handle"
    ALERTS_SEE = "kpi:alerts:see"
    KPI_FIGURE_WRITE = "kpi:figure:write"
    KPI_GRID_WRITE = "kpi:grid:write"
    HINTS_SEE = "kpi:hints:see"
    INDICATORS_READ = "kpi:indicators:read"
    INDICATORS_SEE = "kpi:indicators:see"
    KPI_LINE_DECIDE = "kpi:line:decide"
    KPI_LINE_PROPOSE = "kpi:line:propose"
    KPI_PLAN_EDIT = "kpi:plan:edit"
    KPI_PLAN_READ = "kpi:plan:read"
    KPI_SHEET_MANAGE = "kpi:sheet:manage"
    KPI_SHEET_READ = "kpi:sheet:read"
    KPI_SHEET_RUN = "kpi:sheet:run"
    KPI_SHEET_SEE_OWN = "kpi:sheet:see_own"
    KPI_SHEET_SIGN = "kpi:sheet:sign"
    KPI_TEAM_SEE = "kpi:team:see"
    KPI_WORD_WRITE = "kpi:word:write"
    BALLOT_CAST = "peer_review:ballot:cast"
    CONFLICT_DECLARE = "peer_review:conflict:declare"
    SEATS_SEE_OWN = "peer_review:seats:see_own"
    ACCOUNT_SEE_OWN = "people:account:see_own"
    ACCOUNT_SIGN_OUT = "people:account:sign_out"
    ORGANISATION_EDIT = "people:organisation:edit"
    PERSON_EDIT = "people:person:edit"
    PERSON_IMPORT = "people:person:import"
    PERSON_SEE = "people:person:see"
    SLIP_PRINT = "people:slip:print"
    QUALITY_BOARD_SEE = "quality:board:see"
    CALIBRATION_RATE = "quality:calibration:rate"
    CALIBRATION_READ = "quality:calibration:read"
    CALIBRATION_RUN = "quality:calibration:run"
    CHECK_READ = "quality:check:read"
    CHECK_WRITE = "quality:check:write"
    CHECKS_SEE_OWN = "quality:checks:see_own"
    DISPUTE_DECIDE = "quality:dispute:decide"
    DISPUTE_RAISE = "quality:dispute:raise"
    DISPUTES_SEE = "quality:disputes:see"
    QUALITY_FORM_EDIT = "quality:form:edit"
    QUALITY_FORM_READ = "quality:form:read"
    QUALITY_SAMPLE_RUN = "quality:sample:run"
    TEAM_QUALITY_SEE = "quality:team:see"
    COMPANY_SEE = "reports:company:see"
    RESULT_ACKNOWLEDGE = "reports:result:acknowledge"
    RESULT_READ = "reports:result:read"
    RESULT_SEE_OWN = "reports:result:see_own"
    TEAM_REPORT_SEE = "reports:team:see"
    LOOK_ASSIGN = "results:look:assign"
    LOOK_TAKE = "results:look:take"
    RESULT_FINALISE = "results:result:finalise"
    SCHEME_EDIT = "schemes:scheme:edit"
    SCHEME_READ = "schemes:scheme:read"
    SELF_REVIEW_READ = "self_review:review:read"
    SELF_REVIEW_WRITE = "self_review:review:write"
    NOTE_WRITE = "supervisor_review:note:write"
    RATING_WRITE = "supervisor_review:rating:write"
    TEAM_BOARD_SEE = "supervisor_review:team:see"
    AUDIT_SEE = "workflow:audit:see"
    JOBS_SEE = "workflow:jobs:see"
    MAIL_LIFT = "workflow:mail:lift"
    MAIL_PAUSE = "workflow:mail:pause"
    MAIL_SEE = "workflow:mail:see"
    MAIL_SET_UP = "workflow:mail:set_up"
    MAIL_TEST = "workflow:mail:test"
    MAIL_WORD = "workflow:mail:word"
    PUBLICATION_PUBLISH = "workflow:publication:publish"
    START_SEE = "workflow:start:see"


@dataclass(frozen=True, slots=True)
class Allowance:
    """A deed is allowed to whoever holds one of `roles` or `standings`; `everyone` means everyone signed in."""

    roles: frozenset[Role] = frozenset()
    standings: frozenset[Standing] = frozenset()
    everyone: bool = False


def _to(*who: Role | Standing) -> Allowance:
    return Allowance(
        frozenset(w for w in who if isinstance(w, Role)), frozenset(w for w in who if isinstance(w, Standing))
    )


EVERYONE = Allowance(everyone=True)

ALLOWED: Mapping[Deed, Allowance] = {
    Deed.KEY_OPEN: _to(Role.HR, Standing.TRUSTEE),
    Deed.SHARE_TAKE: _to(Standing.TRUSTEE),
    Deed.CUSTOMER_IMPORT: _to(Role.HR),
    Deed.EXCLUSION_ASK: EVERYONE,
    Deed.EXCLUSION_DECIDE: _to(Role.HR),
    Deed.STOP_EDIT: _to(Role.HR),
    Deed.SURVEY_READ: _to(Role.HR),
    Deed.SURVEY_READ_TEAM: _to(Standing.RESPONSIBLE),
    Deed.SURVEY_RUN: _to(Role.HR),
    Deed.CYCLE_CREATE: _to(Role.HR),
    Deed.CYCLE_RUN: _to(Role.HR),
    Deed.CYCLE_SEE: _to(Role.HR),
    Deed.METHOD_SEE: _to(Role.HR),
    Deed.WHAT_IF_TRY: _to(Role.HR),
    Deed.CASE_ASSIGN: _to(Role.HR),
    Deed.CASE_SEE_OWN: EVERYONE,
    Deed.CASE_WORK: _to(Role.HR, Standing.HANDLER),
    Deed.CUSTOMER_CONTACT: _to(Role.HR),
    Deed.RECORDS_IMPORT: _to(Role.HR),
    Deed.ALERT_HANDLE: _to(Standing.RESPONSIBLE, Role.HR),
    Deed.ALERTS_SEE: _to(Role.SUPERVISOR, Role.HR),
    Deed.KPI_FIGURE_WRITE: _to(Role.HR, Standing.RESPONSIBLE),
    Deed.KPI_GRID_WRITE: _to(Role.HR, Role.SUPERVISOR),
    Deed.HINTS_SEE: _to(Role.HR),
    Deed.INDICATORS_READ: _to(Standing.SUBJECT, Standing.RESPONSIBLE, Role.HR),
    Deed.INDICATORS_SEE: EVERYONE,
    Deed.KPI_LINE_DECIDE: _to(Role.HR, Standing.ABOVE),
    Deed.KPI_LINE_PROPOSE: _to(Role.HR, Standing.RESPONSIBLE),
    Deed.KPI_PLAN_EDIT: _to(Role.HR),
    Deed.KPI_PLAN_READ: EVERYONE,
    Deed.KPI_SHEET_MANAGE: _to(Role.HR, Standing.RESPONSIBLE),
    Deed.KPI_SHEET_READ: _to(Role.HR, Standing.SUBJECT, Standing.RESPONSIBLE, Standing.ABOVE),
    Deed.KPI_SHEET_RUN: _to(Role.HR),
    Deed.KPI_SHEET_SEE_OWN: EVERYONE,
    Deed.KPI_SHEET_SIGN: _to(Standing.SUBJECT, Standing.RESPONSIBLE, Standing.ABOVE),
    Deed.KPI_TEAM_SEE: _to(Role.SUPERVISOR),
    Deed.KPI_WORD_WRITE: _to(Standing.SUBJECT, Standing.RESPONSIBLE),
    Deed.BALLOT_CAST: _to(Standing.RATER),
    Deed.CONFLICT_DECLARE: EVERYONE,
    Deed.SEATS_SEE_OWN: EVERYONE,
    Deed.ACCOUNT_SEE_OWN: EVERYONE,
    Deed.ACCOUNT_SIGN_OUT: EVERYONE,
    Deed.ORGANISATION_EDIT: _to(Role.HR, Role.ADMINISTRATOR),
    Deed.PERSON_EDIT: _to(Role.HR, Role.ADMINISTRATOR),
    Deed.PERSON_IMPORT: _to(Role.HR, Role.ADMINISTRATOR),
    Deed.PERSON_SEE: _to(Role.HR, Role.ADMINISTRATOR),
    Deed.SLIP_PRINT: _to(Role.HR, Role.ADMINISTRATOR),
    Deed.QUALITY_BOARD_SEE: _to(Role.HR),
    Deed.CALIBRATION_RATE: _to(Standing.CHECKER),
    Deed.CALIBRATION_READ: _to(Standing.CHECKER, Role.HR),
    Deed.CALIBRATION_RUN: _to(Role.HR),
    Deed.CHECK_READ: _to(Standing.CHECKER, Standing.SUBJECT, Standing.RESPONSIBLE, Standing.DECIDER, Role.HR),
    Deed.CHECK_WRITE: _to(Standing.CHECKER),
    Deed.CHECKS_SEE_OWN: EVERYONE,
    Deed.DISPUTE_DECIDE: _to(Role.HR, Standing.DECIDER),
    Deed.DISPUTE_RAISE: _to(Standing.SUBJECT),
    Deed.DISPUTES_SEE: _to(Role.HR),
    Deed.QUALITY_FORM_EDIT: _to(Role.HR),
    Deed.QUALITY_FORM_READ: EVERYONE,
    Deed.QUALITY_SAMPLE_RUN: _to(Role.HR),
    Deed.TEAM_QUALITY_SEE: _to(Role.SUPERVISOR),
    Deed.COMPANY_SEE: _to(Role.HR),
    Deed.RESULT_ACKNOWLEDGE: _to(Standing.SUBJECT),
    Deed.RESULT_READ: _to(Standing.SUBJECT, Standing.RESPONSIBLE, Role.HR),
    Deed.RESULT_SEE_OWN: EVERYONE,
    Deed.TEAM_REPORT_SEE: _to(Role.SUPERVISOR),
    Deed.LOOK_ASSIGN: _to(Role.HR),
    Deed.LOOK_TAKE: _to(Standing.SECOND),
    Deed.RESULT_FINALISE: _to(Standing.RESPONSIBLE),
    Deed.SCHEME_EDIT: _to(Role.HR),
    Deed.SCHEME_READ: EVERYONE,
    Deed.SELF_REVIEW_READ: _to(Standing.SUBJECT, Standing.RESPONSIBLE, Standing.SECOND_RATER),
    Deed.SELF_REVIEW_WRITE: _to(Standing.SUBJECT),
    Deed.NOTE_WRITE: _to(Standing.RESPONSIBLE),
    Deed.RATING_WRITE: _to(Standing.RESPONSIBLE, Standing.SECOND_RATER),
    Deed.TEAM_BOARD_SEE: _to(Role.SUPERVISOR),
    Deed.AUDIT_SEE: _to(Role.HR, Role.ADMINISTRATOR),
    Deed.JOBS_SEE: _to(Role.HR, Role.ADMINISTRATOR),
    Deed.MAIL_LIFT: _to(Role.HR),
    Deed.MAIL_PAUSE: _to(Role.HR, Role.ADMINISTRATOR),
    Deed.MAIL_SEE: _to(Role.HR, Role.ADMINISTRATOR),
    Deed.MAIL_SET_UP: _to(Role.ADMINISTRATOR),
    Deed.MAIL_TEST: _to(Role.HR),
    Deed.MAIL_WORD: _to(Role.HR),
    Deed.PUBLICATION_PUBLISH: _to(Role.HR),
    Deed.START_SEE: EVERYONE,
}


def may(actor: Actor, deed: Deed, standings: frozenset[Standing] = frozenset()) -> bool:
    """Whether `actor`, being `standings` to the thing at hand, may do `deed`. What nobody listed, nobody may."""
    allowance = ALLOWED.get(deed, Allowance())
    if allowance.everyone:
        return True
    return bool(actor.roles & allowance.roles) or bool(standings & allowance.standings)
