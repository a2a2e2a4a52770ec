"""Accounts through the services: who may be added and changed, which passwords hold, and who becomes a supervisor."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from review.domain.access import Role
from review.domain.refusals import Invalid, OutOfReach
from review.infra.audit import AuditRow
from review.infra.db import db
from review.people import accounts, directory
from review.people.accounts import PersonDraft, roles_of
from tests.make import NOW, Cast

GOOD = "four quiet blue kettles"


@pytest.fixture
def inside(app, cast) -> Cast:
    with app.app_context():
        yield cast


def draft(**changes) -> PersonDraft:
    return PersonDraft(**({"employee_no": "XH-0427", "name": "林晓雯"} | changes))


def problems(act) -> list[tuple[str, str | None]]:
    with pytest.raises(Invalid) as refused:
        act()
    return [(problem.code, problem.where) for problem in refused.value.problems]


def audited(action: str) -> list[AuditRow]:
    return list(db.session.scalars(select(AuditRow).where(AuditRow.action == action)))


def described(name: str, /, **changes) -> PersonDraft:
    person = db.session.scalar(select(directory.PersonRow).where(directory.PersonRow.name == name))
    above = directory.by_ids([person.supervisor_id]) if person.supervisor_id else {}
    supervisor_no = next((row.employee_no for row in above.values()), None)
    now = {"employee_no": person.employee_no, "name": name, "email": person.email, "supervisor_no": supervisor_no}
    return draft(**(now | {"roles": roles_of(person), "joined_on": person.joined_on} | changes))


def test_a_new_colleague_stands_in_their_department_under_their_supervisor(inside):
    hana, sam = inside["hana"], inside["sam"]
    row = accounts.create(
        draft(email="Lin@Example.com", department="客服中心 / 售后一组", supervisor_no=sam.employee_no.lower()),
        hana.id,
        NOW,
    )
    assert row.email == "lin@example.com"
    assert row.supervisor_id == sam.id
    assert directory.department_paths()[row.department_id] == "客服中心/售后一组"
    assert row.password_hash is None
    assert roles_of(row) == {Role.AGENT}
    (line,) = audited("people:person:created")
    assert (line.actor_id, line.about) == (hana.id, f"person:{row.id}")
    assert "password" not in str(line.details)


def test_units_of_the_same_name_may_lie_in_different_departments(inside):
    one = accounts.create(draft(department="售前/一组"), inside["hana"].id, NOW)
    two = accounts.create(draft(employee_no="2", department="售后/一组"), inside["hana"].id, NOW)
    again = accounts.create(draft(employee_no="3", department="售后/一组"), inside["hana"].id, NOW)
    assert one.department_id != two.department_id == again.department_id


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"employee_no": ""}, ("form:required", "employee_no")),
        ({"name": ""}, ("form:required", "name")),
        ({"employee_no": "a@b"}, ("people:number_unusable", "employee_no")),
        ({"employee_no": "1 2"}, ("people:number_unusable", "employee_no")),
        ({"email": "lin at example"}, ("form:not_an_email", "email")),
        ({"email": "lin@example.com\nBcc: x@example.com"}, ("form:not_an_email", "email")),
        ({"supervisor_no": "xh-0427"}, ("people:own_supervisor", "supervisor_no")),
        ({"supervisor_no": "E000000"}, ("people:no_such_supervisor", "supervisor_no")),
        ({"joined_on": date(2026, 2, 2), "left_on": date(2026, 2, 1)}, ("people:left_before_joined", "left_on")),
        ({"locale": "fr"}, ("form:choose_one", "locale")),
        ({"name": "x" * 81}, ("form:too_long", "name")),
        ({"department": "/".join("abcdefg")}, ("people:department_too_deep", "department")),
    ],
)
def test_a_draft_that_makes_no_sense_is_refused_at_its_field(inside, changes, told):
    assert told in problems(lambda: accounts.create(draft(**changes), inside["hana"].id, NOW))


def test_number_and_address_belong_to_one_person_whatever_their_case(inside):
    taken = draft(employee_no=inside["ada"].employee_no.lower(), email="BO@example.com")
    found = problems(lambda: accounts.create(taken, inside["hana"].id, NOW))
    assert found == [("people:in_use", "employee_no"), ("people:in_use", "email")]


def test_a_change_is_told_with_before_and_after(inside):
    ada = directory.person(inside["ada"].id)
    accounts.edit(ada, described("Ada", name="Ada Lin", post="Senior"), inside["hana"].id, NOW)
    (line,) = audited("people:person:changed")
    assert line.details["name"] == ["Ada", "Ada Lin"]
    assert line.details["post"] == [None, "Senior"]
    assert "email" not in line.details


def test_saving_without_a_change_leaves_no_line(inside):
    # The cast's departments are written as ids; their path is what a form would send back.
    path = directory.department_paths()[directory.person(inside["ada"].id).department_id]
    accounts.edit(
        directory.person(inside["ada"].id), described("Ada", locale="en", department=path), inside["hana"].id, NOW
    )
    assert audited("people:person:changed") == []


def test_a_circle_of_supervisors_is_refused_with_its_names(inside):
    lou = directory.person(inside["lou"].id)
    with pytest.raises(Invalid) as refused:
        accounts.edit(lou, described("Lou", supervisor_no=inside["ada"].employee_no), inside["hana"].id, NOW)
    (problem,) = refused.value.problems
    assert problem.code == "people:lines_in_a_circle"
    assert problem.params["names"] == "Lou → Ada → Sam → Lou"


def test_whoever_gets_reports_is_a_supervisor_and_whoever_loses_them_is_not(inside):
    hana = inside["hana"].id
    accounts.edit(
        directory.person(inside["rae"].id), described("Rae", supervisor_no=inside["bo"].employee_no), hana, NOW
    )
    assert roles_of(directory.person(inside["bo"].id)) == {Role.AGENT, Role.SUPERVISOR}
    assert roles_of(directory.person(inside["quinn"].id)) == {Role.AGENT}, "Rae was the only one"
    (line,) = audited("people:roles:followed_lines")
    assert line.details == {"given": [inside["bo"].id], "taken": [inside["quinn"].id]}


def test_only_an_administrator_makes_administrators(inside):
    wanted = frozenset({Role.AGENT, Role.ADMINISTRATOR})
    act = lambda by: accounts.create(draft(roles=wanted), by, NOW)  # noqa: E731
    assert problems(lambda: act(inside["hana"].id)) == [("people:administrators_only", "roles")]
    assert Role.ADMINISTRATOR in roles_of(act(inside["max"].id))


def test_hr_cannot_turn_an_administrators_letters_to_itself(inside):
    act = lambda: accounts.edit(  # noqa: E731
        directory.person(inside["max"].id), described("Max", email="hana2@example.com"), inside["hana"].id, NOW
    )
    assert problems(act) == [("people:administrators_only", "roles")]


@pytest.mark.parametrize("change", [{"roles": frozenset({Role.AGENT})}, {"left_on": date(2027, 1, 1)}])
def test_the_last_administrator_stays(inside, change):
    max_ = inside["max"].id
    act = lambda: accounts.edit(directory.person(max_), described("Max", **change), max_, NOW)  # noqa: E731
    assert problems(act)[0][0] == "people:last_administrator"
    accounts.create(draft(roles=frozenset({Role.ADMINISTRATOR})), max_, NOW)
    act()


def test_a_role_given_and_taken_is_told(inside):
    hana = inside["hana"].id
    accounts.edit(
        directory.person(inside["ada"].id), described("Ada", roles=frozenset({Role.AGENT, Role.HR})), hana, NOW
    )
    assert audited("people:person:changed")[0].details["roles"] == [["agent"], ["agent", "hr"]]
    accounts.edit(directory.person(inside["ada"].id), described("Ada", roles=frozenset({Role.AGENT})), hana, NOW)
    assert roles_of(directory.person(inside["ada"].id)) == {Role.AGENT}


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short 123", "people:password_too_short"),
        ("１２３４５６７８９０", "people:password_common"),
        ("Password123", "people:password_common"),
        ("aaaaaaaaaaaaaa", "people:password_common"),
        ("woaini1314520", "people:password_common"),
        ("ada@example.com", "people:password_about_you"),
        ("E096382!!!", "people:password_about_you"),
        ("x" * 64 + "y" * 65, "people:password_too_long"),
    ],
)
def test_a_weak_password_is_refused(inside, password, code):
    ada = directory.person(inside["ada"].id)
    assert problems(lambda: accounts.set_password(ada, password, NOW, by=None)) == [(code, "password")]


@pytest.mark.parametrize("password", [GOOD, "每天都要喝一杯热豆浆呀", "ab1" * 42 + "zz", "Tr0ub4dor&3x"])
def test_a_good_password_holds_up_to_128_characters_of_any_script(inside, password):
    ada = directory.person(inside["ada"].id)
    accounts.set_password(ada, password, NOW, by=None)
    db.session.commit()
    assert accounts.authenticate("ada@example.com", password, NOW).id == inside["ada"].id
    db.session.commit()
    with pytest.raises(Invalid):
        accounts.authenticate("ada@example.com", password[:-1], NOW)


def test_a_new_password_ends_all_sessions_and_is_never_written_down(inside):
    ada = directory.person(inside["ada"].id)
    before = (ada.session_version, ada.activation)
    accounts.set_password(ada, GOOD, NOW, by=ada.id)
    ada = directory.person(inside["ada"].id)
    assert (ada.session_version, ada.activation) == (before[0] + 1, before[1] + 1)
    assert GOOD not in str([line.details for line in db.session.scalars(select(AuditRow))])


def test_the_directory_knows_lines_teams_and_departments(inside):
    day = NOW.date()
    ada, sam, lou = inside["ada"].id, inside["sam"].id, inside["lou"].id
    above = directory.management_lines()
    assert above[ada] == {sam, lou}
    assert above[lou] == frozenset()
    assert {row.name for row in directory.team_of(sam, day)} == {"Ada", "Bo", "Cy", "Di", "Ed", "Fay", "Gus"}
    directory.person(ada).left_on = day - timedelta(days=1)
    assert "Ada" not in {row.name for row in directory.team_of(sam, day)}
    assert "Ada" in {row.name for row in directory.active(day - timedelta(days=1))}
    assert directory.by_ids([ada, 999])[ada].department.name == "After-sales"
    assert "Service/After-sales" in directory.department_paths().values()
    with pytest.raises(OutOfReach):
        directory.person(999)
