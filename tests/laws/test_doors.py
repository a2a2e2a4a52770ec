"""Who gets in where: every route, as everybody. Reading writes nothing, writing proves itself, every answer is dressed.

The table in tests/laws/doors.py says what each door is tried on; who is let in follows from review.domain.access and is
held against a list written by hand.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Blueprint

import review.app
from review.app import create_app
from review.domain.access import ALLOWED, Actor, Deed, Role, may
from review.infra.db import db
from review.infra.settings import Settings
from review.people.tables import PersonRow
from tests.laws.doors import DOORS, GOLDEN, STANDINGS, WITHOUT_CSRF
from tests.laws.sweep import READING, Caller, Knock, dump
from tests.world import World, open_copy

ROLES = ("stranger", "ada", "bo", "peer", "sam", "quinn", "hana", "max")
HOLDS: dict[str, set[Role]] = {
    "ada": {Role.AGENT},
    "bo": {Role.AGENT},
    "peer": {Role.AGENT},
    "sam": {Role.AGENT, Role.SUPERVISOR},
    "quinn": {Role.AGENT, Role.SUPERVISOR},
    "hana": {Role.AGENT, Role.HR},
    "max": {Role.AGENT, Role.ADMINISTRATOR},
}


class Swept:
    """What one person met at every door."""

    def __init__(self, role: str, world: World, knocks: list[Knock], before: str, after: str) -> None:
        self.role, self.world, self.knocks, self.before, self.after = role, world, knocks, before, after


@pytest.fixture(scope="module", params=ROLES)
def swept(
    request: pytest.FixtureRequest, built_world: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Swept]:
    role = str(request.param)
    world = open_copy(built_world, tmp_path_factory.mktemp("sweep") / role)
    caller = Caller(built_world, world, None if role == "stranger" else world.somebody(role))
    before = dump(world.database)
    reading, writing, after = [], [], None
    for knock in caller.everything():
        if knock.method in READING:
            reading.append(knock)
        else:
            after = after or dump(world.database)
            writing.append(knock)
    caller.close()
    return Swept(role, world, [*reading, *writing], before, after or dump(world.database))


@pytest.fixture(scope="module")
def one_world(built_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = open_copy(built_world, tmp_path_factory.mktemp("doors") / "world")
    yield made
    made.let_go()


def entry_of(world: World, endpoint: str) -> object:
    """What the door says: a Deed, or the reason why it stands open. Static files are for everybody."""
    return getattr(world.app.view_functions[endpoint], "entry", "static files are for everybody")


def is_let_in(world: World, role: str, endpoint: str) -> bool:
    """By the vocabulary of access and by what the person is to the thing the door is tried on."""
    entry = entry_of(world, endpoint)
    if not isinstance(entry, Deed):
        return True
    if role == "stranger":
        return False
    standings = STANDINGS.get(DOORS[endpoint].about or "", {}).get(role, frozenset())
    return may(Actor(0, role, frozenset(HOLDS[role])), entry, standings)


def test_the_house_does_not_open_with_an_unlocked_door(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    naked = Blueprint("naked", __name__)
    naked.add_url_rule("/naked", "view", lambda: "come in")
    monkeypatch.setattr(review.app, "BLUEPRINTS", (*review.app.BLUEPRINTS, naked))
    with pytest.raises(RuntimeError, match=r"say nothing about who may enter: naked\.view"):
        create_app(settings)


def test_every_route_stands_in_the_table(one_world: World) -> None:
    unknown = sorted({rule.endpoint for rule in one_world.app.url_map.iter_rules()} - set(DOORS))
    assert not unknown, f"{unknown}: add a row to tests/laws/doors.py that says on what the door is tried"


def test_the_table_lists_no_route_that_is_gone(one_world: World) -> None:
    gone = sorted(set(DOORS) - {rule.endpoint for rule in one_world.app.url_map.iter_rules()})
    assert not gone, f"{gone} are no routes: remove them from tests/laws/doors.py, or register their blueprint"


def test_the_cast_holds_the_roles_the_matrix_believes(one_world: World) -> None:
    with one_world.app.app_context():
        for name, roles in HOLDS.items():
            row = db.session.get_one(PersonRow, getattr(one_world.facts, name))
            assert {role.role for role in row.roles} == roles, name


def test_open_doors_say_why(one_world: World) -> None:
    for endpoint in one_world.app.view_functions:
        entry = entry_of(one_world, endpoint)
        assert isinstance(entry, Deed) or len(str(entry).split()) >= 3, f"{endpoint}: say why anybody may enter"


def test_every_deed_opens_some_door(one_world: World) -> None:
    used = {entry_of(one_world, endpoint) for endpoint in one_world.app.view_functions}
    unused = sorted(deed.value for deed in ALLOWED if deed not in used)
    assert not unused, f"{unused}: no route asks for them; remove the deed or guard the route with it"


@pytest.mark.parametrize("endpoint", GOLDEN)
def test_who_gets_into_the_rooms_that_matter_is_as_written_down(one_world: World, endpoint: str) -> None:
    let_in = {role for role in ROLES if is_let_in(one_world, role, endpoint)}
    assert let_in == GOLDEN[endpoint], f"{endpoint}: if this is meant, write it into GOLDEN and into the handbook"


def test_everybody_meets_what_the_rules_say(swept: Swept) -> None:
    wrong = []
    for knock in swept.knocks:
        let_in = is_let_in(swept.world, swept.role, knock.endpoint)
        if not (_was_let_in(knock) if let_in else _was_kept_out(knock, swept.role)):
            wrong.append(f"{swept.role} should {'' if let_in else 'not '}get in: {knock}")
    assert not wrong, "\n".join(wrong)


def _was_let_in(knock: Knock) -> bool:
    if knock.status in DOORS[knock.endpoint].shows:
        return True
    return knock.status in {200, 302, 303} and "/sign-in?" not in knock.location


def _was_kept_out(knock: Knock, role: str) -> bool:
    """A stranger is led to the sign-in (GET) or refused with 401; whoever is signed in finds that nothing is there."""
    if role != "stranger":
        return knock.status == 404
    if knock.method == "GET":
        return knock.status == 302 and knock.location.startswith("/sign-in?")
    return knock.status == 401


def test_reading_changes_nothing(swept: Swept) -> None:
    wrong = [str(knock) for knock in swept.knocks if knock.method in READING and (knock.wrote or knock.stirred)]
    assert not wrong, "\n".join([*wrong, "GET shows, POST acts: move the change behind a button."])
    assert swept.before == swept.after


def test_who_is_kept_out_changes_nothing(swept: Swept) -> None:
    wrong = [
        str(knock)
        for knock in swept.knocks
        if not is_let_in(swept.world, swept.role, knock.endpoint) and (knock.wrote or knock.stirred)
    ]
    assert not wrong, "\n".join(wrong)


def test_head_answers_like_get(swept: Swept) -> None:
    got = {knock.url: knock.status for knock in swept.knocks if knock.method == "GET"}
    for knock in swept.knocks:
        if knock.method == "HEAD" and not (swept.role == "stranger" and knock.status == 401):
            assert knock.status == got[knock.url], str(knock)
            assert not knock.body, str(knock)


def test_no_door_breaks(swept: Swept) -> None:
    broken = [str(knock) for knock in swept.knocks if knock.status >= 500]
    assert not broken, "\n".join(broken)


def test_every_answer_is_dressed(swept: Swept) -> None:
    """Content policy without exceptions, no sniffing, no referrer to elsewhere, no copy of what is private."""
    for knock in swept.knocks:
        policy = knock.headers.get("Content-Security-Policy", "")
        assert policy.startswith("default-src 'none'"), str(knock)
        assert "unsafe-" not in policy, str(knock)
        assert "*" not in policy, str(knock)
        assert "frame-ancestors 'none'" in policy, str(knock)
        assert knock.headers.get("X-Content-Type-Options") == "nosniff", str(knock)
        wanted = "no-referrer" if knock.url.startswith("/s/") else "same-origin"
        assert knock.headers.get("Referrer-Policy") == wanted, str(knock)
        if knock.endpoint != "static":
            assert knock.headers.get("Cache-Control") == "no-store", str(knock)


@pytest.mark.parametrize("role", ["stranger", "hana"])
def test_nothing_is_done_without_the_token_of_the_session(
    role: str, built_world: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = open_copy(built_world, tmp_path_factory.mktemp("csrf") / role)
    caller = Caller(built_world, world, None if role == "stranger" else world.somebody(role))
    wrong = []
    for rule in world.app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {*READING, "OPTIONS"}):
            if rule.endpoint in WITHOUT_CSRF or rule.endpoint not in DOORS:
                continue
            knock = caller.knock(rule.endpoint, method, csrf=False)
            if knock.status != 400 or knock.wrote or knock.stirred:
                wrong.append(str(knock))
    caller.close()
    assert not wrong, "\n".join([*wrong, "Only tests/laws/doors.py:WITHOUT_CSRF may be exempt, each with its proof."])


def test_what_needs_no_token_proves_itself_by_its_address(world: World) -> None:
    exempt = {rule.endpoint for rule in world.app.url_map.iter_rules()} & WITHOUT_CSRF
    assert exempt == WITHOUT_CSRF
    assert set(review.app.customer_survey.EXEMPT) == WITHOUT_CSRF
    before = dump(world.database)
    for path in ("/s/" + "x" * 43, "/s/" + "x" * 43 + "/unsubscribe"):
        answer = world.app.test_client().post(path, data={"overall": "1", "form": "abc"})
        assert answer.status_code in {200, 404}, path
    assert dump(world.database) == before


@pytest.mark.parametrize(
    ("path", "status"),
    [("/no-such-page", 404), ("/sign-in/", 404), ("/s/unknown-link", 404), ("/peers/not-a-uuid", 404)],
)
def test_errors_are_dressed_like_everything_else(world: World, path: str, status: int) -> None:
    answer = world.app.test_client().get(path)
    assert answer.status_code == 404
    assert "unsafe-" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_an_unexpected_error_is_dressed_and_tells_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr("review.people.door_views.render_template", fail)
    world.app.config["PROPAGATE_EXCEPTIONS"] = False
    world.app.testing = False
    answer = world.app.test_client().get("/sign-in")
    assert answer.status_code == 500
    assert "the secret inside" not in answer.text
    assert "unsafe-" not in answer.headers["Content-Security-Policy"]
