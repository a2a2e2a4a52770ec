"""The plan of the house: imports go down, never up, never sideways between rooms of one floor, never in a circle."""

import ast
import subprocess
import sys

import pytest

from tests.laws.imports import ROOT, graph, modules

# From the ground up. Rooms on one line with `|` never see each other.
FLOORS = [
    "domain",
    "infra",
    "people",
    "schemes",
    "cycles | stats",
    "helpdesk",
    "responses | ballots | quality",
    "self_review | supervisor_review | peer_review | customer_survey | custody | kpi",
    "tickets | follow_up",
    "results",
    "reports | diagnostics",
    "workflow",
    "demo",
    "app | cli | tables | navigation | __main__",
]
FLOOR = {room.strip(): number for number, line in enumerate(FLOORS) for room in line.split("|")}

# A room's tables belong to it; these lie open for foreign keys and reads.
OPEN_TABLES = {"review.people.tables", "review.cycles.tables", "review.schemes.tables", "review.helpdesk.tables"}

# Inside the ballots room only these may know that rows of ballots exist at all.
WALL = {
    "review.ballots.urn": "ballots",
    "review.ballots.urn_tables": "ballots",
    "review.ballots.keys": "ballots",
    "review.ballots.sealing": "ballots",
}
# The conversation between seats and ballots: who may cast or look a seat up.
MAY_CALL_BALLOTS = {"custody", "peer_review", "workflow", "results", "demo", "tables", "tickets", "ballots"}

WEB = {"flask", "flask_wtf", "flask_login", "wtforms", "flask_babel"}
REQUEST_WORLD = {"request", "session", "g", "current_app", "url_for", "render_template", "redirect", "flash", "abort"}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


EDGES = [(name, target, line) for name, targets in graph().items() for target, line in targets]


def test_every_room_has_a_floor() -> None:
    homeless = sorted({room_of(name) for name, _ in modules()} - set(FLOOR) - {"__init__"})
    assert not homeless, f"{homeless} stand on no floor: put them into FLOORS, as low as their imports allow"


def test_imports_go_down_and_never_sideways() -> None:
    wrong = []
    for name, target, line in EDGES:
        here, there = room_of(name), room_of(target)
        if here in {there, "__init__"} or there == "__init__":
            continue
        if here in {"app", "cli", "navigation", "__main__", "tables"}:
            continue
        if FLOOR[there] >= FLOOR[here]:
            wrong.append(f"{name}:{line} may not look up or sideways at {target}")
    assert not wrong, "\n".join([*wrong, "Move the code down, or let the room above both of them bring it together."])


def test_there_is_no_circle() -> None:
    arrows = {name: {target for target, _ in targets} - {name} for name, targets in graph().items()}
    seen: dict[str, int] = {}
    trail: list[str] = []

    def walk(name: str) -> None:
        if seen.get(name) == 2:
            return
        assert seen.get(name) != 1, f"a circle: {' -> '.join([*trail[trail.index(name) :], name])}"
        seen[name] = 1
        trail.append(name)
        for target in sorted(arrows.get(name, ())):
            walk(target)
        trail.pop()
        seen[name] = 2

    for name in arrows:
        walk(name)


def test_a_rooms_tables_are_its_own() -> None:
    wrong = [
        f"{name}:{line} reads {target}"
        for name, target, line in EDGES
        if target.endswith(".tables")
        and target not in OPEN_TABLES
        and room_of(target) not in {room_of(name), "infra", "tables"}
        and name != "review.tables"
    ]
    assert not wrong, "\n".join([*wrong, "Ask the room for a function instead."])


def test_the_privacy_wall_stands() -> None:
    wrong = [
        f"{name}:{line} reaches through the wall to {target}"
        for name, target, line in EDGES
        if (target in WALL and room_of(name) != WALL[target])
        or (room_of(target) == "ballots" and room_of(name) not in MAY_CALL_BALLOTS)
    ]
    assert not wrong, "\n".join([*wrong, "Ballots are spoken to through review.ballots.service, by few."])


def test_the_ballots_room_knows_neither_seats_nor_people() -> None:
    wrong = [
        f"{name}:{line} -> {target}"
        for name, target, line in EDGES
        if room_of(name) == "ballots" and room_of(target) in {"people", "peer_review", "responses"}
    ]
    assert not wrong, "\n".join([*wrong, "What the count needs of seats comes in as an argument."])


@pytest.mark.parametrize("module", ["service", "tables"])
def test_services_and_tables_know_no_request(module: str) -> None:
    wrong = []
    for name, path in modules():
        if not name.endswith(f".{module}") or room_of(name) in {"infra", "domain"}:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = {alias.name for alias in node.names} if isinstance(node, ast.ImportFrom) else set()
            if isinstance(node, ast.ImportFrom) and node.module in WEB and names & REQUEST_WORLD:
                wrong.append(f"{name}:{node.lineno} imports {sorted(names & REQUEST_WORLD)}")
    assert not wrong, "\n".join([*wrong, "Let the view read the request and pass a value."])


def test_the_domain_imports_nothing_but_the_standard_library() -> None:
    wrong = []
    for name, path in modules():
        if room_of(name) != "domain":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            wrong += [
                f"{name}:{node.lineno} imports {one}"
                for one in found
                if one.split(".")[0] not in sys.stdlib_module_names and not one.startswith("review.domain")
            ]
    assert not wrong, "\n".join([*wrong, "The rules stay plain Python."])


def test_the_domain_can_be_used_without_any_framework() -> None:
    probe = (
        "import sys, importlib, pathlib\n"
        "for path in pathlib.Path('review/domain').rglob('*.py'):\n"
        "    importlib.import_module('.'.join(path.with_suffix('').parts))\n"
        "loaded = {'flask', 'sqlalchemy', 'wtforms'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", probe], check=True, cwd=ROOT)


def test_only_the_clock_asks_for_the_time() -> None:
    wrong = []
    for name, path in modules():
        if name in {"review.infra.clock"}:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
                owner = node.value
                if isinstance(owner, ast.Name) and owner.id in {"datetime", "date"}:
                    wrong.append(f"{name}:{node.lineno}")
    assert not wrong, f"{wrong}: time is an argument; views and commands call review.infra.clock.now() once"
