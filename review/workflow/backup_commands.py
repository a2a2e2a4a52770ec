"""`backup` and `restore`: everything but urns and keys, into one file and back."""

import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from review.domain.refusals import Problem, Taken
from review.infra import backup, preconditions
from review.infra import restore as restoring
from review.infra.clock import now as clock_now
from review.infra.db import db
from review.infra.i18n import caller_locale
from review.infra.restore import Todo
from review.infra.settings import Settings
from review.infra.words import say
from review.workflow import restored
from review.workflow.leadership import leadership_of

QUIET = 2.0  # seconds between two words about how far it is; what is done sooner says nothing
MIB = 2**20


def tell(code: str, *, err: bool = False, **params: object) -> None:
    click.echo(say(Problem(code, None, params), caller_locale()), err=err)


class Progress:
    """Says on standard error how far a long copy is."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, step: str, done: int, total: int) -> None:
        if time.monotonic() - self._last < QUIET:
            return
        self._last = time.monotonic()
        if total:
            tell("backup:progress", err=True, step=step, percent=100 * done // total)
        else:
            tell("backup:progress_size", err=True, step=step, mib=done // MIB)


@click.command("backup")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
def backup_command(output: Path | None) -> None:
    """Write everything but urns and keys into one file; the product may go on meanwhile. Prints where it is."""
    settings = Settings.from_env(os.environ)
    restoring.finish_interrupted(settings)
    path, manifest = backup.make(settings, output, clock_now(), Progress())
    click.echo(str(path))
    tell("backup:made", err=True, parts=len(manifest.parts), mib=f"{path.stat().st_size / MIB:.1f}")


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Move what is here aside and put the backup in its place.")
@click.pass_obj
def restore_command(create_app: Callable[..., Any], file: Path, replace: bool) -> None:
    """Put a backup in place, bring it to the newest schema, and say what becomes of cycles that are running."""
    settings, now = Settings.from_env(os.environ), clock_now()
    preconditions.require(settings)
    leads = leadership_of(settings.database_url, settings.data_dir)
    if not leads.take():
        raise Taken("backup:still_running")
    try:
        if not settings.is_sqlite:
            leads.release()  # its connection would count as somebody at work
        _restore(create_app, settings, file, now, replace=replace)
    finally:
        leads.release()


def _restore(create_app: Callable[..., Any], settings: Settings, file: Path, now: datetime, *, replace: bool) -> None:
    key = restored.key_of(f"{now:%Y%m%d-%H%M%S}")
    todo = Todo(restored.SETTLE, key)
    manifest = restoring.restore(settings, file, todo, now=now, replace=replace, report=Progress())
    with create_app().app_context():
        found = restored.finish(key, now)
        db.session.remove()
        db.engine.dispose()
    tell("backup:restored", made_at=manifest.made_at)
    for one in found:
        tell(f"backup:cycle_{one.outcome.value}", name=one.name)


commands: list[click.Command] = [backup_command, restore_command]
