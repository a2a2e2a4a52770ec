"""`kpi plan`: a plan as JSON, or its JSON Schema; `kpi plan check FILE` and `kpi plan draft FILE` for scripts.

Exit status 0 when all is well, 1 when refused, with one line for each problem on standard error, 2 on wrong usage.
"""

import json
import sys
from typing import Any

import click

from review.domain.kpi_plan import KpiPlan, dump_plan, parse_plan
from review.domain.reading import place
from review.domain.refusals import Invalid, Problem, Refusal
from review.infra.clock import now
from review.infra.command import with_app
from review.infra.i18n import caller_locale
from review.infra.words import say
from review.kpi import plans
from review.kpi.library import starting_data
from review.kpi.plan_schema import plan_schema
from review.people import directory
from review.schemes.json_command import read_file
from review.schemes.plain_json import parse_json


@click.group("plan", invoke_without_command=True)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a plan and stop.")
@click.option("--starting-set", is_flag=True, help="Print the plan that ships with the product.")
@click.option("--key", help="Which plan (default: the one that was opened last).")
@click.option("--version", type=int, help="Which version of it (default: the newest open one).")
@click.pass_context
def plan_group(context: click.Context, schema: bool, starting_set: bool, key: str | None, version: int | None) -> None:
    """Print the newest open KPI plan as JSON; without any the starting set."""
    if context.invoked_subcommand is not None:
        return
    if schema or starting_set:
        _print(plan_schema() if schema else starting_data())
    else:
        context.invoke(with_app(_show), key=key, version=version)


def _print(data: object) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2).encode())  # UTF-8 whatever the terminal


def _show(key: str | None, version: int | None) -> None:
    rows = [row for row in plans.every_version() if row.opened_at is not None or version is not None]
    wanted = [row for row in rows if (key is None or row.key == key) and version in (None, row.version)]
    if (key or version) and not wanted:
        raise Invalid("kpi_plan:no_such_plan", "--version" if version else "--key")
    newest = max(wanted, key=lambda row: (row.opened_at is not None, row.opened_at, row.version), default=None)
    _print(starting_data() if newest is None else newest.body)


@plan_group.command("check")
@click.argument("file")
def check_command(file: str) -> None:
    """Say what is wrong with the KPI plan in FILE (JSON; - for standard input)."""
    plan = _read(file)
    _say("kpi_plan:in_order", rows=len(plan.rows), groups=len(plan.groups), hash=plan.hash)


@plan_group.command("draft")
@click.argument("file")
@click.option("--by", required=True, help="Employee number of whoever decides this.")
@with_app
def draft_command(file: str, by: str) -> None:
    """Take the KPI plan in FILE as the draft of the next version of its key; HR looks at it and opens it."""
    found = directory.by_number(by)
    if found is None:
        raise Invalid("workflow:no_such_number", "--by", number=by)
    row = plans.draft_of(dump_plan(_read(file)), by=found.id, now=now())
    _say("kpi_plan:drafted", key=row.key, version=row.version)


def _read(file: str) -> KpiPlan:
    """The plan in a file; ends the command with every problem where it is none."""
    try:
        return parse_plan(parse_json(read_file(file)))
    except Refusal as refusal:
        locale = caller_locale()
        for problem in refusal.problems:
            click.echo(f"{problem.where or place('', file)}: {say(problem, locale)}", err=True)
        sys.exit(1)


def _say(code: str, **params: Any) -> None:
    click.echo(say(Problem(code, None, params), caller_locale()))
