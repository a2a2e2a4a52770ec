"""Reads an urn as its bytes lie there, without the database's help, and says in which orders its rows can be seen.

An order is a channel's name and, for each row, (group, position): positions are compared within a group only.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sqlalchemy import Connection, text

Order = Mapping[bytes, tuple[object, Any]]
ORDINARY = {0x0A: 8, 0x02: 12, 0x0D: 8, 0x05: 12}  # kinds of b-tree pages and how long their headers are


def spearman(order: Order, truth: Mapping[bytes, int]) -> float:
    """Rank correlation of an order with the true one, pooled over the order's groups."""
    groups: dict[object, list[bytes]] = {}
    for row in truth:
        groups.setdefault(order[row][0], []).append(row)
    seen, true = [], []
    for rows in groups.values():
        for ranks, values in ((seen, [order[row][1] for row in rows]), (true, [truth[row] for row in rows])):
            ranks.append((rankdata(values) - (len(rows) + 1) / 2) / len(rows))
    one, other = np.concatenate(seen), np.concatenate(true)
    norm = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / norm if norm else 0.0


# -- SQLite ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """A row as it lies in the file."""

    page: int
    offset: int
    rowid: int
    token: bytes


def cells(path: Path) -> Iterator[Cell]:
    """Every row of the table `ballot` on every b-tree page: what has a first column of 32 bytes."""
    for number, page in enumerate(pages(path), start=1):
        start = 100 if number == 1 else 0
        kind = page[start]
        if kind not in ORDINARY or kind == 0x05:
            continue
        (count,) = struct.unpack_from(">H", page, start + 3)
        for pointer in struct.unpack_from(f">{count}H", page, start + ORDINARY[kind]):
            rowid, record = _record(page, pointer, kind)
            if record is not None and len(record) == 32:
                yield Cell(number, pointer, rowid, record)


def pages(path: Path) -> list[bytes]:
    content = path.read_bytes()
    (size,) = struct.unpack_from(">H", content, 16)
    return [content[at : at + size] for at in range(0, len(content), size)]


def _record(page: bytes, at: int, kind: int) -> tuple[int, bytes | None]:
    """The rowid, if there is one, and the first column, if it is a blob."""
    rowid = 0
    if kind == 0x02:
        at += 4
    _, at = _varint(page, at)
    if kind == 0x0D:
        rowid, at = _varint(page, at)
    length, types = _varint(page, at)
    first, _ = _varint(page, types)
    body = at + length
    return rowid, page[body : body + (first - 12) // 2] if first >= 12 and first % 2 == 0 else None


def _varint(page: bytes, at: int) -> tuple[int, int]:
    value = 0
    for step in range(9):
        byte = page[at + step]
        if step == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + step + 1
    raise AssertionError("unreachable")


def file_orders(path: Path) -> dict[str, Order]:
    found = list(cells(path))
    content = path.read_bytes()
    return {
        "rowid": {cell.token: (0, cell.rowid) for cell in found},
        "page number": {cell.token: (0, cell.page) for cell in found},
        "place in the file": {cell.token: (0, cell.page << 16 | cell.offset) for cell in found},
        "first bytes in the file": {cell.token: (0, content.find(cell.token)) for cell in found},
        "last bytes in the file": {cell.token: (0, content.rfind(cell.token)) for cell in found},
        "place in the page": {cell.token: (cell.page, cell.offset) for cell in found},
        "rows in the page": _crowd({cell.token: cell.page for cell in found}),
    }


def _crowd(places: Mapping[bytes, object]) -> Order:
    """How many rows share a row's place."""
    crowds: dict[object, int] = {}
    for place in places.values():
        crowds[place] = crowds.get(place, 0) + 1
    return {token: (0, crowds[place]) for token, place in places.items()}


# -- PostgreSQL ------------------------------------------------------------------------------------------------------

ROWS = """
    SELECT b.token_hash, b.ctid::text AS ctid, b.xmin::text::bigint AS xmin, b.xmax::text::bigint AS xmax,
           b.cmin::text::bigint AS cmin, c.oid::bigint AS leaf, c.relfilenode::bigint AS file,
           c.xmin::text::bigint AS listed, pg_relation_filepath(c.oid) AS path,
           pg_relation_filepath(i.indexrelid) AS index_path, s.n_tup_ins AS inserted
    FROM ballot b JOIN pg_class c ON c.oid = b.tableoid JOIN pg_index i ON i.indrelid = c.oid
    LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
"""
VERSIONS = """
    SELECT get_byte(t_data, 0) + (get_byte(t_data, 1) << 8) + (get_byte(t_data, 2) << 16)
           + (get_byte(t_data, 3)::bigint << 24) AS leaf, t_xmin::text::bigint AS xmin
    FROM generate_series(0, pg_relation_size('pg_catalog.pg_class') / current_setting('block_size')::int - 1) AS page,
         LATERAL heap_page_items(get_raw_page('pg_catalog.pg_class', page::int)) WHERE t_data IS NOT NULL
"""


def schema_orders(connection: Connection) -> dict[str, Order]:
    """Every order that a superuser reads from rows, catalogue, counters and files; search_path is the urn's schema."""
    connection.execute(text("CHECKPOINT"))
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS pageinspect SCHEMA public"))
    rows = [dict(row) for row in connection.execute(text(ROWS)).mappings()]
    history: dict[int, list[int]] = {}
    for leaf, xmin in connection.execute(text(VERSIONS)):
        history.setdefault(leaf, []).append(xmin)
    for row in rows:
        row["token"], row["place"] = bytes(row["token_hash"]), tuple(map(int, row["ctid"].strip("()").split(",")))
        row["heap"], row["index"] = (_file(connection, row[key]) for key in ("path", "index_path"))
        row["page"] = row["heap"].content[row["place"][0] * 8192 :][:8192]
        row["history"] = history[row["leaf"]]
    keys = {
        **{f"{name} of the row": (0, name) for name in ("xmin", "xmax", "cmin")},
        "ctid": (0, "place"),
        "ctid in the leaf": ("leaf", "place"),
        "oid of the leaf": (0, "leaf"),
        "file number of the leaf": (0, "file"),
        "catalogue row of the leaf": (0, "listed"),
        "rows written to the leaf": (0, "inserted"),
    }
    orders: dict[str, Order] = {
        channel: {row["token"]: (row.get(group, 0), row[key]) for row in rows} for channel, (group, key) in keys.items()
    }
    worked_out = {
        "file number and ctid": lambda row: (row["file"], *row["place"]),
        "xmin and ctid": lambda row: (row["xmin"], *row["place"]),
        "log position of the page": lambda row: struct.unpack_from("<II", row["page"]),
        "time of the file": lambda row: row["heap"].changed,
        "first version in the catalogue": lambda row: min(row["history"]),
        "last version in the catalogue": lambda row: max(row["history"]),
        "mean version in the catalogue": lambda row: sum(row["history"]) / len(row["history"]),
        "number of versions in the catalogue": lambda row: len(row["history"]),
    }
    for channel, key in worked_out.items():
        orders[channel] = _ranked({row["token"]: key(row) for row in rows})
    for name, kind in (("heap", "bytes of the leaf"), ("index", "bytes of the leaf's index")):
        orders[f"first {kind}"] = {row["token"]: (row["leaf"], row[name].content.find(row["token"])) for row in rows}
        orders[f"last {kind}"] = {row["token"]: (row["leaf"], row[name].content.rfind(row["token"])) for row in rows}
    orders["ctid"] = _ranked({row["token"]: row["place"] for row in rows})
    orders["ctid in the leaf"] = {row["token"]: (row["leaf"], row["place"][0] << 16 | row["place"][1]) for row in rows}
    orders["rows in the leaf"] = _crowd({row["token"]: row["leaf"] for row in rows})
    return orders


def _ranked(values: Mapping[bytes, Any]) -> Order:
    ranks = {value: rank for rank, value in enumerate(sorted(set(values.values())))}
    return {token: (0, ranks[value]) for token, value in values.items()}


@dataclass(frozen=True)
class File:
    content: bytes
    changed: float


def _file(connection: Connection, path: str) -> File:
    kept: dict[str, File] = connection.info.setdefault("files", {})
    if path not in kept:
        content = connection.scalar(text("SELECT pg_read_binary_file(:path)"), {"path": path})
        changed = connection.scalar(text("SELECT modification FROM pg_stat_file(:path)"), {"path": path})
        kept[path] = File(bytes(content), changed.timestamp())
    return kept[path]


def database_bytes(connection: Connection) -> bytes:
    """Every file of the database one after the other, the server's log of writes not among them."""
    connection.execute(text("CHECKPOINT"))
    folder = "base/" + str(connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()")))
    names = connection.scalars(text("SELECT pg_ls_dir(:folder)"), {"folder": folder}).all()
    read = text("SELECT pg_read_binary_file(:path)")
    return b"".join(bytes(connection.scalar(read, {"path": f"{folder}/{name}"})) for name in names)
