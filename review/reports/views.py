"""Published results: one's own, with signature; the team's for its supervisor; the company's for HR."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.cycles.lookup import ReviewFile, find_cycle, find_review
from review.cycles.tables import CycleRow
from review.domain.access import Actor, Deed, Role
from review.domain.calendar import clock_ends, local_day
from review.domain.scheme import Scheme
from review.domain.vocabulary import Source, Text
from review.follow_up import lists
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.i18n import request_locale
from review.infra.pages import ours, tell
from review.reports.movement import Moved, moved_since
from review.reports.overview import FEW, overview_of, page_of_results
from review.reports.precision import band_of, stars_of
from review.reports.result_page import gap_rows, level_of, radar_criteria, radar_sources, result_page
from review.reports.working_book import workbook
from review.reports.working_file import document_of, material_of, words_in
from review.results import publication
from review.results.teams import agreement_in, team_lines
from review.schemes.service import scheme_of

bp = Blueprint("reports", __name__)
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("/results")
@allow(Deed.RESULT_SEE_OWN)
def mine(actor: Actor) -> ResponseReturnValue:
    return render_template("reports/mine.html", publications=publication.publications_of(actor.person_id)[::-1])


@bp.get("/results/<int:review_id>")
@allow(Deed.RESULT_READ, find=find_review)
def result(actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    shown = publication.publication_of(file.review.id)
    scheme, locale, organisation = scheme_of(shown.body["scheme_id"]), request_locale(), ours()
    is_own = file.review.subject_id == actor.person_id
    only_theirs = None if is_own or Role.HR in actor.roles else actor.person_id
    every = publication.publications_of(file.review.subject_id, for_supervisor=only_theirs)
    earlier = [row for row in every if (row.published_at, row.id) < (shown.published_at, shown.id)]
    page = result_page(shown, earlier, scheme)
    moved, moved_names = _moved(shown, earlier, scheme)
    return render_template(
        "reports/result.html",
        page=page,
        moved=moved,
        moved_names=moved_names,
        band=band_of(shown.body) if is_own or Role.HR in actor.roles else None,
        stars=stars_of(shown.body),
        publication=shown,
        criteria=radar_criteria(page, locale),
        sources=radar_sources(page),
        gaps=gap_rows(page, locale),
        names={criterion.key: criterion.name for criterion in scheme.criteria},
        level_of=lambda points: level_of(points, scheme),
        acknowledged=publication.acknowledgement_of(shown.id),
        acknowledge_by=clock_ends(
            shown.published_at, shown.body["cycle"]["acknowledge_days"], organisation.zone, organisation.holidays
        ),
        is_own=is_own,
    )


def _moved(shown: Any, earlier: Sequence[Any], scheme: Scheme) -> tuple[Moved | None, dict[str, Text]]:
    """What moved the score since the last result with one, and the names of all criteria of both."""
    last = next((row for row in reversed(earlier) if row.score is not None), None)
    if last is None:
        return None, {}
    before = scheme_of(last.body["scheme_id"])
    names = {criterion.key: criterion.name for one in (before, scheme) for criterion in one.criteria}
    return moved_since(last, before, shown, scheme), names


@bp.get("/results/<int:review_id>/working.json")
@allow(Deed.RESULT_READ, find=find_review)
def working_json(_actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    shown = publication.publication_of(file.review.id)
    return jsonify(document_of(shown, scheme_of(shown.body["scheme_id"])))


@bp.get("/results/<int:review_id>/working.xlsx")
@allow(Deed.RESULT_READ, find=find_review)
def working_xlsx(_actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    shown, locale = publication.publication_of(file.review.id), request_locale()
    material = material_of(shown, scheme_of(shown.body["scheme_id"]), locale)
    answer = make_response(workbook(material, words_in(locale)))
    answer.content_type = WORKBOOK
    answer.headers["Content-Disposition"] = f'attachment; filename="working-{shown.review_id}.xlsx"'
    return answer


@bp.post("/results/<int:review_id>/acknowledge")
@allow(Deed.RESULT_ACKNOWLEDGE, find=find_review)
def acknowledge(actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    publication.acknowledge(file, by=actor.person_id, now=now())
    tell("reports:acknowledged")
    return redirect(url_for("reports.result", review_id=file.review.id))


@bp.get("/team/<int:cycle_id>/report")
@allow(Deed.TEAM_REPORT_SEE, find=find_cycle)
def team(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    return _overview(cycle, supervisor_id=actor.person_id)


@bp.get("/cycles/<int:cycle_id>/report")
@allow(Deed.COMPANY_SEE, find=find_cycle)
def company(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    return _overview(cycle, supervisor_id=None)


def _overview(cycle: CycleRow, supervisor_id: int | None) -> str:
    overview, scheme = overview_of(cycle, supervisor_id), scheme_of(cycle.scheme_id)
    listing = page_of_results(cycle, supervisor_id, request.args.get("page", 1, type=int))
    peers = {
        "teams": team_lines(cycle.id, supervisor_id),
        "asked": scheme.asked_of(Source.PEERS),
        "names": {criterion.key: criterion.name for criterion in scheme.criteria},
        "agreement": agreement_in(cycle.id) if supervisor_id is None else [],
    }
    cases = lists.counts(cycle.id, local_day(now(), ours().zone), supervisor_id)
    return render_template(
        "reports/overview.html", cycle=cycle, overview=overview, listing=listing, few=FEW, cases=cases, **peers
    )
