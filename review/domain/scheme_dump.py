"""A scheme as plain data: what is stored, hashed, exported and read again by `scheme.parse_scheme`."""

from review.domain.rounding import exact_text
from review.domain.scheme_shape import Criterion, Scheme, Tier
from review.domain.vocabulary import COUNTING, GRADES, LEVELS, Source, Text


def dump_scheme(scheme: Scheme) -> dict[str, object]:
    """Plain data from which `parse_scheme` makes an equal scheme."""
    return {
        "id": scheme.id,
        "version": scheme.version,
        "name": _dump_text(scheme.name),
        "levels": [{"key": r.level.value, "points": r.points, "name": _dump_text(r.name)} for r in scheme.levels],
        "criteria": [_dump_criterion(criterion) for criterion in scheme.criteria],
        "minimums": {source.value: scheme.minimums[source] for source in (Source.PEERS, Source.CUSTOMERS)},
        "supervisors_required": scheme.supervisors_required,
        "peer_step": scheme.peer_step.value if scheme.peer_step else None,
        "cuts": {grade.value: exact_text(scheme.cuts[grade]) for grade in GRADES[:-1]},
        "rating_share": exact_text(scheme.rating_share),
        "bonus_cap": exact_text(scheme.bonus_cap),
        "deduction_cap": exact_text(scheme.deduction_cap),
        "kpi_cap_limit": None if scheme.kpi_cap_limit is None else exact_text(scheme.kpi_cap_limit),
        "comments": {
            "required_for": [level.value for level in scheme.comments.required_for],
            "longest": scheme.comments.longest,
            "peers_from": scheme.comments.peers_from,
        },
        "tiers": [_dump_tier(scheme.tiers[grade]) for grade in GRADES],
    }


def _dump_text(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _dump_criterion(criterion: Criterion) -> dict[str, object]:
    return {
        "key": criterion.key,
        "name": _dump_text(criterion.name),
        "description": _dump_text(criterion.description),
        "question": _dump_text(criterion.question),
        "share": criterion.share,
        "weights": {source.value: criterion.weights[source] for source in COUNTING},
        "anchors": {level.value: _dump_text(criterion.anchors[level]) for level in LEVELS},
    }


def _dump_tier(tier: Tier) -> dict[str, object]:
    return {
        "grade": tier.grade.value,
        "name": _dump_text(tier.name),
        "coefficient": exact_text(tier.coefficient),
        "recognition": tier.recognition,
        "coaching": tier.coaching,
        "awards": _dump_text(tier.awards),
    }
