"""Looks at the urns of the snapshots: what their tables are, what the files keep, in which orders rows can be seen."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.adversary import sqlite_pages
from tests.adversary.opening import Opener
from tests.adversary.physical import Cell, cells, file_orders
from tests.adversary.reading import Needles, files_of
from tests.adversary.report import Order, Report
from tests.adversary.told import Snapshot
from tests.adversary.traces import Catalogue, Table, of_file

if TYPE_CHECKING:
    from tests.adversary.adversary import Adversary

COLUMNS = ("token_hash", "version", "sealed")
ALLOWED = {"ballot", "alembic_version"}
PAGE = 16384
RESIDUE = 200  # bytes of old cell pointers that a page may keep; a row is five times as long
NEEDLE = 32
UNTOLD = 946_684_800


def look(adversary: "Adversary") -> None:
    known: set[bytes] = set()
    for snapshot in adversary.snapshots:
        for path in urn_files(snapshot):
            table = _schema(adversary.report, path)
            _file(adversary.report, path)
            if table is not None and snapshot in adversary.collecting:
                known |= {row["token_hash"] for row in _rows(table)}
                last = snapshot is adversary.collecting[-1]
                bodies(adversary, table, path.name, last=last)
                if last:
                    _orders(adversary.report, snapshot, path, table)
        _inside_main(adversary, snapshot)
    _remains(adversary, known)


def urn_files(snapshot: Snapshot) -> list[Path]:
    """By content, not by name."""
    files = files_of(snapshot.folder / "instance")
    return [path for path in files if path.name != "review.sqlite" and path.read_bytes()[:15] == b"SQLite format 3"]


def _rows(table: Table) -> list[dict[str, Any]]:
    return [row for row in table.dicts() if isinstance(row.get("token_hash"), bytes)]


def _schema(report: Report, path: Path) -> Table | None:
    """The live catalogue against what an urn may hold."""
    catalogue = of_file(path)
    for name in set(catalogue.tables) - ALLOWED:
        report.found("table in the urn", path.name, name)
    for name in catalogue.triggers | catalogue.views:
        report.found("trigger or view in the urn", path.name, name)
    for name, sql in catalogue.sql.items():
        if name not in ALLOWED and name not in catalogue.triggers | catalogue.views and sql:
            report.found("index in the urn", path.name, name)
    table = catalogue.tables.get("ballot")
    if table is None:
        return None
    if table.columns != COLUMNS:
        report.found("columns of the urn", path.name, table.columns)
    if "WITHOUT ROWID" not in catalogue.sql["ballot"].upper():
        report.found("rows are numbered", path.name)
    if "DEFAULT" in catalogue.sql["ballot"].upper():
        report.found("defaults in the urn", path.name)
    return table


def _file(report: Report, path: Path) -> None:
    """Page size, flags, pages of no tree, and what unused bytes keep."""
    data = path.read_bytes()
    info = sqlite_pages.header(data)
    if info.page_size != PAGE or info.auto_vacuum or info.journal_is_wal:
        report.found("flags of the urn's file", path.name, info)
    loose = [number for number in sqlite_pages.loose_pages(data) if _is_used(_page(data, number, info.page_size))]
    if loose:
        report.found("overflow or freed pages", path.name, f"{len(loose)} of {info.pages}")
    left = sum(len(page.unused) - page.unused.count(0) for page in sqlite_pages.tree_pages(data))
    if any(len(page.unused) - page.unused.count(0) > RESIDUE for page in sqlite_pages.tree_pages(data)):
        report.found("unused bytes are not wiped", path.name, f"{left} bytes")
    for beside in path.parent.iterdir():
        if beside.name.startswith(path.name) and beside != path and beside.stat().st_size:
            report.found("a journal keeps what was written", beside.name)
    if path.stat().st_mtime != UNTOLD:
        report.found("the urn's file tells when it was written", path.name)


def _is_used(page: bytes) -> bool:
    """A free page lists other free pages at most."""
    return len(page) - page.count(0) > RESIDUE


def _page(data: bytes, number: int, size: int) -> bytes:
    return data[(number - 1) * size : number * size]


def bodies(adversary: "Adversary", table: Table, where: str, *, last: bool) -> None:
    """Rows alike but for what nobody can read; with the private key, what they say."""
    report, rows = adversary.report, _rows(table)
    for name, kinds in (
        ("version", {row["version"] for row in rows}),
        ("length", {len(row["sealed"] or b"") for row in rows}),
    ):
        if len(kinds) > 1:
            report.found(f"rows differ in {name}", where, sorted(kinds))
    if adversary.seal_key is None or not (rows and last):
        return
    opener = Opener(adversary.seal_key, cycle_of(adversary))
    opened = {row["token_hash"]: opener.read(row["token_hash"], row["version"], row["sealed"]) for row in rows}
    adversary.opened = {token: said for token, said in opened.items() if said is not None}
    if len(adversary.opened) < len(opened):
        report.found("another key for some", where, f"{len(opened) - len(adversary.opened)} rows do not open")
    report.reviews = {token: int(said["review"]) for token, said in adversary.opened.items()}


def cycle_of(adversary: "Adversary") -> int:
    main = adversary.main[adversary.snapshots[0].name]
    return int(next(main.tables["cycle"].dicts())["id"])


def _orders(report: Report, snapshot: Snapshot, path: Path, table: Table) -> None:
    """Every order in which the rows lie: places in the file, columns that are none of the three, other files."""
    name = path.name
    report.orders |= {f"{name}: {channel}": order for channel, order in file_orders(path).items()}
    rows = _rows(table)
    report.orders[f"{name}: newest in the page"] = _newest(path)
    for column in set(table.columns) - set(COLUMNS):
        report.orders[f"{name}: column {column}"] = _ranked({row["token_hash"]: row[column] for row in rows})
    elsewhere(report, snapshot, {row["token_hash"] for row in rows}, path)


def elsewhere(report: Report, snapshot: Snapshot, tokens: set[bytes], path: Path) -> None:
    """Files beside the urn that name its rows, as bytes or in hex."""
    for other in files_of(snapshot.folder):
        if other == path:
            continue
        data = other.read_bytes()
        for needles in ({token: token for token in tokens}, {token.hex().encode(): token for token in tokens}):
            found = Needles(needles).places(data)
            if len(found) < NEEDLE:
                continue
            where = other.relative_to(snapshot.folder)
            report.found("rows are named outside the urn", where, f"{len(found)} rows")
            for channel, pick in (("first", min), ("last", max)):
                order: Order = {needles[needle]: (0, pick(at)) for needle, at in found.items()}
                report.orders[f"{where}: {channel} place"] = order


def _ranked(values: dict[bytes, Any]) -> Order:
    """Values of any kind as ranks; a missing one comes first."""
    ranks = {value: at for at, value in enumerate(sorted({*map(_sortable, values.values())}))}
    return {token: (0, ranks[_sortable(value)]) for token, value in values.items()}


def _sortable(value: Any) -> tuple[str, Any]:
    return ("", 0) if value is None else (type(value).__name__, value)


def _newest(path: Path) -> Order:
    """SQLite writes a page anew in the order of its keys, and what comes later below: so what lies below the part
    that is in order came last, one after the other."""
    crowds: dict[int, list[Cell]] = {}
    for cell in cells(path):
        crowds.setdefault(cell.page, []).append(cell)
    order: dict[bytes, tuple[object, Any]] = {}
    for page, crowd in crowds.items():
        down = sorted(crowd, key=lambda cell: -cell.offset)
        kept = max(_run(down, ascending=True), _run(down, ascending=False))
        for at, cell in enumerate(down):
            order[cell.token] = (page, max(0, at - kept + 1))
    return order


def _run(crowd: list[Cell], *, ascending: bool) -> int:
    """How many cells from the first on lie in the order of their keys."""
    for at in range(1, len(crowd)):
        if (crowd[at].token > crowd[at - 1].token) is not ascending:
            return at
    return len(crowd)


def _inside_main(adversary: "Adversary", snapshot: Snapshot) -> None:
    """A main database that holds ballots."""
    catalogue: Catalogue = adversary.main[snapshot.name]
    for table in catalogue.tables.values():
        if {"token_hash", "sealed"} & set(table.columns) and table.name not in {"invitation"}:
            adversary.report.found("ballots in the main database", table.name)
            for at in range(len(table.columns)):
                order = _ranked({row["token_hash"]: value for row, value in _with(table, at)})
                if snapshot is adversary.collecting[-1] and order:
                    adversary.report.orders[f"main: {table.name}.{table.columns[at]}"] = order


def _with(table: Table, at: int) -> list[tuple[dict[str, Any], Any]]:
    return [(row, plain[at]) for row, plain in zip(table.dicts(), table.rows, strict=True) if row.get("token_hash")]


def _remains(adversary: "Adversary", tokens: set[bytes]) -> None:
    """After the count nothing of any row is anywhere."""
    needles = Needles(tokens)
    for data, where in adversary.contents(adversary.afterwards).items():
        if tokens and not where.startswith("postgres/") and needles.places(data):
            adversary.report.found("rows are left after the count", where)
