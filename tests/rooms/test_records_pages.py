"""HR's pages of ticket records: looked at before they are written, corrected by hand, nobody else's business."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from review.domain.records import ImportState, TicketSystem
from review.helpdesk import jobs, uploads
from review.helpdesk.tables import AliasRow, ImportRow, MappingRow, TicketRow
from review.infra.audit import AuditRow
from review.infra.clock import now as clock_now
from review.infra.db import db
from review.infra.house import house
from review.infra.jobs import work_all
from review.people.tables import PersonRow
from tests import exports
from tests.browse import Browser, Page
from tests.make import Cast
from tests.make_cycle import make_cycle

Browse = Callable[..., Browser]
SHEET = (
    "工单号,接待,客服,关闭时间,响应,满意度\n1,x,Ada,2026-03-05,1,5\n2,x,小艾,2026-03-06,2,3\n3,x,外包,2026-03-06,2,3\n"
)


def work(app: Flask) -> None:
    """What the worker would do now."""
    with app.app_context():
        work_all(jobs.HANDLERS, house().progress, "test", clock_now())
        db.session.remove()


def bring(hana: Browser, app: Flask, content: str | bytes = SHEET, name: str = "导出.csv", **fields: Any) -> Page:
    data = content.encode() if isinstance(content, str) else content
    sent = hana.submit(hana.get("/records/import"), {"file": (io.BytesIO(data), name), **fields}, "import", status=303)
    waiting = hana.follow(sent)
    assert waiting.soup.find(id="progress") is not None
    work(app)
    return hana.get(waiting.url)


def multipart(content: bytes, **fields: str) -> dict[str, Any]:
    """A form with a file as bytes: the test client would leave its own temporary file open."""
    parts = [f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields.items()]
    head = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n'
    data = "".join(parts).encode() + head.encode() + content + b"\r\n--x--\r\n"
    return {"data": data, "content_type": "multipart/form-data; boundary=x"}


def place_of(page: Page, heading: str) -> int:
    """Which of the columns on the page bears this heading."""
    heads = page.soup.select("form[action$=columns] th[scope=row]")
    return next(at for at, tag in enumerate(heads) if tag.get_text().startswith(heading))


def count(table: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def hana(app: Flask, cast: Cast, browse: Browse) -> Browser:
    with app.app_context():
        make_cycle(cast)
        db.session.commit()
    return browse(cast["hana"], "en")


def test_hr_looks_settles_agents_corrects_columns_and_imports(app: Flask, cast: Cast, hana: Browser) -> None:
    page = bring(hana, app)
    assert "Nothing has been written yet" in page.words
    assert "小艾" in page.words
    with app.app_context():
        assert count(TicketRow) == 0

    labels = {tag["value"]: tag["name"][1:] for tag in page.soup.select("input[type=hidden][name^=l]")}
    said = {f"a{labels['小艾']}": f"{cast['ada'].employee_no} Ada", f"n{labels['外包']}": "1"}
    told = hana.follow(hana.submit(page, said, "agents", status=303))
    assert "Remembered: 2" in told.words or "Remembered: 2" in told.text
    work(app)
    page = hana.get(page.url)
    assert page.soup.find(id="agents") is None

    hana.submit(page, {f"c{place_of(page, '响应')}": "first_response"}, "columns", status=303)
    work(app)
    page = hana.get(page.url)
    assert "(as you said)" in page.words

    hana.submit(page, {}, "confirm", status=303)
    hana.submit(page, {}, "confirm", status=303)  # pressed twice
    work(app)
    done = hana.get(page.url)
    assert "What the import did" in done.words
    with app.app_context():
        rows = {row.reference: row for row in db.session.scalars(select(TicketRow))}
        assert {key: row.agent_id for key, row in rows.items()} == {"1": cast["ada"].id, "2": cast["ada"].id}
        assert rows["2"].first_response == 2
        assert [row.label for row in db.session.scalars(select(AliasRow).order_by(AliasRow.person_id))] != []
        assert [row.field for row in db.session.scalars(select(MappingRow))] == ["first_response"]
        row = db.session.scalars(select(ImportRow)).one()
        assert (row.state, row.stored, row.counts["new"]) == (ImportState.DONE, None, 2)
        assert list((house().settings.data_dir / "imports").iterdir()) == []
        actions = set(db.session.scalars(select(AuditRow.action)))
        assert {"helpdesk:records:imported", "helpdesk:agent:settled", "helpdesk:columns:mapped"} <= actions
    assert "导出.csv" in hana.get("/records/import").words


def test_what_was_said_of_columns_is_remembered_for_the_next_file(app: Flask, cast: Cast, hana: Browser) -> None:
    page = bring(hana, app)
    hana.submit(page, {f"c{place_of(page, '响应')}": "first_response"}, "columns", status=303)
    again = bring(hana, app, SHEET.replace("2026-03-05", "2026-03-04"))
    assert "(as you said)" in again.words
    other = bring(hana, app, SHEET, system="qidian")  # of another system nobody said anything
    assert "(as you said)" not in other.words


def test_agents_may_be_settled_after_the_import_too(app: Flask, cast: Cast, hana: Browser) -> None:
    page = bring(hana, app)
    hana.submit(page, {}, "confirm", status=303)
    work(app)
    page = hana.get(page.url)
    labels = {tag["value"]: tag["name"][1:] for tag in page.soup.select("input[type=hidden][name^=l]")}
    hana.submit(page, {f"a{labels['小艾']}": cast["bo"].employee_no}, "agents", status=303)
    with app.app_context():
        row = db.session.scalars(select(TicketRow).where(TicketRow.reference == "2")).one()
        assert row.agent_id == cast["bo"].id


def test_a_number_nobody_has_keeps_what_was_typed(app: Flask, cast: Cast, hana: Browser) -> None:
    page = bring(hana, app)
    refused = hana.submit(page, {"a0": "E404 Nobody", "n1": "1"}, "agents", status=422)
    assert "nobody has the employee number E404" in refused.words
    assert refused.soup.find("input", {"name": "a0"})["value"] == "E404 Nobody"
    with app.app_context():
        assert count(AliasRow) == 0


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(app: Flask, cast: Cast, hana: Browser) -> None:
    form = hana.get("/records/import")
    page = hana.submit(form, {"file": (io.BytesIO(b"%PDF-1.7"), "a.csv")}, "import", status=422)
    assert page.soup.find(class_="r-err") is not None
    assert hana.submit(form, {}, "import", status=422).soup.find(class_="r-err") is not None
    refused = bring(hana, app, "a,b\n1,2\n")
    assert "No column holds the number of a ticket" in refused.words
    with app.app_context():
        assert [row.state for row in db.session.scalars(select(ImportRow))] == [ImportState.REFUSED]
        assert list((house().settings.data_dir / "imports").iterdir()) == []


def test_a_file_larger_than_any_form_is_taken_here_and_nowhere_else(app: Flask, cast: Cast, hana: Browser) -> None:
    lines = "".join(f"{at},Ada,2026-03-05,{'x' * 80}\n" for at in range(110_000))
    large = ("工单号,客服,关闭时间,主题\n" + lines).encode()
    assert len(large) > 8 * 2**20
    body = multipart(large, csrf_token=hana.token(), system="sheet", cycle_id="0")
    assert hana.client.post("/records/import", **body).status_code == 303
    assert hana.client.post("/customers/import", **body).status_code == 413


def test_nobody_but_hr_may_send_a_large_file(app: Flask, cast: Cast, browse: Browse) -> None:
    large = b"x" * (9 * 2**20)
    for person in (cast["ada"], None):
        browser = browse(person)
        answer = browser.client.post("/records/import", **multipart(large))
        assert answer.status_code in {400, 413}, person


def test_a_waiting_file_is_its_owner_s_alone(app: Flask, cast: Cast, hana: Browser, browse: Browse) -> None:
    page = bring(hana, app)
    with app.app_context():
        db.session.execute(ImportRow.__table__.update().values(brought_by=cast["sam"].id))
        db.session.commit()
    hana.get(page.url, status=404)
    hana.post(f"{page.url}/confirm", status=404)
    assert "导出.csv" not in hana.get("/records/import").words
    for name in ("ada", "sam", "max"):
        browse(cast[name]).get("/records/import", status=404)


def test_a_discarded_file_is_gone(app: Flask, cast: Cast, hana: Browser) -> None:
    page = bring(hana, app)
    hana.submit(page, {}, "discard", status=303)
    with app.app_context():
        assert list((house().settings.data_dir / "imports").iterdir()) == []
        assert db.session.scalars(select(ImportRow.state)).one() is ImportState.REFUSED
    hana.post(f"{page.url}/confirm", status=303)
    work(app)
    with app.app_context():
        assert count(TicketRow) == 0


def test_a_file_nobody_confirms_is_gone_after_a_day(app: Flask, cast: Cast, hana: Browser) -> None:
    page = bring(hana, app)
    with app.app_context():
        assert uploads.clear_old(clock_now()) == 0
        assert uploads.clear_old(clock_now() + timedelta(days=1, minutes=1)) == 1
        db.session.commit()
        assert list((house().settings.data_dir / "imports").iterdir()) == []
    assert "lay here for a day" in hana.get(page.url).words


@pytest.mark.parametrize(
    ("export", "name", "system"),
    [
        (exports.zendesk_csv, "a.csv", TicketSystem.ZENDESK),
        (exports.zoho_json, "a.json", TicketSystem.ZOHO),
        (exports.zoho_csv, "a.csv", TicketSystem.ZOHO),
        (exports.yozo, "a.xlsx", TicketSystem.SHEET),
    ],
)
def test_whose_export_it_is_is_found_out(
    app: Flask, cast: Cast, hana: Browser, export: Any, name: str, system: TicketSystem
) -> None:
    bring(hana, app, export(exports.tickets_of(["Ada"], 5, seed=1)), name, system="auto")
    with app.app_context():
        row = db.session.scalars(select(ImportRow)).one()
        assert (row.system, row.look["counts"]["new"]) == (system, 5)


def test_the_same_file_by_two_uploads_changes_nothing_the_second_time(app: Flask, cast: Cast, hana: Browser) -> None:
    for _ in range(2):
        page = bring(hana, app)
        hana.submit(page, {}, "confirm", status=303)
        work(app)
    assert "imported before in the same way" in hana.get(page.url).words


def test_in_chinese_every_word_is_chinese(app: Flask, cast: Cast, hana: Browser) -> None:
    with app.app_context():
        db.session.get_one(PersonRow, cast["hana"].id).locale = "zh"
        db.session.commit()
    page = bring(hana, app)
    for word in ("这是谁", "各列怎样读取", "还没有写入任何内容", "记住这些人"):
        assert word in page.words


def test_a_figure_of_somebody_unknown_is_not_said_to_be_kept(app: Flask, hana: Browser) -> None:
    """Tickets wait for whoever they belong to; figures do not, so HR is told to settle people first."""
    page = bring(hana, app, "姓名,工单量\nAda,80\nStrange,60\n")
    assert "Their figures are left out until it is settled" in page.words
    assert "Their tickets are kept" not in page.words
