"""A fresh urn in place of one that was lost while its cycle collects: after a restore elsewhere, after a broken disk.

Never in place of one that was destroyed: what was counted once is not counted again.
"""

from sqlalchemy import select

from review.ballots import keys, seal_keys, service, ticket_keys
from review.ballots.tables import UrnRow
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.refusals import Taken
from review.domain.vocabulary import Custody, Protection
from review.infra.db import db
from review.infra.house import house


def can_reopen(cycle_id: int) -> bool:
    """Whether a fresh urn can take the place of a lost one: never of one that was destroyed, never without its people.

    Trustees hold shares of one key pair and tickets are signed by keys of their own: what is gone of those stays gone.
    """
    cycle = db.session.get_one(CycleRow, cycle_id)
    if cycle.stage is not Stage.COLLECTING or service.is_counted(cycle_id) or service.is_spent(cycle_id):
        return False
    if cycle.custody is Custody.TRUSTEES and not (service.is_seal_ready(cycle_id) and service.is_locked(cycle_id)):
        return False
    if cycle.protection is Protection.STANDARD:
        return True
    living = select(ReviewRow.id).where(ReviewRow.cycle_id == cycle_id, ReviewRow.withdrawn_at.is_(None))
    has_tickets = set(db.session.scalars(living)) <= ticket_keys.made(house().settings.keys_dir, cycle_id)
    return has_tickets and _has_seal(cycle_id)


def reopen_urn(cycle_id: int) -> None:
    """A fresh urn with a fresh key; harmless to repeat.

    What is left of the lost one is destroyed: nobody could count it. Raises Taken where `can_reopen` says no.
    """
    if not can_reopen(cycle_id):
        raise Taken("ballots:urn_gone")
    if not service.is_lost(cycle_id) and service.is_whole(cycle_id):
        return
    settings = house().settings
    folder, urn = settings.keys_dir, service.urn_at(settings, cycle_id)
    keys.destroy(folder, cycle_id)
    urn.drop()
    if not _has_seal(cycle_id):  # of one that is here the raters' browsers may know the fingerprint
        seal_keys.destroy(folder, cycle_id)
        seal_keys.make_managed(folder, cycle_id)
    db.session.merge(UrnRow(cycle_id=cycle_id))
    db.session.flush()
    keys.make(folder, cycle_id)
    urn.create()


def _has_seal(cycle_id: int) -> bool:
    folder = house().settings.keys_dir
    can_open = service.is_locked(cycle_id) or seal_keys.private(folder, cycle_id) is not None
    return can_open and seal_keys.is_made(folder, cycle_id)
