"""Writes the next migration of the main database from the difference between the migrations so far and the models.

`.venv/bin/python -m tools.new_migration "what changes"`, then read what it wrote: a renamed column looks like one that
went and one that came, and triggers and moved rows are never found by comparing. `--first` rewrites the first schema
instead and is right only as long as nobody has upgraded a database that they want to keep.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command

from review.infra import migrate
from review.infra.audit import REFUSE_CHANGES_POSTGRESQL, REFUSE_CHANGES_SQLITE

VERSIONS = migrate.FOLDER / "versions"
FIRST = "20261121"
SQLITE = "\n".join(f"    {statement!r}," for statement in REFUSE_CHANGES_SQLITE)
POSTGRESQL = "\n".join(f"    {' '.join(statement.split())!r}," for statement in REFUSE_CHANGES_POSTGRESQL)
TRIGGERS = f"""
# The database itself refuses to change what the audit log says.
APPEND_ONLY = {{"sqlite": (
{SQLITE}
), "postgresql": (
{POSTGRESQL}
)}}


def upgrade() -> None:
"""


def write(message: str, *, first: bool) -> Path:
    """The path of the new migration."""
    if first:
        for path in VERSIONS.glob("*.py"):
            path.unlink()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/empty.sqlite"
        if not first:
            migrate.upgrade(url)
        with migrate._engine(url).begin() as connection:
            script = command.revision(
                migrate.config(connection), message=message, autogenerate=True, rev_id=FIRST if first else None
            )
    path = Path(script.path)  # type: ignore[union-attr, arg-type]
    text = tidy(path.read_text())
    path.write_text(with_triggers(text) if first else text)
    for step in (["check", "--fix", "--exit-zero", "-q"], ["format", "-q"]):
        subprocess.run([sys.executable, "-m", "ruff", *step, str(path)], check=True)  # noqa: S603  our own linter
    return path


def tidy(text: str) -> str:
    """Alembic's comments go; an index is made on its table, without SQLite's detour over a copy of it."""
    text = re.sub(r"    # ### .*\n", "", text)
    text = text.replace("batch_op.f(", "op.f(")
    lines: list[str] = []
    table, block, later = "", "", []
    for line in text.splitlines():
        begun = re.match(r"    with op\.batch_alter_table\('(\w+)', schema=None\) as batch_op:", line)
        if begun:
            table, block = begun[1], line
            continue
        index = re.match(r"        batch_op\.(create_index|drop_index)\(('\w+'|op\.f\('\w+'\)),? ?(.*)", line)
        if index and table and index[1] == "create_index":  # after the block: it may need columns that are added in it
            later.append(f"    op.create_index({index[2]}, '{table}', {index[3]}")
            continue
        if index and table:  # before the block: its columns may go in it
            begins = [n for n, old in enumerate(lines) if f"batch_alter_table('{table}'" in old]
            lines.insert(len(lines) if block else begins[-1], f"    op.drop_index({index[2]}, table_name='{table}')")
            continue
        if block and line.startswith("        batch_op."):
            lines.append(block)
            block = ""
        elif table and not line.startswith("      "):
            lines, table, block, later = [*lines, *later], "", "", []
        lines.append(line)
    lines += later
    return "\n".join(lines) + "\n"


def with_triggers(text: str) -> str:
    """The first schema makes the audit log append-only."""
    text = text.replace("\n\ndef upgrade() -> None:\n", TRIGGERS, 1)
    upgraded = "    for statement in APPEND_ONLY[op.get_bind().dialect.name]:\n        op.execute(statement)\n"
    text = text.replace("\n\ndef downgrade() -> None:\n", f"{upgraded}\n\ndef downgrade() -> None:\n", 1)
    undone = '    if op.get_bind().dialect.name == "postgresql":\n        op.execute("DROP FUNCTION audit_refuse()")\n'
    return text.rstrip() + "\n" + undone


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("message", nargs="?", default="The first schema")
    parser.add_argument("--first", action="store_true")
    given = parser.parse_args()
    sys.stdout.write(f"{write(given.message, first=given.first)}\n")
