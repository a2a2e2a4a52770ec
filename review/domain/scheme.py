"""Makes a Scheme out of plain data and refuses every inconsistency, each by its place.

A scheme is frozen when a cycle opens; its hash is that of its canonical JSON with the overrides applied.
"""

import re
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from review.domain.canonical import digest
from review.domain.reading import Reader, place
from review.domain.scheme_dump import dump_scheme
from review.domain.scheme_shape import CommentRules, Criterion, LevelRule, Scheme, Tier
from review.domain.vocabulary import COUNTING, GRADES, LEVELS, STANDARD_POINTS, Grade, Level, PeerStep, Source, Text

__all__ = [
    "COUNTING",
    "GRADES",
    "LEVELS",
    "CommentRules",
    "Criterion",
    "Grade",
    "Level",
    "LevelRule",
    "PeerStep",
    "Scheme",
    "Source",
    "Text",
    "Tier",
    "dump_scheme",
    "parse_scheme",
    "with_overrides",
]

FLOORS = {Source.PEERS: 3, Source.CUSTOMERS: 5}
MOST_ASKED = 1000  # a minimum above this is a slip of the keyboard
PEER_COMMENTS_FLOOR = 5
MOST_CRITERIA = 12  # one small-integer column each in a response
LONGEST_TEXT = 500
SCHEME_KEYS = (
    "id",
    "version",
    "name",
    "levels",
    "criteria",
    "minimums",
    "supervisors_required",
    "peer_step",
    "cuts",
    "rating_share",
    "bonus_cap",
    "deduction_cap",
    "kpi_cap_limit",
    "comments",
    "tiers",
)
CRITERION_KEYS = ("key", "name", "description", "question", "share", "weights", "anchors")
TIER_KEYS = ("grade", "name", "coefficient", "recognition", "coaching", "awards")
COMMENT_KEYS = ("required_for", "longest", "peers_from")
OVERRIDE_KEYS = ("minimums", "peer_step", "rating_share")


def parse_scheme(data: object) -> Scheme:
    """The scheme in plain data (JSON's types, decimals as strings). Raises Invalid with all problems."""
    reader = Reader()
    scheme = read_scheme(reader, data, "")
    reader.finish()
    return sealed(scheme)


def with_overrides(scheme: Scheme, overrides: object) -> Scheme:
    """The scheme with other minimums, peer step or rating share; null changes nothing. Raises Invalid."""
    reader = Reader()
    changed = read_overrides(reader, scheme, overrides, "overrides")
    reader.finish()
    return sealed(changed)


def sealed(scheme: Scheme) -> Scheme:
    """The scheme with the hash of what it says now."""
    return replace(scheme, method_hash=digest(dump_scheme(scheme)))


def read_scheme(reader: Reader, data: object, where: str) -> Scheme:
    """Read a full scheme; its problems are noted in `reader`, and its hash is still missing."""
    raw = reader.mapping(data, where, SCHEME_KEYS)
    levels = _read_levels(reader, raw.get("levels"), place(where, "levels"))
    scheme = Scheme(
        id=_read_key(reader, raw.get("id"), place(where, "id")),
        version=reader.whole(raw.get("version"), place(where, "version"), 1, 1_000_000),
        name=_read_text(reader, raw.get("name"), place(where, "name")),
        levels=levels,
        criteria=_read_criteria(reader, raw.get("criteria"), place(where, "criteria")),
        minimums=_read_minimums(reader, raw.get("minimums"), place(where, "minimums"), required=True),
        supervisors_required=reader.whole(raw.get("supervisors_required"), place(where, "supervisors_required"), 1, 2),
        peer_step=_read_step(reader, raw.get("peer_step"), place(where, "peer_step")),
        cuts=_read_cuts(reader, raw.get("cuts"), place(where, "cuts"), levels),
        rating_share=reader.number(raw.get("rating_share"), place(where, "rating_share"), 0, 1),
        bonus_cap=reader.number(raw.get("bonus_cap"), place(where, "bonus_cap"), 0, 100),
        deduction_cap=reader.number(raw.get("deduction_cap"), place(where, "deduction_cap"), 0, 100),
        kpi_cap_limit=_read_cap_limit(reader, raw.get("kpi_cap_limit"), place(where, "kpi_cap_limit")),
        comments=_read_comments(reader, raw.get("comments"), place(where, "comments")),
        tiers=_read_tiers(reader, raw.get("tiers"), place(where, "tiers")),
    )
    _check_steps(reader, scheme, where)
    return scheme


def read_overrides(reader: Reader, scheme: Scheme, data: object, where: str) -> Scheme:
    """The scheme with the overrides in `data`, its hash still the old one."""
    if data is None:
        return scheme
    raw = reader.mapping(data, where, (), OVERRIDE_KEYS)
    minimums, share, step = dict(scheme.minimums), scheme.rating_share, scheme.peer_step
    if raw.get("minimums") is not None:
        minimums |= _read_minimums(reader, raw["minimums"], place(where, "minimums"), required=False)
    if raw.get("rating_share") is not None:
        share = reader.number(raw["rating_share"], place(where, "rating_share"), 0, 1)
    if "peer_step" in raw:  # here null means something: the exact mean counts
        step = _read_step(reader, raw["peer_step"], place(where, "peer_step"))
    changed = replace(scheme, minimums=minimums, rating_share=share, peer_step=step)
    _check_steps(reader, changed, where)
    return changed


def _check_steps(reader: Reader, scheme: Scheme, where: str) -> None:
    points = tuple(rule.points for rule in scheme.levels)
    if scheme.peer_step is not None and len(points) == len(LEVELS) and points != STANDARD_POINTS:
        reader.note("steps_need_standard_levels", place(where, "peer_step"))


def _read_key(reader: Reader, value: object, where: str) -> str:
    if isinstance(value, str) and re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", value):
        return value
    reader.note("not_a_key", where)
    return "-"


def _read_text(reader: Reader, value: object, where: str) -> Text:
    raw = reader.mapping(value, where, ("zh", "en"))
    zh, en = (reader.text(raw[key], place(where, key), LONGEST_TEXT) if key in raw else "-" for key in ("zh", "en"))
    return Text(zh, en)


def _read_step(reader: Reader, value: object, where: str) -> PeerStep | None:
    return None if value is None else reader.choice(value, where, PeerStep)


def _read_cap_limit(reader: Reader, value: object, where: str) -> Fraction | None:
    return None if value is None else reader.number(value, where, 100, 1000)


def _read_levels(reader: Reader, value: object, where: str) -> tuple[LevelRule, ...]:
    rules = []
    for spot, element in reader.items(value, where, len(LEVELS)):
        raw = reader.mapping(element, spot, ("key", "points", "name"))
        rules.append(
            LevelRule(
                level=reader.choice(raw.get("key"), place(spot, "key"), Level),
                points=reader.whole(raw.get("points"), place(spot, "points"), 0, 100),
                name=_read_text(reader, raw.get("name"), place(spot, "name")),
            )
        )
    if tuple(rule.level for rule in rules) != LEVELS:
        reader.note("levels_in_order", where, choices=", ".join(LEVELS))
    elif any(better.points <= lower.points for better, lower in pairwise(rules)):
        reader.note("points_must_fall", where)
    return tuple(rules)


def _read_criteria(reader: Reader, value: object, where: str) -> tuple[Criterion, ...]:
    criteria: list[Criterion] = []
    for spot, element in reader.items(value, where, MOST_CRITERIA):
        criterion = _read_criterion(reader, element, spot)
        if any(criterion.key == other.key for other in criteria):
            reader.note("twice", place(spot, "key"), key=criterion.key)
        criteria.append(criterion)
    if not criteria:
        reader.note("empty", where)
    return tuple(criteria)


def _read_criterion(reader: Reader, value: object, where: str) -> Criterion:
    raw = reader.mapping(value, where, CRITERION_KEYS)
    anchors = reader.mapping(raw.get("anchors"), place(where, "anchors"), [level.value for level in LEVELS])
    return Criterion(
        key=_read_key(reader, raw.get("key"), place(where, "key")),
        name=_read_text(reader, raw.get("name"), place(where, "name")),
        description=_read_text(reader, raw.get("description"), place(where, "description")),
        question=_read_text(reader, raw.get("question"), place(where, "question")),
        share=reader.whole(raw.get("share"), place(where, "share"), 1, 100),
        weights=_read_weights(reader, raw.get("weights"), place(where, "weights")),
        anchors={
            level: _read_text(reader, anchors.get(level.value), place(place(where, "anchors"), level.value))
            for level in LEVELS
        },
    )


def _read_weights(reader: Reader, value: object, where: str) -> dict[Source, int]:
    before = len(reader.problems)
    raw = reader.mapping(value, where, [source.value for source in COUNTING])
    weights = {}
    for source in COUNTING:
        lowest = 1 if source is Source.SUPERVISOR else 0  # without a supervisor's word there is no score at all
        weights[source] = reader.whole(raw.get(source.value), place(where, source.value), lowest, 100)
    total = sum(weights.values())
    if len(reader.problems) == before and total != 100:
        reader.note("weights_sum", where, total=total)
    return weights


def _read_minimums(reader: Reader, value: object, where: str, *, required: bool) -> dict[Source, int]:
    names = [source.value for source in FLOORS]
    raw = reader.mapping(value, where, names if required else (), names)
    minimums = {}
    for source, floor in FLOORS.items():
        if required or raw.get(source.value) is not None:
            minimums[source] = reader.whole(raw.get(source.value), place(where, source.value), floor, MOST_ASKED)
    return minimums


def _read_cuts(reader: Reader, value: object, where: str, levels: tuple[LevelRule, ...]) -> dict[Grade, Fraction]:
    raw = reader.mapping(value, where, [grade.value for grade in GRADES[:-1]])
    cuts = {}
    for index, grade in enumerate(GRADES[:-1]):
        spot, before = place(where, grade.value), len(reader.problems)
        cuts[grade] = reader.number(raw.get(grade.value), spot, 0, 100)
        if len(reader.problems) == before and len(levels) == len(LEVELS):
            above, below = levels[index].points, levels[index + 1].points
            if not below < cuts[grade] < above:
                reader.note("cut_between_anchors", spot, low=below, high=above)
    return cuts


def _read_comments(reader: Reader, value: object, where: str) -> CommentRules:
    raw = reader.mapping(value, where, COMMENT_KEYS)
    listed = reader.items(raw.get("required_for"), place(where, "required_for"), len(LEVELS))
    peers_from = raw.get("peers_from")
    return CommentRules(
        required_for=tuple(reader.choice(element, spot, Level) for spot, element in listed),
        longest=reader.whole(raw.get("longest"), place(where, "longest"), 1, 20_000),
        peers_from=None
        if peers_from is None
        else reader.whole(peers_from, place(where, "peers_from"), PEER_COMMENTS_FLOOR, MOST_ASKED),
    )


def _read_tiers(reader: Reader, value: object, where: str) -> dict[Grade, Tier]:
    tiers = [_read_tier(reader, element, spot) for spot, element in reader.items(value, where, len(GRADES))]
    if tuple(tier.grade for tier in tiers) != GRADES:
        reader.note("tiers_in_order", where, choices=", ".join(GRADES))
    elif any(better.coefficient < lower.coefficient for better, lower in pairwise(tiers)):
        reader.note("coefficients_must_fall", where)
    return {tier.grade: tier for tier in tiers}


def _read_tier(reader: Reader, value: object, where: str) -> Tier:
    raw = reader.mapping(value, where, TIER_KEYS)
    return Tier(
        grade=reader.choice(raw.get("grade"), place(where, "grade"), Grade),
        name=_read_text(reader, raw.get("name"), place(where, "name")),
        coefficient=reader.number(raw.get("coefficient"), place(where, "coefficient"), 0, 10),
        recognition=reader.flag(raw.get("recognition"), place(where, "recognition")),
        coaching=reader.flag(raw.get("coaching"), place(where, "coaching")),
        awards=_read_text(reader, raw.get("awards"), place(where, "awards")),
    )
