"""`score`: one review's official score from a JSON file, without a database. `price`: what a lower minimum costs.

Exit status 0 with JSON on standard output; 1 refused, with one line on standard error; 2 wrong usage.
"""

import json
import sys

import click

from review.domain.enumeration import price_of
from review.domain.refusals import Refusal
from review.domain.rounding import decimal_text, half_up
from review.domain.vocabulary import PeerStep
from review.schemes.json_command import one_line, read_file
from review.schemes.json_schema import scheme_schema
from review.schemes.plain_json import parse_json
from review.schemes.score_file import read_request


@click.command("score")
@click.argument("file", required=False)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a scheme and stop.")
def score_command(file: str | None, schema: bool) -> None:
    """Compute one review's official score from FILE (JSON), or from standard input where FILE is -."""
    if schema:
        click.echo(json.dumps(scheme_schema(), ensure_ascii=False, indent=2).encode())  # UTF-8 whatever the terminal
        return
    if file is None:
        raise click.UsageError("Missing argument 'FILE'.")
    try:
        card = read_request(parse_json(read_file(file))).scored()
    except Refusal as refusal:
        click.echo(one_line(refusal, file), err=True)
        sys.exit(1)
    click.echo(json.dumps(card.as_contract(), indent=2))


@click.command("price")
@click.option("--minimum", type=click.IntRange(3, 20), multiple=True, default=(3, 4, 5, 6, 8), show_default=True)
@click.option("--exact", is_flag=True, help="Price exact means instead of stepped figures.")
def price_command(minimum: tuple[int, ...], exact: bool) -> None:
    """Print how often (percent of cells) a published peer figure would make somebody's answer certain."""
    prices = [price_of(ballots, None if exact else PeerStep.STEPPED) for ballots in minimum]
    rows = [
        {
            "ballots": price.ballots,
            **{
                name: decimal_text(half_up(100 * share.numerator, share.denominator, 4), 4)
                for name, share in (
                    ("outsider", price.outsider),
                    ("one_rater", price.one_rater),
                    ("two_raters", price.two_raters),
                )
            },
        }
        for price in prices
    ]
    click.echo(json.dumps(rows, indent=2))


commands: list[click.Command] = [score_command, price_command]
