"""The only way to a sheet: the loader that says what the actor is to it."""

from review.domain.access import Actor, Standing
from review.infra.gate import Found
from review.kpi.sheets import sheet_of


def find_sheet(actor: Actor, review_id: int) -> Found:
    """A sheet, and whether the actor is its subject, answers for its result, or stands above who does."""
    sheet, standings = sheet_of(review_id), set()
    if sheet.subject.id == actor.person_id:
        standings.add(Standing.SUBJECT)
    elif sheet.supervisor_id == actor.person_id:
        standings.add(Standing.RESPONSIBLE)
    elif sheet.head_id == actor.person_id:
        standings.add(Standing.ABOVE)
    return Found(sheet, frozenset(standings))


def find_managed(actor: Actor, review_id: int) -> Found:
    """A sheet on which HR acts; whose subject is of HR, their supervisor does so too."""
    found = find_sheet(actor, review_id)
    kept = found.standings if found.thing.is_of_hr else frozenset[Standing]()
    return Found(found.thing, kept)
