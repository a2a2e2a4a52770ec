"""`stats`: one diagnostic on the data of a JSON file, so that an auditor can recompute what the program says.

Exit status 0 with JSON on standard output; 1 refused, with one line on standard error; 2 wrong usage.
"""

import json
import sys

import click

from review.domain.refusals import Refusal
from review.schemes.json_command import one_line, read_file
from review.schemes.plain_json import parse_json

NAMES = (
    "icc",
    "icc_unbalanced",
    "alpha",
    "rwg",
    "wilson",
    "newcombe",
    "four_fifths",
    "shrink",
    "severity",
    "kappa",
)


@click.command("stats")
@click.argument("name", type=click.Choice(NAMES))
@click.argument("file")
def stats_command(name: str, file: str) -> None:
    """Compute the diagnostic NAME from FILE (JSON), or from standard input where FILE is -."""
    from review.stats.stats_file import answer  # noqa: PLC0415  other commands need not wait for the statistics

    try:
        found = answer(name, parse_json(read_file(file)))
    except Refusal as refusal:
        click.echo(one_line(refusal, file), err=True)
        sys.exit(1)
    click.echo(json.dumps(found, indent=2, allow_nan=False))


commands: list[click.Command] = [stats_command]
