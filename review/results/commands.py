"""`recompute CYCLE`: every published score once more from the inputs that were frozen with it. Never writes.

With --check a cycle that is being finalised can be tried, too: its scorecards against the answers in the database.

Exit status 0; with --check 1 as soon as one figure is another one, with one line for each on standard output.
"""

import json
import sys
from collections.abc import Iterator

import click

from review.cycles import service as cycles
from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.refusals import Problem
from review.infra.command import with_app
from review.infra.i18n import caller_locale
from review.infra.pages import points
from review.infra.words import say
from review.results.official import mismatches
from review.results.recomputing import Recomputed, published_in, recompute
from review.results.waiting import standing


@click.command("recompute")
@click.argument("cycle")
@click.option("--check", is_flag=True, help="Print only what differs from the published figures; status 1 if any does.")
@with_app
def recompute_command(cycle: str, check: bool) -> None:
    """Compute the published scores of CYCLE again, from their stored inputs, and print one JSON line each."""
    found = cycles.by_name(cycle)
    if found.stage is Stage.FINALISING and check:
        _check_scorecards(found)
        return
    total = published_in(found)
    different = 0
    with click.progressbar(recompute(found), length=total, file=sys.stderr, hidden=not sys.stderr.isatty()) as every:
        for one in every:
            lines = list(_lines(one, check=check))
            different += bool(one.differences)
            for line in lines:
                click.echo(line)
    if not check:
        return
    _tell("results:cli_differ" if different else "results:cli_identical", count=total, different=different)
    if different:
        sys.exit(1)


def _check_scorecards(cycle: CycleRow) -> None:
    """Before the publication the scorecards are held against the answers that are in the database now."""
    different = list(mismatches(cycle))
    for one in different:
        stored, recomputed = (points(score) for score in (one.stored, one.recomputed))
        click.echo(f"review {one.review_id} ({one.employee_no}): score: stored {stored}, recomputed {recomputed}")
    count = standing(cycle.id).reviews
    _tell("results:cli_cards_differ" if different else "results:cli_cards_same", count=count, different=len(different))
    if different:
        sys.exit(1)


def _tell(code: str, **params: object) -> None:
    click.echo(say(Problem(code, None, params), caller_locale()), err=True)


def _lines(one: Recomputed, *, check: bool) -> Iterator[str]:
    if check:
        for difference in one.differences:
            stored, recomputed = (_plain(value) for value in (difference.stored, difference.recomputed))
            who = f"review {one.review_id} version {one.version} ({one.employee_no})"
            yield f"{who}: {difference.field}: stored {stored}, recomputed {recomputed}"
    else:
        figures = {} if one.card is None else one.card.as_contract()
        which = {"review": one.review_id, "version": one.version, "employee_no": one.employee_no}
        yield json.dumps({**which, **figures, "inputs_kept": one.card is not None}, ensure_ascii=False)


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


commands: list[click.Command] = [recompute_command]
