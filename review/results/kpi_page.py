"""A KPI sheet with what the rating makes of it, for whoever may know that: the sheet itself is another room's."""

from dataclasses import dataclass
from datetime import datetime

from review.cycles.lookup import file_of
from review.domain.access import Actor
from review.domain.cycle import Stage
from review.domain.rounding import exact_text
from review.domain.vocabulary import Grade
from review.infra.organisation import Organisation
from review.kpi.printed import Printed
from review.kpi.printing import UNTOLD, Outcome, printed_of
from review.kpi.sheets import Sheet
from review.results import desk
from review.results.publication import publication_of
from review.schemes.service import scheme_of

PUBLISHED = frozenset({Stage.PUBLISHED, Stage.ARCHIVED})


@dataclass(frozen=True, slots=True)
class SheetPage:
    """The printed form, and whether its result is final, only computed so far, or not told."""

    printed: Printed
    is_final: bool
    is_computed: bool


def page_of(sheet: Sheet, actor: Actor, locale: str, ours: Organisation, now: datetime) -> SheetPage:
    """The page for this reader: the rating once it is published; before that for who finalises it, as computed."""
    is_final = sheet.cycle.stage in PUBLISHED
    outcome = published(sheet) if is_final else _computed(sheet, actor, now)
    scheme = scheme_of(sheet.cycle.scheme_id)
    printed = printed_of(sheet, scheme, ours.name, locale, outcome)
    return SheetPage(printed, is_final, outcome.total is not None and not is_final)


def published(sheet: Sheet) -> Outcome:
    """The result as it was published."""
    row = publication_of(sheet.review_id)
    reward = row.body["reward"]
    return Outcome(row.body["working"]["rating"], row.score, row.grade, reward["coefficient"] if reward else None)


def _computed(sheet: Sheet, actor: Actor, now: datetime) -> Outcome:
    """What the supervisor sees before finalising: nothing while their own rating is missing."""
    if sheet.cycle.stage is not Stage.FINALISING or sheet.supervisor_id != actor.person_id:
        return UNTOLD
    draft = desk.draft_of(file_of(sheet.review_id), now)
    if not draft.is_rated or draft.card.grade is None:
        return UNTOLD
    signed = draft.sign_off.final_grade if draft.sign_off and draft.is_settled else None
    grade = Grade(signed or draft.card.grade)
    coefficient = exact_text(scheme_of(sheet.cycle.scheme_id).tiers[grade].coefficient)
    return Outcome(draft.card.working["rating"], draft.card.score, grade, coefficient)
