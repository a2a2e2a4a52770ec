"""Runs the urn's migrations on the connection that the ballots room hands over, inside its transaction."""

from alembic import context

from review.ballots.urn_tables import metadata

schema = context.config.attributes["schema"]
connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table_schema=schema,
    include_schemas=False,
)
with context.begin_transaction():
    context.run_migrations()
