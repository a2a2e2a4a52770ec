"""HR's view of the mail: how far it is, what keeps letters from arriving, holding back and sending again."""

from collections.abc import Iterable
from datetime import datetime

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from review.cycles.tables import CycleRow
from review.domain.access import Actor, Deed, may
from review.domain.refusals import OutOfReach
from review.infra import audit, mail_progress, mail_server, outbox, pacing, suppression
from review.infra.clock import now
from review.infra.db import db
from review.infra.gate import allow
from review.infra.house import house
from review.infra.ids import row_id
from review.infra.lists import page_of
from review.infra.mail_progress import Line
from review.infra.outbox import LetterRow, LetterState
from review.infra.pages import tell
from review.infra.suppression import SuppressionRow
from review.workflow.doors import desk as bp


@bp.get("/admin/mail")
@allow(Deed.MAIL_SEE)
def mail(actor: Actor) -> ResponseReturnValue:
    moment, lines = now(), mail_progress.lines()
    waiting = sum(line.waiting for line in lines)
    states = [state.value for state in LetterState]
    wanted = request.args.get("state")
    query = select(LetterRow).order_by(LetterRow.id.desc())
    if wanted in states:
        query = query.where(LetterRow.state == LetterState(wanted))
    return render_template(
        "workflow/mail.html",
        listing=page_of(query, request.args.get("page", 1, type=int)),
        lines=lines,
        cycles=_names(lines),
        waiting=waiting,
        stuck=sum(line.failed + line.bounced for line in lines),
        pace=mail_progress.pace(waiting, moment),
        reasons=mail_progress.reasons(),
        trouble=_trouble(moment),
        paused=pacing.paused(),
        everything=pacing.EVERY,
        states=states,
        wanted=wanted if wanted in states else None,
        has_server=house().settings.smtp_url is not None,
        may={deed.name: may(actor, deed) for deed in (Deed.MAIL_WORD, Deed.MAIL_SET_UP, Deed.MAIL_PAUSE)},
    )


def _names(lines: Iterable[Line]) -> dict[str, str]:
    """The names of the cycles that letters were written for, by batch."""
    ids = {int(line.batch.partition(":")[2]) for line in lines if line.batch}
    if not ids:
        return {}
    named = db.session.execute(select(CycleRow.id, CycleRow.name).where(CycleRow.id.in_(ids)))
    return {f"cycle:{number}": name for number, name in named}


def _trouble(moment: datetime) -> mail_server.MailServerRow | None:
    """What is wrong with the server now; the day after it was last tried, nobody knows."""
    row = mail_server.trouble()
    return row if row is not None and row.retry_at + mail_server.LONGEST_REST > moment else None


@bp.post("/admin/mail")
@allow(Deed.MAIL_SEE)
def send_again(actor: Actor) -> ResponseReturnValue:
    """Put letters that failed or came back in line again: those ticked, or all."""
    at = now()
    count = outbox.again(None if request.form.get("all") else request.form.getlist("letter", type=row_id), at)
    audit.record("workflow:mail:sent_again", "mail", by=actor.person_id, at=at, letters=count)
    tell("workflow:letters_again", count=count)
    return redirect(url_for("desk.mail"))


@bp.post("/admin/mail/pause")
@allow(Deed.MAIL_PAUSE)
def pause_mail(actor: Actor) -> ResponseReturnValue:
    """Hold letters of a kind back, or let them go on; `*` means all of them."""
    at, kind = now(), request.form.get("kind", "")
    if kind not in {pacing.EVERY, *house().letters}:
        raise OutOfReach("workflow:no_such_letter")
    if request.form.get("act") == "resume":
        if pacing.resume(kind):
            audit.record("workflow:mail:resumed", f"mail:{kind}", by=actor.person_id, at=at)
        tell("workflow:mail_resumed")
    else:
        if pacing.pause(kind, by=actor.person_id, now=at):
            audit.record("workflow:mail:paused", f"mail:{kind}", by=actor.person_id, at=at)
        tell("workflow:mail_paused")
    return redirect(url_for("desk.mail"))


@bp.get("/admin/mail/stopped")
@allow(Deed.MAIL_SEE)
def stopped(actor: Actor) -> ResponseReturnValue:
    """Addresses nobody writes to any more."""
    query, typed = select(SuppressionRow).order_by(SuppressionRow.since.desc(), SuppressionRow.address), ""
    if typed := request.args.get("q", "").strip().lower()[:254]:
        query = query.where(SuppressionRow.address.contains(typed, autoescape=True))
    listing = page_of(query, request.args.get("page", 1, type=int))
    return render_template("workflow/stopped.html", listing=listing, typed=typed, may_lift=may(actor, Deed.MAIL_LIFT))


@bp.post("/admin/mail/stopped")
@allow(Deed.MAIL_LIFT)
def lift(actor: Actor) -> ResponseReturnValue:
    """Write to an address again."""
    at, row = now(), suppression.lift(request.form.get("address", "")[:254])
    if row is not None:
        audit.record("workflow:mail:lifted", f"mail:{row.address}"[:120], by=actor.person_id, at=at, why=row.reason)
        tell("workflow:address_lifted", address=row.address)
    return redirect(url_for("desk.stopped"))
