"""HR names the trustees; each trustee sees their own share until they have kept it."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from review.custody import paper, service
from review.custody.forms import KeptForm, TrusteesForm
from review.custody.service import Post
from review.cycles.changes import BEFORE_LAUNCH
from review.cycles.lookup import find_cycle
from review.cycles.tables import CycleRow
from review.domain.access import Actor, Deed, Standing
from review.infra.clock import now
from review.infra.gate import Found, allow
from review.infra.house import absolute
from review.infra.i18n import request_locale
from review.infra.pages import tell

bp = Blueprint("custody", __name__)


def find_post(actor: Actor, cycle_id: int) -> Found:
    """A trustee's own Post; to everybody else there is no such thing."""
    return Found(service.post_of(cycle_id, actor.person_id), frozenset({Standing.TRUSTEE}))


@bp.get("/cycles/<int:cycle_id>/trustees")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def trustees(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    named = {f"trustee_{one.number}": one.employee_no for one in service.trustees_of(cycle.id)}
    return _trustees(cycle, TrusteesForm(data=named))


def _trustees(cycle: CycleRow, form: TrusteesForm) -> str:
    return render_template(
        "custody/trustees.html",
        cycle=cycle,
        form=form,
        trustees=service.trustees_of(cycle.id),
        is_open=cycle.stage in BEFORE_LAUNCH,
    )


@bp.post("/cycles/<int:cycle_id>/trustees")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def name_trustees(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    form, at = TrusteesForm(), now()
    before, anew = service.mark_of(cycle.id), bool(form.anew.data)
    if not form.accept(lambda: service.name(cycle, form.numbers(), by=actor.person_id, now=at, anew=anew)):
        return _trustees(cycle, form), 422
    tell("custody:unchanged" if service.mark_of(cycle.id) == before else "custody:named")
    return redirect(url_for("custody.trustees", cycle_id=cycle.id))


@bp.get("/cycles/<int:cycle_id>/share")
@allow(Deed.SHARE_TAKE, find=find_post)
def share(_actor: Actor, post: Post) -> ResponseReturnValue:
    mark = service.mark_of(post.cycle.id)
    return render_template(
        "custody/post.html",
        post=post,
        cycle=post.cycle,
        is_here=service.is_here(post),
        is_waiting=service.is_waiting(post.cycle),
        form=KeptForm(mark=mark if mark == post.trustee.mark else ""),
    )


@bp.post("/cycles/<int:cycle_id>/share")
@allow(Deed.SHARE_TAKE, find=find_post)
def show(_actor: Actor, post: Post) -> ResponseReturnValue:
    """Answers with the share itself, without a redirect: no address and no session ever leads to it."""
    shown = service.show(post)
    code = paper.code_of(post.cycle.id, shown)
    return render_template(
        "custody/share.html",
        cycle=post.cycle,
        number=shown.number,
        words=paper.words_of(shown, request_locale()),
        code=code,
        picture=paper.picture_of(code),
        address=absolute(url_for("desk.open_page", cycle_id=post.cycle.id)),
        form=KeptForm(formdata=None, mark=service.mark_of(post.cycle.id)),
    )


@bp.post("/cycles/<int:cycle_id>/share/kept")
@allow(Deed.SHARE_TAKE, find=find_post)
def kept(_actor: Actor, post: Post) -> ResponseReturnValue:
    form, at = KeptForm(), now()
    service.keep(post, form.mark.data or "", now=at)
    tell("custody:kept", number=post.trustee.number)
    return redirect(url_for("custody.share", cycle_id=post.cycle.id))
