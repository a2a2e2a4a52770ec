"""`cycle trustees NAME` and `cycle open NAME`: trustees for servers that no browser reaches."""

import click

from review.custody import paper
from review.custody import service as custody
from review.cycles import service
from review.domain.refusals import Invalid, Problem
from review.infra.clock import now as clock_now
from review.infra.command import with_app
from review.infra.db import db
from review.infra.house import house
from review.infra.i18n import caller_locale
from review.infra.jobs import work_all
from review.infra.words import say
from review.workflow import close
from review.workflow.cycle_commands import cycle_group, person_of, tell

SHARES = (1, 2)


@cycle_group.command("trustees")
@click.argument("name")
@click.option("--name", "numbers", nargs=3, help="Employee numbers of the three; a new key is made for them.")
@click.option("--anew", is_flag=True, help="Make a new key although the three stay the same.")
@click.option("--by", help="Employee number of whoever decides this.")
@with_app
def trustees_command(name: str, numbers: tuple[str, str, str] | None, anew: bool, by: str | None) -> None:
    """Name the three trustees of NAME; without --name print who they are and whether they hold their shares."""
    cycle, who = service.by_name(name), person_of(by)
    if numbers:
        custody.name(cycle, numbers, by=who, now=clock_now(), anew=anew)
    for one in custody.trustees_of(cycle.id):
        click.echo(f"{one.number}: {one.employee_no} {one.name} {one.taken_at.isoformat() if one.taken_at else '-'}")


@cycle_group.command("open")
@click.argument("name")
@click.option("--by", help="Employee number of whoever does this.")
@with_app
def open_command(name: str, by: str | None) -> None:
    """Open the ballots of NAME with two shares, asked for without showing them, and count unless a worker is quicker.

    Each is asked for in one line: number and twelve words ("2 abandon ability ..."), or the text of the QR code.
    """
    now, cycle, who = clock_now(), service.by_name(name), person_of(by)
    shares = [_asked(place, cycle.id) for place in SHARES]
    close.unlock(cycle, shares, by=who, now=now)
    db.session.commit()
    tell("custody:opened")
    work_all(house().handlers, house().progress, "command", now)
    click.echo(f"stage: {service.by_name(name).stage}")


def _asked(place: int, cycle_id: int) -> paper.Share:
    line = click.prompt(say(Problem("custody:cli_share", None, {"place": place}), caller_locale()), hide_input=True)
    try:
        return paper.read(*paper.numbered(line), cycle_id)
    except Invalid as refusal:
        raise Invalid.of(Problem(one.code, str(place), one.params) for one in refusal.problems) from None


commands: list[click.Command] = [cycle_group]
