"""What a patient person with a hex editor reads out of bytes: ballots in any dress, seats, places of known rows."""

import base64
import re
import zlib
from binascii import unhexlify
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

LEVEL = rb"excellent|good|fair|poor|none"
HEX_RUN = re.compile(rb"(?:[0-9a-fA-F]{2}){24,}")
BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_-]{32,}={0,2}")
ZLIB_HEAD = re.compile(rb"x[\x01\x5e\x9c\xda]")
NEAR = 24  # bytes between two answers of one ballot

Said = frozenset[tuple[str, str]]


class Ballots:
    """Finds answers to exactly the criteria that peers are asked about, whatever form they were kept in."""

    def __init__(self, asked: Collection[str], others: Collection[str]) -> None:
        names = b"|".join(sorted((name.encode() for name in {*asked, *others}), key=len, reverse=True))
        # A range ("10-19") is no answer: team tables say so how many people a published figure is about.
        # `criterion": "good"`, `c-criterion=good`, `criterion: 80`, `('criterion', <Level.GOOD: 'good'>)`
        self._pair = re.compile(
            rb"(?i)\b(?:c-)?(" + names + rb")\b[^\w]{1,6}(?:Level\.)?(" + LEVEL + rb"|\d{2,3})\b(?!-\d)"
        )
        self._asked = frozenset(asked)
        self._known: dict[bytes, list[bytes]] = {}

    def in_bytes(self, data: bytes) -> list[Said]:
        """Every ballot that can be read, also out of hex, base64 and deflated parts."""
        return [said for blob in self._unfolded(data) for said in self._plain(blob)]

    def _unfolded(self, data: bytes, depth: int = 2) -> Iterator[bytes]:
        """The bytes, and whatever text of hex or base64 or deflated stream in them unfolds to; each of these once."""
        yield data
        if depth == 0:
            return
        for run, inner in _inside(data):
            if run not in self._known:
                self._known.setdefault(run, []).extend(inner())
            for blob in self._known[run]:
                yield from self._unfolded(blob, depth - 1)

    def _plain(self, data: bytes) -> Iterator[Said]:
        group: dict[str, str] = {}
        end = -NEAR
        for found in self._pair.finditer(data):
            name, level = found[1].decode().lower(), found[2].decode().lower()
            if found.start() - end > NEAR or name in group:
                yield from self._whole(group)
                group = {}
            group[name] = level
            end = found.end()
        yield from self._whole(group)

    def _whole(self, group: dict[str, str]) -> Iterator[Said]:
        if group and set(group) <= self._asked:
            yield frozenset(group.items())


def _inside(data: bytes) -> Iterator[tuple[bytes, Callable[[], list[bytes]]]]:
    """Stretches of the bytes that may be something else written down, and how to read them."""
    for run in HEX_RUN.finditer(data):
        yield run[0], partial(_from_hex, run[0])
    for run in BASE64_RUN.finditer(data):
        yield run[0], partial(_from_base64, run[0])
    for head in ZLIB_HEAD.finditer(data):
        yield data[head.start() : head.start() + 64], partial(_inflated, data, head.start())


def _from_hex(run: bytes) -> list[bytes]:
    return [unhexlify(run)]


def _from_base64(run: bytes) -> list[bytes]:
    text = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    cuts = (text[skip:] for skip in range(4))
    return [base64.b64decode(cut[: len(cut) // 4 * 4]) for cut in cuts]


def _inflated(data: bytes, start: int) -> list[bytes]:
    try:
        return [zlib.decompressobj().decompress(data[start : start + 2**16], 2**16)]
    except zlib.error:
        return []


def signs_of(seat: UUID) -> tuple[bytes, ...]:
    """The ways a seat's id is written."""
    encoded = base64.urlsafe_b64encode(seat.bytes).rstrip(b"=")
    return seat.bytes, seat.hex.encode(), str(seat).encode(), encoded, base64.b64encode(seat.bytes).rstrip(b"=")


class Needles:
    """Many byte strings to be looked for at once: by their first eight bytes, at every place, then in full."""

    def __init__(self, needles: Collection[bytes]) -> None:
        self._by_head: dict[int, list[bytes]] = {}
        for needle in needles:
            self._by_head.setdefault(int.from_bytes(needle[:8], "little"), []).append(needle)
        self._heads = np.array(sorted(self._by_head), dtype=np.uint64)
        self._maybe = np.zeros(2**16, dtype=bool)
        self._maybe[self._heads & 0xFFFF] = True

    def places(self, data: bytes) -> dict[bytes, list[int]]:
        """Where each of them lies."""
        found: dict[bytes, list[int]] = {}
        for shift in range(min(8, len(data)) if self._by_head else 0):
            words = np.frombuffer(data, dtype="<u8", count=(len(data) - shift) // 8, offset=shift)
            maybe = np.flatnonzero(self._maybe[words.astype(np.uint16)])
            for at in maybe[self._are_heads(words[maybe])]:
                place = 8 * int(at) + shift
                for needle in self._by_head[int(words[at])]:
                    if data.startswith(needle, place):
                        found.setdefault(needle, []).append(place)
        return found

    def _are_heads(self, words: Any) -> Any:
        """By bisection: np.isin would sort the heads anew each time."""
        places = np.searchsorted(self._heads, words)
        return self._heads[np.minimum(places, len(self._heads) - 1)] == words


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
