"""Draws which tickets of an agent are checked: by lot with a stated seed, never by a checker or by HR.

Pure: the same tickets and seed give the same draw, in whatever order they come and on whatever machine.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """A ticket that may be checked. `name` is its system and number: what does not differ between two databases."""

    ticket_id: int
    name: str
    channel: str


def draw(candidates: Iterable[Candidate], agent: str, seed: int, count: int) -> list[Candidate]:
    """So many tickets of one agent (all, if there are fewer): systematic sampling over the channels.

    The tickets stand by channel and within a channel by lot; every (tickets / count)-th is taken from a random start.
    So each has the same chance, and each channel gets its share of the sample rounded down or up. Source: Madow & Madow
    (1944), On the theory of systematic sampling, Annals of Mathematical Statistics 15.
    """
    line = _in_line(candidates, agent, seed)
    total, wanted = len(line), min(count, len(line))
    if not wanted:
        return []
    start = _number(seed, agent, "start") % total
    return [
        one
        for place, one in enumerate(line)
        if ((place + 1) * wanted + start) // total > (place * wanted + start) // total
    ]


def reserves(
    candidates: Iterable[Candidate], drawn: Iterable[Candidate], agent: str, seed: int, count: int
) -> list[Candidate]:
    """Who follows when a drawn ticket cannot be checked: the others by lot, those of the drawn channels first."""
    taken = {one.ticket_id for one in drawn}
    channels = {one.channel for one in candidates if one.ticket_id in taken}
    rest = [one for one in candidates if one.ticket_id not in taken]
    rest.sort(key=lambda one: (one.channel not in channels, _lot(seed, agent, one.name)))
    return rest[:count]


def _in_line(candidates: Iterable[Candidate], agent: str, seed: int) -> list[Candidate]:
    by_channel: dict[str, list[Candidate]] = defaultdict(list)
    for one in candidates:
        by_channel[one.channel].append(one)
    line: list[Candidate] = []
    for channel in sorted(by_channel, key=lambda each: _lot(seed, agent, f"channel|{each}")):
        line += sorted(by_channel[channel], key=lambda one: _lot(seed, agent, one.name))
    return line


def _number(seed: int, agent: str, what: str) -> int:
    return int.from_bytes(_lot(seed, agent, what))


def _lot(seed: int, agent: str, what: str) -> bytes:
    return hashlib.sha256(f"{seed}|{agent}|{what}".encode()).digest()
