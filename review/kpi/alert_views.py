"""Pages of alerts: what waits to be looked at, and the note that closes it."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.domain import alerts as rules
from review.domain.access import Actor, Deed
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.pages import tell
from review.kpi import alerts
from review.kpi.alert_tables import AlertRow
from review.kpi.board_forms import HandledForm
from review.kpi.board_views import bp


@bp.get("/indicators/alerts")
@allow(Deed.ALERTS_SEE)
def alert_list(actor: Actor) -> ResponseReturnValue:
    return _page(actor, HandledForm(), None)


@bp.post("/indicators/alerts/<int:alert_id>/handled")
@allow(Deed.ALERT_HANDLE, find=alerts.find_alert)
def handle_alert(actor: Actor, alert: AlertRow) -> ResponseReturnValue:
    form, done = HandledForm(), []
    alert_id = alert.id
    if not form.accept(lambda: done.append(alerts.handle(alert, form.note.data or "", by=actor.person_id, now=now()))):
        return _page(actor, form, alert_id), 422
    tell("indicators:alert_handled" if done[0] else "indicators:alert_was_handled")
    return redirect(url_for("indicators.alert_list"))


def _page(actor: Actor, form: HandledForm, refused: int | None) -> Any:
    is_handled = request.args.get("state") == "handled"
    return render_template(
        "kpi/board_alerts.html",
        form=form,
        refused=refused,
        is_handled=is_handled,
        waiting=alerts.open_for(actor),
        listing=alerts.page_for(actor, request.args.get("page", 1, type=int), is_handled=is_handled),
        rules=rules,
    )
