"""Where a ballot lies inside an urn on PostgreSQL: in the leaf that its hash belongs to, all of it written at once.

A leaf is a partition of `ballot` named after the first bits of its hashes. Whoever puts a ballot in empties the leaf by
TRUNCATE, which leaves no dead row behind, and writes all of it again in the order of hashes: every row then has the
same transaction number, and a place that follows from the hashes alone. A full leaf makes way for two.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, text

from review.ballots.urn import Row

LEAF = 128  # ballots at most; among so many of them the newest hides
DEPTH = 32  # bits of a hash that may name a leaf
PREFIX = "ballot_"

Leaf = str  # the first bits of all its hashes; its table is PREFIX + these

KNOWN = (
    "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(:schema) AND relispartition AND relkind = 'r'"
)
FILL = (
    "INSERT INTO {table} SELECT * FROM unnest(CAST(:hashes AS bytea[]), CAST(:versions AS smallint[]), "
    "CAST(:sealed AS bytea[])) AS filed (token_hash, version, sealed) ORDER BY token_hash"
)


def place(connection: Connection, schema: str, row: Row) -> None:
    """Put `row` in, in place of one with the same hash. The caller holds the urn's lock alone."""
    leaf = _leaf_of(connection, schema, row[0])
    rows = {found[0]: found for found in _read(connection, leaf)} | {row[0]: row}
    _write(connection, leaf, sorted(rows.values()))


def among(connection: Connection, schema: str, hashes: Collection[bytes]) -> set[bytes]:
    """Those of `hashes` that lie here, asked leaf by leaf: the planner would open every leaf of the urn."""
    known = {name.removeprefix(PREFIX) for name in names(connection, schema)}
    asked: dict[Leaf, list[bytes]] = {}
    for token_hash in hashes:
        asked.setdefault(next(leaf for leaf in _path(token_hash) if leaf in known), []).append(token_hash)
    query = "SELECT token_hash FROM {0}{1} WHERE token_hash = ANY(CAST(:leaf_{1} AS bytea[]))"
    each = [query.format(PREFIX, leaf) for leaf in asked]
    values = {f"leaf_{leaf}": found for leaf, found in asked.items()}
    return {bytes(found) for found in connection.scalars(text(" UNION ALL ".join(each)), values)} if each else set()


def names(connection: Connection, schema: str) -> list[str]:
    """The tables of all leaves."""
    return [str(name) for name in connection.scalars(text(KNOWN), {"schema": schema})]


def bounds(leaf: Leaf) -> str:
    """The hashes of a leaf as PostgreSQL says it: from the first of them up to the first that is not one."""
    first = int(leaf or "0", 2) << (DEPTH - len(leaf))
    end = first + (1 << (DEPTH - len(leaf)))
    return f"FROM ({_bound(first, 'MINVALUE')}) TO ({_bound(end % (1 << DEPTH), 'MAXVALUE')})"


def _bound(number: int, open_end: str) -> str:
    # Without the zeros at its end, so that a short value never lies before the leaf that its bits name.
    digits = number.to_bytes(DEPTH // 8, "big").rstrip(b"\0").hex()
    return rf"'\x{digits}'" if digits else open_end


def _path(token_hash: bytes) -> list[Leaf]:
    """Every leaf that could hold this hash, from the whole urn down."""
    size = DEPTH // 8
    bits = f"{int.from_bytes(token_hash[:size].ljust(size, bytes(1)), 'big'):0{DEPTH}b}"
    return [bits[:depth] for depth in range(DEPTH + 1)]


def _leaf_of(connection: Connection, schema: str, token_hash: bytes) -> Leaf:
    candidates = [PREFIX + leaf for leaf in _path(token_hash)]
    query = text(f"{KNOWN} AND relname = ANY(CAST(:names AS name[]))")
    name: str = connection.scalars(query, {"schema": schema, "names": candidates}).one()
    return name.removeprefix(PREFIX)


def _read(connection: Connection, leaf: Leaf) -> list[Row]:
    found = connection.execute(text(f"TABLE {PREFIX}{leaf}"))
    return [(bytes(token_hash), version, bytes(sealed)) for token_hash, version, sealed in found]


def _write(connection: Connection, leaf: Leaf, rows: Sequence[Row]) -> None:
    if len(rows) <= LEAF or len(leaf) == DEPTH:
        connection.execute(text(f"TRUNCATE {PREFIX}{leaf}"))
        _fill(connection, leaf, rows)
    else:
        connection.execute(text(f"DROP TABLE {PREFIX}{leaf}"))
        _branch(connection, leaf, rows)


def _branch(connection: Connection, leaf: Leaf, rows: Sequence[Row]) -> None:
    """Two leaves in place of one that is gone, or more where all its ballots are on one side."""
    for half in (leaf + "0", leaf + "1"):
        mine = [row for row in rows if half in _path(row[0])]
        if len(mine) > LEAF and len(half) < DEPTH:
            _branch(connection, half, mine)
        else:
            _make(connection, half)
            _fill(connection, half, mine)


def _make(connection: Connection, leaf: Leaf) -> None:
    # Autovacuum would note when it came by, and copy hashes into the catalogue as statistics.
    definition = f"PARTITION OF ballot FOR VALUES {bounds(leaf)} WITH (autovacuum_enabled = false)"
    connection.execute(text(f"CREATE TABLE {PREFIX}{leaf} {definition}"))


def _fill(connection: Connection, leaf: Leaf, rows: Sequence[Row]) -> None:
    if rows:
        hashes, versions, sealed = (list(column) for column in zip(*rows, strict=True))
        values = {"hashes": hashes, "versions": versions, "sealed": sealed}
        connection.execute(text(FILL.format(table=PREFIX + leaf)), values)
