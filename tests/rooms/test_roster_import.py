"""Importing a roster: good files in either language, ugly ones, circles, ten thousand rows, and two confirmations."""

import threading
import time
import zipfile
from datetime import date, timedelta
from io import BytesIO

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import event, func, select
from xlsxwriter import Workbook

from review.cli import import_
from review.domain.access import Role
from review.infra.audit import AuditRow
from review.infra.db import db
from review.people import directory, lines, roster_import
from review.people.accounts import roles_of
from review.people.commands import people_command, slip_command
from review.people.roster_plan import Plan
from review.people.tables import PersonRow
from tests.make import NOW

HEAD = "工号,姓名,邮箱,部门,主管工号,岗位,入职日期,离职日期,角色,语言"
TODAY = NOW.date()


@pytest.fixture
def inside(app, cast):
    with app.app_context():
        yield cast


def csv(*rows: str, head: str = HEAD, encoding: str = "utf-8-sig") -> bytes:
    return "\r\n".join([head, *rows]).encode(encoding)


def xlsx(*rows: list[object], head: list[str]) -> bytes:
    file = BytesIO()
    book = Workbook(file, {"in_memory": True})
    sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
    for number, row in enumerate([head, *rows]):
        for column, value in enumerate(row):
            if isinstance(value, date):
                sheet.write_datetime(number, column, value, day)
            else:
                sheet.write(number, column, value)
    book.close()
    return file.getvalue()


def planned(data: bytes, name: str = "roster.csv", may: bool = True) -> Plan:
    return roster_import.plan_of(data, name, TODAY, may_make_administrators=may)


def done(data: bytes, name: str = "roster.csv") -> Plan:
    plan = planned(data, name)
    roster_import.apply(plan, by=None, now=NOW)
    return plan


def flaws(data: bytes, may: bool = True) -> list[tuple[int, str, str]]:
    return [(flaw.row, flaw.column, flaw.problem.code) for flaw in planned(data, may=may).flaws]


def warnings(data: bytes) -> list[tuple[int, str, str]]:
    return [(flaw.row, flaw.column, flaw.problem.code) for flaw in planned(data).warnings]


def one(number: str) -> PersonRow:
    return db.session.scalar(select(PersonRow).where(PersonRow.employee_no == number))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_chinese_list_is_read_in_any_of_its_encodings(inside, encoding):
    done(
        csv(
            "XH-001,赵敏,Zhao@xinghe.example,客服中心,,总监,2020/3/1,,员工、人事,中文",
            "007,林晓雯,,客服中心/售后一组,XH-001,客服专员,2024年7月15日,,,English",
            encoding=encoding,
        )
    )
    lin = one("007")
    assert (lin.name, lin.email, lin.post, lin.locale) == ("林晓雯", None, "客服专员", "en")
    assert lin.joined_on == date(2024, 7, 15)
    assert directory.department_paths()[lin.department_id] == "客服中心/售后一组"
    zhao = one("XH-001")
    assert lin.supervisor_id == zhao.id
    assert zhao.email == "zhao@xinghe.example"
    assert roles_of(zhao) == {Role.AGENT, Role.HR, Role.SUPERVISOR}
    assert roles_of(lin) == {Role.AGENT}


def test_an_english_list_and_a_supervisor_further_down(inside):
    head = "Employee No,Name,E-mail,Department,Supervisor no,Joined"
    done(csv("1,Wu Di,,Service,2,2025-01-06", "2,Chen Hao,,Service,,20240102", head=head))
    assert one("1").supervisor_id == one("2").id
    assert one("2").joined_on == date(2024, 1, 2)


def test_a_workbook_with_numbers_dates_and_formulas(inside):
    head = ["工号*", " 姓名 ", "入职日期", "主管工号", "备注"]
    data = xlsx(
        [1001.0, "陈浩", date(2024, 2, 29), None, "x"],
        ["0007", "吴迪", 45350, 1001, None],
        [1003, "=1+1", "2024.3.1", "1001.0", None],
        head=head,
    )
    plan = done(data, "名单.XLSX")
    assert plan.ignored == ("备注",)
    assert one("1001").joined_on == date(2024, 2, 29)
    assert one("0007").joined_on == date(2024, 2, 28), "a bare number is Excel's own day"
    assert one("0007").supervisor_id == one("1001").id == one("1003").supervisor_id
    assert one("1003").name == "0", "the value the formula was saved with, never the formula"


def test_importing_twice_changes_nothing(inside):
    data = csv("1,赵敏,z@x.example,客服中心/一组,,总监,2020-01-01,,管理员,中文", "2,林晓雯,,客服中心/一组,1,,,,,")
    done(data)
    again = planned(data)
    assert (len(again.adds), len(again.changes), again.unchanged) == (0, 0, 2)


def test_a_change_shows_before_and_after_and_absent_columns_leave_all_as_it_is(inside):
    ada = inside["ada"]
    plan = done(csv(f"{ada.employee_no.lower()},Ada,", head="工号,姓名,岗位"))
    assert plan.unchanged == 1, "the number's case is no change"
    plan = done(csv(f"{ada.employee_no},Ada Lin,ada.lin@example.com", head="工号,姓名,邮箱"))
    (change,) = plan.changes
    assert change.changes == {"name": ("Ada", "Ada Lin"), "email": ("ada@example.com", "ada.lin@example.com")}
    row = directory.person(ada.id)
    assert row.supervisor_id == inside["sam"].id
    assert row.password_hash == "unusable", "an import touches no password"


def test_an_empty_cell_empties_the_field_but_never_roles_or_language(inside):
    hana = inside["hana"]
    done(csv(f"{hana.employee_no},Hana,,,,,,,,"))
    row = directory.person(hana.id)
    assert (row.email, row.supervisor_id, row.department_id) == (None, None, None)
    assert Role.HR in roles_of(row)
    assert row.locale == "en"


def test_two_people_may_swap_their_addresses(inside):
    ada, bo = inside["ada"].employee_no, inside["bo"].employee_no
    done(csv(f"{ada},Ada,bo@example.com", f"{bo},Bo,ada@example.com", head="工号,姓名,邮箱"))
    assert (one(ada).email, one(bo).email) == ("bo@example.com", "ada@example.com")


def test_every_wrong_cell_is_named_with_its_row_and_column(inside):
    data = csv(
        "1,赵敏,not an address,客服中心,,总监,2020-13-01,,员工,中文",
        ",无名,,,,,,,,",
        "",
        "3,吴迪,,,3,,2025-02-01,2025-01-01,老板,法语",
        f"4,陈浩,ada@example.com,,,,,,,{''}",
    )
    assert flaws(data) == [
        (2, "入职日期", "people:cell_joined_on"),
        (2, "邮箱", "form:not_an_email"),
        (3, "工号", "form:required"),
        (5, "主管工号", "people:own_supervisor"),
        (5, "离职日期", "people:left_before_joined"),
        (5, "角色", "people:cell_roles"),
        (5, "语言", "people:cell_locale"),
        (6, "邮箱", "people:in_use"),
    ]


@pytest.mark.parametrize("written", ["2024-02-30", "31/12/2024", "12-31-24", "昨天", "20241301", "2024-2", "0"])
def test_a_day_that_cannot_be_read_for_certain_is_refused(inside, written):
    assert flaws(csv(f"1,赵敏,{written}", head="工号,姓名,入职日期")) == [(2, "入职日期", "people:cell_joined_on")]


def test_a_list_with_flaws_writes_nothing_at_all(inside):
    before = db.session.scalar(select(func.count(PersonRow.id)))
    plan = planned(csv("1,赵敏,z@x.example", "2,林晓雯,nonsense", head="工号,姓名,邮箱"))
    with pytest.raises(roster_import.apply.__globals__["Invalid"]):
        roster_import.apply(plan, by=None, now=NOW)
    assert db.session.scalar(select(func.count(PersonRow.id))) == before


def test_the_same_row_twice_counts_once_and_a_different_one_is_refused(inside):
    assert warnings(csv("1,赵敏", "1,赵敏", head="工号,姓名")) == [(3, "工号", "people:row_again")]
    assert len(done(csv("1,赵敏", "1,赵敏", head="工号,姓名")).adds) == 1
    assert flaws(csv("x1,赵敏", "X1,林晓雯", head="工号,姓名")) == [(3, "工号", "people:row_differs")]


def test_a_circle_is_refused_in_each_of_its_rows(inside):
    data = csv("1,赵敏,3", "2,林晓雯,1", "3,吴迪,2", "4,陈浩,3", head="工号,姓名,主管工号")
    assert flaws(data) == [
        (2, "主管工号", "people:lines_in_a_circle"),
        (3, "主管工号", "people:lines_in_a_circle"),
        (4, "主管工号", "people:lines_in_a_circle"),
    ], "Chen Hao only stands below the circle"


def test_a_circle_closed_through_people_who_are_not_in_the_file_is_refused(inside):
    lou, ada = inside["lou"].employee_no, inside["ada"].employee_no
    assert flaws(csv(f"{lou},Lou,{ada}", head="工号,姓名,主管工号")) == [(2, "主管工号", "people:lines_in_a_circle")]


def test_an_unknown_supervisor_and_one_who_left_are_worth_a_look(inside):
    data = csv("1,赵敏,999,", "2,林晓雯,3,", "3,吴迪,,2026-01-31", head="工号,姓名,主管工号,离职日期")
    assert warnings(data) == [(2, "主管工号", "people:supervisor_unknown"), (3, "主管工号", "people:supervisor_left")]
    done(data)
    assert one("1").supervisor_id is None


def test_only_an_administrator_imports_administrators(inside):
    data = csv("1,赵敏,管理员", head="工号,姓名,角色")
    assert flaws(data, may=False) == [(2, "角色", "people:administrators_only")]
    assert flaws(data, may=True) == []
    max_ = inside["max"].employee_no
    taken_over = csv(f"{max_},Max,hana2@example.com", head="工号,姓名,邮箱")
    assert [code for _, _, code in flaws(taken_over, may=False)] == ["people:administrators_only"]


def test_the_last_administrator_stays(inside):
    max_ = inside["max"].employee_no
    assert [c for _, _, c in flaws(csv(f"{max_},Max,员工", head="工号,姓名,角色"))] == ["people:last_administrator"]
    assert flaws(csv(f"{max_},Max,员工", "1,赵敏,管理员", head="工号,姓名,角色")) == []


def test_what_a_spreadsheet_kept_from_running_comes_back_as_it_was(inside):
    done(csv("1,'=cmd|' /C calc'!A0", head="工号,姓名"))
    assert one("1").name.startswith("=cmd")


def refusal(browser, data: bytes, name: str) -> str:
    page = browser.get("/people/import")
    fields = {"file": (BytesIO(data), name)}
    return browser.submit(page, fields, form="/people/import", status=422).words


def bomb() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    return file.getvalue()


def crowd() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(300):
            archive.writestr(f"{number}.xml", "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (bomb, "roster.xlsx", "holds far more"),
        (crowd, "roster.xlsx", "holds far more"),
        (b"PK\x03\x04 but not a workbook", "roster.xlsx", "damaged"),
        (b"\x89PNG\r\n", "roster.png", "cannot be read"),
        (csv("1,x"), "roster.xlsx", "cannot be read"),
        (csv(), "roster.csv", "holds no rows"),
        (csv("1,x", head="工号,部门"), "roster.csv", "姓名"),
        (csv("1,x,y", head="工号,姓名,员工编号"), "roster.csv", "twice"),
        (b"\xff\xff\xff\xff\xfe", "roster.csv", "characters"),
        (lambda: csv(*(f"{n},x" for n in range(50_002)), head="工号,姓名"), "roster.csv", "50000"),
    ],
    ids=["bomb", "crowd", "damaged", "picture", "wrong suffix", "no rows", "no name", "twice", "encoding", "too many"],
)
def test_an_ugly_file_is_refused_with_a_reason(cast, browse, data, name, words):
    assert words in refusal(browse(cast["hana"]), data() if callable(data) else data, name)


def test_no_file_is_refused_too(cast, browse):
    browser = browse(cast["hana"])
    assert "needed" in browser.submit(browser.get("/people/import"), {}, form="/people/import", status=422).words


def upload(browser, data: bytes, name: str = "roster.csv"):
    page = browser.get("/people/import")
    sent = browser.submit(page, {"file": (BytesIO(data), name)}, form="/people/import", status=303)
    return browser.follow(sent)


LIST = csv("1,赵敏,,客服中心/一组,", "2,林晓雯,lin@x.example,客服中心/一组,1", head="工号,姓名,邮箱,部门,主管工号")


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_hr_looks_at_a_list_and_confirms_it(app, cast, browse, locale):
    browser = browse(cast["hana"])
    browser.post("/language", {"locale": locale})
    page = upload(browser, LIST)
    assert "林晓雯" in page.words
    assert "客服中心/一组" in page.words
    with app.app_context():
        assert one("1") is None, "a preview writes nothing"
    done_ = browser.submit(page, {}, form=page.url)
    told = {"zh": "新增2人", "en": "2 added"}[locale]
    assert told in browser.follow(done_).words
    with app.app_context():
        line = db.session.scalar(select(AuditRow).where(AuditRow.action == "people:roster:imported"))
        assert (line.actor_id, line.details["added"]) == (cast["hana"].id, 2)
        assert one("2").supervisor_id == one("1").id


def test_a_second_confirmation_is_harmless(app, cast, browse):
    browser = browse(cast["hana"])
    page = upload(browser, LIST)
    browser.submit(page, {}, form=page.url)
    again = browser.submit(page, {}, form=page.url)
    assert "imported already" in browser.follow(again).words
    assert "imported already" in browser.follow(browser.get(page.url, status=302)).words
    with app.app_context():
        lines = db.session.scalars(select(AuditRow).where(AuditRow.action == "people:roster:imported")).all()
        assert len(lines) == 1


def test_two_confirmations_at_once_import_once(app, cast, browse):
    page = upload(browse(cast["hana"]), LIST)
    browsers = [browse(cast["hana"]) for _ in range(4)]
    tokens = [browser.token() for browser in browsers]
    fingerprint = page.form(page.url).find("input", {"name": "fingerprint"})["value"]
    answers: list[int] = []

    def confirm(browser, token):
        data = {"csrf_token": token, "fingerprint": fingerprint}
        answers.append(browser.client.post(page.url, data=data).status_code)

    threads = [threading.Thread(target=confirm, args=pair) for pair in zip(browsers, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [302] * 4
    with app.app_context():
        assert db.session.scalar(select(func.count(PersonRow.id)).where(PersonRow.employee_no.in_(["1", "2"]))) == 2
        assert (
            db.session.scalar(select(func.count(AuditRow.id)).where(AuditRow.action == "people:roster:imported")) == 1
        )


def test_what_changed_since_the_preview_is_looked_at_again(app, cast, browse):
    browser = browse(cast["hana"])
    page = upload(browser, LIST)
    with app.app_context():
        done(csv("2,林小雯", head="工号,姓名"))
        db.session.commit()
    again = browser.submit(page, {}, form=page.url, status=409)
    assert "Somebody changed people in the meantime" in again.words
    browser.submit(again, {}, form=page.url)
    with app.app_context():
        assert one("2").name == "林晓雯"


def test_a_file_with_flaws_cannot_be_confirmed(app, cast, browse):
    browser = browse(cast["hana"])
    page = upload(browser, csv("1,赵敏,昨天", head="工号,姓名,入职日期"))
    assert "昨天" in page.words
    browser.post(page.url, {"fingerprint": ""}, status=409)
    with app.app_context():
        assert one("1") is None


def test_an_upload_belongs_to_its_uploader(app, cast, browse):
    page = upload(browse(cast["hana"]), LIST)
    other = browse(cast["max"])
    assert other.get(page.url, status=302).location == "/people"
    other.post(page.url)
    with app.app_context():
        assert one("1") is None


def test_a_kept_file_that_was_touched_is_not_imported(app, cast, browse, settings):
    browser = browse(cast["hana"])
    page = upload(browser, LIST)
    (kept,) = (settings.data_dir / "uploads").iterdir()
    kept.write_bytes(LIST.replace("赵敏".encode(), "王五".encode()))
    browser.post(page.url)
    with app.app_context():
        assert one("1") is None


def test_importing_is_not_for_everybody(cast, browse):
    for name in ("ada", "sam"):
        for url in ("/people/import", "/people/template.xlsx", "/people/roster.xlsx"):
            browse(cast[name]).get(url, status=404)
        browse(cast[name]).post("/people/import", status=404)
    assert browse(cast["hana"]).client.post("/people/import", data={}).status_code == 400, "no token"


def test_the_empty_sheet_can_be_filled_in_and_the_full_one_brought_back(app, cast, browse):
    browser = browse(cast["max"])
    template = browser.get("/people/template.xlsx").response.data
    with zipfile.ZipFile(BytesIO(template)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert 'state="frozen"' in sheet
    assert "dataValidation " in sheet
    assert "<f>" not in sheet
    everybody = browser.get("/people/roster.xlsx").response.data
    with app.app_context():
        plan = planned(everybody, "roster.xlsx")
        assert (plan.flaws, len(plan.adds), len(plan.changes)) == ((), 0, 0)
        assert plan.unchanged == len(cast)


def test_an_exported_cell_is_never_a_formula(app, cast, browse):
    with app.app_context():
        done(csv("1,'=HYPERLINK(1)", "2,'@sum", "3,'+1", head="工号,姓名"))
        db.session.commit()
    book = browse(cast["hana"]).get("/people/roster.xlsx").response.data
    with zipfile.ZipFile(BytesIO(book)) as archive:
        texts = archive.read("xl/sharedStrings.xml").decode()
        assert "<f>" not in archive.read("xl/worksheets/sheet1.xml").decode()
    assert "'=HYPERLINK(1)" in texts
    assert ">=HYPERLINK" not in texts
    with app.app_context():
        assert planned(book, "roster.xlsx").unchanged == len(cast) + 3


def many(count: int) -> bytes:
    """Teams of twelve; the first of each leads the others."""
    rows = []
    for n in range(count):
        leader = f"{n // 12 * 12:06}" if n % 12 else ""
        day = f"2024-01-{n % 28 + 1:02}"
        rows.append(f"{n:06},员工{n},p{n}@example.com,客服中心/组{n // 12},{leader},客服专员,{day},,,中文")
    return csv(*rows)


def test_ten_thousand_rows_take_seconds_and_few_statements(inside):
    statements = []
    engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
    began = time.process_time()
    plan = done(many(10_000))
    took = time.process_time() - began
    assert len(plan.adds) == 10_000
    assert took < 20, f"{took:.1f} s of processor time"
    departments = sum(statement.startswith("INSERT INTO department") for statement in statements)
    assert len(statements) - departments * 2 < 60
    again = planned(many(10_000))
    assert again.unchanged == 10_000


def command(app: Flask, *arguments: str, told=people_command):
    return CliRunner().invoke(told, list(arguments), obj=lambda: app, env={"LC_ALL": "en_GB.UTF-8"})


def test_the_command_imports_and_can_only_look(app, tmp_path):
    file = tmp_path / "roster.csv"
    file.write_bytes(csv("1,赵敏,999,管理员", "2,林晓雯,1,", head="工号,姓名,主管工号,角色"))
    looked = command(app, str(file), "--dry-run")
    assert (looked.exit_code, "would import: 2 added" in looked.output) == (0, True)
    assert "Row 2, 主管工号: Nobody has the employee number 999" in looked.output
    with app.app_context():
        assert one("1") is None
    assert command(app, str(file)).exit_code == 0
    with app.app_context():
        assert roles_of(one("1")) == {Role.ADMINISTRATOR, Role.SUPERVISOR}
    assert people_command.name == "people"
    assert import_.name == "import"


def test_the_command_refuses_with_places(app, tmp_path):
    file = tmp_path / "roster.csv"
    file.write_bytes(csv("1,赵敏,昨天", head="工号,姓名,入职日期"))
    refused = command(app, str(file))
    assert refused.exit_code == 1
    assert "Row 2, 入职日期: “昨天” is not a date" in refused.output
    with app.app_context():
        assert one("1") is None


def test_the_command_line_lets_the_first_administrator_in(app, tmp_path, browse):
    file = tmp_path / "roster.csv"
    file.write_bytes(csv("1,赵敏,管理员", head="工号,姓名,角色"))
    command(app, str(file))
    printed = command(app, "1", told=slip_command)
    code = printed.output.strip()
    assert printed.exit_code == 0
    browser, password = browse(), "four quiet blue kettles"
    data = {"number": "1", "code": code, "password": password, "again": password}
    browser.submit(browser.get("/activate"), data, form="/activate")
    assert "赵敏" in browser.get("/people").words
    assert command(app, "2", told=slip_command).exit_code == 1


def test_uploads_are_set_aside_after_a_day(app, cast, browse, settings):
    import os

    upload(browse(cast["hana"]), LIST)
    (kept,) = (settings.data_dir / "uploads").iterdir()
    yesterday = time.time() - timedelta(days=2).total_seconds()
    os.utime(kept, (yesterday, yesterday))
    upload(browse(cast["hana"]), LIST)
    assert not kept.exists()


def test_the_same_departments_are_made_in_the_same_order_in_every_process(app: Flask) -> None:
    names = ["Zeta", "Alpha", "Mu", "Beta", "Kappa", "Omega", "Eta"]
    with app.app_context():
        made = lines.make_departments([f"Centre/{name}" for name in names])
        below = {units[-1]: key for units, key in made.items() if len(units) == 2}
        assert sorted(below, key=below.__getitem__) == sorted(names)
