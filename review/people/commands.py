"""`import people`: the roster from a file. `slip`: a one-time code, by which the first administrator gets in."""

import sys
from datetime import datetime
from pathlib import Path

import click

from review.domain.refusals import Problem
from review.infra.clock import now
from review.infra.command import with_app
from review.infra.words import caller_locale, say
from review.people import activation, directory, roster_import
from review.people.roster import Flaw
from review.people.roster_plan import Plan

MOST_TOLD = 50


@click.command("people")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only tell what would happen.")
@with_app
def people_command(file: Path, dry_run: bool) -> None:
    """Import colleagues from FILE (.xlsx or .csv), by employee number; the same file again changes nothing."""
    at = now()
    roster_import.hold_the_directory()
    plan = roster_import.plan_of(file.read_bytes(), file.name, activation.today(at), may_make_administrators=True)
    _tell(plan)
    if plan.flaws:
        _say("people:nothing_imported", count=len(plan.flaws))
        sys.exit(1)
    if not dry_run:
        roster_import.apply(plan, by=None, now=at)
    counts = {"added": len(plan.adds), "changed": len(plan.changes), "unchanged": plan.unchanged}
    click.echo(say(Problem("people:would_import" if dry_run else "people:imported", None, counts), caller_locale()))


def _tell(plan: Plan) -> None:
    for flaw in (*plan.flaws, *plan.warnings)[:MOST_TOLD]:
        _tell_flaw(flaw)


def _tell_flaw(flaw: Flaw) -> None:
    place = Problem("people:place", None, {"row": flaw.row, "column": flaw.column})
    click.echo(f"{say(place, caller_locale())}: {say(flaw.problem, caller_locale())}", err=True)


def _say(code: str, **params: object) -> None:
    click.echo(say(Problem(code, None, params), caller_locale()), err=True)


@click.command("slip")
@click.argument("employee_no")
@with_app
def slip_command(employee_no: str) -> None:
    """Print a one-time code with which EMPLOYEE_NO chooses a password; earlier links and slips stop working."""
    code = _slip(employee_no, now())
    if code is None:
        _say("people:no_such_number", number=employee_no)
        sys.exit(1)
    click.echo(code)


def _slip(employee_no: str, at: datetime) -> str | None:
    person = directory.by_number(employee_no)
    if person is None or not activation.issue_slips([person.id], None, at):
        return None
    return activation.slip_code(directory.person(person.id))


commands = [slip_command]
