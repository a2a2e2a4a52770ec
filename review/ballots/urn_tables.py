"""The one table of an urn, in a metadata of its own: three columns, and none may ever be added."""

from sqlalchemy import Column, LargeBinary, MetaData, SmallInteger, Table

metadata = MetaData()

# WITHOUT ROWID: a rowid would number the ballots in the order in which they were cast. On PostgreSQL partitions keep
# them apart by hash (see postgres_leaves.py).
ballot = Table(
    "ballot",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("version", SmallInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (token_hash)",
)
