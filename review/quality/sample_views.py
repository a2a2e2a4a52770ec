"""HR's pages of samples: stating one, watching the draw, naming checkers, and the board of one sample."""

import secrets

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from review.domain.access import Actor, Deed
from review.domain.calendar import add_working_days, local_day
from review.infra import jobs
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.house import house
from review.infra.i18n import request_locale
from review.infra.ids import row_id
from review.infra.lists import page_of
from review.infra.pages import ours, tell
from review.people.tables import PersonRow
from review.quality import drawing, figures, form_versions, lists, samples
from review.quality.blueprint import bp
from review.quality.desk_forms import CheckersForm, SampleForm
from review.quality.samples import find_sample
from review.quality.tables import CheckRow, SampleRow, SampleState

LARGEST_SEED = 2**31
WORKING_DAYS_TO_CHECK = 10


@bp.get("/quality/samples/new")
@allow(Deed.QUALITY_SAMPLE_RUN)
def new_sample(_actor: Actor) -> ResponseReturnValue:
    today = local_day(now(), ours().zone)
    first = today.replace(day=1)
    due = add_working_days(today, WORKING_DAYS_TO_CHECK, ours().holidays)
    return _new_page(SampleForm(data={"first_day": first, "last_day": today, "due_on": due}))


@bp.post("/quality/samples")
@allow(Deed.QUALITY_SAMPLE_RUN)
def create_sample(actor: Actor) -> ResponseReturnValue:
    """Write down what is drawn from; the worker draws. The seed is the machine's, so that nobody tries several."""
    form, at, made = _offered(SampleForm()), now(), list[SampleRow]()
    seed = secrets.randbelow(LARGEST_SEED)

    def act() -> None:
        row = samples.create(form.to_plan(seed, ours().zone), by=actor.person_id, now=at)
        drawing.ask(row, at)
        made.append(row)

    if not form.accept(act):
        return _new_page(form, 422)
    tell("quality:sample_stated")
    return redirect(url_for("quality.sample", sample_id=made[0].id))


def _offered(form: SampleForm) -> SampleForm:
    channels, kinds = samples.choices()
    return form.offer(form_versions.open_forms(), channels, kinds, request_locale())


def _new_page(form: SampleForm, status: int = 200) -> ResponseReturnValue:
    return make_response(render_template("quality/sample_new.html", form=_offered(form)), status)


@bp.get("/quality/samples/<int:sample_id>")
@allow(Deed.QUALITY_SAMPLE_RUN, find_sample)
def sample(_actor: Actor, row: SampleRow) -> ResponseReturnValue:
    return _board(row, None)


@bp.get("/quality/samples/<int:sample_id>/progress")
@allow(Deed.QUALITY_SAMPLE_RUN, find_sample)
def progress(_actor: Actor, row: SampleRow) -> ResponseReturnValue:
    """The part of the page that tells how far the draw is; once it is over, the page loads anew."""
    if row.state is not SampleState.DRAWING:
        page = make_response("", 200)
        page.headers["HX-Refresh"] = "true"
        return page
    return make_response(render_template("quality/_progress.html", **_drawing(row)))


@bp.post("/quality/samples/<int:sample_id>/draw")
@allow(Deed.QUALITY_SAMPLE_RUN, find_sample)
def draw_again(_actor: Actor, row: SampleRow) -> ResponseReturnValue:
    """For a draw that failed; one that is over stays as it is."""
    if row.state is SampleState.DRAWING:
        drawing.ask(row, now())
    return redirect(url_for("quality.sample", sample_id=row.id))


@bp.post("/quality/samples/<int:sample_id>/checkers")
@allow(Deed.QUALITY_SAMPLE_RUN, find_sample)
def name_checkers(actor: Actor, row: SampleRow) -> ResponseReturnValue:
    form, at = CheckersForm(), now()
    changed: list[bool] = []

    def act() -> None:
        people = samples.people_of(form.numbers(), "checkers", local_day(at, ours().zone))
        changed.append(samples.assign(row, people, by=actor.person_id, now=at))

    sample_id = row.id
    if not form.accept(act):
        return _board(find_sample(actor, sample_id).thing, form)
    tell("quality:assigned" if changed[0] else "quality:assigned_before")
    return redirect(url_for("quality.sample", sample_id=sample_id))


@bp.get("/quality/samples/<int:sample_id>/people/<int:person_id>")
@allow(Deed.QUALITY_SAMPLE_RUN, samples.find_line)
def person(_actor: Actor, found: tuple[SampleRow, PersonRow]) -> ResponseReturnValue:
    """Every drawn ticket of one agent."""
    row, agent = found
    return render_template("quality/person.html", sample=row, agent=agent, rows=lists.of_agent(row.id, agent.id))


def _drawing(row: SampleRow) -> dict[str, object]:
    job = jobs.find(drawing.key_of(row.id))
    return {"sample": row, "job": job, "progress": house().progress.read(drawing.key_of(row.id))}


def _board(row: SampleRow, form: CheckersForm | None) -> ResponseReturnValue:
    at, rules = now(), form_versions.form_of(row.form_id)
    far = figures.coverage([row.id], at, {row.id: row.due_at})[row.id]
    page = page_of(
        select(PersonRow.id)
        .where(PersonRow.id.in_(select(CheckRow.agent_id).where(CheckRow.sample_id == row.id)))
        .order_by(PersonRow.employee_no),
        request.args.get("page", 1, type=row_id),
    )
    checking = figures.checkers(row.id)
    named = sorted(line.employee_no for line in checking)
    shown = render_template(
        "quality/sample.html",
        **(_drawing(row) if row.state is SampleState.DRAWING else {"sample": row}),
        rules=rules,
        coverage=far,
        listing=page,
        agents=figures.agents(row.id, page.rows),
        categories=figures.categories(rules, CheckRow.sample_id == row.id),
        checkers=checking,
        aside=figures.aside(row.id) if far.aside else [],
        form=form or CheckersForm(formdata=None, data={"checkers": "\n".join(named)}),
        at=at,
    )
    return make_response(shown, 200 if form is None else 422)
