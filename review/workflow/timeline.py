"""The life of one cycle as steps with dates, for HR's board and everybody's start page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from review.cycles.tables import CycleRow
from review.domain.calendar import add_working_days, local_day
from review.domain.cycle import Stage
from review.infra import dates
from review.infra.organisation import Organisation

ORDER = ("prepare", "collect", "finalise", "publish", "sign")
NOW_AT = {
    Stage.DRAFT: "prepare",
    Stage.NOMINATING: "prepare",
    Stage.COLLECTING: "collect",
    Stage.COUNTING: "finalise",
    Stage.FINALISING: "finalise",
    Stage.PUBLISHED: "sign",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its key, its days, and whether it is done, now or next."""

    key: str
    first: date
    last: date
    state: str

    def days(self, locale: str, zone: ZoneInfo) -> str:
        return dates.span(self.first, self.last, locale, zone)


def steps_of(cycle: CycleRow, ours: Organisation) -> Sequence[Step]:
    """The five steps of a cycle; all done once it is archived, none ahead once it is cancelled."""
    opens, closes = local_day(cycle.opens_at, ours.zone), local_day(cycle.closes_at, ours.zone)
    final = local_day(cycle.finalise_by, ours.zone)
    made = local_day(cycle.created_at, ours.zone)
    signed = add_working_days(cycle.publish_on, cycle.acknowledge_days, ours.holidays)
    after_close = add_working_days(closes, 1, ours.holidays)
    days = {
        "prepare": (min(made, opens), opens),
        "collect": (opens, closes),
        "finalise": (min(after_close, final), final),
        "publish": (cycle.publish_on, cycle.publish_on),
        "sign": (cycle.publish_on, signed),
    }
    here = ORDER.index(NOW_AT[cycle.stage]) if cycle.stage in NOW_AT else len(ORDER)
    return [
        Step(key, *days[key], "done" if at < here else "now" if at == here else "next") for at, key in enumerate(ORDER)
    ]
