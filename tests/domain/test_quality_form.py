"""Quality forms as plain data: back and forth without loss, and every inconsistency refused by its place."""

import json
from copy import deepcopy
from typing import Any

import pytest

from review.domain.quality_form import dump_form, parse_form
from review.domain.refusals import Invalid
from review.quality.form_versions import PACKAGED, packaged

ONE_LEVEL = [{"zh": "一", "en": "1"}]
PLAIN: dict[str, Any] = json.loads(PACKAGED.read_text(encoding="utf-8"))


def changed(*path: str | int, to: object) -> dict[str, Any]:
    data = deepcopy(PLAIN)
    at: Any = data
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = to
    return data


def refusal(data: object) -> list[tuple[str, str | None]]:
    with pytest.raises(Invalid) as caught:
        parse_form(data)
    return [(problem.code, problem.where) for problem in caught.value.problems]


def test_the_packaged_form_is_whole() -> None:
    form = packaged()
    assert sum(category.weight for category in form.categories) == 100
    assert {category.scale for category in form.categories} == {2, 3, 4, 5}
    assert [category.key for category in form.categories if category.is_critical] == ["solution", "privacy"]


def test_a_form_comes_back_as_it_went() -> None:
    form = packaged()
    assert dump_form(form) == PLAIN
    assert parse_form(dump_form(form)) == form


def test_the_hash_names_every_word_and_the_version() -> None:
    hashes = {
        packaged().hash,
        parse_form(changed("version", to=2)).hash,
        parse_form(changed("categories", 0, "weight", to=11)).hash,
        parse_form(changed("categories", 0, "question", "en", to="Else")).hash,
        parse_form(changed("categories", 0, "levels", 0, "zh", to="别的")).hash,
    }
    assert len(hashes) == 5


@pytest.mark.parametrize(
    ("data", "code", "where"),
    [
        (changed("categories", 1, "weight", to=101), "schemes:out_of_range", "categories[1].weight"),
        (changed("categories", 1, "weight", to="2.5"), "schemes:not_whole", "categories[1].weight"),
        (changed("categories", 1, "weight", to=-1), "schemes:out_of_range", "categories[1].weight"),
        (changed("categories", 1, "key", to="opening"), "quality:key_twice", "categories[1].key"),
        (changed("categories", 1, "key", to="Not A Key"), "quality:not_a_key", "categories[1].key"),
        (changed("categories", 2, "levels", to=[]), "quality:levels_count", "categories[2].levels"),
        (
            changed("categories", 2, "levels", to=ONE_LEVEL),
            "quality:levels_count",
            "categories[2].levels",
        ),
        (
            changed("categories", 2, "levels", to=ONE_LEVEL * 6),
            "schemes:too_many",
            "categories[2].levels",
        ),
        (changed("categories", 0, "name", "en", to=" "), "schemes:blank", "categories[0].name.en"),
        (changed("categories", 0, "name", "zh", to="长" * 61), "schemes:too_long", "categories[0].name.zh"),
        (changed("categories", 0, "is_critical", to=1), "schemes:not_a_boolean", "categories[0].is_critical"),
        (changed("categories", to=[]), "quality:no_category", "categories"),
        (changed("more", to=1), "schemes:unknown_key", "more"),
        ([], "schemes:not_an_object", None),
    ],
)
def test_an_inconsistency_is_refused_by_its_place(data: object, code: str, where: str | None) -> None:
    assert (code, where) in refusal(data)


def test_weights_that_are_all_0_are_refused() -> None:
    data = deepcopy(PLAIN)
    for category in data["categories"]:
        category["weight"] = 0
    assert refusal(data) == [("quality:no_weight", "categories")]


def test_two_causes_with_one_key_are_refused() -> None:
    twice = [{"key": "rush", "text": {"zh": "急", "en": "rush"}}] * 2
    assert refusal(changed("categories", 0, "causes", to=twice)) == [("quality:cause_twice", "categories[0].causes")]


def test_all_problems_are_told_at_once() -> None:
    data = changed("categories", 0, "weight", to=300)
    data["categories"][3]["name"]["zh"] = ""
    assert [where for _, where in refusal(data)] == ["categories[0].weight", "categories[3].name.zh"]
