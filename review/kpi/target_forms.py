"""The forms of a target group and of what holds for the whole plan."""

from collections.abc import Iterable, Mapping

from wtforms import BooleanField, FieldList, FormField, HiddenField, SelectMultipleField, StringField
from wtforms import Form as Part
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import CheckboxInput, ListWidget

from review.domain.kpi import KpiRule
from review.domain.kpi_plan import Aim, KpiPlan, PlanRow, TargetGroup, Tenure
from review.domain.kpi_plan_shape import NO_AIM
from review.domain.kpi_value import plain_number
from review.domain.reading import place
from review.domain.refusals import Invalid, Problem
from review.kpi.amounts import rounded, spelled, words_of
from review.kpi.plan_fields import DraftForm, Plain, amount_of, both, choice_of, steps_of, text_field


class KindPart(Part):
    """What differs for cases of one problem type."""

    kind = text_field()
    target = text_field()
    limit = text_field()


class AimPart(Part):
    """What one row aims at in this group."""

    key = HiddenField()
    target = text_field()
    limit = text_field()
    by_kind = FieldList(FormField(KindPart))


def _several() -> SelectMultipleField:
    return SelectMultipleField(option_widget=CheckboxInput(), widget=ListWidget(), validate_choice=False)


class GroupForm(DraftForm):
    """One target group. The last one of a plan takes everybody and asks for nothing."""

    name_zh, name_en = text_field(), text_field()
    posts, posts_more = _several(), text_field()
    tenure = choice_of(Tenure)
    channels, channels_more = _several(), text_field()
    aims = FieldList(FormField(AimPart))

    def offer(self, posts: Iterable[str], channels: Iterable[str]) -> "GroupForm":
        """Fill in what may be ticked: what there is, and what the group names already."""
        for field, known in ((self.posts, posts), (self.channels, channels)):
            words = dict.fromkeys([*known, *(field.data or [])])
            field.choices = [SelectChoice(word, word) for word in words]
        return self

    def changed(self, act: str) -> "GroupForm":
        """The same form with a problem type added to a row: `kind:3`."""
        data = {name: field.data for name, field in self._fields.items() if name != "csrf_token"}
        name, _, rest = act.partition(":")
        if name == "kind" and rest.isdecimal() and int(rest) < len(data["aims"]):
            data["aims"][int(rest)]["by_kind"].append({"kind": "", "target": "", "limit": ""})
        return GroupForm(formdata=None, data=data)

    def plain(self, plan: KpiPlan, key: str, *, is_last: bool) -> Plain:
        """The group as the domain reads it. Raises Invalid for amounts that cannot be read."""
        problems: list[Problem] = []
        aims = {}
        by_key = {part.form.key.data: part.form for part in self.aims}
        for row in plan.rows:
            if row.key in by_key:
                aim = _aim(by_key[row.key], row, f"aims.{row.key}", problems)
                if aim is not None:
                    aims[row.key] = aim
        if problems:
            raise Invalid.of(problems)
        return {
            "key": key,
            "name": both(self.name_zh.data, self.name_en.data),
            "posts": [] if is_last else _words(self.posts, self.posts_more),
            "tenure": Tenure.ANY.value if is_last else self.tenure.data or Tenure.ANY.value,
            "channels": [] if is_last else _words(self.channels, self.channels_more),
            "aims": aims,
        }

    def placed(self, problem: Problem) -> Problem:
        """Aims stand in the plan by the key of their row, in the form one after the other."""
        places = {part.form.key.data: number for number, part in enumerate(self.aims)}
        steps = steps_of(problem.where or "")
        if len(steps) < 2 or steps[0] != "aims" or steps[1] not in places:
            return problem
        where = (problem.where or "").replace(f"aims.{steps[1]}", f"aims[{places[str(steps[1])]}]", 1)
        return Problem(problem.code, where if len(steps) > 2 else f"{where}.target", problem.params)


def _words(ticked: SelectMultipleField, more: StringField) -> list[str]:
    return list(dict.fromkeys([*(ticked.data or []), *words_of(more.data or "")]))


def _aim(part: AimPart, row: PlanRow, where: str, problems: list[Problem]) -> Plain | None:
    """Target, limit and problem types of a row; None where nothing was typed."""
    kinds = [kind.form for kind in part.by_kind if kind.kind.data or kind.target.data or kind.limit.data]
    if not (part.target.data or part.limit.data or kinds):
        return None
    given = _bounds(part, row, where, problems)
    if kinds:
        given["by_kind"] = [
            {"kind": kind.kind.data or "", **_bounds(kind, row, f"{where}.by_kind[{number}]", problems)}
            for number, kind in enumerate(kinds)
        ]
    return given


def _bounds(part: AimPart | KindPart, row: PlanRow, where: str, problems: list[Problem]) -> Plain:
    given: Plain = {"target": amount_of(part.target.data, row.unit, f"{where}.target", problems)}
    if row.rule is KpiRule.LOWER:
        given["limit"] = amount_of(part.limit.data, row.unit, f"{where}.limit", problems)
    return given


def stand_of_group(plan: KpiPlan, group: TargetGroup | None, seen: str, locale: str) -> Plain:
    """What the form of a group starts with; a new one starts with the targets of everybody else."""
    source = group or (plan.groups[-1] if plan.groups else None)
    aims = [_stand_of_aim(source.aims if source else {}, row, locale) for row in plan.rows]
    if group is None:
        return {"seen": seen, "tenure": Tenure.ANY.value, "aims": aims}
    return {
        "seen": seen,
        "name_zh": group.name.zh,
        "name_en": group.name.en,
        "posts": list(group.posts),
        "tenure": group.tenure.value,
        "channels": list(group.channels),
        "aims": aims,
    }


def _stand_of_aim(aims: Mapping[str, Aim], row: PlanRow, locale: str) -> Plain:
    aim = aims.get(row.key, NO_AIM)
    return {
        "key": row.key,
        "target": spelled(aim.target, row.unit, locale),
        "limit": spelled(aim.limit, row.unit, locale),
        "by_kind": [
            {
                "kind": each.kind,
                "target": spelled(each.target, row.unit, locale),
                "limit": spelled(each.limit, row.unit, locale),
            }
            for each in aim.by_kind
        ],
    }


class DifficultyPart(Part):
    """What a case of one problem type weighs."""

    kind = text_field()
    weight = text_field()


class SettingsForm(DraftForm):
    """Name, when somebody is no longer new, the veto of the whole sheet, difficulty by problem type."""

    name_zh, name_en = text_field(), text_field()
    new_months = text_field()
    sheet_veto = BooleanField()
    difficulty = FieldList(FormField(DifficultyPart))

    def changed(self, act: str) -> "SettingsForm":
        """The same form with room for one more problem type: `kind`."""
        data = {name: field.data for name, field in self._fields.items() if name != "csrf_token"}
        if act == "kind":
            data["difficulty"].append({"kind": "", "weight": ""})
        return SettingsForm(formdata=None, data=data)

    def plain(self) -> Plain:
        """The settings as the domain reads them. Raises Invalid for a problem type that is named twice."""
        kinds = [part.form for part in self.difficulty if part.kind.data or part.weight.data]
        names = [part.kind.data or "" for part in kinds]
        problems = [
            Problem("schemes:twice", f"difficulty[{number}].kind", {"key": name})
            for number, name in enumerate(names)
            if name in names[:number]
        ]
        problems += [
            Problem("schemes:blank", f"difficulty[{number}].kind") for number, name in enumerate(names) if not name
        ]
        if problems:
            raise Invalid.of(problems)
        months = self.new_months.data or ""
        return {
            "name": both(self.name_zh.data, self.name_en.data),
            "new_months": int(months) if months.isdecimal() else months,
            "sheet_veto": bool(self.sheet_veto.data),
            "difficulty": {part.kind.data: plain_number(part.weight.data or "") for part in kinds},
        }

    def placed(self, problem: Problem) -> Problem:
        """Weights stand in the plan by their problem type, in the form one after the other."""
        places = {
            place("difficulty", part.kind.data or ""): f"difficulty[{number}].weight"
            for number, part in enumerate(self.difficulty)
        }
        return Problem(problem.code, places.get(problem.where or "", problem.where), problem.params)


def stand_of_settings(plan: KpiPlan, seen: str) -> Plain:
    """What the form of a draft's settings starts with."""
    return {
        "seen": seen,
        "name_zh": plan.name.zh,
        "name_en": plan.name.en,
        "new_months": str(plan.new_months),
        "sheet_veto": plan.sheet_veto,
        "difficulty": [{"kind": kind, "weight": rounded(weight)} for kind, weight in plan.difficulty.items()],
    }
