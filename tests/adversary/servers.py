"""Looks at urns that lie on a PostgreSQL server: its catalogue, its files, its log of writes."""

import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.adversary.reading import Needles
from tests.adversary.report import Order, Report
from tests.adversary.told import Snapshot
from tests.adversary.traces import Table
from tests.adversary.urns import COLUMNS, bodies

if TYPE_CHECKING:
    from tests.adversary.adversary import Adversary


def look(adversary: "Adversary") -> None:
    known: set[bytes] = set()
    for snapshot in adversary.snapshots:
        told = snapshot.folder / "postgres" / "urns.json"
        for schema, urn in json.loads(told.read_text()).items() if told.exists() else ():
            table = _table(urn)
            _catalogue(adversary.report, schema, urn)
            if snapshot in adversary.collecting:
                last = snapshot is adversary.collecting[-1]
                bodies(adversary, table, schema, last=last)
                known |= set(table.column("token_hash"))
                if last:
                    _files(adversary, snapshot, table)
    _remains(adversary, known)


def tables_of(snapshot: Snapshot) -> list[Table]:
    """The rows of every urn on the server."""
    told = snapshot.folder / "postgres" / "urns.json"
    return [_table(urn) for urn in json.loads(told.read_text()).values()] if told.exists() else []


def _table(urn: Any) -> Table:
    rows = [{key: _bytes(value) for key, value in row.items()} for row in urn["rows"]]
    columns = tuple(urn["columns"]["ballot"])
    return Table("ballot", columns, [tuple(row[column] for column in columns) for row in rows])


def _bytes(value: Any) -> Any:
    return bytes.fromhex(value[2:]) if isinstance(value, str) and value.startswith("\\x") else value


def _catalogue(report: Report, schema: str, urn: Any) -> None:
    for name, columns in urn["columns"].items():
        if name == "alembic_version":
            continue
        if tuple(columns) != COLUMNS:
            report.found("columns of the urn", f"{schema}.{name}", columns)
        if not name.startswith("ballot"):
            report.found("table in the urn", schema, name)
    for kind, name in urn["others"]:
        report.found(f"{kind} in the urn", schema, name)


def _files(adversary: "Adversary", snapshot: Snapshot, table: Table) -> None:
    """Rows lie in the files once (and once in an index), with nothing of an earlier ballot beside them."""
    report, folder = adversary.report, snapshot.folder / "postgres"
    orders: dict[str, Order] = pickle.loads((folder / "orders.pickle").read_bytes())
    report.orders |= orders
    tokens = set(table.column("token_hash"))
    needles = Needles(tokens)
    times: dict[bytes, int] = dict.fromkeys(tokens, 0)
    for path in sorted((folder / "files").iterdir()):
        for token, places in needles.places(path.read_bytes()).items():
            times[token] += len(places)
    more = [token for token, count in times.items() if count > 2]
    if more:
        report.found("dead rows are left", "the urn's files", f"{len(more)} rows lie there more than once")
    report.limits["rows in order in the server's log of writes"] = _in_log(folder / "wal", needles)


def _in_log(folder: Path, needles: Needles) -> dict[bytes, int]:
    """Where each row is first named in the log: a stated limit, since the log is the server's own."""
    first: dict[bytes, int] = {}
    for at, path in enumerate(sorted(folder.iterdir())):
        for token, places in needles.places(path.read_bytes()).items():
            first.setdefault(token, (at << 32) + min(places))
    return first


def _remains(adversary: "Adversary", tokens: set[bytes]) -> None:
    needles = Needles(tokens)
    for snapshot in adversary.afterwards if tokens else ():
        for path in sorted((snapshot.folder / "postgres").glob("files/*")):
            if needles.places(path.read_bytes()):
                adversary.report.found("rows are left after the count", f"postgres/{path.name}")
