"""Makes the roster as a workbook: empty to be filled in, or with everybody in it to be changed and brought back."""

from collections.abc import Iterable, Sequence
from datetime import date
from io import BytesIO
from typing import Any

from xlsxwriter import Workbook

from review.domain.access import Role
from review.infra.sheets import safe_cell
from review.people.draft import PersonDraft
from review.people.headings import BETWEEN, HEADINGS, LOCALE_CELLS, ROLE_CELLS, SHEET_TITLES

WIDTHS = {"employee_no": 16, "name": 14, "email": 30, "department": 26, "supervisor_no": 22, "roles": 20}
NUMBERS = ("employee_no", "supervisor_no")
DAYS = ("joined_on", "left_on")
LAST_ROW = 5000  # as far down as choices are offered


def workbook(people: Iterable[PersonDraft], notes: Sequence[str]) -> bytes:
    """An .xlsx file: the roster, and a sheet of notes. Nothing in it is ever run as a formula."""
    file = BytesIO()
    safe = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = Workbook(file, safe)
    head = book.add_format({"bold": True, "bg_color": "#e4f1ee", "bottom": 1, "valign": "vcenter"})
    # As text, or a spreadsheet would make 7 of the employee number 007.
    text, day = book.add_format({"num_format": "@"}), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet(SHEET_TITLES[0])
    for column, (key, heading) in enumerate(HEADINGS.items()):
        form = text if key in NUMBERS else day if key in DAYS else None
        sheet.set_column(column, column, WIDTHS.get(key, 16), form)
        sheet.write_string(0, column, heading, head)
        _offer_choices(sheet, column, key)
    sheet.freeze_panes(1, 2)
    for row, draft in enumerate(people, start=1):
        _write_row(sheet, row, draft, day)
    explained = book.add_worksheet(SHEET_TITLES[1])
    explained.set_column(0, 0, 110)
    for row, line in enumerate(notes):
        explained.write_string(row, 0, line)
    book.close()
    return file.getvalue()


def _offer_choices(sheet: Any, column: int, key: str) -> None:
    rule: dict[str, Any] | None = None
    if key == "roles":  # somebody may hold several, so anything else is only asked about
        offers = [*ROLE_CELLS.values(), f"{ROLE_CELLS[Role.AGENT]}{BETWEEN}{ROLE_CELLS[Role.HR]}"]
        rule = {"validate": "list", "source": offers, "error_type": "information"}
    elif key == "locale":
        rule = {"validate": "list", "source": list(LOCALE_CELLS.values())}
    elif key in DAYS:
        rule = {"validate": "date", "criteria": ">=", "value": date(1950, 1, 1), "error_type": "warning"}
    if rule:
        sheet.data_validation(1, column, LAST_ROW, column, rule)


def _write_row(sheet: Any, row: int, draft: PersonDraft, day: Any) -> None:
    for column, key in enumerate(HEADINGS):
        value = getattr(draft, key)
        if isinstance(value, date):
            sheet.write_datetime(row, column, value, day)
        else:
            sheet.write_string(row, column, safe_cell(_cell(key, value)))


def _cell(key: str, value: Any) -> str:
    if key == "roles":
        return BETWEEN.join(word for role, word in ROLE_CELLS.items() if role in value)
    if key == "locale":
        return LOCALE_CELLS[value]
    return str(value or "")
