"""Calibration rounds are blind until they are over: no page, no JSON and no letter tells a mark before."""

from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction

import pytest
from flask import Flask
from sqlalchemy import select

from review.domain.access import Actor, Role
from review.domain.refusals import Invalid, NotYet, TooLate
from review.helpdesk.tables import TicketRow
from review.infra.db import db
from review.infra.outbox import LetterRow
from review.people import directory
from review.people.tables import RoleRow
from review.quality import calibration, form_versions, service
from review.quality.tables import RoundAnswerRow, RoundRow
from tests.browse import Browser
from tests.make import NOW, Cast, Somebody
from tests.make_quality import FIRST, LAST, fields, sheet, the_form, tickets

Browse = Callable[..., Browser]
SECRET = "Said by Bo and by nobody else"
ASKED = ("bo", "cy", "quinn")
Made = tuple[int, list[int]]


@pytest.fixture(autouse=True)
def at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ("round_views", "check_views", "board_views"):
        monkeypatch.setattr(f"review.quality.{room}.now", lambda: NOW)


@pytest.fixture
def made(app: Flask, cast: Cast) -> Made:
    """Bo, Cy and Quinn mark two tickets of Ada's."""
    with app.app_context():
        ids = tickets(cast["ada"], 2)
        return opened(cast, ids), ids


def opened(cast: Cast, ids: list[int], who: tuple[str, ...] = ASKED, name: str = "First") -> int:
    references = db.session.scalars(select(TicketRow.reference).where(TicketRow.id.in_(ids)))
    form = form_versions.install_default(NOW)
    people = directory.by_ids(cast[one].id for one in who)
    plan = calibration.RoundPlan(
        name, form.id, tuple(references), tuple(people[cast[one].id] for one in who), NOW + timedelta(days=3)
    )
    row = calibration.create(plan, by=cast["hana"].id, now=NOW)
    db.session.commit()
    return row.id


def marked(app: Flask, made: Made, who: Somebody, **marks: int) -> None:
    with app.app_context():
        for seat in calibration.seats_of(made[0], who.id):
            said = sheet(**marks)
            said = type(said)(said.marks, said.comments, said.causes, SECRET if who.name == "Bo" else "")
            calibration.file_answer(seat, said, the_form(), NOW)
        db.session.commit()


def close(app: Flask, cast: Cast, made: Made) -> None:
    with app.app_context():
        calibration.close(db.session.get_one(RoundRow, made[0]), by=cast["hana"].id, now=NOW)
        db.session.commit()


def everywhere(made: Made) -> list[str]:
    seats = [f"/calibrations/{made[0]}/tickets/{ticket}" for ticket in made[1]]
    return [f"/calibrations/{made[0]}", f"/calibrations/{made[0]}/agreement.json", *seats, "/quality", "/checks"]


def all_that_is_seen(browse: Browse, person: Somebody, made: Made) -> str:
    """Everything this person is answered at every address of the round, whatever the status."""
    client = browse(person).client
    return "\n".join(client.get(address).text for address in everywhere(made))


def test_everybody_asked_gets_a_letter_and_a_task(app: Flask, cast: Cast, browse: Browse, made: Made) -> None:
    with app.app_context():
        letters = db.session.scalars(select(LetterRow).where(LetterRow.kind == calibration.INVITED)).all()
        assert {row.to for row in letters} == {f"{name}@example.com" for name in ASKED}
        assert [row.params["count"] for row in letters] == [2, 2, 2]
    db_now = browse(cast["bo"]).get("/checks").words
    assert "0 of 2 tickets marked" in db_now


@pytest.mark.parametrize("who", ["cy", "quinn", "hana"])
def test_nobody_sees_marks_of_others_while_it_runs(
    app: Flask, cast: Cast, browse: Browse, made: Made, who: str
) -> None:
    """Even after one's own are in; told apart by what is seen before and after Bo submits marks and words."""
    for name in ("cy", "quinn"):
        marked(app, made, cast[name])
    before = all_that_is_seen(browse, cast[who], made)
    marked(app, made, cast["bo"], opening=1, tone=1)
    after = all_that_is_seen(browse, cast[who], made)
    assert SECRET not in after
    assert "alpha" not in after.lower().replace("agreement.json", "")
    if who != "hana":  # HR sees that Bo is done, as a count
        assert tokenless(after) == tokenless(before)


def tokenless(text: str) -> str:
    """Without the tokens against forgery, which differ from answer to answer."""
    return "\n".join(line for line in text.splitlines() if "csrf" not in line.lower())


@pytest.mark.parametrize("who", ["cy", "quinn", "hana"])
def test_the_json_is_refused_while_it_runs_and_told_afterwards(
    app: Flask, cast: Cast, browse: Browse, made: Made, who: str
) -> None:
    for name in ASKED:
        marked(app, made, cast[name])
    address = f"/calibrations/{made[0]}/agreement.json"
    page = browse(cast[who]).get(address, status=409)
    assert '"data"' not in page.text
    close(app, cast, made)
    told = browse(cast[who]).client.get(address).json
    assert told["raters"] == ["Bo", "Cy", "Quinn"]
    assert told["data"]["opening"] == [[3, 3], [3, 3], [3, 3]]
    assert told["same"] == "1"


def test_who_left_their_own_out_never_sees_the_others(app: Flask, cast: Cast, browse: Browse, made: Made) -> None:
    marked(app, made, cast["bo"])
    marked(app, made, cast["cy"])
    close(app, cast, made)
    assert SECRET not in all_that_is_seen(browse, cast["quinn"], made)
    page = browse(cast["quinn"]).get(f"/calibrations/{made[0]}")
    assert "You have not marked every ticket" in page.words
    browse(cast["quinn"]).get(f"/calibrations/{made[0]}/agreement.json", status=409)
    assert "Krippendorff" in browse(cast["cy"]).get(f"/calibrations/{made[0]}").words
    assert "Krippendorff" in browse(cast["hana"]).get(f"/calibrations/{made[0]}").words


def test_hr_who_was_asked_too_is_as_blind_as_everybody(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        ids = tickets(cast["ada"], 1)
        made = opened(cast, ids, ("bo", "cy", "hana")), ids
    marked(app, made, cast["bo"])
    marked(app, made, cast["cy"])
    close(app, cast, made)
    browse(cast["hana"]).get(f"/calibrations/{made[0]}/agreement.json", status=409)


def test_the_deadline_ends_it_by_itself(
    app: Flask, cast: Cast, browse: Browse, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked(app, made, cast["bo"])
    marked(app, made, cast["cy"])
    monkeypatch.setattr("review.quality.round_views.now", lambda: NOW + timedelta(days=3))
    browse(cast["cy"]).get(f"/calibrations/{made[0]}/agreement.json", status=409)  # the last moment still counts
    monkeypatch.setattr("review.quality.round_views.now", lambda: NOW + timedelta(days=3, seconds=1))
    browse(cast["cy"]).get(f"/calibrations/{made[0]}/agreement.json")
    with app.app_context():
        sent = fields()
    page = browse(cast["quinn"]).post(
        f"/calibrations/{made[0]}/tickets/{made[1][0]}", {**sent, "act": "submit", "overall": "my words"}, status=410
    )
    assert "my words" in page.words


@pytest.mark.parametrize("who", ["ada", "sam", "di", "max"])
def test_for_others_there_is_no_round(cast: Cast, browse: Browse, made: Made, who: str) -> None:
    for address in everywhere(made)[:4]:
        browse(cast[who]).get(address, status=404)
    browse(cast[who]).post(f"/calibrations/{made[0]}/tickets/{made[1][0]}", {"act": "submit"}, status=404)
    browse(cast[who]).post(f"/calibrations/{made[0]}/close", status=404)


def test_hr_has_no_seat_and_nobody_takes_anothers(cast: Cast, browse: Browse, made: Made) -> None:
    browse(cast["hana"]).get(f"/calibrations/{made[0]}/tickets/{made[1][0]}", status=404)


def test_marks_are_drafted_and_submitted_once(app: Flask, cast: Cast, browse: Browse, made: Made) -> None:
    bo, address = browse(cast["bo"]), f"/calibrations/{made[0]}/tickets/{made[1][0]}"
    bo.post(address + "/draft", {"comment_tone": "half a sen"}, status=204)
    page = bo.get(address)
    assert "half a sen" in page.words
    bo.post(address, {"act": "submit"}, status=422)
    with app.app_context():
        sent, other = fields(), fields(opening=2)
    bo.post(address, {**sent, "act": "submit"})
    bo.post(address, {**sent, "act": "submit"})
    bo.post(address, {**other, "act": "submit"}, status=409)
    with app.app_context():
        rows = db.session.scalars(select(RoundAnswerRow).where(RoundAnswerRow.filed_at.is_not(None))).all()
        assert [(row.person_id, row.said["marks"]["opening"]) for row in rows] == [(cast["bo"].id, 3)]


def test_it_changes_nobodys_figure(app: Flask, cast: Cast, made: Made) -> None:
    for name in ASKED:
        marked(app, made, cast[name], solution=1)
    close(app, cast, made)
    with app.app_context():
        assert service.compliance_between(FIRST, LAST) == {}


def test_agreement_is_worked_out_over_everybody(app: Flask, cast: Cast, browse: Browse, made: Made) -> None:
    marked(app, made, cast["bo"], tone=3)
    marked(app, made, cast["cy"], tone=3)
    marked(app, made, cast["quinn"], tone=5)
    close(app, cast, made)
    told = browse(cast["hana"]).client.get(f"/calibrations/{made[0]}/agreement.json").json
    assert told["categories"]["tone"]["rwg"] == str(1 - Fraction(4, 3) / 2)  # variance 4/3 of 3, 3, 5; (25 - 1) / 12
    assert told["categories"]["tone"]["same"] == "1/3"
    assert told["categories"]["opening"]["alpha"] is None
    assert "33%" in browse(cast["cy"]).get(f"/calibrations/{made[0]}").words


def test_a_round_is_closed_once_and_not_before_two_have_answered(
    app: Flask, cast: Cast, browse: Browse, made: Made
) -> None:
    marked(app, made, cast["bo"])
    hana = browse(cast["hana"])
    hana.post(f"/calibrations/{made[0]}/close", status=409)
    marked(app, made, cast["cy"])
    hana.post(f"/calibrations/{made[0]}/close")
    hana.post(f"/calibrations/{made[0]}/close")
    with app.app_context():
        assert db.session.get_one(RoundRow, made[0]).closed_at == NOW
        seat = calibration.seats_of(made[0], cast["quinn"].id)[0]
        with pytest.raises(TooLate):
            calibration.file_answer(seat, sheet(), the_form(), NOW)
        with pytest.raises(TooLate):
            calibration.save_draft(seat, sheet(), NOW)


def test_hr_opens_one_on_the_page(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        ids = tickets(cast["ada"], 1)
        reference = db.session.get_one(TicketRow, ids[0]).reference
        form_versions.install_default(NOW)
        db.session.commit()
    hana = browse(cast["hana"])
    sent = {"name": "On the page", "references": f"{reference}, T-nowhere", "people": cast["bo"].employee_no}
    page = hana.submit(hana.get("/quality/calibrations/new"), sent, status=422)
    assert "There is no ticket with the number T-nowhere." in page.words
    assert "Name 2 to 30 people." in page.words
    sent |= {"references": reference, "people": f"{cast['ada'].employee_no} {cast['bo'].employee_no}"}
    page = hana.submit(page, sent, status=422)
    assert "Among the tickets is one that Ada handled." in page.words
    sent |= {"people": f"{cast['bo'].employee_no}\n{cast['cy'].employee_no}"}
    after = hana.follow(hana.submit(page, sent))
    assert "0/1" in after.words or "0 of 1" in after.words
    hana.submit(hana.get("/quality/calibrations/new"), sent, status=422)  # the name is taken


def test_a_round_about_nothing_is_refused(app: Flask, cast: Cast) -> None:
    with app.app_context():
        plan = calibration.RoundPlan(" ", 77, (), (), NOW)
        with pytest.raises(Invalid) as caught:
            calibration.create(plan, by=None, now=NOW)
        assert {one.where for one in caught.value.problems} == {"name", "form_id", "references", "people", "due_on"}


def test_nothing_is_told_before_the_close_by_the_service_either(app: Flask, cast: Cast, made: Made) -> None:
    for name in ASKED:
        marked(app, made, cast[name])
    with app.app_context():
        db.session.add(RoleRow(person_id=cast["bo"].id, role=Role.HR))
        actor = directory.person(cast["bo"].id)
        everything = Actor(actor.id, actor.name, frozenset(Role))
        with pytest.raises(NotYet):
            calibration.result_of(calibration.round_of(made[0]), the_form(), everything, NOW)
