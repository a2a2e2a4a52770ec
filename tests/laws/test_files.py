"""Every file says what it is for, and stays short enough to be read in one go."""

import ast

from tests.laws.imports import modules

LONGEST = 400
NO_NAMES = {"utils", "helpers", "common", "manager", "misc"}


def test_every_file_opens_with_a_door_plate() -> None:
    mute = [name for name, path in modules() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not mute, f"{mute}: open with one or two sentences that say what the file is for"


def test_no_file_outgrows_its_reader() -> None:
    long = [(name, n) for name, path in modules() if (n := len(path.read_text().splitlines())) > LONGEST]
    assert not long, f"{long}: split by what it does; rooms of 80 to 300 lines are meant"


def test_no_file_is_named_after_nothing() -> None:
    vague = [name for name, _ in modules() if name.split(".")[-1] in NO_NAMES]
    assert not vague, f"{vague}: name the file after the noun it holds"
