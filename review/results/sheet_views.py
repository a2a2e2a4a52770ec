"""The page of a KPI sheet, and the same on paper and as a workbook that can be filled in and brought back."""

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.domain.access import Actor, Deed
from review.domain.refusals import Invalid
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.i18n import request_locale
from review.infra.pages import ours, tell
from review.kpi import entering, lines, signing
from review.kpi.changing import CHANGEABLE, Hand, runs
from review.kpi.finding import find_sheet
from review.kpi.paper import paper, totals_of
from review.kpi.paper_words import actual_of, figure, rule_words, words_in
from review.kpi.sheet_forms import FileForm
from review.kpi.sheets import Sheet
from review.kpi.workbook import read_filled, workbook
from review.results.kpi_page import page_of
from review.results.look_views import bp

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("/kpi/sheets/<int:review_id>")
@allow(Deed.KPI_SHEET_READ, find=find_sheet)
def kpi_sheet(actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    return _page(actor, sheet, FileForm(), 200)


def _page(actor: Actor, sheet: Sheet, upload: FileForm, status: int) -> ResponseReturnValue:
    hand, locale = Hand.of(actor), request_locale()
    page, word = page_of(sheet, actor, locale, ours(), now()), words_in(locale)
    is_open = sheet.cycle.stage in CHANGEABLE
    shown = render_template(
        "results/kpi_sheet.html",
        sheet=sheet,
        page=page,
        printed=page.printed,
        totals=totals_of(page.printed, word),
        word=word,
        figure=figure,
        actual_of=actual_of,
        rule_words=rule_words,
        hand=hand,
        upload=upload,
        is_changeable=is_open,
        may_enter=is_open and any(entering.may_enter(sheet, row, hand) for row in sheet.rows),
        may_propose=is_open and lines.may_propose(sheet, hand),
        may_decide=lines.may_decide,
        may_write=is_open and actor.person_id in {sheet.subject.id, sheet.supervisor_id},
        may_manage=is_open and runs(sheet, hand) and sheet.subject.id != actor.person_id,
        step=signing.step_for(sheet, actor.person_id),
        is_signable=sheet.cycle.stage in signing.SIGNABLE,
    )
    return make_response(shown, status)


@bp.get("/kpi/sheets/<int:review_id>.pdf")
@allow(Deed.KPI_SHEET_READ, find=find_sheet)
def kpi_sheet_pdf(actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    at, locale = now(), request_locale()
    printed = page_of(sheet, actor, locale, ours(), at).printed
    answer = make_response(paper(printed, locale, ours(), at))
    answer.content_type = "application/pdf"
    answer.headers["Content-Disposition"] = f'inline; filename="kpi-{sheet.subject.employee_no}.pdf"'
    return answer


@bp.get("/kpi/sheets/<int:review_id>.xlsx")
@allow(Deed.KPI_SHEET_READ, find=find_sheet)
def kpi_sheet_xlsx(actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    locale = request_locale()
    printed = page_of(sheet, actor, locale, ours(), now()).printed
    answer = make_response(workbook(printed, locale))
    answer.content_type = WORKBOOK
    answer.headers["Content-Disposition"] = f'attachment; filename="kpi-{sheet.subject.employee_no}.xlsx"'
    return answer


@bp.post("/kpi/sheets/<int:review_id>/file")
@allow(Deed.KPI_FIGURE_WRITE, find=find_sheet)
def kpi_sheet_file(actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    form, at, hand, count = FileForm(), now(), Hand.of(actor), list[int]()

    def take() -> None:
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            raise Invalid("form:required", "file")
        printed = page_of(sheet, actor, request_locale(), ours(), at).printed
        filled = read_filled(sent.read(), printed, request_locale())
        count.append(entering.take_file(sheet, filled, hand, at))

    if not form.accept(take):
        return _page(actor, sheet, form, 422)
    tell("kpi_sheet:entered", count=count[0])
    return redirect(url_for("results.kpi_sheet", review_id=sheet.review_id))
