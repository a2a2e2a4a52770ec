"""A sheet of live formulas: beside each stands the value it has, so that viewers that never recalculate show the same.

Text is always written as text, whatever it looks like.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from unicodedata import east_asian_width

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_rowcol_to_cell

Value = int | float | str | None
Say = Callable[..., str]
A4 = 9
LIMIT = 10**13  # below it every dividend, quotient and comparison of whole numbers is exact in a spreadsheet program


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a figure stands, as formulas of any sheet name it, and what it is."""

    ref: str
    value: Value

    @property
    def number(self) -> int:
        return self.value if isinstance(self.value, int) else 0


def formats_of(book: Workbook) -> dict[str, Any]:
    head = {"bold": True, "bg_color": "#e4f1ee", "bottom": 1, "valign": "vcenter", "text_wrap": True}
    given = {"bg_color": "#fff8dc", "border": 1, "border_color": "#d8d2b0"}
    kinds: dict[str, dict[str, Any]] = {
        "title": {"bold": True, "font_size": 14},
        "block": {"bold": True, "font_size": 12},
        "head": head,
        "note": {"font_color": "#55605e", "text_wrap": True, "valign": "top"},
        "text": {},
        "strong": {"bold": True},
        "given": given,
        "given_text": {**given, "num_format": "@"},
        "whole": {"num_format": "0"},
        "points": {"num_format": "0.00"},
        "score": {"num_format": "0.00", "bold": True, "top": 1},
        "total": {"num_format": "0.00", "bold": True, "font_size": 14, "top": 1, "bottom": 6},
    }
    return {name: book.add_format(kind) for name, kind in kinds.items()}


class Page:
    """One sheet. Rows and columns count from nought; what is written is handed back as a `Cell`."""

    def __init__(self, book: Workbook, title: str, formats: Mapping[str, Any]) -> None:
        self.title, self._formats = title, formats
        self._sheet = book.add_worksheet(title)
        self._widths: dict[int, int] = {}
        self._sheet.set_landscape()
        self._sheet.set_paper(A4)
        self._sheet.fit_to_pages(1, 0)
        self._sheet.set_footer("&L&A&R&P / &N")
        self._sheet.hide_gridlines(2)

    def ref(self, row: int, column: int) -> str:
        return f"'{self.title}'!{xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True)}"

    def span(self, first: tuple[int, int], last: tuple[int, int]) -> str:
        return f"{self.ref(*first)}:{xl_rowcol_to_cell(*last, row_abs=True, col_abs=True)}"

    def text(self, row: int, column: int, words: str, kind: str = "text", *, wide: bool = True) -> Cell:
        """Always a string, whatever it looks like: nothing people typed is ever run as a formula."""
        self._sheet.write_string(row, column, words, self._formats[kind])
        if wide:
            self._widths[column] = max(self._widths.get(column, 0), min(36, width_of(words)))
        return Cell(self.ref(row, column), words)

    def given(self, row: int, column: int, value: Value) -> Cell:
        """An input that may be changed; None is an empty cell."""
        if isinstance(value, str):
            return self.text(row, column, value, "given_text")
        if value is None:
            self._sheet.write_blank(row, column, None, self._formats["given"])
        else:
            self._sheet.write_number(row, column, value, self._formats["given"])
        return Cell(self.ref(row, column), value)

    def number(self, row: int, column: int, value: Fraction | None, kind: str = "text") -> None:
        """A figure nobody is asked to change; None is an empty cell."""
        if value is not None:
            self._sheet.write_number(row, column, float(value), self._formats[kind])

    def formula(self, row: int, column: int, formula: str, value: Value, kind: str = "whole") -> Cell:
        self._sheet.write_formula(row, column, f"={formula}", self._formats[kind], "" if value is None else value)
        return Cell(self.ref(row, column), value)

    def choices(self, row: int, column: int, source: str) -> None:
        self._sheet.data_validation(row, column, row, column, {"validate": "list", "source": f"={source}"})

    def note(self, row: int, words: str, last: int) -> None:
        """A sentence over the columns up to `last`."""
        self._sheet.merge_range(row, 0, row, last, "", self._formats["note"])
        self._sheet.write_string(row, 0, words, self._formats["note"])
        self._sheet.set_row(row, 15 * (1 + width_of(words) // 110))

    def hide(self, column: int) -> None:
        self._sheet.set_column(column, column, 2, None, {"hidden": True})

    def finish(self, least: int, *, freeze: tuple[int, int] | None = None) -> None:
        for column, width in self._widths.items():
            self._sheet.set_column(column, column, max(least, width + 2))
        if freeze:
            self._sheet.freeze_panes(*freeze)


def width_of(words: str) -> int:
    """How many columns of Latin letters a text takes: Chinese characters take two."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in words)


def half_up_formula(top: str, below: str) -> str:
    """Hundredths of `top / below`, half up, in whole numbers only."""
    return f"INT((200*({top})+({below}))/(2*({below})))"
