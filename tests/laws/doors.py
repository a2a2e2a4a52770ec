"""Every door of the house for the matrix of roles and routes: which thing it is tried on, and what a caller sends.

A new route needs a row here. `about` says what the thing at hand is, so that the law knows who stands how to it:
`ada` is a review of Ada's (she is its subject, Sam answers for it), `look` Quinn's second look at it, `seat` the peer's
seat about her, `note` and `report` belong to Sam, `teams` to everybody who answers for a review in the cycle, None to
nobody in particular.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from review.domain.access import Standing
from tests.world import Facts

Args = Callable[[Facts], Mapping[str, Any]]


def _nothing(_facts: Facts) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Door:
    """How one endpoint is tried. `shows` are the statuses, besides 200 and redirects, of somebody who was let in."""

    args: Args = _nothing
    about: str | None = None
    shows: frozenset[int] = frozenset()
    form: Mapping[str, Any] = field(default_factory=dict)


STANDINGS: Mapping[str, Mapping[str, frozenset[Standing]]] = {
    "ada": {"ada": frozenset({Standing.SUBJECT}), "sam": frozenset({Standing.RESPONSIBLE})},
    "look": {"quinn": frozenset({Standing.SECOND})},
    "seat": {"peer": frozenset({Standing.RATER})},
    "note": {"sam": frozenset({Standing.RESPONSIBLE})},
    "report": {"sam": frozenset({Standing.RESPONSIBLE})},
    "report_or_self": {"ada": frozenset({Standing.SUBJECT}), "sam": frozenset({Standing.RESPONSIBLE})},
    "check": {
        "ada": frozenset({Standing.SUBJECT}),
        "sam": frozenset({Standing.RESPONSIBLE}),
        "quinn": frozenset({Standing.CHECKER}),
    },
    "open_check": {"quinn": frozenset({Standing.CHECKER})},
    "round": {"sam": frozenset({Standing.CHECKER}), "quinn": frozenset({Standing.CHECKER})},
    "teams": {"sam": frozenset({Standing.RESPONSIBLE}), "quinn": frozenset({Standing.RESPONSIBLE})},
}


def _of_ada(kind: str) -> Args:
    return lambda facts: {"review_id": getattr(facts, f"{kind}_review")}


def _cycle(kind: str) -> Args:
    return lambda facts: {"cycle_id": getattr(facts, kind)}


def _person(name: str, key: str = "person_id") -> Args:
    return lambda facts: {key: getattr(facts, name)}


def _grid(facts: Facts) -> dict[str, Any]:
    return {"cycle_id": facts.collecting, "row_key": "volume"}


PUBLIC = Door()
WRONG_LINK = Door(lambda _facts: {"token": "x" * 43}, shows=frozenset({404, 410}))
SURVEY = Door(lambda facts: {"token": facts.survey_token}, shows=frozenset({422}))
PLAIN = Door(shows=frozenset({422}))
COLLECTING = Door(_cycle("collecting"), shows=frozenset({409, 422}))
DRAFT = Door(_cycle("draft"), shows=frozenset({409, 422}))
# To the employee it is about, and to her supervisor who has still to rate her, there is no such case.
CASE = Door(lambda facts: {"case_id": facts.case}, "case", frozenset({409, 422}))
FINALISING = Door(_cycle("finalising"), shows=frozenset({409, 422}))
WORDS = Door(lambda _facts: {"slug": "invitation", "locale": "zh"}, shows=frozenset({409, 422}))

# The company's one plan is open: its editor answers that it never changes again.
KPI_PLAN = Door(lambda _facts: {"plan_id": 1}, shows=frozenset({409, 422}))
KPI_GROUP = Door(lambda _facts: {"plan_id": 1, "group_key": "everybody"}, shows=frozenset({409, 422}))
CHECK = Door(lambda facts: {"check_id": facts.check}, "check", frozenset({409, 410, 422}))
OPEN_CHECK = Door(lambda facts: {"check_id": facts.open_check}, "open_check", frozenset({204, 422}))
DISPUTE = Door(lambda facts: {"check_id": facts.dispute}, shows=frozenset({422}))
ROUND = Door(lambda facts: {"round_id": facts.round}, "round", frozenset({409}))
SEAT = Door(
    lambda facts: {"round_id": facts.round, "ticket_id": facts.round_ticket}, "round", frozenset({204, 409, 422})
)
SAMPLE = Door(lambda facts: {"sample_id": facts.sample}, shows=frozenset({422}))
FORM = Door(lambda facts: {"form_id": facts.quality_form}, shows=frozenset({409, 422}))
FORM_DRAFT = Door(lambda facts: {"form_id": facts.quality_draft}, shows=frozenset({409, 422}))

DOORS: Mapping[str, Door] = {
    "static": Door(lambda _facts: {"filename": "favicon.svg"}),
    # None of these people is a trustee: tests/rooms/test_custody.py tries the doors of those who are.
    "custody.kept": DRAFT,
    "custody.name_trustees": DRAFT,
    "custody.share": DRAFT,
    "custody.show": DRAFT,
    "custody.trustees": DRAFT,
    "customer_survey.import_": PLAIN,
    "customer_survey.confirm": Door(lambda facts: {"upload_id": facts.customer_upload}),
    "customer_survey.decide": Door(lambda _facts: {"exclusion_id": 1}, shows=frozenset({404, 422})),
    "customer_survey.exclusion_list": PLAIN,
    "customer_survey.leave_out": PLAIN,
    "customer_survey.lift": Door(lambda _facts: {"customer_id": 1}, shows=frozenset({422})),
    "customer_survey.plan": COLLECTING,
    "customer_survey.preview": COLLECTING,
    "customer_survey.read": COLLECTING,
    "customer_survey.read_team": Door(_cycle("published"), "teams"),
    "customer_survey.surveys": COLLECTING,
    "customer_survey.themes": COLLECTING,
    "customer_survey.unsubscribed": PLAIN,
    "customer_survey.invite": COLLECTING,
    "customer_survey.remind": COLLECTING,
    "customer_survey.links": COLLECTING,
    "customer_survey.answer": SURVEY,
    "customer_survey.thanks": PUBLIC,
    "customer_survey.unsubscribe": SURVEY,
    "diagnostics.method": Door(_cycle("published")),
    "diagnostics.what_if": Door(_cycle("published"), shows=frozenset({422})),
    "follow_up.assign": COLLECTING,
    "follow_up.case": CASE,
    "follow_up.cases": COLLECTING,
    "follow_up.contacted": COLLECTING,
    "follow_up.mine": PLAIN,
    "follow_up.open_case": COLLECTING,
    "follow_up.reopen": CASE,
    "follow_up.talk": CASE,
    "follow_up.wishes": COLLECTING,
    "follow_up.write": CASE,
    "desk.audit": PLAIN,
    "desk.cancel": DRAFT,
    "desk.cancel_page": DRAFT,
    "desk.change": DRAFT,
    "desk.choose": DRAFT,
    "desk.close_now": COLLECTING,
    "desk.close_page": COLLECTING,
    "desk.confirm": DRAFT,
    "desk.create": PLAIN,
    "desk.cycle": COLLECTING,
    "desk.cycles": PLAIN,
    "desk.do_again": PLAIN,
    "desk.edit": DRAFT,
    "desk.give_up_peers": COLLECTING,
    "desk.jobs": PLAIN,
    "desk.launch_now": DRAFT,
    "desk.change_words": WORDS,
    "desk.letter_words": PLAIN,
    "desk.lift": PLAIN,
    "desk.mail": PLAIN,
    "desk.mail_setup": PLAIN,
    "desk.make_plan": DRAFT,
    "desk.move": Door(_of_ada("collecting"), "ada", frozenset({422})),
    "desk.new": PLAIN,
    "desk.open_ballots": COLLECTING,
    "desk.open_page": COLLECTING,
    "desk.pause_mail": Door(form={"kind": "*"}),
    "desk.peers": DRAFT,
    "desk.people": DRAFT,
    "desk.progress": DRAFT,
    "desk.publish_now": FINALISING,
    "desk.publish_page": FINALISING,
    "desk.remind_now": COLLECTING,
    "desk.review": Door(_of_ada("collecting"), "ada"),
    "desk.reviews": COLLECTING,
    "desk.schedule": DRAFT,
    "desk.name_second_raters": DRAFT,
    "desk.second_raters_page": DRAFT,
    "desk.send_again": PLAIN,
    "desk.set_limits": PLAIN,
    "desk.stopped": PLAIN,
    "desk.try_mail": PLAIN,
    "desk.try_words": WORDS,
    "desk.without_peers": COLLECTING,
    "desk.fill_sheets": COLLECTING,
    "desk.words": WORDS,
    "helpdesk.confirm": Door(lambda facts: {"import_id": facts.records}),
    "helpdesk.discard": Door(lambda facts: {"import_id": facts.records}),
    "helpdesk.imports": PLAIN,
    "helpdesk.map_columns": Door(lambda facts: {"import_id": facts.records}, shows=frozenset({409})),
    "helpdesk.progress": Door(lambda facts: {"import_id": facts.records}),
    "helpdesk.settle_agents": Door(lambda facts: {"import_id": facts.records}, shows=frozenset({409, 422})),
    "helpdesk.show": Door(lambda facts: {"import_id": facts.records}),
    "helpdesk.upload": PLAIN,
    "health.healthz": PUBLIC,
    "health.readyz": PUBLIC,
    "indicators.alert_list": PLAIN,
    # Nothing in this company has raised an alert: tests/rooms/test_alerts.py tries the door of one.
    "indicators.handle_alert": Door(lambda _facts: {"alert_id": 1}, shows=frozenset({404})),
    "indicators.hint_list": PLAIN,
    "indicators.person": Door(_person("ada"), "report_or_self"),
    "indicators.show": PLAIN,
    "kpi_plan.compare": KPI_PLAN,
    "kpi_plan.copy": KPI_PLAN,
    "kpi_plan.discard": KPI_PLAN,
    "kpi_plan.draft": KPI_PLAN,
    "kpi_plan.group": KPI_GROUP,
    "kpi_plan.keep_group": KPI_GROUP,
    "kpi_plan.keep_rows": KPI_PLAN,
    "kpi_plan.keep_settings": KPI_PLAN,
    "kpi_plan.mine": PLAIN,
    "kpi_plan.open_": KPI_PLAN,
    "kpi_plan.read": KPI_PLAN,
    "kpi_plan.remove_group": KPI_GROUP,
    "kpi_plan.retire": KPI_PLAN,
    "kpi_plan.rows": KPI_PLAN,
    "kpi_plan.settings": KPI_PLAN,
    "kpi_plan.start": PLAIN,
    "kpi_plan.targets": KPI_PLAN,
    "kpi_plan.try_out": KPI_PLAN,
    "kpi_plan.versions": PLAIN,
    "kpi_sheets.decide_line": Door(lambda facts: {"line_id": facts.kpi_line}, "ada", frozenset({422})),
    "kpi_sheets.decide_lines": Door(_cycle("collecting"), shows=frozenset({422})),
    "kpi_sheets.decide_veto": Door(_of_ada("collecting"), "ada", frozenset({422})),
    "kpi_sheets.figures": Door(_of_ada("collecting"), "ada"),
    "kpi_sheets.grid": Door(_grid),
    "kpi_sheets.line": Door(_of_ada("collecting"), "ada"),
    "kpi_sheets.manage": Door(_of_ada("collecting")),  # for people of HR their supervisor manages it
    "kpi_sheets.manage_now": Door(_of_ada("collecting"), shows=frozenset({422})),
    "kpi_sheets.mine": PLAIN,
    "kpi_sheets.propose_line": Door(_of_ada("collecting"), "ada", frozenset({422})),
    "kpi_sheets.propose_veto": Door(_of_ada("collecting"), "ada", frozenset({409, 422})),
    "kpi_sheets.sheets": COLLECTING,
    "kpi_sheets.sign": Door(_of_ada("collecting"), "ada"),
    "kpi_sheets.sign_now": Door(_of_ada("collecting"), "ada", frozenset({422})),
    "kpi_sheets.team": COLLECTING,
    "kpi_sheets.veto": Door(_of_ada("collecting"), "ada", frozenset({409})),
    "kpi_sheets.words": Door(_of_ada("collecting"), "ada"),
    "kpi_sheets.write_figures": Door(_of_ada("collecting"), "ada", frozenset({422})),
    "kpi_sheets.write_grid": Door(_grid),
    "kpi_sheets.write_words": Door(_of_ada("collecting"), "ada", frozenset({422})),
    "peer_review.ballot": Door(lambda facts: {"seat_id": facts.seat}, "seat"),
    "peer_review.cast": Door(lambda facts: {"seat_id": facts.seat}, "seat", frozenset({422})),
    "peer_review.declare_conflict": PLAIN,
    "peer_review.mine": PLAIN,
    "peer_review.protection": PUBLIC,
    "peer_review.withdraw_conflict": Door(_person("bo", "other_id"), shows=frozenset({404})),  # none was declared
    "people.account": PLAIN,
    "people.account_now": PLAIN,
    "people.activate": PUBLIC,
    "people.activate_by_link": WRONG_LINK,
    "people.activate_by_link_now": WRONG_LINK,
    "people.activate_now": PLAIN,
    "people.add": PLAIN,
    "people.add_now": PLAIN,
    "people.edit": Door(_person("bo")),
    "people.edit_now": Door(_person("bo"), shows=frozenset({422})),
    "people.forgotten": PUBLIC,
    "people.forgotten_now": PLAIN,
    "people.import_now": Door(lambda facts: {"upload": facts.upload}, shows=frozenset({409})),
    "people.import_page": PLAIN,
    "people.import_preview": Door(lambda facts: {"upload": facts.upload}),
    "people.import_upload": PLAIN,
    "people.issue_slips": PLAIN,
    "people.letters": PLAIN,
    "people.listing": PLAIN,
    "people.organisation_page": PLAIN,
    "people.organisation_page_now": PLAIN,
    "people.roster": PLAIN,
    "people.sign_in": PUBLIC,
    "people.sign_in_now": PLAIN,
    "people.sign_out": PLAIN,
    "people.slips": PLAIN,
    "people.switch_language": PLAIN,
    "people.template": PLAIN,
    "quality.agreement_json": ROUND,
    "quality.all_disputes": PLAIN,
    "quality.autosave": OPEN_CHECK,
    "quality.autosave_seat": SEAT,
    "quality.begin_version": FORM,
    "quality.board": PLAIN,
    "quality.calibration_round": ROUND,
    "quality.change_form": FORM_DRAFT,
    "quality.check": CHECK,
    "quality.close_round": ROUND,
    "quality.create_round": PLAIN,
    "quality.create_sample": PLAIN,
    "quality.decide_dispute": DISPUTE,
    "quality.dispute": CHECK,
    "quality.dispute_page": DISPUTE,
    "quality.draw_again": SAMPLE,
    "quality.edit_form": FORM_DRAFT,
    "quality.form": FORM,
    "quality.forms": PLAIN,
    "quality.hand_over": DISPUTE,
    "quality.install_form": PLAIN,
    "quality.mark_seat": SEAT,
    "quality.mine": PLAIN,
    "quality.my_disputes": PLAIN,
    "quality.name_checkers": SAMPLE,
    "quality.new_round": PLAIN,
    "quality.new_sample": PLAIN,
    "quality.open_form": FORM_DRAFT,
    "quality.person": Door(lambda facts: {"sample_id": facts.sample, "person_id": facts.ada}),
    "quality.progress": SAMPLE,
    "quality.put_aside": OPEN_CHECK,
    "quality.retire_form": FORM,
    "quality.sample": SAMPLE,
    "quality.seat": SEAT,
    "quality.team": PLAIN,
    "quality.write": OPEN_CHECK,
    "reports.acknowledge": Door(_of_ada("published"), "ada"),
    "reports.company": Door(_cycle("published")),
    "reports.mine": PLAIN,
    "reports.result": Door(_of_ada("published"), "ada"),
    "reports.team": Door(_cycle("published")),
    "reports.working_json": Door(_of_ada("published"), "ada"),
    "reports.working_xlsx": Door(_of_ada("published"), "ada"),
    "results.finalise": Door(_of_ada("finalising"), "ada"),
    "results.assign_looks": FINALISING,
    "results.decide_look": Door(_of_ada("finalising"), "look", frozenset({409, 422})),
    "results.look": Door(_of_ada("finalising"), "look", frozenset({409})),  # Sam has not signed yet
    "results.looks_page": FINALISING,
    "results.my_looks": Door(_cycle("finalising"), "look"),
    "results.kpi_sheet": Door(_of_ada("collecting"), "ada"),
    "results.kpi_sheet_file": Door(_of_ada("collecting"), "ada", frozenset({422})),
    "results.kpi_sheet_pdf": Door(_of_ada("collecting"), "ada"),
    "results.kpi_sheet_xlsx": Door(_of_ada("collecting"), "ada"),
    "results.sign_off": Door(_of_ada("finalising"), "ada", frozenset({422})),
    "results.team": FINALISING,
    "schemes.change_minimums": Door(lambda _facts: {"scheme_id": 1}, shows=frozenset({422})),
    "schemes.minimums_page": Door(lambda _facts: {"scheme_id": 1}),
    "schemes.read": PLAIN,
    "self_review.autosave": Door(_of_ada("collecting"), "ada", frozenset({204, 422})),
    "self_review.show": Door(_of_ada("collecting"), "ada", frozenset({409})),  # Sam rates first, then reads
    "self_review.write": Door(_of_ada("collecting"), "ada", frozenset({422})),
    "start.home": PLAIN,
    "supervisor_review.add_note": Door(_of_ada("collecting"), "ada", frozenset({422})),
    "supervisor_review.autosave": Door(_of_ada("collecting"), "ada", frozenset({204, 422})),
    "supervisor_review.autosave_grid": Door(_cycle("collecting"), "teams", frozenset({204, 422})),
    "supervisor_review.delete_note": Door(lambda facts: {"note_id": facts.note}, "note"),
    "supervisor_review.file_ready": Door(_cycle("collecting"), "teams", frozenset({422})),
    "supervisor_review.grid": Door(_cycle("collecting"), "teams"),
    "supervisor_review.note_down": Door(_person("ada"), "report", frozenset({422})),
    "supervisor_review.notes_of": Door(_person("ada"), "report"),
    "supervisor_review.rate": Door(_cycle("collecting"), "teams", frozenset({422})),
    "supervisor_review.sheet": Door(_of_ada("collecting"), "ada"),
    "supervisor_review.team": PLAIN,
    "supervisor_review.write": Door(_of_ada("collecting"), "ada", frozenset({422})),
    # No cycle of this company draws tickets: tests/rooms/test_tickets.py tries the doors of one that does.
    "tickets.draw": Door(_cycle("collecting"), "seat", frozenset({404})),
    "tickets.keys": Door(_cycle("collecting"), shows=frozenset({404})),
    "tickets.rate": Door(_cycle("collecting"), "seat", frozenset({404})),
    "tickets.receipts": Door(_cycle("collecting"), shows=frozenset({404})),
    "tickets.receipts_list": Door(_cycle("collecting"), shows=frozenset({404})),
    "tickets.tickets": Door(_cycle("collecting"), "seat", frozenset({404})),
}

# These post without a CSRF token: the secret in the address is their proof (see review/customer_survey/public.py).
WITHOUT_CSRF = {"customer_survey.answer", "customer_survey.unsubscribe"}

# Written by hand, not derived: who gets into the rooms that matter most. Whoever changes ALLOWED meets this list.
GOLDEN: Mapping[str, set[str]] = {
    "peer_review.ballot": {"peer"},
    "peer_review.cast": {"peer"},
    "tickets.draw": {"peer"},
    "tickets.rate": {"peer"},
    "tickets.tickets": {"peer"},
    "self_review.show": {"ada", "sam"},
    "self_review.write": {"ada"},
    "self_review.autosave": {"ada"},
    "supervisor_review.sheet": {"sam"},
    "supervisor_review.write": {"sam"},
    "supervisor_review.add_note": {"sam"},
    "supervisor_review.notes_of": {"sam"},
    "supervisor_review.delete_note": {"sam"},
    "supervisor_review.grid": {"sam", "quinn"},
    "results.finalise": {"sam"},
    "results.sign_off": {"sam"},
    "results.assign_looks": {"hana"},
    "results.looks_page": {"hana"},
    "results.look": {"quinn"},
    "results.decide_look": {"quinn"},
    "results.my_looks": {"quinn"},
    "quality.check": {"ada", "sam", "quinn", "hana"},
    "quality.write": {"quinn"},
    "quality.autosave": {"quinn"},
    "quality.put_aside": {"quinn"},
    "quality.dispute": {"ada"},
    "quality.dispute_page": {"hana"},
    "quality.decide_dispute": {"hana"},
    "quality.hand_over": {"hana"},
    "quality.all_disputes": {"hana"},
    "quality.board": {"hana"},
    "quality.sample": {"hana"},
    "quality.create_sample": {"hana"},
    "quality.name_checkers": {"hana"},
    "quality.person": {"hana"},
    "quality.change_form": {"hana"},
    "quality.open_form": {"hana"},
    "quality.create_round": {"hana"},
    "quality.close_round": {"hana"},
    "quality.calibration_round": {"sam", "quinn", "hana"},
    "quality.agreement_json": {"sam", "quinn", "hana"},
    "quality.seat": {"sam", "quinn"},
    "quality.mark_seat": {"sam", "quinn"},
    "quality.team": {"sam", "quinn"},
    "reports.result": {"ada", "sam", "hana"},
    "reports.working_json": {"ada", "sam", "hana"},
    "reports.working_xlsx": {"ada", "sam", "hana"},
    "reports.acknowledge": {"ada"},
    "diagnostics.method": {"hana"},
    "indicators.alert_list": {"sam", "quinn", "hana"},
    "indicators.hint_list": {"hana"},
    "indicators.person": {"ada", "sam", "hana"},
    "diagnostics.what_if": {"hana"},
    "results.kpi_sheet": {"ada", "sam", "hana"},
    "results.kpi_sheet_file": {"sam", "hana"},
    "results.kpi_sheet_pdf": {"ada", "sam", "hana"},
    "kpi_sheets.figures": {"sam", "hana"},
    "kpi_sheets.propose_line": {"sam", "hana"},
    "kpi_sheets.decide_line": {"hana"},
    "kpi_sheets.decide_veto": {"hana"},
    "kpi_sheets.decide_lines": {"hana"},
    "kpi_sheets.manage_now": {"hana"},
    "kpi_sheets.sign_now": {"ada", "sam"},
    "kpi_sheets.write_words": {"ada", "sam"},
    "kpi_sheets.sheets": {"hana"},
    "desk.fill_sheets": {"hana"},
    "reports.company": {"hana"},
    "schemes.change_minimums": {"hana"},
    "kpi_plan.keep_rows": {"hana"},
    "kpi_plan.keep_group": {"hana"},
    "kpi_plan.open_": {"hana"},
    "customer_survey.decide": {"hana"},
    "customer_survey.exclusion_list": {"hana"},
    "customer_survey.lift": {"hana"},
    "customer_survey.links": {"hana"},
    "customer_survey.plan": {"hana"},
    "customer_survey.preview": {"hana"},
    "customer_survey.read": {"hana"},
    "customer_survey.read_team": {"sam", "quinn"},
    "customer_survey.themes": {"hana"},
    "customer_survey.unsubscribed": {"hana"},
    "customer_survey.confirm": {"hana"},
    "helpdesk.confirm": {"hana"},
    "helpdesk.settle_agents": {"hana"},
    "helpdesk.show": {"hana"},
    "helpdesk.upload": {"hana"},
    "follow_up.case": {"hana"},
    "follow_up.cases": {"hana"},
    "follow_up.wishes": {"hana"},
    "desk.launch_now": {"hana"},
    "desk.close_now": {"hana"},
    "desk.publish_now": {"hana"},
    "desk.cancel": {"hana"},
    "desk.move": {"hana"},
    "desk.open_ballots": {"hana"},
    "desk.give_up_peers": {"hana"},
    "custody.name_trustees": {"hana"},
    "custody.share": set(),
    "custody.show": set(),
    "custody.kept": set(),
    "desk.audit": {"hana", "max"},
    "desk.mail": {"hana", "max"},
    "desk.pause_mail": {"hana", "max"},
    "desk.lift": {"hana"},
    "desk.set_limits": {"max"},
    "desk.try_mail": {"max"},
    "desk.change_words": {"hana"},
    "desk.try_words": {"hana"},
    "people.edit_now": {"hana", "max"},
    "people.import_now": {"hana", "max"},
    "people.issue_slips": {"hana", "max"},
    "people.organisation_page_now": {"hana", "max"},
}
