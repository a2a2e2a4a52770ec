"""`score`: one review's official score from a JSON file, without a database. `price`: what a lower minimum costs.

Exit status 0 with JSON on standard output; 1 refused, with one line on standard error; 2 wrong usage.
"""

import json
import sys
from pathlib import Path

import click

from review.domain.enumeration import price_of
from review.domain.reading import place
from review.domain.refusals import Invalid, Problem, Refusal
from review.domain.rounding import decimal_text, half_up
from review.domain.vocabulary import PeerStep
from review.infra.words import caller_locale, say
from review.schemes.json_schema import scheme_schema
from review.schemes.plain_json import LARGEST_FILE, parse_json
from review.schemes.score_file import read_request

MOST_NAMED = 5  # problems told in the one line


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
        card = read_request(parse_json(_read(file))).scored()
    except Refusal as refusal:
        click.echo(_one_line(refusal, file), err=True)
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


def _read(file: str) -> bytes:
    """The bytes of FILE, one more than is allowed at most, so that a huge file is refused and never read whole."""
    try:
        if file == "-":
            return sys.stdin.buffer.read(LARGEST_FILE + 1)
        with Path(file).open("rb") as source:
            return source.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise Invalid("schemes:unreadable", None, reason=reason) from None


def _one_line(refusal: Refusal, file: str) -> str:
    """Every problem as `place: words` in one line; the file's name stands in where a problem has no place in it."""
    locale = caller_locale()
    told = [_told(problem, file, locale) for problem in refusal.problems[:MOST_NAMED]]
    if len(refusal.problems) > MOST_NAMED:
        told.append(say(Problem("schemes:and_more", None, {"count": len(refusal.problems) - MOST_NAMED}), locale))
    return "; ".join(told)


def _told(problem: Problem, file: str, locale: str) -> str:
    return f"{problem.where or place('', file)}: {say(problem, locale)}"
