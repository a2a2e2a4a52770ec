"""The form of a plan's rows. Everything is typed as text, so that nothing is lost; the domain says what makes sense."""

from collections.abc import Collection, Sequence
from itertools import count

from wtforms import FieldList, FormField, HiddenField
from wtforms import Form as Part

from review.domain.kpi import KpiRule
from review.domain.kpi_plan import MAY, NEEDS, OF_SATISFACTION, KpiPlan, PlanRow
from review.domain.kpi_plan_shape import Obtained, Record
from review.domain.kpi_value import plain_number
from review.domain.records import UNITS, Indicator, Unit
from review.domain.refusals import Invalid, Problem
from review.infra.forms import blank_to_none
from review.kpi.amounts import rounded, spelled
from review.kpi.library import starting_plan
from review.kpi.plan_fields import DraftForm, Plain, amount_of, both, choice_of, text_field


class BracketPart(Part):
    """From which figure on a row earns how much."""

    start = text_field()
    points = text_field()


class RowPart(Part):
    """One row of the plan. Which parameters count follows from the rule."""

    key = HiddenField()
    group_zh, group_en = text_field(), text_field()
    name_zh, name_en = text_field(), text_field()
    indicator = choice_of(Indicator, blank=True)
    unit = choice_of(Unit)
    weight = text_field()
    rule = choice_of(KpiRule)
    cap, full, cost, veto_at = text_field(), text_field(), text_field(), text_field()
    brackets = FieldList(FormField(BracketPart))
    definition_zh, definition_en = text_field(), text_field()
    obtained = choice_of(Obtained)
    record = choice_of(Record)
    supplier_zh, supplier_en = text_field(), text_field()

    @property
    def counted_in(self) -> Unit:
        if self.indicator.data:
            return UNITS.get(self.indicator.data, Unit.COUNT)
        return Unit(self.unit.data) if self.unit.data in list(Unit) else Unit.COUNT

    def plain(self, key: str) -> Plain:
        """The row as the domain reads it; parameters of other rules are left out."""
        given: Plain = {
            "key": key,
            "indicator": self.indicator.data or None,
            "weight": plain_number(self.weight.data or ""),
            **{name: self[name].data for name in ("rule", "obtained", "record")},
            **{
                name: both(self[f"{name}_zh"].data, self[f"{name}_en"].data)
                for name in ("group", "name", "definition", "supplier")
            },
        }
        if not self.indicator.data:
            given["unit"] = self.unit.data
        return given | self._parameters()

    def _parameters(self) -> Plain:
        rule = next((rule for rule in KpiRule if rule.value == self.rule.data), None)
        if rule is None:
            return {}
        wanted = (*NEEDS.get(rule, ()), *MAY.get(rule, ()))
        typed = {name: plain_number(self[name].data or "") for name in wanted if name != "brackets"}
        given: Plain = {name: blank_to_none(text) for name, text in typed.items()}
        if rule is KpiRule.BRACKETS:
            given["brackets"] = [part.form for part in self.brackets if part.start.data or part.points.data]
        return given


class RowsForm(DraftForm):
    """All rows of a draft."""

    rows = FieldList(FormField(RowPart))

    def changed(self, act: str, blank: Plain) -> "RowsForm":
        """The same form with a row or bracket added, taken out or moved; `fit:1,2,…` sets the weights."""
        rows: list[Plain] = [part.data for part in self.rows]
        name, _, rest = act.partition(":")
        place = int(rest) if rest.isdecimal() else -1
        is_there = 0 <= place < len(rows)
        if name == "add":
            rows.append(blank)
        elif name == "remove" and is_there:
            del rows[place]
        elif name == "up" and is_there and place:
            rows[place - 1 : place + 1] = rows[place], rows[place - 1]
        elif name == "bracket" and is_there:
            rows[place]["brackets"].append({"start": "", "points": ""})
        elif name == "fit":
            for row, weight in zip(rows, rest.split(","), strict=False):
                row["weight"] = weight[:10]
        return RowsForm(formdata=None, data={"seen": self.seen.data, "rows": rows})

    def plain(self) -> list[Plain]:
        """The rows as the domain reads them. Raises Invalid for brackets whose amounts cannot be read."""
        keys = _keys([(part.form.key.data, part.form.indicator.data) for part in self.rows])
        rows = [part.form.plain(key) for part, key in zip(self.rows, keys, strict=True)]
        problems: list[Problem] = []
        for place, (part, row) in enumerate(zip(self.rows, rows, strict=True)):
            if "brackets" in row:
                row["brackets"] = _brackets(row["brackets"], part.form.counted_in, f"rows[{place}]", problems)
        if problems:
            raise Invalid.of(problems)
        return rows


def _brackets(parts: Sequence[BracketPart], unit: Unit, where: str, problems: list[Problem]) -> list[Plain]:
    given = []
    for number, part in enumerate(parts):
        spot = f"{where}.brackets[{number}]"
        start = amount_of(part.start.data, unit, f"{spot}.from", problems)
        given.append({"from": start, "points": plain_number(part.points.data or "")})
    return given


def _keys(rows: Sequence[tuple[str | None, str | None]]) -> list[str]:
    """A key for each row: the one it has, else one made from its indicator."""
    taken = {key for key, _indicator in rows if key}
    made = []
    for key, indicator in rows:
        made.append(key or _free(indicator or "own", taken))
        taken.add(made[-1])
    return made


def _free(base: str, taken: Collection[str]) -> str:
    return next(key for number in count(1) if (key := base if number == 1 else f"{base}_{number}") not in taken)


def stand_of_rows(plan: KpiPlan, seen: str, locale: str) -> Plain:
    """What the form of a draft's rows starts with."""
    return {"seen": seen, "rows": [stand_of_row(row, locale) for row in plan.rows]}


def stand_of_row(row: PlanRow, locale: str) -> Plain:
    return {
        "key": row.key,
        "indicator": row.indicator.value if row.indicator else "",
        "unit": row.unit.value,
        "weight": rounded(row.weight),
        "rule": row.rule.value,
        "obtained": row.obtained.value,
        "record": row.record.value,
        "cap": rounded(row.cap),
        "full": "" if row.full is None else rounded(row.full),
        "cost": "" if row.cost is None else rounded(row.cost),
        "veto_at": "" if row.veto_at is None else str(row.veto_at),
        "brackets": [
            {"start": spelled(each.start, row.unit, locale), "points": rounded(each.points)} for each in row.brackets
        ],
        **{
            f"{name}_{language}": getattr(getattr(row, name), language)
            for name in ("group", "name", "definition", "supplier")
            for language in ("zh", "en")
        },
    }


def blank_row() -> Plain:
    return {"rule": KpiRule.HIGHER.value, "cap": "100", "full": "100", "cost": "10", "unit": Unit.COUNT.value}


def satisfaction_row(locale: str) -> Plain:
    """The row of satisfaction that the starting set has."""
    return stand_of_row(next(row for row in starting_plan().rows if row.indicator in OF_SATISFACTION), locale)


def weights_of(form: RowsForm) -> tuple[list[str], list[bool]]:
    """The typed weights, and which of the rows count as satisfaction."""
    told = {indicator.value for indicator in OF_SATISFACTION}
    rows = [part.form for part in form.rows]
    return [plain_number(row.weight.data or "") for row in rows], [row.indicator.data in told for row in rows]
