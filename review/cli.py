"""The command line: `python3 -m review …` or, where it is installed, `review …`.

Exit status 0 on success, 1 when refused (the reason on standard error, in the caller's language), 2 on wrong usage.
"""

import subprocess
import sys
from typing import Any

import click

from review.domain.refusals import Refusal
from review.infra.i18n import caller_locale
from review.infra.settings import ROOT
from review.infra.words import say_all


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """环评 Review360: 360-degree reviews for customer-service teams."""


@cli.command()
def setup() -> None:
    """Only make the environment; by the time this runs, it is made."""
    click.echo("ok")


@cli.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run the test suite; what follows goes to pytest."""
    chosen = arguments or ("-n", "2", "--dist", "loadgroup")
    sys.exit(subprocess.call([sys.executable, "-m", "pytest", *chosen], cwd=ROOT))  # noqa: S603  our own interpreter


def _factory(**how: Any) -> Any:
    # Imported late: `score` and `--help` need no application and should not wait for one.
    from review.app import create_app

    return create_app(**how)


@click.group("import")
def import_() -> None:
    """Bring data in from a file; --dry-run shows what would happen."""


@click.group("kpi")
def kpi() -> None:
    """KPI plans: print, check, draft."""


def _register() -> None:
    from review.customer_survey import commands as customer_survey
    from review.demo import commands as demo
    from review.helpdesk import commands as helpdesk
    from review.kpi import plan_commands as kpi_plan
    from review.people import commands as people
    from review.results import commands as results
    from review.schemes import commands as schemes
    from review.stats import commands as stats
    from review.workflow import commands as workflow

    for room in (schemes, stats, people, results, workflow, demo):
        for command in room.commands:
            cli.add_command(command)
    import_.add_command(customer_survey.import_customers)
    import_.add_command(helpdesk.kpi_command)
    import_.add_command(people.people_command)
    cli.add_command(import_)
    kpi.add_command(kpi_plan.plan_group)
    cli.add_command(kpi)


def main() -> None:
    _register()
    try:
        cli.main(prog_name="review", standalone_mode=False, obj=_factory)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except Refusal as refusal:
        for sentence in say_all(refusal, caller_locale()):
            click.echo(sentence, err=True)
        sys.exit(1)
