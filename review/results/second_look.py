"""The second look at a result near a cut: HR names somebody, who confirms the grade or sends it back, with a reason."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from review.cycles.lookup import ReviewFile, file_of
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.access import Actor, Role, Standing
from review.domain.calendar import local_day
from review.domain.refusals import Invalid, NotAllowed, NotYet, OutOfReach, Problem
from review.domain.responses import SupervisorRating
from review.domain.second_person import nearest_above
from review.infra import audit, organisation, outbox
from review.infra.db import db
from review.infra.gate import Found
from review.people import directory
from review.people.tables import PersonRow, RoleRow
from review.responses import service as responses
from review.results import looks
from review.results.service import require_finalising, seen_of
from review.results.tables import LookOutcome, ScorecardRow, SecondLookRow, SignOffRow
from review.results.waiting import settles

__all__ = [
    "LONGEST",
    "LookDraft",
    "LookFile",
    "LookOutcome",
    "Said",
    "decide",
    "draft_of",
    "find_look",
    "find_my_looks",
    "may_look",
    "name_one",
    "name_proposed",
    "proposals",
]

LONGEST = 1000
SENT_BACK = "results:sent_back"
# Whoever decides over results anyway. Who sits on a panel of peers is not asked: the refusal would tell it.
MAY_LOOK = (Role.HR, Role.SUPERVISOR)


@dataclass(frozen=True, slots=True)
class LookFile:
    """A review with the row that names its second person."""

    file: ReviewFile
    row: SecondLookRow


def find_look(actor: Actor, review_id: int) -> Found:
    """The look at a review, and whether the actor is who is named for it and still may take it."""
    file, row = file_of(review_id), db.session.get(SecondLookRow, review_id)
    if row is None:
        raise OutOfReach("results:no_such_result")
    is_theirs = row.person_id == actor.person_id and actor.person_id not in _not_for(file.review)
    return Found(LookFile(file, row), frozenset({Standing.SECOND} if is_theirs else ()))


def find_my_looks(actor: Actor, cycle_id: int) -> Found:
    """A cycle in which the actor is named for looks; without any it does not exist for them."""
    mine = select(SecondLookRow.review_id).join(ReviewRow, ReviewRow.id == SecondLookRow.review_id)
    cycle = db.session.get(CycleRow, cycle_id)
    named = mine.where(ReviewRow.cycle_id == cycle_id, SecondLookRow.person_id == actor.person_id)
    if cycle is None or db.session.scalar(named.limit(1)) is None:
        raise OutOfReach("cycles:no_such_cycle")
    return Found(cycle, frozenset({Standing.SECOND}))


def _not_for(review: ReviewRow) -> set[int | None]:
    """Whoever rated does not look at it with fresh eyes."""
    return {review.subject_id, review.supervisor_id, review.second_rater_id}


def may_look(day: date) -> list[PersonRow]:
    """Who can be named at all: HR and supervisors who work here, by name. One query."""
    roles = select(RoleRow.person_id).where(RoleRow.role.in_(MAY_LOOK))
    query = select(PersonRow).where(PersonRow.id.in_(roles), directory.here_on(day))
    return list(db.session.scalars(query.order_by(PersonRow.name, PersonRow.id)))


def proposals(reviews: Collection[ReviewRow], day: date) -> dict[int, int]:
    """Who is proposed for each review: the nearest above its supervisor, at the top HR, else another supervisor.

    Reviews for which there is nobody are left out. Three queries.
    """
    lines, able = directory.lines(), [person.id for person in may_look(day)]
    hr = {person.id for person in directory.holding(Role.HR)}
    others = sorted(able, key=lambda person: (person not in hr, person))
    found = {}
    for review in reviews:
        never = {person for person in _not_for(review) if person is not None}
        chosen = nearest_above(review.supervisor_id, lines, set(able), never)
        if chosen is None:
            chosen = next((person for person in others if person not in never), None)
        if chosen is not None:
            found[review.id] = chosen
    return found


def name_proposed(cycle: CycleRow, *, by: int, now: datetime) -> int:
    """Name who is proposed wherever nobody suitable is named; how many. The rule chooses, so own reviews are in it."""
    hold(cycle)
    reviews = looks.unconfirmed(cycle.id, looks.unnamed(cycle.id))
    chosen = proposals(reviews, local_day(now, organisation.current().zone))
    return _name(cycle, {review: chosen[review.id] for review in reviews if review.id in chosen}, by=by, now=now)


def name_one(cycle: CycleRow, review_ids: Collection[int], employee_no: str, *, by: int, now: datetime) -> int:
    """Name one person for these results near a cut, in place of whoever was; how many changed hands.

    Raises Invalid for nobody of that number, somebody who may not look at one of them, or no result at all;
    NotAllowed for one's own result.
    """
    hold(cycle)
    person = directory.by_number(employee_no)
    if person is None:
        raise Invalid("results:no_such_number", "employee_no", number=employee_no)
    reviews = looks.unconfirmed(cycle.id, review_ids)
    if not reviews:
        raise Invalid("results:look_nothing_chosen", "reviews")
    if any(review.subject_id == by for review in reviews):
        raise NotAllowed("cycles:own_review")
    able = {one.id for one in may_look(local_day(now, organisation.current().zone))}
    barred = [review.subject_id for review in reviews if person.id not in able or person.id in _not_for(review)]
    if barred:
        names = {key: row.name for key, row in directory.by_ids(barred).items()}
        raise Invalid.of(
            Problem("results:look_not_for_them", "employee_no", {"name": person.name, "subject": names[subject]})
            for subject in barred[:5]
        )
    return _name(cycle, dict.fromkeys(reviews, person.id), by=by, now=now)


def hold(cycle: CycleRow) -> None:
    """Nobody publishes meanwhile. Raises NotYet before the count, TooLate once published."""
    held = db.session.get_one(CycleRow, cycle.id, with_for_update={"read": True}, populate_existing=True)
    require_finalising(held)


def _name(cycle: CycleRow, chosen: Mapping[ReviewRow, int], *, by: int, now: datetime) -> int:
    ids = [review.id for review in chosen]
    rows = select(SecondLookRow).where(SecondLookRow.review_id.in_(ids)).with_for_update()
    before = {row.review_id: row for row in db.session.scalars(rows)}
    changed = []
    for review, person_id in chosen.items():
        row = before.get(review.id)
        was = None if row is None else row.person_id
        if was == person_id:
            continue
        named = SecondLookRow(review_id=review.id, person_id=person_id, named_by=by, named_at=now, reason="")
        named.outcome = named.input_hash = named.score = named.final_grade = named.decided_at = None
        db.session.merge(named)
        audit.record("results:look:named", f"review:{review.id}", by=by, at=now, before=was, after=person_id)
        changed.append(review.id)
    db.session.flush()
    looks.call(cycle, changed, now)
    return len(changed)


@dataclass(frozen=True, slots=True)
class LookDraft:
    """What the second person has before them: figures, sign-off, and the supervisor's own words on the rating."""

    card: ScorecardRow
    sign_off: SignOffRow
    signed_by: str
    rating: SupervisorRating | None

    @property
    def seen(self) -> str:
        return seen_of(self.card, self.sign_off)


def draft_of(file: ReviewFile) -> LookDraft:
    """Raises NotYet until the supervisor has signed the present figures, TooLate once published."""
    require_finalising(file.cycle)
    query = (
        select(ScorecardRow, SignOffRow, PersonRow.name)
        .join(ReviewRow, ReviewRow.id == ScorecardRow.review_id)
        .join(SignOffRow, settles())
        .join(PersonRow, PersonRow.id == SignOffRow.signed_by)
        .where(ReviewRow.id == file.review.id, ScorecardRow.near_cut)
    )
    found = db.session.execute(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotYet("results:look_not_ready")
    sheet = responses.rating_of(file.review.id)
    return LookDraft(*found, sheet.filed if sheet else None)


@dataclass(frozen=True, slots=True)
class Said:
    """The second person's word. `seen` is what `LookDraft.seen` said when the page was made; None: no page."""

    outcome: LookOutcome | None
    reason: str
    seen: str | None = None


def decide(look: LookFile, said: Said, *, by: int, now: datetime) -> bool:
    """Confirm the grade, or send the result back, which voids the sign-off. False when exactly this was said before.

    Raises OutOfReach for anybody but the person named, NotYet while there is nothing to look at, Invalid without a
    choice or a reason and when figures or sign-off are others than those seen.
    """
    file, reason = look.file, said.reason.strip()
    hold(file.cycle)
    db.session.refresh(file.review)
    row = db.session.get_one(SecondLookRow, file.review.id, with_for_update=True, populate_existing=True)
    if row.person_id != by or by in _not_for(file.review):
        raise OutOfReach("results:no_such_result")
    if _was_sent_back(row, said, reason):
        return False
    draft = draft_of(file)
    if _is_same(row, draft, said, reason):
        return False
    _check(said, reason, draft)
    row.outcome, row.reason, row.decided_at = said.outcome, reason, now
    row.input_hash, row.score, row.final_grade = draft.sign_off.input_hash, draft.card.score, draft.sign_off.final_grade
    assert said.outcome is not None
    audit.record(f"results:look:{said.outcome.value}", f"review:{file.review.id}", by=by, at=now, reason=reason)
    if said.outcome is LookOutcome.SENT_BACK:
        draft.sign_off.returned_at = now
        _tell_supervisor(file, now)
    db.session.flush()
    return True


def _was_sent_back(row: SecondLookRow, said: Said, reason: str) -> bool:
    """Whether this same remark is what the sign-off was voided by: the form came twice."""
    if (row.outcome, said.outcome, row.reason) != (LookOutcome.SENT_BACK, LookOutcome.SENT_BACK, reason):
        return False
    sign_off = db.session.get(SignOffRow, row.review_id, populate_existing=True)
    return sign_off is not None and sign_off.returned_at == row.decided_at


def _is_same(row: SecondLookRow, draft: LookDraft, said: Said, reason: str) -> bool:
    """Whether this is the confirmation that stands. What was sent back and signed anew can be sent back again."""
    now = (said.outcome, reason, draft.sign_off.input_hash, draft.card.score, draft.sign_off.final_grade)
    stood = (row.outcome, row.reason, row.input_hash, row.score, row.final_grade)
    return said.outcome is LookOutcome.CONFIRMED and stood == now


def _check(said: Said, reason: str, draft: LookDraft) -> None:
    problems = []
    if said.outcome is None:
        problems.append(Problem("form:choose_one", "outcome"))
    if not reason:
        problems.append(Problem("results:look_needs_reason", "reason"))
    if len(reason) > LONGEST:
        problems.append(Problem("form:too_long", "reason", {"max": LONGEST}))
    if said.seen is not None and said.seen != draft.seen:
        problems.append(Problem("results:look_changed"))
    if problems:
        raise Invalid.of(problems)


def _tell_supervisor(file: ReviewFile, now: datetime) -> None:
    """That one of their results has come back; which one and why stands on their pages."""
    boss = db.session.get(PersonRow, file.review.supervisor_id) if file.review.supervisor_id else None
    if boss is not None and boss.email:
        params = {"name": boss.name, "cycle": file.cycle.name, "cycle_id": file.cycle.id}
        params["due"] = file.cycle.finalise_by.isoformat()
        outbox.put(SENT_BACK, f"review:{file.review.id}:{now.isoformat()}", boss.email, boss.locale, params, now=now)
