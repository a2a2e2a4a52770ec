"""`import customers FILE`: takes customers and their tickets in from the command line."""

from pathlib import Path

import click

from review.customer_survey import intake
from review.customer_survey.intake import Outcome
from review.domain.refusals import Invalid, Problem
from review.infra.clock import now
from review.infra.command import with_app
from review.infra.i18n import caller_locale
from review.infra.words import say

MOST_SHOWN = 20


@click.command("customers")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would happen and change nothing.")
@click.option("--skip-bad-rows", is_flag=True, help="Import the rows that are in order and leave out the others.")
@with_app
def import_customers(file: Path, dry_run: bool, skip_bad_rows: bool) -> None:
    """Import customers with the tickets they had, from .csv or .xlsx."""
    data, moment = file.read_bytes(), now()
    outcome = intake.look(data, file.name, moment)
    _tell_problems(outcome)
    if not dry_run:
        if outcome.problems and not skip_bad_rows:
            raise Invalid("customer_survey:rows_refused", rows=outcome.rows_left_out)
        outcome = intake.take_in(data, file.name, moment, by=None)
    _tell(Problem("customer_survey:would_import" if dry_run else "customer_survey:imported", None, outcome.figures()))


def _tell_problems(outcome: Outcome) -> None:
    for problem in outcome.problems[:MOST_SHOWN]:
        click.echo(say(problem, caller_locale()), err=True)
    if len(outcome.problems) > MOST_SHOWN:
        more = Problem("customer_survey:more_problems", None, {"count": len(outcome.problems) - MOST_SHOWN})
        click.echo(say(more, caller_locale()), err=True)


def _tell(problem: Problem) -> None:
    click.echo(say(problem, caller_locale()))
