"""The letters of quality checks: in both languages, and where to go; never a mark, a figure or a whole number."""

from typing import Any

import pytest
from flask import Flask

from review.infra import mail
from review.infra.outbox import LetterRow
from review.quality import calibration, checks, disputes, samples
from tests.make import NOW

DUE = "2026-04-13T10:00:00+00:00"
TAIL = {"check_id": 7, "ticket_tail": "0042", "agent": "Bo"}
LETTERS: dict[str, dict[str, Any]] = {
    samples.ASSIGNED: {"sample": "March", "count": 3, "due": DUE},
    checks.RESULT: {**TAIL, "sample": "March", "until": DUE},
    disputes.RAISED: {**TAIL, "decides": True, "is_own": False},
    disputes.DECIDED: {**TAIL, "decides": False, "is_own": True},
    calibration.INVITED: {"round": "First", "round_id": 5, "count": 2, "due": DUE},
}
SAID = {
    (samples.ASSIGNED, "en"): ("3 tickets of March were drawn for you to check, until Mon 13 Apr, 18:00.", "/checks"),
    (samples.ASSIGNED, "zh"): ("March抽出3张工单由你质检，4月13日（周一）18:00截止。", "/checks"),
    (checks.RESULT, "en"): ("you can dispute it until Mon 13 Apr, 18:00", "/checks/7"),
    (checks.RESULT, "zh"): ("可以在4月13日（周一）18:00前申诉", "/checks/7"),
    (disputes.RAISED, "en"): ("Bo disputes the check of the ticket ending in 0042.", "/disputes/7"),
    (disputes.RAISED, "zh"): ("Bo对尾号0042的工单质检提出申诉。", "/disputes/7"),
    (disputes.DECIDED, "en"): ("has been decided", "/checks/7"),
    (disputes.DECIDED, "zh"): ("质检申诉已有结论", "/checks/7"),
    (calibration.INVITED, "en"): ("2 tickets of First wait for your marks", "/calibrations/5"),
    (calibration.INVITED, "zh"): ("First有2张工单等你评分", "/calibrations/5"),
}


def written(kind: str, locale: str, **more: Any) -> Any:
    params = {"name": "Ada", **LETTERS[kind], **more}
    return mail.render(LetterRow(id=1, kind=kind, about="x", to="ada@example.com", locale=locale, params=params), NOW)


@pytest.mark.parametrize(("kind", "locale"), SAID)
def test_each_letter_says_what_it_has_to_and_where_to_go(app: Flask, kind: str, locale: str) -> None:
    with app.app_context():
        message = written(kind, locale)
    text, html = (message.get_body((form,)).get_content() for form in ("plain", "html"))
    said, path = SAID[kind, locale]
    assert said in text
    assert message["Subject"].strip()
    assert f"http://localhost{path}" in text.split()
    assert f'href="http://localhost{path}"' in html
    assert "Ada" in text
    assert "Ada" in html


def test_the_checker_is_sent_to_the_check_and_told_that_others_decide(app: Flask) -> None:
    with app.app_context():
        text = written(disputes.RAISED, "en", decides=False).get_body(("plain",)).get_content()
    assert "You checked it, so somebody else decides." in text
    assert "http://localhost/checks/7" in text.split()
