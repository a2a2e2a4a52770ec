"""Customers and tickets from a file: read in both languages, looked at first, never twice, and wrong rows are named."""

import io
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from review.app import create_app
from review.customer_survey import intake, service
from review.customer_survey.commands import import_customers
from review.customer_survey.tables import UploadRow
from review.cycles.tables import CycleRow
from review.domain.refusals import Invalid
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra.audit import AuditRow
from review.infra.db import db
from review.infra.settings import Settings
from review.tables import metadata
from tests.browse import Browser
from tests.make import NOW, Cast, make_cast
from tests.make_cycle import make_cycle
from tests.rooms.test_sheets import workbook

Browse = Callable[..., Browser]

CHINESE = ["工单号", "客服工号", "关闭日期", "客户编号", "客户姓名", "邮箱", "语言", "渠道", "类型"]
ENGLISH = ["Ticket", "Agent", "Closed on", "Customer number", "Customer name", "E-mail", "Language", "Channel", "Type"]


def sheet(*rows: list[str], headings: list[str] = CHINESE) -> bytes:
    return "\n".join(",".join(cells) for cells in [headings, *rows]).encode()


def ticket(cast: Cast, number: str = "T1", **other: str) -> list[str]:
    values = {
        "agent": cast["ada"].employee_no,
        "closed": "2026-03-05",
        "no": f"C-{number}",
        "name": "李雷",
        "email": f"{number.lower()}@customer.example",
        "locale": "中文",
        "channel": "电话",
        "kind": "换货",
    } | other
    return [number, *values.values()]


def load(data: bytes, name: str = "tickets.csv") -> intake.Outcome:
    outcome = intake.take_in(data, name, NOW, by=None)
    db.session.commit()
    return outcome


def count(table: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_a_chinese_list_brings_customers_and_their_tickets(app: Flask, cast: Cast) -> None:
    with app.app_context():
        outcome = load(sheet(ticket(cast)))
        row = db.session.scalar(select(TicketRow))
        customer = db.session.scalar(select(CustomerRow))
        assert (outcome.tickets_new, outcome.customers_new, outcome.problems) == (1, 1, ())
        assert row is not None
        assert (row.reference, row.agent_id, row.closed_on) == ("T1", cast["ada"].id, date(2026, 3, 5))
        assert (row.channel, row.kind, row.customer_id) == ("phone", "换货", customer.id if customer else None)
        assert customer is not None
        assert (customer.external_id, customer.name, customer.locale) == ("C-T1", "李雷", "zh")
        assert customer.email == "t1@customer.example"


def test_an_english_workbook_says_the_same(app: Flask, cast: Cast) -> None:
    rows = [
        ENGLISH,
        ["T1", "ADA@example.com", date(2026, 3, 5), 1001, "Li Lei", "T1@Customer.Example", "en", "Voice", ""],
    ]
    with app.app_context():
        assert load(workbook(rows), "tickets.xlsx").tickets_new == 1
        row, customer = db.session.scalar(select(TicketRow)), db.session.scalar(select(CustomerRow))
        assert row is not None
        assert customer is not None
        assert (row.agent_id, row.channel, row.closed_on) == (cast["ada"].id, "phone", date(2026, 3, 5))
        assert (customer.external_id, customer.email, customer.locale) == ("1001", "t1@customer.example", "en")


def test_the_same_list_twice_changes_nothing(app: Flask, cast: Cast) -> None:
    with app.app_context():
        data = sheet(ticket(cast, "T1"), ticket(cast, "T2", no="", email=""), ticket(cast, "T3", no=""))
        first, second = load(data), load(data)
        assert (first.tickets_new, first.customers_new) == (3, 3)
        assert (second.tickets_new, second.tickets_changed, second.tickets_same, second.customers_new) == (0, 0, 3, 0)
        assert (count(TicketRow), count(CustomerRow)) == (3, 3)


def test_a_newer_list_corrects_a_ticket_and_leaves_what_it_does_not_tell(app: Flask, cast: Cast) -> None:
    with app.app_context():
        load(sheet(ticket(cast)))
        newer = load(sheet(ticket(cast, agent=cast["bo"].employee_no, email="", name="李雷雷", channel="微信")))
        row, customer = db.session.scalar(select(TicketRow)), db.session.scalar(select(CustomerRow))
        assert newer.tickets_changed == 1
        assert row is not None
        assert customer is not None
        assert (row.agent_id, row.channel) == (cast["bo"].id, "wechat")
        assert (customer.name, customer.email) == ("李雷雷", "t1@customer.example")


def test_a_ticket_somebody_was_asked_about_changes_no_more(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle = db.session.get(CycleRow, make_cycle(cast))
        load(sheet(ticket(cast)))
        assert cycle is not None
        assert service.queue_invitations(cycle, NOW) == 1
        db.session.commit()
        later = load(sheet(ticket(cast, agent=cast["bo"].employee_no)))
        assert (later.tickets_changed, later.tickets_same) == (0, 1)
        assert db.session.scalar(select(TicketRow.agent_id)) == cast["ada"].id


def test_one_customer_with_several_tickets_is_one_customer(app: Flask, cast: Cast) -> None:
    with app.app_context():
        by_number = [ticket(cast, f"T{n}", no="C1", email="c1@customer.example") for n in (1, 2)]
        by_address = [ticket(cast, f"T{n}", no="", email="c2@customer.example") for n in (3, 4)]
        assert load(sheet(*by_number, *by_address)).customers_new == 2
        assert count(TicketRow) == 4


@pytest.mark.parametrize(
    ("wrong", "code", "column"),
    [
        ({"agent": ""}, "blank", "客服工号"),
        ({"name": ""}, "blank", "客户姓名"),
        ({"agent": "E404"}, "nobody", "客服工号"),
        ({"closed": "03/05/2026"}, "no_date", "关闭日期"),
        ({"closed": "2026-04-02"}, "in_the_future", "关闭日期"),
        ({"email": "not an address"}, "no_address", "邮箱"),
        ({"email": "a@b.example>\tBcc:x@y.example"}, "no_address", "邮箱"),
        ({"locale": "Klingon"}, "no_language", "语言"),
        ({"name": "李" * 81}, "too_long", "客户姓名"),
    ],
)
def test_a_wrong_row_is_named_and_left_out(
    app: Flask, cast: Cast, wrong: dict[str, str], code: str, column: str
) -> None:
    with app.app_context():
        outcome = load(sheet(ticket(cast, "T1"), ticket(cast, "T2", **wrong)))
        assert [(problem.code, problem.params["row"], problem.params["column"]) for problem in outcome.problems] == [
            (f"customer_survey:{code}", 3, column)
        ]
        assert (outcome.tickets_new, outcome.rows_left_out, count(TicketRow)) == (1, 1, 1)


def test_a_ticket_that_stands_there_twice_counts_once(app: Flask, cast: Cast) -> None:
    with app.app_context():
        outcome = load(sheet(ticket(cast, "T1"), ticket(cast, "T1", name="Other")))
        assert [problem.code for problem in outcome.problems] == ["customer_survey:twice"]
        assert db.session.scalar(select(CustomerRow.name)) == "李雷"


def test_a_list_without_a_needed_column_is_refused_whole(app: Flask, cast: Cast) -> None:
    with app.app_context(), pytest.raises(Invalid) as refused:
        load(b"Ticket,Customer name\nT1,Li\n")
    assert [problem.code for problem in refused.value.problems] == ["sheets:column_missing"] * 2


def test_importing_is_written_down_without_anybodys_name(app: Flask, cast: Cast) -> None:
    with app.app_context():
        intake.take_in(sheet(ticket(cast)), "tickets.csv", NOW, by=cast["hana"].id)
        line = db.session.scalar(select(AuditRow))
        assert line is not None
        assert (line.actor_id, line.details["tickets_new"]) == (cast["hana"].id, 1)
        assert "李雷" not in str(line.details)


def test_hr_looks_before_anything_is_written_and_then_confirms(app: Flask, cast: Cast, browse: Browse) -> None:
    hana = browse(cast["hana"], "en")
    data = sheet(ticket(cast, "T1"), ticket(cast, "T2", agent="E404"))
    upload = {"file": (io.BytesIO(data), "名单.csv")}
    preview = hana.follow(hana.submit(hana.get("/customers/import"), upload))
    assert "nobody has the employee number or e-mail address E404" in preview.words
    assert "Row 3" in preview.words
    with app.app_context():
        assert count(TicketRow) == 0
    done = hana.follow(hana.submit(preview, {}))
    assert "Tickets: 1 new" in done.words
    with app.app_context():
        assert (count(TicketRow), count(UploadRow)) == (1, 0)
    again = hana.follow(hana.post(preview.url))
    assert "imported already" in again.words
    with app.app_context():
        assert count(TicketRow) == 1


def test_a_file_that_cannot_be_read_comes_back_with_the_reason(cast: Cast, browse: Browse) -> None:
    hana = browse(cast["hana"], "zh")
    page = hana.submit(hana.get("/customers/import"), {"file": (io.BytesIO(b"%PDF"), "a.pdf")}, status=422)
    assert "xlsx" in page.words
    nothing = hana.submit(hana.get("/customers/import"), {}, status=422)
    assert nothing.soup.find(class_="r-err") is not None


def test_nobody_confirms_somebody_elses_file(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        intake.keep(sheet(ticket(cast)), "a.csv", cast["sam"].id, NOW + timedelta(days=3650))
        number = db.session.scalar(select(UploadRow.id))
        db.session.commit()
    hana = browse(cast["hana"])
    hana.get(f"/customers/import/{number}", status=404)
    hana.post(f"/customers/import/{number}", status=302)
    with app.app_context():
        assert count(TicketRow) == 0


def test_only_hr_imports_customers(cast: Cast, browse: Browse) -> None:
    for name in ("ada", "sam", "max"):
        browse(cast[name]).get("/customers/import", status=404)
    browse().get("/customers/import", status=302)


def run(app: Flask, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    return CliRunner().invoke(import_customers, arguments, obj=lambda: app)


def test_the_command_imports_and_says_so(
    app: Flask, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tickets.csv"
    file.write_bytes(sheet(ticket(cast)))
    dry = run(app, monkeypatch, str(file), "--dry-run")
    assert "1 would be new" in dry.output
    with app.app_context():
        assert count(TicketRow) == 0
    assert "1 new" in run(app, monkeypatch, str(file)).output
    with app.app_context():
        assert count(TicketRow) == 1


def test_the_command_refuses_a_list_with_wrong_rows_unless_told_to_skip_them(
    app: Flask, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tickets.csv"
    file.write_bytes(sheet(ticket(cast, "T1"), ticket(cast, "T2", agent="E404")))
    refused = run(app, monkeypatch, str(file))
    assert isinstance(refused.exception, Invalid)
    assert "Row 3" in refused.output
    with app.app_context():
        assert count(TicketRow) == 0
    assert run(app, monkeypatch, str(file), "--skip-bad-rows").exit_code == 0
    with app.app_context():
        assert count(TicketRow) == 1


@pytest.mark.postgres
def test_on_postgresql_a_list_is_taken_in_the_same_way(tmp_path: Path, postgres_url: str, urn_url: str) -> None:
    environ = {"REVIEW_DATA": str(tmp_path / "instance"), "DATABASE_URL": postgres_url, "URN_URL": urn_url}
    app = create_app(Settings.from_env(environ))
    with app.app_context():
        metadata.create_all(db.engine)
        cast = make_cast()
        data = sheet(ticket(cast, "T1"), ticket(cast, "T2", no="", email=""), ticket(cast, "T3", no=""))
        assert load(data).customers_new == 3
        assert load(data).tickets_same == 3
        newer = load(sheet(ticket(cast, "T1", agent=cast["bo"].employee_no, name="李雷雷")))
        assert (newer.tickets_changed, newer.customers_new) == (1, 0)
        intake.keep(data, "a.csv", cast["hana"].id, NOW)
        kept = intake.kept(cast["hana"].id, NOW)
        assert kept is not None
        assert intake.confirm(cast["hana"].id, kept.id, NOW) is not None
        assert intake.confirm(cast["hana"].id, kept.id, NOW) is None
        db.session.remove()
        db.engine.dispose()
