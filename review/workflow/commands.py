"""`worker`, `tick`, `serve`, `upgrade`, `doctor`: what keeps an installation running."""

import logging
import os
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import click

from review.ballots import service as ballots
from review.domain.refusals import Problem, Refusal
from review.infra import migrate, organisation, preconditions, restore
from review.infra.clock import now as clock_now
from review.infra.command import with_app
from review.infra.house import house
from review.infra.i18n import caller_locale
from review.infra.settings import Settings
from review.infra.words import say, say_all
from review.workflow import backup_commands, mail_commands, trustee_commands
from review.workflow.doctor import examine
from review.workflow.tick import tick
from review.workflow.worker import run_here

PORT = 8360


@click.command("worker")
@click.option("--with-parent", is_flag=True, help="End when the process that started this one ends.")
@click.pass_obj
def worker_command(create_app: Callable[[], Any], with_parent: bool) -> None:
    """Do jobs, send letters, and let the clock tick, until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("apscheduler", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    run_here(create_app(), parent=os.getppid() if with_parent else None)


@click.command("tick")
@click.option("--at", "at", help="The instant to act at, ISO 8601 with its zone; now where it is left out.")
@with_app
def tick_command(at: str | None) -> None:
    """Do what is due: open, remind, close. Harmless to repeat."""
    done = tick(_instant(at) if at else clock_now())
    for key in ("opened", "closed", "failed"):
        for name in getattr(done, key):
            click.echo(f"{key}: {name}")
    click.echo(f"reminders: {done.reminders}")
    if done.failed:
        sys.exit(1)


def _instant(text: str) -> datetime:
    """A moment without zone is read on the organisation's wall clock."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("not an ISO 8601 time", param_hint="--at") from None
    return found if found.tzinfo else found.replace(tzinfo=organisation.current().zone)


class Quiet(WSGIRequestHandler):
    """Writes no line for a request: it would say who rated when."""

    def log_message(self, *_told: object) -> None:
        pass


@click.command("serve")
@click.option("--port", type=int, default=PORT, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--threads", type=int, default=8, show_default=True)
@click.pass_obj
def serve_command(create_app: Callable[[], Any], port: int, host: str, threads: int) -> None:
    """Serve the web application: gunicorn here, a plain single server on Windows."""
    if os.name == "nt":
        click.echo(say(Problem("workflow:cli_plain_server"), caller_locale()), err=True)
        make_server(host, port, create_app(), handler_class=Quiet).serve_forever()
        return
    preconditions.require(Settings.from_env(os.environ))  # here, where a refusal is a sentence and not a trace
    command = [sys.executable, "-m", "gunicorn", "review.app:create_app()", "--bind", f"{host}:{port}"]
    # At "warning" it would tell the address and the words of whoever sends a header that makes no sense.
    command += ["--worker-class", "gthread", "--threads", str(threads), "--no-control-socket", "--log-level", "error"]
    os.execv(command[0], command)  # noqa: S606  no shell: this process becomes the server, so signals reach it


@click.command("upgrade")
@click.pass_obj
def upgrade_command(create_app: Callable[[], Any]) -> None:
    """Bring the database, and every urn that stands open, to the newest schema."""
    settings = Settings.from_env(os.environ)
    restore.finish_interrupted(settings)
    migrate.upgrade(settings.database_url)
    with create_app().app_context():
        ballots.upgrade_urns()
    click.echo(say(Problem("workflow:cli_upgraded"), caller_locale()))


@click.command("doctor")
@click.pass_obj
def doctor_command(create_app: Callable[..., Any]) -> None:
    """Look the installation over; exit status 1 when something is wrong."""
    wrong = 0
    try:
        app = create_app(is_checked=False)  # what everybody else refuses, the doctor explains
    except Refusal as refusal:
        for sentence in say_all(refusal, caller_locale()):
            click.echo(f"!!  {sentence}")
        sys.exit(1)
    with app.app_context():
        for finding in examine(house().settings, clock_now()):
            click.echo(f"{'ok' if finding.is_ok else '!!'}  {say(finding.problem, caller_locale())}")
            wrong += not finding.is_ok
    if wrong:
        sys.exit(1)


commands: list[click.Command] = [
    worker_command,
    tick_command,
    serve_command,
    upgrade_command,
    doctor_command,
    *trustee_commands.commands,
    *mail_commands.commands,
    *backup_commands.commands,
]
