"""A supervisor's people in a cycle, side by side: the board, and the grid that takes one criterion at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from review.cycles.lookup import ReviewFile
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.access import Actor, Standing
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, OutOfReach
from review.domain.responses import SupervisorRating
from review.domain.scheme_shape import Criterion, Scheme
from review.domain.vocabulary import LEVELS, Level, Source
from review.infra.db import db
from review.infra.gate import Found
from review.people.tables import PersonRow
from review.responses import service as responses
from review.responses.service import Sheet, State
from review.schemes.service import scheme_of
from review.supervisor_review import notes, service


@dataclass(frozen=True, slots=True)
class Team:
    """The reviews that one supervisor rates in one cycle, as responsible or beside who is, in the order of names."""

    cycle: CycleRow
    scheme: Scheme
    supervisor_id: int
    files: tuple[ReviewFile, ...]

    @property
    def due(self) -> datetime:
        """When the first of these ratings is asked for."""
        return min(service.due_of(file.review, self.cycle) for file in self.files)


@dataclass(frozen=True, slots=True)
class Line:
    """One person on the board: whether the self-review is in, and how far the supervisor's own rating is."""

    file: ReviewFile
    self_is_in: bool
    rating: State
    due: datetime
    is_second: bool  # somebody else answers for the result


@dataclass(frozen=True, slots=True)
class Row:
    """One person in the grid. `said` is what stands on the sheet, `was` the supervisor's own levels of last time."""

    file: ReviewFile
    said: SupervisorRating
    is_filed: bool
    was: Mapping[str, Level | None]
    notes: int
    lacks: int

    @property
    def is_ready(self) -> bool:
        return not self.is_filed and self.lacks == 0


def find_team(actor: Actor, cycle_id: int) -> Found:
    """Whom the actor rates in a cycle; without anybody, the cycle does not exist for them."""
    found = _files(service.rates(actor.person_id), ReviewRow.cycle_id == cycle_id)
    if not found:
        raise OutOfReach("cycles:no_such_cycle")
    cycle = found[0].cycle
    team = Team(cycle, scheme_of(cycle.scheme_id), actor.person_id, tuple(found))
    return Found(team, frozenset({Standing.RESPONSIBLE}))


def boards(supervisor_id: int, now: datetime) -> list[tuple[CycleRow, list[Line]]]:
    """Every running cycle with the people this supervisor rates. Three queries, however many people."""
    files = _files(service.rates(supervisor_id), CycleRow.stage.in_(service.RATING), CycleRow.opens_at <= now)
    ids = [file.review.id for file in files]
    selves = responses.progress(Source.SELF, ids)
    ratings = responses.progress(Source.SUPERVISOR, ids, supervisor_id)
    found: dict[int, tuple[CycleRow, list[Line]]] = {}
    for file in files:
        own, rating = selves.get(file.review.id), ratings.get(file.review.id)
        line = Line(
            file,
            own is not None and own.filed_at is not None,  # whether somebody has a draft is nobody's business
            State.NONE if rating is None else rating.state,
            service.due_of(file.review, file.cycle),
            is_second=file.review.supervisor_id != supervisor_id,
        )
        found.setdefault(file.cycle.id, (file.cycle, []))[1].append(line)
    return list(found.values())


def published(supervisor_id: int) -> list[CycleRow]:
    """The cycles whose published results hold people this supervisor answers for, newest first."""
    mine = select(ReviewRow.cycle_id).where(ReviewRow.supervisor_id == supervisor_id, ReviewRow.withdrawn_at.is_(None))
    over = select(CycleRow).where(CycleRow.id.in_(mine), CycleRow.stage.in_((Stage.PUBLISHED, Stage.ARCHIVED)))
    return list(db.session.scalars(over.order_by(CycleRow.publish_on.desc(), CycleRow.id.desc())))


def _files(*which: object) -> list[ReviewFile]:
    query = select(ReviewRow, CycleRow, PersonRow).join(CycleRow, CycleRow.id == ReviewRow.cycle_id)
    query = query.join(PersonRow, PersonRow.id == ReviewRow.subject_id).where(ReviewRow.withdrawn_at.is_(None))
    query = query.where(*which).order_by(CycleRow.id.desc(), PersonRow.name, ReviewRow.id)  # type: ignore[arg-type]
    return [ReviewFile(*row) for row in db.session.execute(query)]


def rows_of(team: Team) -> list[Row]:
    """The grid. A constant number of queries."""
    sheets = responses.rating_sheets([file.review.id for file in team.files], team.supervisor_id, team.scheme)
    subjects = [file.review.subject_id for file in team.files]
    was, noted = _last_levels(team), notes.counts(subjects, team.cycle.period_start)
    return [
        _row(team, file, sheets.get(file.review.id), was.get(file.review.subject_id, {}), noted) for file in team.files
    ]


def _row(
    team: Team,
    file: ReviewFile,
    sheet: Sheet[SupervisorRating] | None,
    was: Mapping[str, Level | None],
    noted: Mapping[int, int],
) -> Row:
    said = service.said_on(sheet)
    is_filed = sheet is not None and sheet.filed is not None
    lacks = len(service.problems_of(said, team.scheme))
    return Row(file, said, is_filed, was, noted.get(file.review.subject_id, 0), lacks)


def _last_levels(team: Team) -> dict[int, Mapping[str, Level | None]]:
    """The levels this same supervisor filed about these people in the latest published cycle, by subject."""
    latest = (
        select(CycleRow.id, CycleRow.scheme_id)
        .where(CycleRow.stage.in_([Stage.PUBLISHED, Stage.ARCHIVED]), CycleRow.period_end < team.cycle.period_end)
        .order_by(CycleRow.period_end.desc())
    )
    found = db.session.execute(latest.limit(1)).first()
    if found is None:
        return {}
    earlier = select(ReviewRow.id, ReviewRow.subject_id).where(
        ReviewRow.cycle_id == found[0],
        service.rates(team.supervisor_id),
        ReviewRow.subject_id.in_([file.review.subject_id for file in team.files]),
    )
    subject_of = dict(db.session.execute(earlier).all())
    filed = responses.filed_ratings(subject_of, team.supervisor_id, scheme_of(found[1]))
    return {subject_of[review]: said.answers for review, said in filed.items()}


def criterion_of(team: Team, key: str | None) -> Criterion:
    """The criterion of that key, or the first one. Raises OutOfReach for a key that is none."""
    if not key:
        return team.scheme.criteria[0]
    try:
        return team.scheme.criterion(key)
    except KeyError:
        raise OutOfReach("supervisor_review:no_such_criterion") from None


def save_criterion(
    team: Team, criterion: Criterion, levels: Mapping[int, str], comments: Mapping[int, str], now: datetime
) -> int:
    """Take the grid's levels and comments for one criterion into the drafts; returns how many drafts changed.

    Only this criterion is touched, so that two open tabs of the grid do not undo each other. Filed sheets stay.
    """
    sheets = responses.rating_sheets([file.review.id for file in team.files], team.supervisor_id, team.scheme)
    changed = 0
    for file in team.files:
        sheet, review_id = sheets.get(file.review.id), file.review.id
        if sheet is not None and sheet.filed is not None:
            continue
        before = service.said_on(sheet)
        after = _with(before, criterion.key, levels.get(review_id), comments.get(review_id))
        if after != before:
            service.save_draft(file, team.supervisor_id, after, now)
            changed += 1
    return changed


def _with(said: SupervisorRating, key: str, level: str | None, comment: str | None) -> SupervisorRating:
    answers, comments = dict(said.answers), dict(said.comments)
    if level in LEVELS:
        answers[key] = Level(level)
    if comment is not None:
        comments[key] = comment
        if not comment:
            comments.pop(key)
    return SupervisorRating(answers, comments, said.overall)


def file_ready(team: Team, now: datetime) -> int:
    """File every rating that is complete, in one go; returns how many. Raises Invalid when there is none."""
    sheets = responses.rating_sheets([file.review.id for file in team.files], team.supervisor_id, team.scheme)
    filed = 0
    for file in team.files:
        sheet = sheets.get(file.review.id)
        said = service.said_on(sheet)
        if sheet is None or sheet.filed is not None or service.problems_of(said, team.scheme):
            continue
        filed += service.file_rating(file, team.supervisor_id, said, team.scheme, now)
    if not filed:
        raise Invalid("supervisor_review:none_ready")
    return filed


def reports_of(supervisor_id: int, today: date) -> list[PersonRow]:
    """Who reports to this supervisor today, by name: the people about whom notes may be kept. Cycle or not."""
    here = (PersonRow.left_on.is_(None)) | (PersonRow.left_on >= today)
    query = select(PersonRow).where(PersonRow.supervisor_id == supervisor_id, here)
    return list(db.session.scalars(query.order_by(PersonRow.name, PersonRow.id)))
