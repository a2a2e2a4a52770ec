"""Makes a quality form out of plain data and refuses every inconsistency by its place; and the way back.

An open version never changes; its hash is that of its canonical JSON, key and version included.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from review.domain.canonical import digest
from review.domain.quality import POINTS, Category, Cause, QualityForm
from review.domain.reading import Reader, place
from review.domain.refusals import Invalid, Problem
from review.domain.vocabulary import Text

MOST_CATEGORIES = 20
MOST_CAUSES = 12
LONGEST_NAME = 60
LONGEST_TEXT = 300
FORM_KEYS = ("key", "version", "name", "categories")
CATEGORY_KEYS = ("key", "name", "question", "weight", "levels", "may_be_left_out", "is_critical", "causes")
_KEY = re.compile(r"[a-z][a-z0-9_-]{0,39}")


def parse_form(data: object) -> QualityForm:
    """The form in plain data. Raises Invalid with all problems, each at its place (`categories[2].weight`)."""
    reader = Reader()
    raw = reader.mapping(data, "", FORM_KEYS)
    categories = tuple(
        _category(reader, element, where)
        for where, element in reader.items(raw.get("categories"), "categories", MOST_CATEGORIES)
    )
    form = QualityForm(
        _key(reader, raw.get("key"), "key"),
        reader.whole(raw.get("version"), "version", 1, 10**6),
        _text(reader, raw.get("name"), "name", LONGEST_NAME),
        categories,
    )
    problems = [*reader.problems, *_of_the_whole(form)]
    if problems:
        raise Invalid.of(problems)
    return sealed(form)


def sealed(form: QualityForm) -> QualityForm:
    """The form with the hash of what it says now."""
    return replace(form, hash=digest(dump_form(form)))


def _of_the_whole(form: QualityForm) -> list[Problem]:
    """What only shows when all categories are known."""
    problems = []
    if not form.categories:
        problems.append(Problem("quality:no_category", "categories"))
    elif not any(category.weight for category in form.categories):
        problems.append(Problem("quality:no_weight", "categories"))
    seen: set[str] = set()
    for number, category in enumerate(form.categories):
        if category.key in seen:
            problems.append(Problem("quality:key_twice", f"categories[{number}].key", {"key": category.key}))
        seen.add(category.key)
    return problems


def _category(reader: Reader, data: object, where: str) -> Category:
    raw = reader.mapping(data, where, CATEGORY_KEYS)
    levels = _levels(reader, raw.get("levels"), place(where, "levels"))
    causes = tuple(
        _cause(reader, element, at)
        for at, element in reader.items(raw.get("causes"), place(where, "causes"), MOST_CAUSES)
    )
    if len({cause.key for cause in causes}) != len(causes):
        reader.problems.append(Problem("quality:cause_twice", place(where, "causes")))
    return Category(
        _key(reader, raw.get("key"), place(where, "key")),
        _text(reader, raw.get("name"), place(where, "name"), LONGEST_NAME),
        _text(reader, raw.get("question"), place(where, "question"), LONGEST_TEXT),
        reader.whole(raw.get("weight"), place(where, "weight"), 0, 100),
        levels,
        reader.flag(raw.get("may_be_left_out"), place(where, "may_be_left_out")),
        reader.flag(raw.get("is_critical"), place(where, "is_critical")),
        causes,
    )


def _levels(reader: Reader, data: object, where: str) -> tuple[Text, ...]:
    found = tuple(_text(reader, element, at, LONGEST_TEXT) for at, element in reader.items(data, where, POINTS[-1]))
    if len(found) not in POINTS and not any(problem.where == where for problem in reader.problems):
        reader.problems.append(Problem("quality:levels_count", where, {"least": POINTS[0], "most": POINTS[-1]}))
    return found


def _cause(reader: Reader, data: object, where: str) -> Cause:
    raw = reader.mapping(data, where, ("key", "text"))
    return Cause(
        _key(reader, raw.get("key"), place(where, "key")), _text(reader, raw.get("text"), place(where, "text"), 60)
    )


def _text(reader: Reader, data: object, where: str, longest: int) -> Text:
    raw = reader.mapping(data, where, ("zh", "en"))
    return Text(
        reader.text(raw.get("zh"), place(where, "zh"), longest), reader.text(raw.get("en"), place(where, "en"), longest)
    )


def _key(reader: Reader, data: object, where: str) -> str:
    if isinstance(data, str) and _KEY.fullmatch(data):
        return data
    reader.problems.append(Problem("quality:not_a_key", where))
    return "-"


def dump_form(form: QualityForm) -> dict[str, Any]:
    """The form as plain data that `parse_form` reads back to the same form."""
    return {
        "key": form.key,
        "version": form.version,
        "name": _dump(form.name),
        "categories": [_dump_category(category) for category in form.categories],
    }


def _dump_category(category: Category) -> dict[str, Any]:
    return {
        "key": category.key,
        "name": _dump(category.name),
        "question": _dump(category.question),
        "weight": category.weight,
        "levels": [_dump(level) for level in category.levels],
        "may_be_left_out": category.may_be_left_out,
        "is_critical": category.is_critical,
        "causes": [{"key": cause.key, "text": _dump(cause.text)} for cause in category.causes],
    }


def _dump(text: Text) -> Mapping[str, str]:
    return {"zh": text.zh, "en": text.en}
