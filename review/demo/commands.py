"""`demo`: builds the company on first use, starts mail, worker and web, prints one sign-in per role."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from review.demo import run
from review.demo.company import STANDARD, Company, company
from review.demo.story import ORGANISATION, Story
from review.domain.calendar import local_day
from review.domain.refusals import Invalid, Problem
from review.infra import migrate
from review.infra.clock import now as clock_now
from review.infra.i18n import caller_locale
from review.infra.settings import Settings
from review.infra.words import say

PORT = 8360
LEAST = 12
HISTORY_UP_TO = 200  # people; a larger company has one open cycle and its mail waiting
MARK = "demo.json"
PASSWORD = "review360-demo"  # noqa: S105  printed on the screen, for a machine of one's own


def tell(code: str, **params: object) -> None:
    click.echo(say(Problem(code, None, params), caller_locale()))


@click.command("demo")
@click.option("--people", type=click.IntRange(min=1), default=STANDARD, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same company for the same seed.")
@click.option("--port", type=int, default=PORT, show_default=True)
@click.option("--no-serve", is_flag=True, help="Only build the company.")
@click.pass_obj
def demo_command(create_app: Callable[[], Any], people: int, seed: int, port: int, no_serve: bool) -> None:
    """A company that has lived through cycles and stands in the middle of one. Ctrl-C leaves no process behind."""
    if people < LEAST:
        raise Invalid("demo:too_few", "--people", least=LEAST)
    base_url, smtp_port = f"http://localhost:{port}", run.free_port()
    os.environ.update(run.environment(Settings.from_env(os.environ).data_dir, base_url, smtp_port))
    settings = Settings.from_env(os.environ)
    household = run.Household(os.environ)
    run.interrupt_on_signals()
    try:
        mailbox = str(settings.data_dir / "mail")
        household.start("mail", "-m", "review.infra.mail_catcher", mailbox, "--port", str(smtp_port), quiet=True)
        run.wait_for_port(smtp_port)
        cast = _build(create_app, settings, people, seed)
        if no_serve:
            _print_sign_ins(cast)
            return
        household.start("worker", "-m", "review", "worker", "--with-parent")
        household.start("web", "-m", "review", "serve", "--port", str(port))
        run.wait_for_port(port)
        _print_sign_ins(cast)
        tell("demo:inbox", url=f"{base_url}/demo/inbox")
        tell("demo:ready", url=base_url)
        ended = household.wait()
        if ended is not None:
            raise Invalid("demo:ended", part=ended)
    except KeyboardInterrupt:
        pass
    finally:
        household.end()


def _build(create_app: Callable[[], Any], settings: Settings, people: int, seed: int) -> Company:
    """The company in the data directory, made unless it is there. A killed build starts anew."""
    mark = settings.data_dir / MARK
    wanted = {"people": people, "seed": seed}
    today = local_day(clock_now(), ORGANISATION.zone)
    if mark.is_file():
        there = json.loads(mark.read_text())
        if {key: there.get(key) for key in wanted} != wanted:
            raise Invalid("demo:other_demo", folder=str(settings.data_dir))
        if there.get("done"):
            migrate.upgrade(settings.database_url)
            return company(people, seed, today)
        _clear(settings)
    elif settings.is_sqlite and (settings.data_dir / "review.sqlite").exists():
        raise Invalid("demo:not_a_demo", folder=str(settings.data_dir))
    mark.write_text(json.dumps(wanted))
    tell("demo:building", people=people)
    migrate.upgrade(settings.database_url)
    made = company(people, seed, today)
    with create_app().app_context():
        story = Story(
            made, seed, clock_now() - timedelta(minutes=2), lambda code, cycle: tell(f"demo:{code}", cycle=cycle)
        )
        story.live(history=2 if people <= HISTORY_UP_TO else 0)
        numbers = (made.agent_no, made.supervisor_no, made.hr_no, made.admin_no)
        story.give_passwords(dict.fromkeys(numbers, PASSWORD))
    mark.write_text(json.dumps({**wanted, "done": True}))
    return made


def _clear(settings: Settings) -> None:
    """Remove what a killed build left; only ever called where the mark says that it is a demo."""
    for pattern in ("review.sqlite*", "urns/*", "progress/*", "mail/*/*"):
        for path in settings.data_dir.glob(pattern):
            path.unlink()
    for path in Path(settings.keys_dir).glob("urn-*"):
        path.unlink()


def _print_sign_ins(cast: Company) -> None:
    roles = (
        ("agent", cast.agent_no),
        ("supervisor", cast.supervisor_no),
        ("hr", cast.hr_no),
        ("administrator", cast.admin_no),
    )
    locale = caller_locale()
    for role, number in roles:
        name = cast.by_no(number).name
        tell("demo:sign_in", role=say(Problem(f"demo:role_{role}"), locale), login=number, password=PASSWORD, name=name)


commands: list[click.Command] = [demo_command]
