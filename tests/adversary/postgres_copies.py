"""Copies a PostgreSQL installation as its administrator could: every row and catalogue entry of both databases as
they are seen, every file of the urns' database, and the server's log of writes."""

import json
import pickle
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, text

from tests.adversary.physical import schema_orders

COLUMNS = """
    SELECT c.relname AS name, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type, a.atthasdef AS filled
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') ORDER BY c.relname, a.attnum
"""
OTHERS = """
    SELECT 'index', i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
      JOIN pg_namespace n ON n.oid = i.relnamespace WHERE n.nspname = :schema AND NOT x.indisprimary
    UNION ALL SELECT 'trigger', t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema AND NOT t.tgisinternal
    UNION ALL SELECT 'view', relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = :schema AND relkind IN ('v', 'm', 'S')
    UNION ALL SELECT 'vacuumed', relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = :schema AND relname LIKE 'ballot\\_%' AND relkind = 'r'
      AND NOT coalesce(reloptions::text LIKE '%autovacuum_enabled=false%', false)
"""
PEOPLE = """
    SELECT c.relname, a.attname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(k.conkey)
    WHERE k.contype = 'f' AND k.confrelid = 'person'::regclass
"""


def copy_server(main_url: str, urn_url: str, folder: Path, *, closely: bool) -> None:
    """Into `folder`/postgres. `closely`: the files and orders as well, as at the close and after the count."""
    made = folder / "postgres"
    made.mkdir()
    with _admin(main_url) as connection:
        (made / "main.json").write_text(json.dumps(_main(connection), default=_plain))
    with _admin(urn_url) as connection:
        schemas = connection.scalars(text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'urn\\_%'")).all()
        (made / "urns.json").write_text(json.dumps({name: _urn(connection, name) for name in schemas}, default=_plain))
        if closely:
            _closely(connection, list(schemas), made)


def _admin(url: str) -> Any:
    return create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect()


def _main(connection: Connection) -> dict[str, Any]:
    people: dict[str, set[str]] = {}
    for table, column in connection.execute(text(PEOPLE)):
        people.setdefault(table, set()).add(column)
    tables = {}
    for name, columns in _columns(connection, "public").items():
        rows = [list(row) for row in connection.execute(text(f'SELECT * FROM public."{name}"'))]
        where = [at for at, column in enumerate(columns) if column in people.get(name, ())]
        tables[name] = {"columns": columns, "rows": rows, "people": where}
    others = list(connection.execute(text(OTHERS), {"schema": "public"}))
    triggers = [name for kind, name in others if kind == "trigger"]
    views = [name for kind, name in others if kind == "view" and not name.endswith("_seq")]
    draws = [list(row) for row in connection.execute(text("SELECT rater_id, xmin::text::bigint FROM ticket_draw"))]
    return {"tables": tables, "triggers": triggers, "views": views, "draws": draws}


def _columns(connection: Connection, schema: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in connection.execute(text(COLUMNS), {"schema": schema}).mappings():
        found.setdefault(row["name"], []).append(row["column"])
    return found


def _urn(connection: Connection, schema: str) -> dict[str, Any]:
    rows = connection.execute(text(f"SELECT * FROM {schema}.ballot")).mappings().all()
    others = [list(row) for row in connection.execute(text(OTHERS), {"schema": schema})]
    columns = _columns(connection, schema)
    return {"columns": columns, "others": others, "rows": [dict(row) for row in rows]}


def _closely(connection: Connection, schemas: list[str], made: Path) -> None:
    connection.execute(text("CHECKPOINT"))
    base = "base/" + str(connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()")))
    read = text("SELECT pg_read_binary_file(:path, 0, 100000000, true)")
    for part, place in (("files", base), ("wal", "pg_wal")):
        (made / part).mkdir()
        for name in connection.scalars(text("SELECT pg_ls_dir(:place)"), {"place": place}).all():
            is_file = name.replace("_", "").isalnum() and name[0].isdigit()
            found = connection.scalar(read, {"path": f"{place}/{name}"}) if is_file else None
            if found:
                (made / part / name).write_bytes(bytes(found).rstrip(b"\0"))
    orders = {}
    for schema in schemas:
        connection.execute(text(f"SET search_path TO {schema}, public"))
        orders |= {f"{schema}: {channel}": order for channel, order in schema_orders(connection).items()}
    with (made / "orders.pickle").open("wb") as file:
        pickle.dump(orders, file)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return "\\x" + bytes(value).hex()
    return str(value)
