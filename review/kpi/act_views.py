"""Acts on one sheet: lines and their decision, the veto, words, names, HR's reasons. Each has a page of its own."""

from collections.abc import Callable

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.cycles.lookup import find_cycle
from review.cycles.tables import CycleRow
from review.domain.access import Actor, Deed
from review.domain.refusals import Invalid, NotYet, OutOfReach
from review.infra.clock import now
from review.infra.db import db
from review.infra.gate import Found, allow
from review.infra.i18n import request_locale
from review.infra.ids import row_id
from review.infra.pages import tell
from review.kpi import entering, groups, lines, signing
from review.kpi.changing import Hand
from review.kpi.finding import find_managed, find_sheet
from review.kpi.paper_words import actual_of, figure, rule_words, words_in
from review.kpi.printing import printed_of
from review.kpi.sheet_blueprint import bp
from review.kpi.sheet_forms import LineForm, ManageForm, SignForm, VetoForm, WordForm, part_of
from review.kpi.sheets import Sheet, sheet_of
from review.kpi.tables import LineRow, Part
from review.schemes.service import scheme_of


def _back(sheet: Sheet) -> ResponseReturnValue:
    return redirect(url_for("results.kpi_sheet", review_id=sheet.review_id))


@bp.get("/kpi/sheets/<int:review_id>/lines")
@allow(Deed.KPI_LINE_PROPOSE, find=find_sheet)
def line(_actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    return render_template("kpi_sheet/line.html", sheet=sheet, form=LineForm(), scheme=scheme_of(sheet.cycle.scheme_id))


@bp.post("/kpi/sheets/<int:review_id>/lines")
@allow(Deed.KPI_LINE_PROPOSE, find=find_sheet)
def propose_line(actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    form, hand, at = LineForm(), Hand.of(actor), now()
    if not form.keep(lambda: lines.propose(sheet.cycle.id, sheet.review_id, form.to_proposal(), hand, at)):
        scheme = scheme_of(sheet.cycle.scheme_id)
        return render_template("kpi_sheet/line.html", sheet=sheet, form=form, scheme=scheme), form.status
    tell("kpi_sheet:line_proposed", name=sheet.subject.name)
    return _back(sheet)


def find_line(actor: Actor, line_id: int) -> Found:
    """A line with its sheet, and what the actor is to it."""
    row = db.session.get(LineRow, line_id)
    if row is None:
        raise OutOfReach("kpi_sheet:no_such_line")
    found = find_sheet(actor, row.review_id)
    return Found((found.thing, line_id), found.standings)


@bp.post("/kpi/lines/<int:line_id>")
@allow(Deed.KPI_LINE_DECIDE, find=find_line)
def decide_line(actor: Actor, found: tuple[Sheet, int]) -> ResponseReturnValue:
    sheet, line_id = found
    approve = _approves()
    lines.decide(sheet.cycle.id, line_id, approve=approve, hand=Hand.of(actor), now=now())
    tell("kpi_sheet:approved" if approve else "kpi_sheet:refused")
    return _back(sheet)


def _approves() -> bool:
    act = request.form.get("act")
    if act not in {"approve", "refuse"}:
        raise Invalid("form:choose_one")
    return act == "approve"


@bp.post("/cycles/<int:cycle_id>/kpi/lines")
@allow(Deed.KPI_SHEET_RUN, find=find_cycle)
def decide_lines(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    chosen, approve = request.form.getlist("line", type=row_id), _approves()
    count = lines.decide_many(cycle.id, chosen, approve=approve, hand=Hand.of(actor), now=now())
    tell("kpi_sheet:many_approved" if approve else "kpi_sheet:many_refused", count=count)
    return redirect(url_for("kpi_sheets.sheets", cycle_id=cycle.id, state="pending"))


@bp.get("/kpi/sheets/<int:review_id>/veto")
@allow(Deed.KPI_LINE_PROPOSE, find=find_sheet)
def veto(_actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    _require_veto(sheet)
    return render_template("kpi_sheet/veto.html", sheet=sheet, form=VetoForm())


@bp.post("/kpi/sheets/<int:review_id>/veto")
@allow(Deed.KPI_LINE_PROPOSE, find=find_sheet)
def propose_veto(actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    _require_veto(sheet)
    form, hand, at = VetoForm(), Hand.of(actor), now()

    def act() -> None:
        said = (form.cap.data, form.reason.data or "", form.evidence.data or "")
        lines.propose_veto(sheet.cycle.id, sheet.review_id, *said, hand, at)

    if not form.keep(act):
        return render_template("kpi_sheet/veto.html", sheet=sheet, form=form), form.status
    tell("kpi_sheet:veto_proposed", name=sheet.subject.name)
    return _back(sheet)


def _require_veto(sheet: Sheet) -> None:
    if not sheet.plan.sheet_veto:
        raise NotYet("kpi_sheet:no_veto_in_plan")


@bp.post("/kpi/sheets/<int:review_id>/veto/decision")
@allow(Deed.KPI_LINE_DECIDE, find=find_sheet)
def decide_veto(actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    approve = _approves()
    lines.decide_veto(sheet.cycle.id, sheet.review_id, approve=approve, hand=Hand.of(actor), now=now())
    tell("kpi_sheet:approved" if approve else "kpi_sheet:refused")
    return _back(sheet)


@bp.get("/kpi/sheets/<int:review_id>/words")
@allow(Deed.KPI_WORD_WRITE, find=find_sheet)
def words(actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    part = _own_part(actor, sheet)
    said = sheet.words.get(part)
    return _words(sheet, part, WordForm(data={"text": said.text if said else ""}), 200)


@bp.post("/kpi/sheets/<int:review_id>/words")
@allow(Deed.KPI_WORD_WRITE, find=find_sheet)
def write_words(actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    form, part, at = WordForm(), _own_part(actor, sheet), now()
    text = form.text.data or ""
    if not form.keep(lambda: signing.write(sheet.cycle.id, sheet.review_id, part, text, actor.person_id, at)):
        return _words(sheet, part, form, form.status)
    tell("kpi_sheet:words_kept")
    return _back(sheet)


def _own_part(actor: Actor, sheet: Sheet) -> Part:
    return part_of("self" if sheet.subject.id == actor.person_id else "leader")


def _words(sheet: Sheet, part: Part, form: WordForm, status: int) -> ResponseReturnValue:
    return make_response(render_template("kpi_sheet/words.html", sheet=sheet, part=part, form=form), status)


@bp.get("/kpi/sheets/<int:review_id>/sign")
@allow(Deed.KPI_SHEET_SIGN, find=find_sheet)
def sign(actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    if signing.step_for(sheet, actor.person_id) is None:
        return _back(sheet)
    return _sign(actor, sheet, SignForm(formdata=None, data={"seen": sheet.digest}), 200)


@bp.post("/kpi/sheets/<int:review_id>/sign")
@allow(Deed.KPI_SHEET_SIGN, find=find_sheet)
def sign_now(actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    form, at = SignForm(), now()
    said = (form.seen.data or "", form.remark.data or "")
    if not form.keep(lambda: signing.sign(sheet.review_id, actor.person_id, *said, at)):
        fresh = sheet_of(sheet.review_id)
        form.seen.data = fresh.digest  # the page shows what stands there now: signing it is a new decision
        return _sign(actor, fresh, form, form.status)
    tell("kpi_sheet:signed_now")
    return _back(sheet)


def _sign(actor: Actor, sheet: Sheet, form: SignForm, status: int) -> ResponseReturnValue:
    locale = request_locale()
    printed = printed_of(sheet, scheme_of(sheet.cycle.scheme_id), "", locale)
    step = signing.step_for(sheet, actor.person_id)
    words = {"word": words_in(locale), "figure": figure, "actual_of": actual_of, "rule_words": rule_words}
    shown = {"sheet": sheet, "printed": printed, "form": form, "step": step, **words}
    return make_response(render_template("kpi_sheet/sign.html", **shown), status)


@bp.get("/kpi/sheets/<int:review_id>/manage")
@allow(Deed.KPI_SHEET_MANAGE, find=find_managed)
def manage(_actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    return _manage(sheet, _manage_form(sheet), 200)


@bp.post("/kpi/sheets/<int:review_id>/manage")
@allow(Deed.KPI_SHEET_MANAGE, find=find_managed)
def manage_now(actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    form = ManageForm(sheet=sheet, locale=request_locale())
    act = _MANAGES.get(form.act.data or "")
    if act is None:
        raise Invalid("form:choose_one")
    if not form.accept(lambda: act(sheet, form, Hand.of(actor))):
        return _manage(sheet, form, 422)
    tell(f"kpi_sheet:{form.act.data}_done", name=sheet.subject.name)
    return _back(sheet)


def _manage_form(sheet: Sheet) -> ManageForm:
    given = {"group": sheet.group.key}
    return ManageForm(formdata=None, data=given, sheet=sheet, locale=request_locale())


def _manage(sheet: Sheet, form: ManageForm, status: int) -> ResponseReturnValue:
    return make_response(render_template("kpi_sheet/manage.html", sheet=sheet, form=form), status)


def _regroup(sheet: Sheet, form: ManageForm, hand: Hand) -> None:
    groups.move_to_group(sheet.cycle.id, sheet.review_id, form.group.data or "", form.why.data or "", hand, now())


def _leave_out(sheet: Sheet, form: ManageForm, hand: Hand) -> None:
    why = (form.why.data or "").strip()
    if not why:
        raise Invalid("form:required", "why")
    entering.leave_out(sheet.cycle.id, sheet.review_id, form.row.data or "", why, hand, now())


def _take_back(sheet: Sheet, form: ManageForm, hand: Hand) -> None:
    entering.leave_out(sheet.cycle.id, sheet.review_id, form.row.data or "", "", hand, now())


def _reopen(sheet: Sheet, form: ManageForm, hand: Hand) -> None:
    groups.reopen(sheet.cycle.id, sheet.review_id, form.why.data or "", hand, now())


_MANAGES: dict[str, Callable[[Sheet, ManageForm, Hand], None]] = {
    "group": _regroup,
    "leave_out": _leave_out,
    "take_back": _take_back,
    "reopen": _reopen,
}
