"""Where the house keeps its things: closed to other users, keys apart from the data and never empty."""

import os
import subprocess
import sys
from pathlib import Path
from stat import S_IMODE

import pytest
from flask import request

from review.app import create_app
from review.domain.refusals import Invalid
from review.infra.settings import Settings, key_text
from review.infra.tokens import KEY_FILE, Links
from review.infra.words import say_all


def environ(folder: Path) -> dict[str, str]:
    return {"REVIEW_DATA": str(folder / "instance"), "REVIEW_KEYS": str(folder / "keys")}


def test_data_and_keys_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    made = Settings.from_env(environ(tmp_path))
    assert S_IMODE(made.data_dir.stat().st_mode) == 0o700
    assert S_IMODE(made.keys_dir.stat().st_mode) == 0o700


@pytest.mark.parametrize("inside", ["instance/keys", "instance", "."])
def test_keys_never_lie_with_the_data(tmp_path: Path, inside: str) -> None:
    with pytest.raises(Invalid) as refused:
        Settings.from_env({**environ(tmp_path), "REVIEW_KEYS": str(tmp_path / inside)})
    assert refused.value.code == "settings:keys_inside_data"


def test_a_key_is_drawn_once(tmp_path: Path) -> None:
    first = Settings.from_env(environ(tmp_path)).secret_key
    assert len(first) == 64
    assert Settings.from_env(environ(tmp_path)).secret_key == first
    assert S_IMODE((tmp_path / "keys" / "session.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("left", ["", "\n", "abcdef"])
def test_a_key_that_lost_its_content_is_refused_and_not_used(tmp_path: Path, left: str) -> None:
    made = Settings.from_env(environ(tmp_path))
    (made.keys_dir / "session.key").write_text(left)
    with pytest.raises(Invalid) as refused:
        Settings.from_env(environ(tmp_path))
    assert "session.key" in say_all(refused.value, "en")[0]
    (made.keys_dir / KEY_FILE).write_text(left)
    with pytest.raises(Invalid):
        Links(made.keys_dir).token("people:activation", 1)


def test_a_key_with_a_line_break_behind_it_is_the_same_key(tmp_path: Path) -> None:
    key = key_text(tmp_path / "a.key")
    (tmp_path / "a.key").write_text(key + "\n")
    assert key_text(tmp_path / "a.key") == key


def test_a_proxys_word_about_the_caller_counts_only_where_one_is_named(settings: Settings) -> None:
    def seen(proxies: int) -> str:
        values = {name: getattr(settings, name) for name in settings.__slots__} | {"proxies": proxies}
        app = create_app(Settings(**values))
        addresses: list[str] = []
        app.view_functions["health.healthz"] = lambda: addresses.append(request.remote_addr or "") or "ok"
        app.test_client().get("/healthz", headers={"X-Forwarded-For": "203.0.113.7"})
        return addresses[0]

    assert seen(0) == "127.0.0.1"
    assert seen(1) == "203.0.113.7"


@pytest.mark.parametrize("typed", ["-1", "6", "one", "1.0"])
def test_a_number_of_proxies_that_makes_no_sense_is_refused(typed: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="proxies_not_a_number"):
        Settings.from_env({"REVIEW_DATA": str(tmp_path / "d"), "REVIEW_PROXIES": typed})


def test_a_command_on_an_empty_database_says_to_upgrade(tmp_path: Path) -> None:
    variables = {**os.environ, "REVIEW_DATA": str(tmp_path / "d"), "LANG": "en_US.UTF-8", "REVIEW_NO_VENV": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "review", "tick"], env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip() == "The database is empty or from an earlier version. Run: python3 -m review upgrade"
