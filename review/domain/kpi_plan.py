"""Makes a KpiPlan out of plain data and refuses every inconsistency, each by its place.

A plan is fixed when it is opened; its hash is that of its canonical JSON.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from review.domain.canonical import digest
from review.domain.kpi import FULL, Bracket, KpiRule
from review.domain.kpi_plan_shape import (
    LESS_IS_BETTER,
    NO_AIM,
    OF_SATISFACTION,
    Aim,
    KindAim,
    KpiPlan,
    Obtained,
    PlanRow,
    Record,
    TargetGroup,
    Tenure,
    dump_group,
    dump_plan,
    dump_row,
    plain,
    satisfaction_weight,
)
from review.domain.reading import LARGEST, Reader, place
from review.domain.records import UNITS, Indicator, Unit
from review.domain.rounding import exact_text
from review.domain.vocabulary import Text

__all__ = [
    "LESS_IS_BETTER",
    "NO_AIM",
    "OF_SATISFACTION",
    "SATISFACTION_AT_LEAST",
    "Aim",
    "KindAim",
    "KpiPlan",
    "Obtained",
    "PlanRow",
    "Record",
    "TargetGroup",
    "Tenure",
    "dump_group",
    "dump_plan",
    "dump_row",
    "parse_plan",
    "plain",
    "plan_hash",
    "read_groups",
    "read_plan",
    "read_rows",
    "satisfaction_weight",
]

SATISFACTION_AT_LEAST = Fraction(30)  # percent: satisfaction decides who may stay, so it may not weigh less
MOST_ROWS, MOST_GROUPS, MOST_KINDS, MOST_WORDS, MOST_BRACKETS = 30, 40, 40, 40, 20
LONGEST_TEXT, LONGEST_WORD, LONGEST_KEY = 500, 80, 40
MOST_MONTHS = 120
MOST_DIFFICULT = 100
HIGHEST_CAP = 1000
PLAN_KEYS = ("key", "version", "name", "rows", "groups", "difficulty", "new_months", "sheet_veto")
ROW_KEYS = (
    "key",
    "group",
    "name",
    "indicator",
    "weight",
    "rule",
    "definition",
    "obtained",
    "record",
    "supplier",
)
ROW_MAY = ("unit", "full", "cost", "veto_at", "cap", "brackets")
GROUP_KEYS = ("key", "name", "posts", "tenure", "channels", "aims")
NEEDS: Mapping[KpiRule, tuple[str, ...]] = {KpiRule.LAPSES: ("full", "cost"), KpiRule.BRACKETS: ("brackets",)}
MAY: Mapping[KpiRule, tuple[str, ...]] = {KpiRule.HIGHER: ("cap",), KpiRule.LAPSES: ("veto_at",)}
KNOWN_TO: Mapping[Record, frozenset[Indicator]] = {
    Record.TICKETS: frozenset(Indicator),
    Record.SURVEYS: OF_SATISFACTION,
    Record.QUALITY: frozenset({Indicator.COMPLIANCE}),
    Record.HAND: frozenset(),
}
_KEY = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{LONGEST_KEY - 1}}}")


def parse_plan(data: object) -> KpiPlan:
    """The plan in plain data (JSON's types, decimals as strings). Raises Invalid with all problems."""
    reader = Reader()
    plan = read_plan(reader, data, "")
    reader.finish()
    return replace(plan, hash=plan_hash(plan))


def plan_hash(plan: KpiPlan) -> str:
    """SHA-256 of the plan's canonical JSON."""
    return digest(dump_plan(plan))


def read_plan(reader: Reader, data: object, where: str) -> KpiPlan:
    """Read a full plan; its problems are noted in `reader`, and its hash is still missing."""
    raw = reader.mapping(data, where, PLAN_KEYS)
    rows = read_rows(reader, raw.get("rows"), place(where, "rows"))
    return KpiPlan(
        key=_read_key(reader, raw.get("key"), place(where, "key")),
        version=reader.whole(raw.get("version"), place(where, "version"), 1, 1_000_000),
        name=_read_text(reader, raw.get("name"), place(where, "name")),
        rows=rows,
        groups=read_groups(reader, raw.get("groups"), place(where, "groups"), rows),
        difficulty=read_difficulty(reader, raw.get("difficulty"), place(where, "difficulty")),
        new_months=reader.whole(raw.get("new_months"), place(where, "new_months"), 0, MOST_MONTHS),
        sheet_veto=reader.flag(raw.get("sheet_veto"), place(where, "sheet_veto")),
    )


def read_rows(reader: Reader, data: object, where: str) -> tuple[PlanRow, ...]:
    """The rows: 100 together, and the customers' satisfaction among them weighs at least 30."""
    before = len(reader.problems)
    rows: list[PlanRow] = []
    for spot, element in reader.items(data, where, MOST_ROWS):
        row = _read_row(reader, element, spot)
        if any(row.key == other.key for other in rows):
            reader.note("twice", place(spot, "key"), key=row.key)
        rows.append(row)
    if len(reader.problems) == before:
        _check_weights(reader, tuple(rows), where)
    return tuple(rows)


def _check_weights(reader: Reader, rows: tuple[PlanRow, ...], where: str) -> None:
    total = sum((row.weight for row in rows), Fraction(0))
    if not rows:
        reader.note("empty", where)
    elif total != 100:
        reader.note("weights_sum", where, total=exact_text(total))
    if rows and satisfaction_weight(rows) < SATISFACTION_AT_LEAST:
        told = exact_text(satisfaction_weight(rows))
        reader.note("kpi_plan:satisfaction_too_light", where, weight=told, least=exact_text(SATISFACTION_AT_LEAST))


def _read_row(reader: Reader, data: object, where: str) -> PlanRow:
    raw = reader.mapping(data, where, ROW_KEYS, ROW_MAY)
    before = len(reader.problems)
    rule = reader.choice(raw.get("rule"), place(where, "rule"), KpiRule)
    if len(reader.problems) == before:
        _check_parameters(reader, raw, rule, where)
    indicator = _read_indicator(reader, raw.get("indicator"), place(where, "indicator"))
    row = PlanRow(
        key=_read_key(reader, raw.get("key"), place(where, "key")),
        group=_read_text(reader, raw.get("group"), place(where, "group")),
        name=_read_text(reader, raw.get("name"), place(where, "name")),
        indicator=indicator,
        unit=_read_unit(reader, raw.get("unit"), place(where, "unit"), indicator),
        weight=_positive(reader, raw.get("weight"), place(where, "weight"), 100),
        rule=rule,
        definition=_read_text(reader, raw.get("definition"), place(where, "definition")),
        obtained=reader.choice(raw.get("obtained"), place(where, "obtained"), Obtained),
        record=reader.choice(raw.get("record"), place(where, "record"), Record),
        supplier=_read_text(reader, raw.get("supplier"), place(where, "supplier")),
        full=_positive(reader, raw["full"], place(where, "full"), 1000) if _has(raw, "full") else None,
        cost=reader.number(raw["cost"], place(where, "cost"), 0, 1000) if _has(raw, "cost") else None,
        veto_at=reader.whole(raw["veto_at"], place(where, "veto_at"), 1, 1000) if _has(raw, "veto_at") else None,
        cap=_positive(reader, raw["cap"], place(where, "cap"), HIGHEST_CAP) if _has(raw, "cap") else FULL,
        brackets=_read_brackets(reader, raw.get("brackets"), place(where, "brackets")),
    )
    if len(reader.problems) == before:
        _check_row(reader, row, where)
    return row


def _has(raw: Mapping[str, object], name: str) -> bool:
    return raw.get(name) is not None


def _check_parameters(reader: Reader, raw: Mapping[str, object], rule: KpiRule, where: str) -> None:
    for name in ROW_MAY[1:]:
        if _has(raw, name) and name not in (*NEEDS.get(rule, ()), *MAY.get(rule, ())):
            reader.note("not_for_rule", place(where, name), rule=rule.value)
    for name in NEEDS.get(rule, ()):
        if not _has(raw, name):
            reader.note("missing", place(where, name))


def _check_row(reader: Reader, row: PlanRow, where: str) -> None:
    """What no single field can say: whether rule, indicator and record go together."""
    if row.indicator is not None:
        less = row.indicator in LESS_IS_BETTER
        if row.rule is (KpiRule.HIGHER if less else KpiRule.LOWER):
            reader.note("kpi_plan:less_is_better" if less else "kpi_plan:more_is_better", place(where, "rule"))
    if row.rule is KpiRule.LAPSES and not row.cost and row.veto_at is None:
        reader.note("kpi_plan:lapses_cost_nothing", place(where, "cost"))
    if row.obtained is Obtained.SYSTEM:
        _check_source(reader, row, where)


def _check_source(reader: Reader, row: PlanRow, where: str) -> None:
    if row.indicator is None:
        reader.note("kpi_plan:own_rows_by_hand", place(where, "obtained"))
    elif row.indicator not in KNOWN_TO[row.record]:
        reader.note("kpi_plan:record_does_not_know", place(where, "record"))
    elif row.rule is KpiRule.LAPSES or (row.rule is KpiRule.POINTS and row.unit is not Unit.POINTS):
        reader.note("kpi_plan:rule_by_hand", place(where, "obtained"))


def _read_indicator(reader: Reader, value: object, where: str) -> Indicator | None:
    return None if value is None else reader.choice(value, where, Indicator)


def _read_unit(reader: Reader, value: object, where: str, indicator: Indicator | None) -> Unit:
    """The indicator's unit; own rows say theirs, where another one is told of an indicator it is refused."""
    if value is None and indicator is not None:
        return UNITS[indicator]
    if value is None:
        reader.note("missing", where)
        return Unit.COUNT
    unit = reader.choice(value, where, Unit)
    if indicator is not None and unit is not UNITS[indicator]:
        reader.note("kpi_plan:unit_of_indicator", where, unit=UNITS[indicator].value)
        return UNITS[indicator]
    return unit


def _read_brackets(reader: Reader, value: object, where: str) -> tuple[Bracket, ...]:
    brackets: list[Bracket] = []
    for spot, element in reader.items(value, where, MOST_BRACKETS):
        raw = reader.mapping(element, spot, ("from", "points"))
        start = reader.number(raw.get("from"), place(spot, "from"))
        points = reader.number(raw.get("points"), place(spot, "points"), 0, 100)
        if brackets and start <= brackets[-1].start:
            reader.note("brackets_must_rise", place(spot, "from"))
        brackets.append(Bracket(start, points))
    if value is not None and not brackets:
        reader.note("empty", where)
    return tuple(brackets)


def read_groups(reader: Reader, data: object, where: str, rows: tuple[PlanRow, ...]) -> tuple[TargetGroup, ...]:
    """The target groups with an aim for every row that needs one; the last group takes everybody."""
    groups: list[TargetGroup] = []
    for spot, element in reader.items(data, where, MOST_GROUPS):
        group = _read_group(reader, element, spot, rows)
        if any(group.key == other.key for other in groups):
            reader.note("twice", place(spot, "key"), key=group.key)
        elif any(_asks_the_same(group, other) for other in groups):
            reader.note("kpi_plan:group_never_reached", spot)
        groups.append(group)
    if not groups:
        reader.note("empty", where)
    elif any(groups[-1].conditions):
        reader.note("kpi_plan:last_group_takes_all", place(where, len(groups) - 1))
    return tuple(groups)


def _asks_the_same(group: TargetGroup, other: TargetGroup) -> bool:
    """Whether everybody of `group` is met by an earlier group with the same kind of conditions."""
    return (
        group.conditions == other.conditions
        and group.tenure is other.tenure
        and {plain(post) for post in group.posts} <= {plain(post) for post in other.posts}
        and {plain(channel) for channel in group.channels} <= {plain(channel) for channel in other.channels}
    )


def _read_group(reader: Reader, data: object, where: str, rows: tuple[PlanRow, ...]) -> TargetGroup:
    raw = reader.mapping(data, where, GROUP_KEYS)
    return TargetGroup(
        key=_read_key(reader, raw.get("key"), place(where, "key")),
        name=_read_text(reader, raw.get("name"), place(where, "name")),
        posts=_read_words(reader, raw.get("posts"), place(where, "posts")),
        tenure=reader.choice(raw.get("tenure"), place(where, "tenure"), Tenure),
        channels=_read_words(reader, raw.get("channels"), place(where, "channels")),
        aims=_read_aims(reader, raw.get("aims"), place(where, "aims"), rows),
    )


def _read_words(reader: Reader, value: object, where: str) -> tuple[str, ...]:
    words: list[str] = []
    for spot, element in reader.items(value, where, MOST_WORDS):
        word = reader.text(element, spot, LONGEST_WORD).strip()
        if plain(word) in map(plain, words):
            reader.note("twice", spot, key=word)
        words.append(word)
    return tuple(words)


def _read_aims(reader: Reader, value: object, where: str, rows: tuple[PlanRow, ...]) -> dict[str, Aim]:
    needed = [row.key for row in rows if row.needs_target]
    raw = reader.mapping(value, where, needed, [row.key for row in rows])
    return {row.key: _read_aim(reader, raw[row.key], place(where, row.key), row) for row in rows if row.key in raw}


def _read_aim(reader: Reader, value: object, where: str, row: PlanRow) -> Aim:
    raw = reader.mapping(value, where, ("target",), ("limit", "by_kind"))
    target, limit = _read_target(reader, raw, where, row)
    kinds: list[KindAim] = []
    for spot, element in reader.items(raw.get("by_kind"), place(where, "by_kind"), MOST_KINDS):
        each = reader.mapping(element, spot, ("kind", "target"), ("limit",))
        kind = reader.text(each.get("kind"), place(spot, "kind"), LONGEST_WORD).strip()
        if plain(kind) in [plain(other.kind) for other in kinds]:
            reader.note("twice", place(spot, "kind"), key=kind)
        aimed, bound = _read_target(reader, each, spot, row)
        kinds.append(KindAim(kind, aimed or Fraction(0), bound))
    if kinds and not row.needs_target:
        reader.note("not_for_rule", place(where, "by_kind"), rule=row.rule.value)
    return Aim(target, limit, tuple(kinds))


def _read_target(
    reader: Reader, raw: Mapping[str, object], where: str, row: PlanRow
) -> tuple[Fraction | None, Fraction | None]:
    before, most, spot = len(reader.problems), _most(row), place(where, "target")
    target = limit = None
    if _has(raw, "target"):
        is_above_nought = row.rule is KpiRule.HIGHER
        target = (_positive if is_above_nought else _from_nought)(reader, raw["target"], spot, most)
    elif row.needs_target and "target" in raw:
        reader.note("missing", spot)
    if row.rule is not KpiRule.LOWER:
        if _has(raw, "limit"):
            reader.note("not_for_rule", place(where, "limit"), rule=row.rule.value)
        return target, None
    if _has(raw, "limit"):
        limit = _from_nought(reader, raw["limit"], place(where, "limit"), most)
    else:
        reader.note("missing", place(where, "limit"))
    if len(reader.problems) == before and target is not None and limit is not None and limit <= target:
        reader.note("limit_above_target", place(where, "limit"))
    return target, limit


def _most(row: PlanRow) -> Fraction:
    """Shares and points of the catalogue end at 100; own rows may be measured in percent of a plan."""
    is_bounded = row.unit is Unit.POINTS or (row.unit is Unit.PERCENT and row.indicator is not None)
    return FULL if is_bounded else LARGEST


def read_difficulty(reader: Reader, value: object, where: str) -> dict[str, Fraction]:
    """What a case of a problem type weighs, where it is not one ordinary case."""
    if not isinstance(value, Mapping):
        reader.note("not_an_object", where)
        return {}
    if len(value) > MOST_KINDS:
        reader.note("too_many", where, most=MOST_KINDS)
        return {}
    weights: dict[str, Fraction] = {}
    for key, element in value.items():
        spot = place(where, str(key))
        kind = reader.text(key, spot, LONGEST_WORD).strip()
        if plain(kind) in map(plain, weights):
            reader.note("twice", spot, key=kind)
        weights[kind] = _positive(reader, element, spot, MOST_DIFFICULT)
    return weights


def _read_key(reader: Reader, value: object, where: str) -> str:
    if isinstance(value, str) and _KEY.fullmatch(value):
        return value
    reader.note("not_a_key", where)
    return "-"


def _read_text(reader: Reader, value: object, where: str) -> Text:
    raw = reader.mapping(value, where, ("zh", "en"))
    return Text(
        zh=reader.text(raw.get("zh"), place(where, "zh"), LONGEST_TEXT),
        en=reader.text(raw.get("en"), place(where, "en"), LONGEST_TEXT),
    )


def _from_nought(reader: Reader, value: object, where: str, most: Fraction | int) -> Fraction:
    return reader.number(value, where, 0, most)


def _positive(reader: Reader, value: object, where: str, most: Fraction | int) -> Fraction:
    before = len(reader.problems)
    number = reader.number(value, where, 0, most)
    if not number and len(reader.problems) == before:
        reader.note("must_be_positive", where)
    return number
