"""The editor of a draft: some categories as fields, points of a scale and causes as lines `中文 | English`."""

import re
from typing import Any

from wtforms import BooleanField, IntegerField, StringField, TextAreaField
from wtforms.validators import Optional

from review.domain.quality import QualityForm
from review.domain.quality_form import MOST_CATEGORIES
from review.domain.refusals import Invalid, Problem
from review.domain.vocabulary import Text
from review.infra.forms import Form, strip

BLANK = 2  # empty categories offered below the ones that are there
BAR = re.compile(r"\s*[|｜]\s*")
PLACE = re.compile(r"categories\[(\d+)\](?:\.(\w+))?")


class EditorForm(Form):
    """Use `editor_form(form)`, which adds the categories' fields `c<number>_<part>`."""

    name_zh = StringField(filters=[strip])
    name_en = StringField(filters=[strip])
    count = 0

    def data_of(self) -> dict[str, Any]:
        """What was typed, as plain data; categories of which nothing is filled in are not there."""
        kept = [number for number in range(self.count) if self._is_used(number)]
        self.kept = kept  # which block each category of the data came from
        taken = {self._value(number, "key") for number in kept}
        return {
            "name": {"zh": self.name_zh.data or "", "en": self.name_en.data or ""},
            "categories": [self._category(number, taken) for number in kept],
        }

    def _is_used(self, number: int) -> bool:
        parts = ("name_zh", "name_en", "question_zh", "question_en", "levels")
        return any((self._value(number, part) or "").strip() for part in parts)

    def _value(self, number: int, part: str) -> Any:
        return self._fields[f"c{number}_{part}"].data

    def _category(self, number: int, taken: set[str]) -> dict[str, Any]:
        key = self._value(number, "key") or _free(taken)
        taken.add(key)
        causes = _lines(self._value(number, "causes"))
        return {
            "key": key,
            "name": {"zh": self._value(number, "name_zh") or "", "en": self._value(number, "name_en") or ""},
            "question": {
                "zh": self._value(number, "question_zh") or "",
                "en": self._value(number, "question_en") or "",
            },
            "weight": self._value(number, "weight"),
            "levels": _lines(self._value(number, "levels")),
            "may_be_left_out": bool(self._value(number, "left_out")),
            "is_critical": bool(self._value(number, "critical")),
            "causes": [{"key": f"cause{place}", "text": text} for place, text in enumerate(causes, start=1)],
        }

    def accept_data(self, action: Any) -> bool:
        """`accept`, with the domain's places turned into this page's fields."""

        def act() -> None:
            try:
                action(self.data_of())
            except Invalid as refusal:
                raise Invalid.of(self._placed(problem) for problem in refusal.problems) from refusal

        return self.accept(act)

    def _placed(self, problem: Problem) -> Problem:
        where = problem.where or ""
        found = PLACE.match(where)
        if found is None:
            return Problem(problem.code, where.replace(".", "_"), problem.params)
        block = self.kept[int(found[1])]
        part = found[2] or "name_zh"
        if part in {"name", "question"}:
            part = f"{part}_{'en' if where.endswith('.en') else 'zh'}"
        part = {"key": "name_zh"}.get(part, part)
        return Problem(problem.code, f"c{block}_{part}", problem.params)


def editor_form(form: QualityForm) -> EditorForm:
    """Filled with the draft as it stands, with some empty categories after it."""
    count = min(MOST_CATEGORIES, len(form.categories) + BLANK)
    fields: dict[str, Any] = {"count": count}
    data: dict[str, Any] = {"name_zh": form.name.zh, "name_en": form.name.en}
    for number in range(count):
        fields |= _fields(f"c{number}_")
    for number, category in enumerate(form.categories):
        values = {
            "key": category.key,
            "name_zh": category.name.zh,
            "name_en": category.name.en,
            "question_zh": category.question.zh,
            "question_en": category.question.en,
            "weight": category.weight,
            "levels": _typed(category.levels),
            "left_out": category.may_be_left_out,
            "critical": category.is_critical,
            "causes": _typed(cause.text for cause in category.causes),
        }
        data |= {f"c{number}_{part}": value for part, value in values.items()}
    made: EditorForm = type("QualityEditorForm", (EditorForm,), fields)(data=data)
    return made


def _fields(prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}key": StringField(),
        f"{prefix}name_zh": StringField(filters=[strip]),
        f"{prefix}name_en": StringField(filters=[strip]),
        f"{prefix}question_zh": StringField(filters=[strip]),
        f"{prefix}question_en": StringField(filters=[strip]),
        f"{prefix}weight": IntegerField(validators=[Optional()]),
        f"{prefix}levels": TextAreaField(filters=[strip]),
        f"{prefix}left_out": BooleanField(),
        f"{prefix}critical": BooleanField(),
        f"{prefix}causes": TextAreaField(filters=[strip]),
    }


def _free(taken: set[str]) -> str:
    """A key that no category has yet."""
    return next(f"c{number}" for number in range(1, MOST_CATEGORIES + len(taken) + 2) if f"c{number}" not in taken)


def _lines(typed: str | None) -> list[dict[str, str]]:
    """Each line as a text in both languages; a line without a bar says the same in both."""
    found = []
    for line in (typed or "").splitlines():
        if line.strip():
            zh, *rest = BAR.split(line.strip(), maxsplit=1)
            found.append({"zh": zh, "en": rest[0] if rest else zh})
    return found


def _typed(texts: Any) -> str:
    def line(text: Text) -> str:
        return f"{text.zh} | {text.en}"

    return "\n".join(line(text) for text in texts)
