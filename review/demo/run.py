"""The demo's processes: mail server, worker, web server. None of them outlives the one that started them."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

GRACE_SECONDS = 8.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    """Ask Linux to end this child when its parent dies, however it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Household:
    """Starts children and ends them all, also when the parent is killed or one child fails."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str, quiet: bool = False) -> None:
        self._children[name] = subprocess.Popen(  # noqa: S603  our own interpreter and modules
            [sys.executable, *command],
            env=self._environ,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  one thread at this point
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if quiet else None,
        )

    def wait(self) -> str | None:
        """Until a signal ends the demo (None), or a child ends by itself (its name)."""
        while True:
            for name, child in self._children.items():
                if child.poll() is not None:
                    return name
            try:
                time.sleep(0.3)
            except KeyboardInterrupt:
                return None

    def end(self) -> None:
        for child in self._children.values():
            with suppress(ProcessLookupError):
                child.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self._children.values():
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def interrupt_on_signals() -> None:
    """SIGTERM ends the demo as Ctrl-C does, and Ctrl-C works where a shell started it in the background."""

    def interrupt(_number: int, _frame: FrameType | None) -> Any:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt)


def wait_for_port(port: int, seconds: float = 30.0) -> bool:
    """Whether something answers on the port within that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        time.sleep(0.1)
    return False


def environment(data: Path, base_url: str, smtp_port: int) -> dict[str, str]:
    """What the children need to know."""
    return {
        **os.environ,
        "REVIEW_DATA": str(data),
        "REVIEW_DEMO": "1",
        "REVIEW_BASE_URL": base_url,
        "SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
    }
