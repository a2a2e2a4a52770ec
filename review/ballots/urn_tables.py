"""The one table of an urn, in a metadata of its own: three columns, and none may ever be added."""

from sqlalchemy import Column, LargeBinary, MetaData, SmallInteger, Table

metadata = MetaData()

# WITHOUT ROWID: a rowid would number the ballots in the order in which they were cast.
ballot = Table(
    "ballot",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("version", SmallInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
