"""What HR types to try other rules: one text field for each number of a scheme that can be asked for."""

from collections.abc import Mapping
from typing import Any

from wtforms import StringField

from review.domain.refusals import Invalid, Problem
from review.domain.scheme_shape import Scheme
from review.domain.supposition import Supposition, supposition_of
from review.domain.vocabulary import COUNTING, GRADES, Source
from review.infra.forms import Form, strip

STEPPED, EXACT = "stepped", "exact"


class WhatIfForm(Form):
    """Made for one scheme by `what_if_form`; its fields are named after places in it (`weight_0_peers`)."""

    scheme: Scheme

    def to_supposition(self) -> Supposition:
        typed = self.data
        keys = [criterion.key for criterion in self.scheme.criteria]
        return Supposition(
            shares={key: typed[f"share_{at}"] for at, key in enumerate(keys)},
            weights={
                key: {source: typed[f"weight_{at}_{source.value}"] for source in COUNTING}
                for at, key in enumerate(keys)
            },
            cuts={grade: typed[f"cut_{grade.value}"] for grade in GRADES[:-1]},
            points={rule.level: typed[f"points_{at}"] for at, rule in enumerate(self.scheme.levels)},
            customers=typed["customers"],
            peers=typed["peers"],
            stepped=typed["step"] != EXACT,
        )

    def take(self, refusal: Invalid) -> None:
        """A problem lies where its number was typed, or, of a whole row, at the first number of the row."""
        names = _names(self.scheme)
        super().take(
            Invalid.of([Problem(one.code, names.get(one.where or ""), one.params) for one in refusal.problems])
        )


def _fields(scheme: Scheme) -> dict[str, str]:
    """The name of each field and what the scheme says there."""
    is_ = supposition_of(scheme)
    told = {f"cut_{grade.value}": text for grade, text in is_.cuts.items()}
    for at, criterion in enumerate(scheme.criteria):
        told[f"share_{at}"] = is_.shares[criterion.key]
        told |= {f"weight_{at}_{source.value}": text for source, text in is_.weights[criterion.key].items()}
    told |= {f"points_{at}": is_.points[rule.level] for at, rule in enumerate(scheme.levels)}
    return {**told, "customers": is_.customers, "peers": is_.peers, "step": STEPPED if is_.stepped else EXACT}


def _names(scheme: Scheme) -> dict[str, str]:
    """The field for each place in a scheme where a problem may lie."""
    names = {"minimums.customers": "customers", "minimums.peers": "peers", "peer_step": "step"}
    names |= {f"cuts.{grade.value}": f"cut_{grade.value}" for grade in GRADES[:-1]}
    names |= {f"levels[{at}].points": f"points_{at}" for at in range(len(scheme.levels))} | {"levels": "points_0"}
    for at in range(len(scheme.criteria)):
        names[f"criteria[{at}].share"] = f"share_{at}"
        names[f"criteria[{at}].weights"] = f"weight_{at}_{Source.SUPERVISOR.value}"
        names |= {f"criteria[{at}].weights.{source.value}": f"weight_{at}_{source.value}" for source in COUNTING}
    return names


def what_if_form(scheme: Scheme, typed: Mapping[str, str]) -> WhatIfForm:
    """The form over `scheme` with what was typed; what was not sent stands as the scheme has it."""
    said = _fields(scheme)
    fields: dict[str, Any] = {name: StringField(filters=[strip]) for name in said}
    made = type("WhatIfOf", (WhatIfForm,), {**fields, "scheme": scheme})
    values = {name: typed.get(name, text) for name, text in said.items()}
    form: WhatIfForm = made(formdata=None, data=values, meta={"csrf": False})
    return form
