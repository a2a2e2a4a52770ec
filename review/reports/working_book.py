"""The working of one score as a workbook whose every figure is a live formula over one sheet of inputs."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from xlsxwriter import Workbook

from review.infra.live_sheet import Cell, Page, Say, formats_of
from review.reports.working_inputs import Given, Material, write_inputs
from review.reports.working_sums import write_sums

SAFE = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def workbook(material: Material, say: Say) -> bytes:
    """The .xlsx file, in the words of `say`: those of templates/reports/_sheet_words.html in the reader's language."""
    file = BytesIO()
    book = Workbook(file, SAFE)
    add_working(book, formats_of(book), material, say)
    book.close()
    return file.getvalue()


def add_working(
    book: Workbook, formats: Mapping[str, Any], material: Material, say: Say, suffix: str = ""
) -> tuple[Given, dict[str, Cell]]:
    """Its three sheets: the working with its results by name, the inputs, the exact rounding."""
    sums, inputs, exact = (Page(book, say(name) + suffix, formats) for name in ("sums", "inputs", "exact"))
    given = write_inputs(inputs, material, say)
    return given, write_sums(sums, exact, given, material, say)
