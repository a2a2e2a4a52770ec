"""`import kpi`: what each system exports is read as it was meant, once, and what is wrong is named by its place."""

import itertools
import json
from dataclasses import replace
from datetime import UTC, date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import delete, func, select

from review.domain.records import Csat, ImportState, TicketStatus, TicketSystem
from review.domain.refusals import Refusal
from review.helpdesk.commands import kpi_command
from review.helpdesk.tables import AliasRow, CustomerRow, FigureRow, ImportRow, ShareRow, TicketRow
from review.infra.db import db
from review.infra.words import say_all
from tests import exports
from tests.make import NOW, Cast, make_person
from tests.make_cycle import make_cycle


class Outcome:
    """What the command said and how it ended."""

    def __init__(self, result: Any) -> None:
        self.status, self.text = result.exit_code, result.output
        if isinstance(result.exception, Refusal):
            self.status, self.text = 1, self.text + "\n".join(say_all(result.exception, "en"))
        elif result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception

    @property
    def files(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.text[self.text.index("{") : self.text.rindex("}") + 1])["files"]
        return found


class House:
    """An installation with a cycle over the first quarter of 2026 and a folder for files."""

    def __init__(self, app: Flask, cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app, self.cast, self.folder = app, cast, folder
        monkeypatch.setenv("LANG", "en_GB.UTF-8")
        monkeypatch.setattr("review.helpdesk.commands.clock_now", lambda: NOW)
        with app.app_context():
            make_cycle(cast)
            db.session.commit()

    def file(self, name: str, content: str | bytes | Any) -> Path:
        path = self.folder / name
        if not isinstance(content, str | bytes):
            content = json.dumps(content, ensure_ascii=False)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, system: str, *arguments: Any) -> Outcome:
        command = ["--cycle", "Q1 2026", "--from", system, *map(str, arguments)]
        return Outcome(CliRunner().invoke(kpi_command, command, obj=lambda: self.app))

    def tickets(self) -> dict[str, TicketRow]:
        return {row.reference: row for row in db.session.scalars(select(TicketRow).order_by(TicketRow.id))}


@pytest.fixture
def house(app: Flask, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    return House(app, cast, tmp_path, monkeypatch)


AGENTS = ["Ada", "Bo", "Cy"]
SHEETS = {
    TicketSystem.SOBOT: (exports.sobot, "a.csv", "{}", exports.five_stars),
    TicketSystem.JIANDAOYUN: (exports.jiandaoyun, "a.xlsx", "GD{}", exports.five_stars),
    TicketSystem.KINGDEE: (exports.kingdee, "a.csv", "{}", exports.five_stars),
    TicketSystem.QIDIAN: (exports.qidian, "a.txt", "S-{}", exports.five_stars),
    TicketSystem.YOZO: (exports.yozo, "a.xlsx", "{}", exports.five_stars),
    TicketSystem.ZENDESK: (exports.zendesk_csv, "a.csv", "{}", exports.good_or_bad),
}


@pytest.mark.parametrize("system", SHEETS, ids=lambda system: system.value)
def test_each_system_s_sheet_is_read_as_it_was_meant(house: House, system: TicketSystem) -> None:
    export, name, numbered, stars = SHEETS[system]
    tickets = exports.tickets_of(AGENTS, 60, seed=5)
    outcome = house.run(system.value, "--json", house.file(name, export(tickets)))
    assert outcome.status == 0, outcome.text
    told = outcome.files[0]
    assert (told["new"], told["bad_rows"], told["unknown"]) == (60, 0, {}), outcome.text
    with house.app.app_context():
        rows = house.tickets()
        for ticket in tickets:
            row = rows[numbered.format(ticket.number)]
            exports.assert_same(row, ticket, stars=stars)
            assert row.agent_id == house.cast[ticket.agent.lower()].id


# ---- Zendesk and Zoho by their interfaces ---------------------------------------------------------------------------

IDS = {"Ada": 11, "Bo": 12, "Cy": 13}


def zendesk_parts(tickets: list[exports.Ticket]) -> dict[str, Any]:
    return {
        "tickets": {"tickets": [exports.zendesk_ticket(one, IDS) for one in tickets], "count": len(tickets)},
        "metrics": {"ticket_metrics": [exports.zendesk_metrics(one) for one in tickets], "next_page": None},
        "ratings": {"satisfaction_ratings": [exports.zendesk_rating(one, IDS) for one in tickets if one.is_asked]},
    }


def state(house: House) -> dict[str, tuple[Any, ...]]:
    """Everything the files told of each ticket."""
    names = [
        c.name for c in TicketRow.__table__.columns if c.name not in {"id", "import_id", "source_row", "customer_id"}
    ]
    with house.app.app_context():
        return {key: tuple(getattr(row, name) for name in names) for key, row in house.tickets().items()}


def test_zendesk_s_tickets_with_sideloads_are_read(house: House) -> None:
    tickets = exports.tickets_of(AGENTS, 40, seed=6)
    parts = zendesk_parts(tickets)
    body = parts["tickets"] | {
        "users": exports.zendesk_users(IDS),
        "metric_sets": parts["metrics"]["ticket_metrics"],
    }
    outcome = house.run("zendesk", "--json", house.file("t.json", body))
    assert outcome.status == 0, outcome.text
    assert outcome.files[0]["unknown"] == {}
    with house.app.app_context():
        rows = house.tickets()
        for ticket in tickets:
            exports.assert_same(rows[str(ticket.number)], ticket, stars=exports.good_or_bad)
            assert rows[str(ticket.number)].agent_id == house.cast[ticket.agent.lower()].id


def test_zendesk_s_export_of_one_object_a_line_is_read_with_its_nested_metrics(house: House) -> None:
    tickets = exports.tickets_of(AGENTS, 30, seed=7)
    lines = []
    for ticket in tickets:
        body = exports.zendesk_ticket(ticket, IDS) | {"metric_set": exports.zendesk_metrics(ticket)}
        body |= {"assignee": {"id": 1, "name": ticket.agent, "email": f"{ticket.agent.lower()}@example.com"}}
        lines.append(json.dumps(body))
    outcome = house.run("zendesk", "--json", house.file("export.json", "\n".join(lines)))
    assert (outcome.status, outcome.files[0]["new"], outcome.files[0]["unknown"]) == (0, 30, {}), outcome.text
    with house.app.app_context():
        rows = house.tickets()
        for ticket in tickets:
            exports.assert_same(rows[str(ticket.number)], ticket, stars=exports.good_or_bad)


def test_whatever_order_the_parts_come_in_the_tickets_are_the_same(house: House) -> None:
    tickets = exports.tickets_of(AGENTS, 40, seed=8)
    parts = zendesk_parts(tickets)
    users = house.file("users.json", {"users": exports.zendesk_users(IDS)})
    found = []
    for order in itertools.permutations(parts):
        with house.app.app_context():
            for table in (ShareRow, TicketRow, CustomerRow, ImportRow):
                db.session.execute(delete(table))
            db.session.commit()
        for name in order:
            outcome = house.run("zendesk", users, house.file(f"{name}.json", parts[name]))
            assert outcome.status == 0, outcome.text
        found.append(state(house))
    assert all(each == found[0] for each in found[1:])
    with house.app.app_context():
        assert all(row.agent_id for row in house.tickets().values())


def test_surveys_of_the_new_kind_reach_their_tickets(house: House) -> None:
    def response(ticket: int, *answers: dict[str, Any]) -> dict[str, Any]:
        subject = {"id": f"x{ticket}", "type": "ticket", "zrn": f"zen:ticket:{ticket}"}
        return {"id": f"r{ticket}", "responder_id": 5, "subjects": [subject], "answers": list(answers)}

    rated = {"type": "rating_scale", "rating": 4, "rating_category": "good", "updated_at": "2026-03-05T08:00:00Z"}
    words = {"type": "open_ended", "value": "谢谢"}
    body = {
        "survey_responses": [
            response(1, rated, words),
            response(2, rated | {"rating": 1, "rating_category": "bad"}),
            response(3, {"type": "skipped"}),
        ]
    }
    assert house.run("zendesk", house.file("s.json", body)).status == 0
    with house.app.app_context():
        rows = house.tickets()
        assert (rows["1"].csat, rows["1"].csat_points, rows["1"].csat_comment) == (Csat.GOOD, 80, "谢谢")
        assert (rows["2"].csat, rows["2"].csat_points) == (Csat.BAD, 20)
        assert (rows["3"].csat, rows["3"].csat_points) == (Csat.OFFERED, None)


@pytest.mark.parametrize("export", [exports.zoho_json, exports.zoho_csv], ids=["json", "csv"])
def test_zoho_s_exports_are_read(house: House, export: Any) -> None:
    tickets = exports.tickets_of(AGENTS, 50, seed=9)
    name = "a.json" if export is exports.zoho_json else "Cases__1.csv"
    outcome = house.run("zoho", "--json", house.file(name, export(tickets)))
    assert (outcome.status, outcome.files[0]["new"], outcome.files[0]["unknown"]) == (0, 50, {}), outcome.text
    with house.app.app_context():
        rows = house.tickets()
        for ticket in tickets:
            row = rows[str(ticket.number)]
            if export is exports.zoho_csv:  # business hours are another length than the calendar's
                assert (row.first_response_business, row.resolution_business) == (
                    ticket.first_response,
                    ticket.resolution,
                )
                assert row.csat is exports.good_okay_bad(ticket)[0]
                assert row.closed_at == (ticket.closed.astimezone(UTC) if ticket.closed else None)
            else:
                exports.assert_same(row, ticket, stars=lambda _ticket: (None, None))
                assert row.replies == ticket.replies


def test_zoho_s_metrics_and_handlers_reach_their_tickets(house: House) -> None:
    body = [
        {
            "ticketId": "7",
            "firstResponseTime": "00:05 hrs",
            "resolutionTime": "90000",
            "reopenCount": "1",
            "reassignCount": "2",
            "agentsHandled": [{"agentName": "Ada", "handlingTime": "30"}, {"agentName": "Bo", "handlingTime": "10"}],
        }
    ]
    assert house.run("zoho", house.file("m.json", body)).status == 0
    with house.app.app_context():
        row = house.tickets()["7"]
        assert (row.first_response, row.resolution, row.reopens, row.reassigns) == (300, 90, 1, 2)
        shares = {share.person_id: share.parts for share in db.session.scalars(select(ShareRow))}
        assert shares == {house.cast["ada"].id: 30, house.cast["bo"].id: 10}
        assert row.agent_id == house.cast["ada"].id


# ---- figures of people ----------------------------------------------------------------------------------------------


def figures(house: House) -> dict[tuple[str, str], Fraction]:
    names = {person.id: person.name for person in house.cast.values()}
    with house.app.app_context():
        rows = db.session.scalars(select(FigureRow))
        return {(names[row.person_id], row.indicator): Fraction(row.numerator, row.denominator) for row in rows}


def test_wecom_s_statistics_become_figures(house: House) -> None:
    row = {
        "session_cnt": 40,
        "customer_cnt": 38,
        "customer_msg_cnt": 200,
        "reply_rate": 0.98,
        "first_reply_average_sec": 12.5,
        "satisfaction_investgate_cnt": 20,
        "satisfaction_participation_rate": 0.5,
        "satisfied_rate": 0.8,
        "middling_rate": 0.1,
        "dissatisfied_rate": 0.1,
    }
    ada = {
        "servicer_userid": house.cast["ada"].employee_no,
        "statistic_list": [{"stat_time": 1772640000, "statistic": row}],
    }
    outcome = house.run("wecom", "--json", house.file("s.json", {"errcode": 0, "servicers": [ada]}))
    assert outcome.status == 0, outcome.text
    assert figures(house) == {
        ("Ada", "volume"): 40,
        ("Ada", "first_response"): Fraction(25, 2),
        ("Ada", "satisfaction"): Fraction(8, 10),
        ("Ada", "bad_rate"): Fraction(2, 10),
    }
    with house.app.app_context():
        row_of = db.session.scalars(select(FigureRow).where(FigureRow.indicator == "satisfaction")).one()
        assert (row_of.numerator, row_of.denominator, row_of.first_day) == (8, 10, date(2026, 3, 5))


def test_wecom_s_console_says_the_same_in_chinese(house: House) -> None:
    text = (
        "统计周期：2026-03-01 至 2026-03-31\n"
        "接待人员,咨询会话数,客户数量,平均首次响应时长(秒),评价邀请数,参评率,满意率,一般率,不满意率\n"
        "Ada,40,38,12,20,50%,80%,10%,10%\n合计,40,38,12,20,50%,80%,10%,10%\n"
    )
    outcome = house.run("wecom", "--json", house.file("s.csv", text.encode("gb18030")))
    assert (outcome.status, outcome.files[0]["skipped"]) == (0, {"total": 1}), outcome.text
    assert figures(house)["Ada", "bad_rate"] == Fraction(2, 10)
    with house.app.app_context():
        spans = {(row.first_day, row.last_day) for row in db.session.scalars(select(FigureRow))}
        assert spans == {(date(2026, 3, 1), date(2026, 3, 31))}


def test_a_free_sheet_tells_indicators_of_people_wide_or_long(house: House) -> None:
    head = "姓名,工单量,满意度,评价数,投诉数,平均首次响应时长(分钟),质检得分\n"
    wide = head + "Ada,80,92.5%,40,2,3,95.5\nBo,60,100%,10,0,5,88\n"
    assert house.run("sheet", house.file("wide.csv", wide)).status == 0
    assert figures(house) == {
        ("Ada", "volume"): 80,
        ("Ada", "satisfaction"): Fraction(37, 40),
        ("Ada", "complaint_rate"): Fraction(2, 80),
        ("Ada", "first_response"): 180,
        ("Ada", "compliance"): Fraction(191, 2),
        ("Bo", "volume"): 60,
        ("Bo", "satisfaction"): 1,
        ("Bo", "complaint_rate"): 0,
        ("Bo", "first_response"): 300,
        ("Bo", "compliance"): 88,
    }
    long = "工号,指标,数值\n{0},销售额,12000\n{0},知识库贡献,3\n".format(house.cast["cy"].employee_no)
    assert house.run("sheet", house.file("long.csv", long)).status == 0
    assert figures(house)["Cy", "sales"] == 12000
    assert figures(house)["Cy", "knowledge"] == 3


def test_a_later_sheet_about_the_same_span_replaces_figures(house: House) -> None:
    house.run("sheet", house.file("a.csv", "姓名,工单量\nAda,80\n"))
    outcome = house.run("sheet", "--json", house.file("b.csv", "姓名,工单量\nAda,81\n"))
    assert (outcome.files[0]["changed"], figures(house)["Ada", "volume"]) == (1, 81)


# ---- a free sheet of tickets ----------------------------------------------------------------------------------------


def test_several_agents_in_one_cell_share_a_ticket(house: House) -> None:
    cells = ["Ada;Bo", "Ada:2;Cy:1", "Bo", "Ada;Unknown"]
    text = "工单号,客服,关闭时间\n" + "".join(f"{at},{cell},2026-03-05\n" for at, cell in enumerate(cells, start=1))
    outcome = house.run("sheet", "--json", house.file("a.csv", text))
    assert outcome.files[0]["unknown"] == {"Unknown": 1}
    with house.app.app_context():
        rows = house.tickets()
        shares = {(row.ticket_id, row.person_id): row.parts for row in db.session.scalars(select(ShareRow))}
        ada, bo, cy = (house.cast[name].id for name in ("ada", "bo", "cy"))
        assert shares == {(rows["1"].id, ada): 1, (rows["1"].id, bo): 1, (rows["2"].id, ada): 2, (rows["2"].id, cy): 1}
        assert (rows["2"].agent_id, rows["3"].agent_id, rows["4"].agent_id) == (ada, bo, None)


def test_a_name_of_several_people_is_never_guessed(house: House) -> None:
    with house.app.app_context():
        make_person("Ada", employee_no="A2", email=None)
        db.session.commit()
    text = "工单号,客服,工号,关闭时间\n1,Ada,,2026-03-05\n2,Ada,A2,2026-03-05\n3,Ada(A2),,2026-03-05\n"
    outcome = house.run("sheet", "--json", house.file("a.csv", text))
    assert outcome.files[0]["unknown"] == {"Ada": 1}
    with house.app.app_context():
        assert [row.agent_id is None for row in house.tickets().values()] == [True, False, False]


def test_hr_s_word_for_an_agent_counts_in_the_next_import(house: House) -> None:
    text = "工单号,客服,关闭时间\n1,小艾,2026-03-05\n2,外包,2026-03-05\n"
    path = house.file("a.csv", text)
    house.run("sheet", path)
    with house.app.app_context():
        for label, person in (("小艾", house.cast["ada"].id), ("外包", None)):
            db.session.add(AliasRow(system=TicketSystem.SHEET, label=label, person_id=person, said_at=NOW))
        db.session.commit()
    outcome = house.run("sheet", "--json", path)
    assert (outcome.files[0]["changed"], outcome.files[0]["skipped"]) == (1, {"nobody_of_ours": 1}), outcome.text
    with house.app.app_context():
        assert house.tickets()["1"].agent_id == house.cast["ada"].id


def test_rows_that_are_no_tickets_of_ours_are_left_out_with_why(house: House) -> None:
    text = (
        "ID,Status,Assignee,Solved at,isSpam,isArchived\n"
        "1,solved,Ada,2026-03-05 10:00,false,false\n2,deleted,Ada,,,\n3,solved,Ada,2026-03-05 10:00,true,\n"
        "4,solved,Ada,2026-03-05 10:00,,true\n1,solved,Ada,2026-03-05 10:00,false,false\n"
        "5,open,Ada,,,\n5,solved,Ada,2026-03-06 10:00,,\nID,Status,Assignee,Solved at,isSpam,isArchived\nTotal,,,,,\n"
    )
    outcome = house.run("sheet", "--json", house.file("a.csv", text))
    assert outcome.files[0]["skipped"] == {
        "deleted": 1,
        "spam": 1,
        "archived": 1,
        "twice": 1,
        "older_state": 1,
        "heading_again": 1,
        "total": 1,
    }, outcome.text
    with house.app.app_context():
        rows = house.tickets()
        assert (sorted(rows), rows["5"].status) == (["1", "5"], TicketStatus.SOLVED)


def test_what_is_wrong_is_told_by_row_and_column_and_nothing_is_imported(house: House) -> None:
    text = (
        "标题\n工单号,客服,创建时间,关闭时间,首次响应时长(秒),满意度(5分制)\n"
        "1,Ada,2026-03-05 08:00,2026-03-05 09:00,30,5\n"
        "2,Ada,gestern,2026-03-05,30,5\n3,Ada,2026-03-05,2026-03-04 08:00,abc,9分啊\n,Ada,2026-03-05,,,\n"
        "1.23457E+17,Ada,2026-03-05,,,\n6,Ada,2026-03-05,2031-01-01,,\n"
    )
    path = house.file("a.csv", text)
    refused = house.run("sheet", path)
    assert refused.status == 1
    for sentence in (
        "Row 4, “创建时间”: gestern is not a date",
        "Row 5, “首次响应时长(秒)”: abc is not a length of time",
        "Row 5, “满意度(5分制)”: 9分啊 is not an answer",
        "Row 6, “工单号”: the number of the ticket is missing",
        "Row 7, “工单号”: a spreadsheet program has cut the number",
        "Row 8, “关闭时间”: 2031-01-01 lies in the future",
    ):
        assert sentence in refused.text, (sentence, refused.text)
    with house.app.app_context():
        assert house.tickets() == {}
    assert "5 rows" in house.run("sheet", path).text
    kept = house.run("sheet", "--skip-bad-rows", "--json", path)
    assert (kept.status, kept.files[0]["new"], kept.files[0]["bad_rows"]) == (0, 1, 5)


def test_a_scale_that_nobody_names_is_told_and_can_be_set(house: House) -> None:
    path = house.file("a.csv", "工单号,客服,关闭时间,满意度评分\n1,Ada,2026-03-05,5\n2,Ada,2026-03-05,4\n")
    told = house.run("sheet", "--dry-run", "--json", path)
    assert told.files[0]["guesses"] == [{"kind": "scale", "column": "满意度评分", "taken": "five"}]
    house.run("sheet", "--scale", "ten", path)
    with house.app.app_context():
        assert {row.csat for row in house.tickets().values()} == {Csat.BAD}
        assert house.tickets()["1"].csat_points == 50


def test_a_rate_whose_heading_says_percent_is_percent_and_a_bare_one_up_to_1_is_told(house: House) -> None:
    path = house.file("a.csv", "姓名,工单量,投诉率（%）,差错率\nAda,1000,0.8,0.02\nBo,1000,0.5,0.01\n")
    told = house.run("sheet", "--json", path)
    assert told.files[0]["guesses"] == [{"kind": "rate", "column": "差错率", "taken": "share"}]
    assert figures(house)["Ada", "complaint_rate"] == Fraction(8, 1000)
    assert figures(house)["Ada", "error_rate"] == Fraction(2, 100)
    assert "差错率" in house.run("sheet", "--dry-run", path).text


def test_a_dry_run_writes_nothing(house: House) -> None:
    path = house.file("a.csv", exports.zendesk_csv(exports.tickets_of(AGENTS, 10, seed=1)))
    outcome = house.run("zendesk", "--dry-run", path)
    assert (outcome.status, "10 would be new" in outcome.text) == (0, True), outcome.text
    with house.app.app_context():
        assert house.tickets() == {}
        assert db.session.scalar(select(func.count()).select_from(ImportRow)) == 0


# ---- once -----------------------------------------------------------------------------------------------------------


def test_the_same_file_again_changes_nothing_and_an_older_one_undoes_nothing(house: House) -> None:
    tickets = exports.tickets_of(AGENTS, 30, seed=2)
    later = [replace(one, reopens=one.reopens + 1, replies=9) for one in tickets]
    old, new = house.file("old.csv", exports.zendesk_csv(tickets)), house.file("new.csv", exports.zendesk_csv(later))
    house.run("zendesk", old)
    before = state(house)
    again = house.run("zendesk", old)
    assert "imported before" in again.text
    assert state(house) == before
    newer = house.run("zendesk", "--json", new)
    assert (newer.files[0]["changed"], newer.files[0]["new"]) == (30, 0)
    after = state(house)
    house.run("zendesk", old)
    assert state(house) == after
    with house.app.app_context():  # a new colleague: the old file is read anew, and still undoes nothing
        make_person("Somebody New")
        db.session.commit()
    house.run("zendesk", old)
    assert state(house) == after


def test_a_file_under_another_name_is_the_same_file(house: House) -> None:
    data = exports.zendesk_csv(exports.tickets_of(AGENTS, 5, seed=2))
    house.run("zendesk", house.file("a.csv", data))
    assert "imported before" in house.run("zendesk", house.file("b.csv", data)).text
    with house.app.app_context():
        assert [row.state for row in db.session.scalars(select(ImportRow))] == [ImportState.DONE]


def test_a_ticket_that_was_opened_again_has_no_day_of_solution(house: House) -> None:
    head = "Id,Assignee,Status,Created at,Updated at,Solved at\n"
    solved = house.file("a.csv", head + "1,Ada,Solved,2026-03-01 08:00,2026-03-02 08:00,2026-03-02 08:00\n")
    opened = house.file("b.csv", head + "1,Ada,Open,2026-03-01 08:00,2026-03-03 08:00,\n")
    house.run("zendesk", solved)
    house.run("zendesk", opened)
    with house.app.app_context():
        row = house.tickets()["1"]
        assert (row.status, row.closed_on, row.closed_at, row.resolution) == (TicketStatus.OPEN, None, None, None)
    stale = house.file("c.csv", head + "1,Ada,Solved,2026-03-01 08:00,2026-03-02 09:00,2026-03-02 08:00\n")
    outcome = house.run("zendesk", "--json", stale)
    assert outcome.files[0]["skipped"] == {"newer_known": 1}


def test_customers_come_with_their_tickets_so_that_they_can_be_asked(house: House) -> None:
    tickets = exports.tickets_of(AGENTS, 20, seed=4)
    house.run("zendesk", house.file("a.csv", exports.zendesk_csv(tickets)))
    with house.app.app_context():
        rows = house.tickets()
        for ticket in tickets:
            customer = db.session.get_one(CustomerRow, rows[str(ticket.number)].customer_id)
            assert customer.email == ticket.email
            assert str(customer.external_id).startswith("zendesk:36")


def test_a_record_s_nested_agent_and_a_column_that_says_solved_or_not_are_understood(house: House) -> None:
    agent = {"name": "Ada", "username": "whatever"}
    body = {"data": [{"流水号": "G1", "处理人": agent, "提交时间": "2026-03-05T00:00:00.000Z", "是否解决": "否"}]}
    assert house.run("jiandaoyun", house.file("a.json", body)).status == 0
    with house.app.app_context():
        row = house.tickets()["G1"]
        assert (row.agent_id, row.status) == (house.cast["ada"].id, TicketStatus.OPEN)


def test_a_column_whose_cells_do_not_fit_gives_its_place_to_the_next_of_that_name(house: House) -> None:
    """解决时间 is a length of time here, so that 解决日期 is when it was solved."""
    lines = ["工单号,处理人员,解决日期,状态,解决时间,满意情况", "K1,Ada,2026-02-03,已解决,2天3小时,满意"]
    assert house.run("kingdee", house.file("k.csv", "\n".join(lines))).status == 0
    with house.app.app_context():
        row = house.tickets()["K1"]
        assert (row.closed_on, row.resolution, row.csat) == (date(2026, 2, 3), 51 * 3600, Csat.GOOD)
        assert row.agent_id == house.cast["ada"].id
        assert not row.closed_is_guess


def test_a_rate_without_its_number_is_kept_as_not_counted(house: House) -> None:
    assert house.run("sheet", house.file("s.csv", "姓名,满意度,差错率\nAda,95%,2%\nBo,90%,0")).status == 0
    with house.app.app_context():
        rows = db.session.scalars(select(FigureRow).where(FigureRow.indicator == "satisfaction")).all()
        assert [row.is_counted for row in rows] == [False, False]
