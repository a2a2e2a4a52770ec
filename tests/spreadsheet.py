"""A real spreadsheet program for tests: LibreOffice recalculates workbooks and says what it found in every cell."""

import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from python_calamine import CalamineWorkbook

from tests.postgres import missing

# Without this it would believe the values that stand beside the formulas.
ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>0</value></prop></item></oor:items>
"""

Cells = Mapping[str, list[list[Any]]]


def recalculated(files: Iterable[Path], folder: Path) -> dict[str, Cells]:
    """Every cell of every sheet by file name, as LibreOffice computes it; one run of the program for all files."""
    program = shutil.which("soffice")
    if program is None:
        missing("LibreOffice Calc")
    assert program is not None
    profile, out = folder / "profile", folder / "recalculated"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(ALWAYS_RECALCULATE)
    command = [program, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore"]
    command += ["--convert-to", "xlsx", "--outdir", str(out), *map(str, files)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return {path.name: cells_of(path) for path in sorted(out.glob("*.xlsx"))}


def cells_of(path: Path) -> Cells:
    """What stands in a workbook, beside its formulas."""
    book = CalamineWorkbook.from_path(str(path))
    return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}


def at(cells: Cells, ref: str) -> Any:
    """The value of a cell named as formulas name it: 'Inputs'!$B$7; nothing where the sheet ends before it."""
    found = re.fullmatch(r"'(.+)'!\$([A-Z]+)\$(\d+)", ref)
    assert found is not None, ref
    column = 0
    for letter in found[2]:
        column = 26 * column + ord(letter) - 64
    rows, row = cells[found[1]], int(found[3])
    return rows[row - 1][column - 1] if row <= len(rows) and column <= len(rows[row - 1]) else ""


def with_inputs(path: Path, to: Path, changes: Mapping[str, int | float | str]) -> None:
    """A copy of a workbook with other values in some cells, as if somebody had typed them; nothing is computed."""
    names = CalamineWorkbook.from_path(str(path)).sheet_names
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as after:
        parts = {name: before.read(name) for name in before.namelist()}
        for ref, value in changes.items():
            sheet, cell = ref.rsplit("!", 1)
            part = f"xl/worksheets/sheet{names.index(sheet.strip(chr(39))) + 1}.xml"
            parts[part] = _typed(parts[part].decode(), cell.replace("$", ""), value).encode()
        for name, data in parts.items():
            after.writestr(name, data)


def _typed(xml: str, cell: str, value: float | str) -> str:
    pattern = re.compile(rf'<c r="{cell}"( s="\d+")?[^>]*?(/>|>.*?</c>)', re.DOTALL)
    assert pattern.search(xml), f"{cell} is no input"
    kind = f' t="inlineStr"><is><t>{escape(value)}</t></is></c>' if isinstance(value, str) else f"><v>{value!r}</v></c>"
    return pattern.sub(lambda found: f'<c r="{cell}"{found[1] or ""}{kind}', xml, count=1)
