"""What the surveys say: HR reads a cycle, its themes and comments; a supervisor reads sums of the own team."""

from dataclasses import dataclass

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from review.customer_survey import comments, plans, reading
from review.customer_survey.blueprint import bp
from review.cycles.lookup import find_cycle
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.access import Actor, Deed, Standing
from review.domain.cycle import Stage
from review.domain.refusals import OutOfReach
from review.domain.survey_figures import GOAL
from review.infra.db import db
from review.infra.gate import Found, allow
from review.responses.owed import still_to_rate
from review.responses.progress import rating_progress

STILL_ASKING = {Stage.DRAFT, Stage.NOMINATING, Stage.COLLECTING}


@bp.get("/cycles/<int:cycle_id>/surveys/reading")
@allow(Deed.SURVEY_READ, find=find_cycle)
def read(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    """The figures of the whole cycle; what is said of oneself and of whom one has still to rate is left out."""
    own = select(ReviewRow.id).where(ReviewRow.cycle_id == cycle.id, ReviewRow.subject_id == actor.person_id)
    closed = still_to_rate(actor.person_id) | set(db.session.scalars(own))
    found = reading.reading_of(cycle)
    shown = reading.for_reader(found, closed)
    return render_template(
        "customer_survey/reading.html",
        cycle=cycle,
        found=shown,
        left_out=len(found.people) - len(shown.people),
        minimum=plans.minimum_of(cycle),
        planned={one.wave.key: one for one in plans.planned(cycle, plans.plan_of(cycle.id))},
        goal=GOAL,
        most=reading.MOST_PEOPLE,
    )


@bp.get("/cycles/<int:cycle_id>/surveys/themes")
@allow(Deed.SURVEY_READ, find=find_cycle)
def themes(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    """The words customers use, and the comments behind one of them."""
    told = comments.told_in(cycle.id)
    chosen = told.theme(request.args.get("theme", ""))
    return render_template("customer_survey/themes.html", cycle=cycle, told=told, chosen=chosen)


@dataclass(frozen=True, slots=True)
class TeamFile:
    """A supervisor's own people in a cycle."""

    cycle: CycleRow
    review_ids: tuple[int, ...]


def find_own_team(actor: Actor, cycle_id: int) -> Found:
    """The reviews the actor answers for; without any, the cycle does not exist for them."""
    mine = select(ReviewRow.id).where(ReviewRow.supervisor_id == actor.person_id, ReviewRow.withdrawn_at.is_(None))
    ids = tuple(db.session.scalars(mine.where(ReviewRow.cycle_id == cycle_id).order_by(ReviewRow.id)))
    if not ids:
        raise OutOfReach("cycles:no_such_cycle")
    return Found(TeamFile(db.session.get_one(CycleRow, cycle_id), ids), frozenset({Standing.RESPONSIBLE}))


@bp.get("/team/<int:cycle_id>/surveys")
@allow(Deed.SURVEY_READ_TEAM, find=find_own_team)
def read_team(actor: Actor, team: TeamFile) -> ResponseReturnValue:
    """The own team's sums, once the asking is over and the own ratings are in: neither steers the other."""
    is_over = team.cycle.stage not in STILL_ASKING
    own = {(review_id, actor.person_id) for review_id in team.review_ids}
    is_open = is_over and own <= rating_progress(team.cycle.id)
    minimum = plans.minimum_of(team.cycle)
    found = reading.of_team(team.cycle, team.review_ids, minimum) if is_open else None
    context = {"cycle": team.cycle, "is_over": is_over, "is_open": is_open, "found": found, "minimum": minimum}
    return render_template("customer_survey/team_reading.html", **context, goal=GOAL, people=len(team.review_ids))
