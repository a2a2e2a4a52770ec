"""The pages of calibration rounds: HR opens and closes them, people mark blind, agreement is shown when it is over."""

from fractions import Fraction
from typing import Any

from flask import jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.domain.access import Actor, Deed, Role
from review.domain.calendar import add_working_days, local_day
from review.domain.quality import Sheet
from review.domain.quality_agreement import word_of_alpha, word_of_kappa, word_of_rwg
from review.domain.refusals import NotYet
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.i18n import request_locale
from review.infra.pages import ours, tell
from review.quality import calibration, form_versions
from review.quality.blueprint import bp
from review.quality.calibration import Seat, find_round, find_seat
from review.quality.desk_forms import RoundForm
from review.quality.forms import SheetForm, sheet_form
from review.quality.tables import RoundRow

WORKING_DAYS_TO_MARK = 5


@bp.get("/quality/calibrations/new")
@allow(Deed.CALIBRATION_RUN)
def new_round(_actor: Actor) -> ResponseReturnValue:
    due = add_working_days(local_day(now(), ours().zone), WORKING_DAYS_TO_MARK, ours().holidays)
    return _new_page(RoundForm(data={"due_on": due}))


@bp.post("/quality/calibrations")
@allow(Deed.CALIBRATION_RUN)
def create_round(actor: Actor) -> ResponseReturnValue:
    form, at, made = RoundForm().offer(form_versions.open_forms(), request_locale()), now(), list[RoundRow]()

    def act() -> None:
        plan = form.to_plan(ours().zone, local_day(at, ours().zone))
        made.append(calibration.create(plan, by=actor.person_id, now=at))

    if not form.accept(act):
        return _new_page(form, 422)
    tell("quality:round_opened")
    return redirect(url_for("quality.calibration_round", round_id=made[0].id))


def _new_page(form: RoundForm, status: int = 200) -> ResponseReturnValue:
    form.offer(form_versions.open_forms(), request_locale())
    return make_response(render_template("quality/round_new.html", form=form), status)


@bp.get("/calibrations/<int:round_id>")
@allow(Deed.CALIBRATION_READ, find_round)
def calibration_round(actor: Actor, row: RoundRow) -> ResponseReturnValue:
    """What is to be marked; for HR who has; and the agreement, to whom it may be shown."""
    at, rules = now(), form_versions.form_of(row.form_id)
    shown = None
    try:
        shown = calibration.result_of(row, rules, actor, at)
    except NotYet as refusal:
        why = refusal.code
    else:
        why = ""
    return render_template(
        "quality/round.html",
        round=row,
        rules=rules,
        seats=calibration.seats_of(row.id, actor.person_id),
        progress=calibration.progress(row.id) if Role.HR in actor.roles else None,
        is_over=calibration.is_over(row, at),
        is_hr=Role.HR in actor.roles,
        shown=shown,
        why=why,
        word_of_alpha=word_of_alpha,
        word_of_rwg=word_of_rwg,
        word_of_kappa=word_of_kappa,
    )


@bp.get("/calibrations/<int:round_id>/agreement.json")
@allow(Deed.CALIBRATION_READ, find_round)
def agreement_json(actor: Actor, row: RoundRow) -> ResponseReturnValue:
    """The marks and the measures of a closed round, for auditors to work out again; refused while it runs."""
    rules = form_versions.form_of(row.form_id)
    shown = calibration.result_of(row, rules, actor, now())
    people, tickets = list(shown.people), list(shown.tickets)

    def marks(key: str) -> list[list[int | None]]:
        return [[shown.answers.get((one, each), {}).get(key) for each in tickets] for one in people]

    told = shown.agreement
    return jsonify(
        {
            "form": {"key": rules.key, "version": rules.version, "hash": rules.hash},
            "raters": [shown.people[one] for one in people],
            "tickets": [shown.tickets[one] for one in tickets],
            "data": {category.key: marks(category.key) for category in rules.categories},
            "alpha": _exact(told.alpha),
            "same": _exact(told.same),
            "categories": {
                one.key: {"alpha": _exact(one.alpha), "rwg": _exact(one.rwg), "same": _exact(one.same)}
                for one in told.categories
            },
            "pairs": [
                {"raters": [shown.people[one.first], shown.people[one.second]], "kappa": _exact(one.kappa)}
                for one in told.pairs
            ],
        }
    )


def _exact(value: Fraction | None) -> str | None:
    return None if value is None else str(value)


@bp.post("/calibrations/<int:round_id>/close")
@allow(Deed.CALIBRATION_RUN, find_round)
def close_round(actor: Actor, row: RoundRow) -> ResponseReturnValue:
    calibration.close(row, by=actor.person_id, now=now())
    tell("quality:round_closed")
    return redirect(url_for("quality.calibration_round", round_id=row.id))


@bp.get("/calibrations/<int:round_id>/tickets/<int:ticket_id>")
@allow(Deed.CALIBRATION_RATE, find_seat)
def seat(_actor: Actor, found: Seat) -> ResponseReturnValue:
    rules = form_versions.form_of(found.round.form_id)
    return _seat_page(found, sheet_form(rules, calibration.said_of(found), request_locale()))


@bp.post("/calibrations/<int:round_id>/tickets/<int:ticket_id>")
@allow(Deed.CALIBRATION_RATE, find_seat)
def mark_seat(actor: Actor, found: Seat) -> ResponseReturnValue:
    rules, at = form_versions.form_of(found.round.form_id), now()
    form = sheet_form(rules, Sheet(), request_locale())
    is_filing, place = request.form.get("act") == "submit", (found.round.id, found.ticket.id)
    act: Any = calibration.file_answer if is_filing else calibration.save_draft
    rest = (rules, at) if is_filing else (at,)
    if not form.keep(lambda: act(found, form.value(), *rest)):
        return _seat_page(find_seat(actor, *place).thing, form, form.status)
    tell("quality:marks_filed" if is_filing else "quality:draft_saved")
    if is_filing:
        return redirect(url_for("quality.calibration_round", round_id=place[0]))
    return redirect(url_for("quality.seat", round_id=place[0], ticket_id=place[1]))


@bp.post("/calibrations/<int:round_id>/tickets/<int:ticket_id>/draft")
@allow(Deed.CALIBRATION_RATE, find_seat)
def autosave_seat(_actor: Actor, found: Seat) -> ResponseReturnValue:
    form, at = sheet_form(form_versions.form_of(found.round.form_id), Sheet(), request_locale()), now()
    done = form.keep(lambda: calibration.save_draft(found, form.value(), at))
    return make_response("", 204 if done else form.status)


def _seat_page(found: Seat, form: SheetForm, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "quality/seat.html",
        seat=found,
        form=form,
        rules=form_versions.form_of(found.round.form_id),
        is_over=calibration.is_over(found.round, now()),
        said=calibration.said_of(found),
    )
    return make_response(page, status)
