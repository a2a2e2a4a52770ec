"""Make `.venv`, install the hashed locks into it, and run the real command inside: standard library only.

`python3 -m review demo` must work on a machine that has nothing but Python 3.11 and its venv module, so nothing
above the standard library may be imported before `in_own_environment()` has said yes.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCKS = ROOT / "requirements"
GROUPS = {"run": ("run.lock",), "test": ("run.lock", "dev.lock", "browser.lock")}


def is_checkout() -> bool:
    """Whether the package lies in its source tree; an installed wheel brings its own environment."""
    return (ROOT / "pyproject.toml").is_file() and LOCKS.is_dir()


def python_of(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def stamp_of(locks: tuple[str, ...]) -> str:
    """A digest that changes whenever one of the locks or the interpreter does."""
    digest = hashlib.sha256(sys.version.encode())
    for name in locks:
        digest.update((LOCKS / name).read_bytes())
    return digest.hexdigest()


def in_own_environment() -> bool:
    return Path(sys.prefix).resolve() == VENV.resolve()


def install(group: str) -> None:
    """Bring `.venv` to the state of the group's locks; does nothing when the stamp says it is there already.

    Raises SystemExit with a sentence when Python has no venv module or pip cannot reach an index.
    """
    locks = GROUPS[group]
    stamp = VENV / f".stamp-{group}"
    wanted = stamp_of(locks)
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print(f"Setting up {VENV.name} (first use, about half a minute) …", file=sys.stderr, flush=True)
    if not python_of(VENV).exists() and subprocess.call([sys.executable, "-m", "venv", str(VENV)]) != 0:
        raise SystemExit("Could not make .venv: install Python's venv module (Debian: apt install python3-venv).")
    command = [str(python_of(VENV)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", "--only-binary=:all:"]
    for name in locks:
        command += ["-r", str(LOCKS / name)]
    if subprocess.call(command) != 0:
        raise SystemExit("pip could not install the locked packages: its own message is above. Run this again.")
    stamp.write_text(wanted)


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  this file is the one that older interpreters get to see
        raise SystemExit("环评 Review360 needs Python 3.11 or later.")
    if is_checkout() and not os.environ.get("REVIEW_NO_VENV"):
        group = "test" if sys.argv[1:2] == ["test"] else "run"
        install(group)
        if not in_own_environment():
            command = [str(python_of(VENV)), "-m", "review", *sys.argv[1:]]
            if os.name == "nt":
                raise SystemExit(subprocess.call(command))
            os.execv(command[0], command)  # noqa: S606  no shell: replaces this process so that signals reach the real one
    from review.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
