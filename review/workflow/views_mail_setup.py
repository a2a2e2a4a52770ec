"""The administrator's page of the mail: what is set, what was last wrong, limits by domain, and a test of it all."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from review.domain.access import Actor, Deed
from review.infra import audit, mail_check, mail_server, organisation, pacing
from review.infra.clock import now
from review.infra.db import db
from review.infra.gate import allow
from review.infra.house import house
from review.infra.pages import tell
from review.infra.smtp_client import place_of
from review.workflow.doors import desk as bp
from review.workflow.mail_forms import LimitsForm, limits_text


@bp.get("/admin/mail/setup")
@allow(Deed.MAIL_SET_UP)
def mail_setup(_actor: Actor) -> ResponseReturnValue:
    return _page(LimitsForm(limits=limits_text(pacing.limits())))


@bp.post("/admin/mail/setup")
@allow(Deed.MAIL_SET_UP)
def set_limits(actor: Actor) -> ResponseReturnValue:
    """Replace the limits of letters a minute by domain."""
    form, at, before = LimitsForm(), now(), pacing.limits()
    if not form.accept(lambda: pacing.set_limits(form.wanted())):
        return _page(form), 422
    after = form.wanted()
    if after != before:
        audit.record("workflow:mail:limited", "mail", by=actor.person_id, at=at, before=before, after=after)
    tell("form:saved")
    return redirect(url_for("desk.mail_setup"))


@bp.post("/admin/mail/setup/test")
@allow(Deed.MAIL_SET_UP)
def try_mail(actor: Actor) -> ResponseReturnValue:
    """Try server and mailbox out, without sending anything, and say what failed."""
    settings, sender, at = house().settings, organisation.current().mail_from, now()
    db.session.rollback()  # a slow server must not hold the database
    tried = []
    if settings.smtp_url:
        tried.append(mail_check.try_server(settings.smtp_url, settings.bounce_address or sender))
    if settings.bounce_imap:
        tried.append(mail_check.try_mailbox(settings.bounce_imap))
    audit.record("workflow:mail:tried", "mail", by=actor.person_id, at=at, found=[one.code for one in tried])
    for one in tried:
        tell(one.code, "ok" if one.is_ok else "bad")
        if one.said:
            tell("workflow:server_said", "warn", said=one.said)
    if not tried:
        tell("workflow:nothing_to_try", "warn")
    return redirect(url_for("desk.mail_setup"))


def _page(form: LimitsForm) -> str:
    settings = house().settings
    return render_template(
        "workflow/mail_setup.html",
        form=form,
        server=place_of(settings.smtp_url) if settings.smtp_url else None,
        mailbox=place_of(settings.bounce_imap) if settings.bounce_imap else None,
        bounce_address=settings.bounce_address,
        base_url=settings.base_url,
        trouble=mail_server.trouble(),
    )
