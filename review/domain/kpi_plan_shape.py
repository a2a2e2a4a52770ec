"""The shape of a KPI plan (指标方案): rows with weights and rules, and targets by group of posts, tenure and channel.

A KpiPlan is made only by `kpi_plan.parse_plan`, which refuses every inconsistency; these types take sense for granted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from review.domain.kpi import FULL, Bracket, KpiRule
from review.domain.records import UNITS, Indicator, Unit
from review.domain.rounding import exact_text, weighted_mean
from review.domain.vocabulary import Text

LESS_IS_BETTER = frozenset(
    {
        Indicator.FIRST_RESPONSE,
        Indicator.CUSTOMER_WAIT,
        Indicator.RESOLUTION_TIME,
        Indicator.REOPEN_RATE,
        Indicator.COMPLAINT_RATE,
        Indicator.BAD_RATE,
        Indicator.ERROR_RATE,
    }
)
OF_SATISFACTION = frozenset({Indicator.SATISFACTION, Indicator.CSAT_POINTS, Indicator.BAD_RATE})


class Obtained(StrEnum):
    """How a row's figure gets onto the sheet."""

    SYSTEM = "system"
    HAND = "hand"


class Record(StrEnum):
    """From which record the figure comes."""

    TICKETS = "tickets"
    SURVEYS = "surveys"
    QUALITY = "quality"
    HAND = "hand"


class Tenure(StrEnum):
    """Whom a target group is for: everybody, or people before or after their first months."""

    ANY = "any"
    NEW = "new"
    SENIOR = "senior"


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One row of the sheet. `full`, `cost`, `veto_at`, `cap` and `brackets` mean what they mean in a KpiItem.

    A row without an indicator is the organisation's own and says its unit itself.
    """

    key: str
    group: Text
    name: Text
    indicator: Indicator | None
    unit: Unit
    weight: Fraction
    rule: KpiRule
    definition: Text
    obtained: Obtained
    record: Record
    supplier: Text
    full: Fraction | None = None
    cost: Fraction | None = None
    veto_at: int | None = None
    cap: Fraction = FULL
    brackets: tuple[Bracket, ...] = ()

    @property
    def needs_target(self) -> bool:
        return self.rule in (KpiRule.HIGHER, KpiRule.LOWER)


@dataclass(frozen=True, slots=True)
class KindAim:
    """What is aimed at in cases of one problem type (工单类型)."""

    kind: str
    target: Fraction
    limit: Fraction | None


@dataclass(frozen=True, slots=True)
class Aim:
    """Target and, where less is better, limit of one row; `by_kind` differs from them for some problem types.

    Durations are seconds, shares percent. `target` is what holds for problem types that have no aim of their own.
    """

    target: Fraction | None
    limit: Fraction | None
    by_kind: tuple[KindAim, ...] = ()


NO_AIM = Aim(None, None)


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """People with the same targets. No posts or no channels named means: all."""

    key: str
    name: Text
    posts: tuple[str, ...]
    tenure: Tenure
    channels: tuple[str, ...]
    aims: Mapping[str, Aim]

    @property
    def conditions(self) -> tuple[bool, bool, bool]:
        """Which of post, tenure and channel it asks for."""
        return bool(self.posts), self.tenure is not Tenure.ANY, bool(self.channels)

    def includes(self, post: str | None, is_new: bool | None, channel: str | None) -> bool:
        return (
            (not self.posts or plain(post) in map(plain, self.posts))
            and (self.tenure is Tenure.ANY or is_new is (self.tenure is Tenure.NEW))
            and (not self.channels or plain(channel) in map(plain, self.channels))
        )


@dataclass(frozen=True, slots=True)
class KpiPlan:
    """A whole plan. `hash` is the SHA-256 of its canonical JSON; `difficulty` weighs cases by their problem type."""

    key: str
    version: int
    name: Text
    rows: tuple[PlanRow, ...]
    groups: tuple[TargetGroup, ...]
    difficulty: Mapping[str, Fraction] = field(default_factory=dict)
    new_months: int = 6
    sheet_veto: bool = False
    hash: str = ""

    def row(self, key: str) -> PlanRow:
        """Raises KeyError for a key that is none of this plan's."""
        for row in self.rows:
            if row.key == key:
                return row
        raise KeyError(key)

    def group(self, key: str) -> TargetGroup:
        """Raises KeyError for a key that is none of this plan's."""
        for group in self.groups:
            if group.key == key:
                return group
        raise KeyError(key)

    def is_new(self, months_employed: int | None) -> bool | None:
        """Whether somebody is new; None where it is not known since when they have been here."""
        return None if months_employed is None else months_employed < self.new_months

    def group_for(self, post: str | None, months_employed: int | None, channel: str | None) -> TargetGroup:
        """The group that asks for the most and is met: more conditions first, then post, tenure, channel, then order.

        Who came nobody knows when is neither new nor senior. The last group takes everybody.
        """
        is_new = self.is_new(months_employed)
        met = [group for group in self.groups if group.includes(post, is_new, channel)]
        return max(met, key=lambda group: (sum(group.conditions), group.conditions))

    def aim_of(self, group: TargetGroup, row_key: str, mix: Mapping[str, Fraction]) -> Aim:
        """What the row aims at for somebody whose cases are mixed so: the mean of the kinds' aims, weighed by cases.

        `mix` is how many cases of each problem type; kinds without an aim of their own have the row's. The mean is
        exact, and where there are no cases the row's own aim stands. Raises ValueError for a negative number.
        """
        aim = group.aims.get(row_key, NO_AIM)
        if any(count < 0 for count in mix.values()):
            raise ValueError("a mix has no negative counts")
        cases = [(count, kind) for kind, count in mix.items() if count]
        if not aim.by_kind or not cases or aim.target is None:
            return Aim(aim.target, aim.limit)
        own = {plain(each.kind): each for each in aim.by_kind}
        standing = KindAim("", aim.target, aim.limit)
        met = [(count, own.get(plain(kind), standing)) for count, kind in cases]
        limits = [(count, each.limit) for count, each in met if each.limit is not None]
        return Aim(
            weighted_mean([(count, each.target) for count, each in met]),
            weighted_mean(limits) if len(limits) == len(met) else None,
        )

    def satisfaction_weight(self) -> Fraction:
        return satisfaction_weight(self.rows)


def satisfaction_weight(rows: tuple[PlanRow, ...]) -> Fraction:
    """What the customers' satisfaction weighs in the sheet, in percent."""
    return sum((row.weight for row in rows if row.indicator in OF_SATISFACTION), Fraction(0))


def plain(word: str | None) -> str:
    """How posts, channels and kinds are compared: without case and outer blanks."""
    return (word or "").strip().casefold()


def dump_plan(plan: KpiPlan) -> dict[str, object]:
    """Plain data from which `parse_plan` makes an equal plan."""
    return {
        "key": plan.key,
        "version": plan.version,
        "name": _dump_text(plan.name),
        "rows": [dump_row(row) for row in plan.rows],
        "groups": [dump_group(group) for group in plan.groups],
        "difficulty": {kind: exact_text(weight) for kind, weight in plan.difficulty.items()},
        "new_months": plan.new_months,
        "sheet_veto": plan.sheet_veto,
    }


def dump_row(row: PlanRow) -> dict[str, object]:
    given: dict[str, object] = {
        "key": row.key,
        "group": _dump_text(row.group),
        "name": _dump_text(row.name),
        "indicator": None if row.indicator is None else row.indicator.value,
        "weight": exact_text(row.weight),
        "rule": row.rule.value,
        "definition": _dump_text(row.definition),
        "obtained": row.obtained.value,
        "record": row.record.value,
        "supplier": _dump_text(row.supplier),
    }
    if row.indicator is None or row.unit is not UNITS[row.indicator]:
        given["unit"] = row.unit.value
    if row.rule is KpiRule.HIGHER:
        given["cap"] = exact_text(row.cap)
    if row.full is not None and row.cost is not None:
        given |= {"full": exact_text(row.full), "cost": exact_text(row.cost), "veto_at": row.veto_at}
    if row.brackets:
        given["brackets"] = [{"from": exact_text(b.start), "points": exact_text(b.points)} for b in row.brackets]
    return given


def dump_group(group: TargetGroup) -> dict[str, object]:
    return {
        "key": group.key,
        "name": _dump_text(group.name),
        "posts": list(group.posts),
        "tenure": group.tenure.value,
        "channels": list(group.channels),
        "aims": {key: _dump_aim(aim) for key, aim in group.aims.items()},
    }


def _dump_aim(aim: Aim) -> dict[str, object]:
    given: dict[str, object] = {"target": _or_none(aim.target), "limit": _or_none(aim.limit)}
    if aim.by_kind:
        given["by_kind"] = [
            {"kind": each.kind, "target": exact_text(each.target), "limit": _or_none(each.limit)}
            for each in aim.by_kind
        ]
    return given


def _or_none(value: Fraction | None) -> str | None:
    return None if value is None else exact_text(value)


def _dump_text(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
