"""Rows that lie where their hash says and nowhere else: leaves by hash on PostgreSQL, key order on SQLite.

What was cast before is written anew, in the order of hashes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROOMY = 64  # ballots a leaf begins with; review/ballots/postgres_leaves.py splits it when it grows


def make_table(**options: object) -> None:
    op.create_table(
        "ballot",
        sa.Column("token_hash", sa.LargeBinary(), primary_key=True),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
        **options,
    )


def upgrade() -> None:
    rows = op.get_bind().scalar(sa.text("SELECT count(*) FROM ballot"))
    if op.get_bind().dialect.name == "postgresql":
        set_aside()
        make_table(postgresql_partition_by="RANGE (token_hash)")
        for column in ("token_hash", "sealed"):
            op.execute(f"ALTER TABLE ballot ALTER {column} SET STORAGE PLAIN")  # no second table that keeps an order
        make_leaves(rows)
        take_back()
    elif rows:
        op.rename_table("ballot", "aside")
        make_table()
        take_back()


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        set_aside()
        make_table()
        take_back()


def set_aside() -> None:
    op.rename_table("ballot", "aside")
    op.execute("ALTER TABLE aside RENAME CONSTRAINT ballot_pkey TO aside_pkey")


def take_back() -> None:
    op.execute("INSERT INTO ballot SELECT token_hash, version, sealed FROM aside ORDER BY token_hash")
    op.execute("DROP TABLE aside")


def make_leaves(rows: int) -> None:
    depth = 0
    while rows > ROOMY << depth:
        depth += 1
    bounds = [(number << (32 - depth)).to_bytes(5, "big")[1:].rstrip(b"\0").hex() for number in range(1 << depth)]
    for number, (lower, upper) in enumerate(zip(bounds, [*bounds[1:], ""], strict=True)):
        bits = f"{number:0{depth}b}" if depth else ""
        first, end = (rf"'\x{lower}'" if lower else "MINVALUE"), (rf"'\x{upper}'" if upper else "MAXVALUE")
        op.execute(
            f"CREATE TABLE ballot_{bits} PARTITION OF ballot FOR VALUES FROM ({first}) TO ({end}) "
            "WITH (autovacuum_enabled = false)"
        )
