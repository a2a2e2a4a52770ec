"""The conductor's letters as people get them: in their language, and with what is asked of them."""

from typing import Any

import pytest
from flask import Flask

from review.infra import mail
from review.infra.outbox import LetterRow
from tests.make import NOW

DUE = "2026-04-13T10:00:00+00:00"
LETTERS: dict[str, dict[str, Any]] = {
    "workflow:opening": {"self": True, "peers": 8, "ratings": 2, "self_due_at": DUE, "closes_at": DUE},
    "workflow:reminder": {
        "lines": [
            {"what": "rating", "count": 2, "due": DUE, "cycle": "Q1"},
            {"what": "self", "count": 1, "due": "2026-04-10T10:00:00+00:00", "cycle": "Q1"},
            {"what": "peers", "count": 0, "due": DUE, "cycle": "Q1"},
            {"what": "finalise", "count": 1, "due": DUE, "cycle": "Q4"},
        ]
    },
    "workflow:finalise": {"count": 3, "finalise_by": DUE},
    "workflow:published": {"review_id": 7, "days": 5},
    "workflow:cancelled": {"reason": "Wrong <dates>"},
}
SAID = {
    ("workflow:opening", "en"): "Rating 8 colleagues, due Mon 13 Apr, 18:00",
    ("workflow:opening", "zh"): "评价8位同事，4月13日（周一）18:00截止",
    ("workflow:reminder", "en"): "Supervisor ratings of 2 people: Q1, due Mon 13 Apr, 18:00",
    ("workflow:reminder", "zh"): "你的自评",
    ("workflow:finalise", "en"): "3 results of your team wait for your summary",
    ("workflow:finalise", "zh"): "有3份结果等你写总结",
    ("workflow:published", "en"): "http://localhost/results/7",
    ("workflow:published", "zh"): "签字表示已知悉，不代表同意",
    ("workflow:cancelled", "en"): "The reason given: Wrong <dates>",
    ("workflow:cancelled", "zh"): "不产生任何结果",
}


def written(kind: str, locale: str) -> Any:
    params = {"name": "Ada", "cycle": "Q1 2026", **LETTERS[kind]}
    return mail.render(LetterRow(id=1, kind=kind, about="x", to="ada@example.com", locale=locale, params=params), NOW)


@pytest.mark.parametrize(("kind", "locale"), SAID)
def test_each_letter_says_what_it_has_to_in_both_languages(app: Flask, kind: str, locale: str) -> None:
    with app.app_context():
        message = written(kind, locale)
    text = message.get_body(("plain",)).get_content()
    html = message.get_body(("html",)).get_content()
    assert SAID[kind, locale] in text
    assert message["Subject"]
    assert "http://localhost/" in text or kind == "workflow:cancelled"
    assert "Ada" in text
    assert "Ada" in html
    assert "<script" not in html


def test_a_reminder_begins_with_the_nearest_deadline(app: Flask) -> None:
    with app.app_context():
        message = written("workflow:reminder", "en")
    assert message["Subject"] == "Still open: due Fri 10 Apr, 18:00"
    text = message.get_body(("plain",)).get_content()
    assert text.index("Your self-review") < text.index("Supervisor ratings")


def test_what_hr_typed_is_text_and_never_markup(app: Flask) -> None:
    with app.app_context():
        html = written("workflow:cancelled", "en").get_body(("html",)).get_content()
    assert "Wrong <dates>" not in html
