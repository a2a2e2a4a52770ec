"""Shares drawn tickets out among checkers: evenly, nobody their own, and where wished nobody those of their own team.

Pure and without chance: the same tickets and checkers give the same shares.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Drawn:
    """A ticket to be checked, and whose it is."""

    check_id: int
    agent_id: int


def share_out(
    drawn: Iterable[Drawn],
    checkers: Sequence[int],
    barred: Mapping[int, frozenset[int]],
    loads: Mapping[int, int] | None = None,
) -> tuple[dict[int, int], list[Drawn]]:
    """Who checks what, by check; and the tickets that nobody of these may check.

    `barred` says for an agent who else may not check their tickets (their supervisor); nobody ever checks their own.
    Agents that bar somebody come first, so that the others can even the loads out; the tickets of one agent go to
    different checkers as far as they reach, so that checkers can be compared over the agents they share.
    """
    counts: dict[int, int] = {checker: (loads or {}).get(checker, 0) for checker in checkers}
    by_agent: dict[int, list[Drawn]] = defaultdict(list)
    for one in drawn:
        by_agent[one.agent_id].append(one)
    given: dict[int, int] = {}
    homeless: list[Drawn] = []
    picky = [agent for agent in by_agent if _no(agent, barred) & counts.keys()]
    easy = [agent for agent in by_agent if not _no(agent, barred) & counts.keys()]
    for agent in sorted(picky, key=lambda each: (-len(_no(each, barred) & counts.keys()), each)):
        allowed = [checker for checker in checkers if checker not in _no(agent, barred)]
        for one in sorted(by_agent[agent], key=lambda each: each.check_id):
            if not allowed:
                homeless.append(one)
                continue
            chosen = min(allowed, key=lambda checker: (counts[checker], _turn(checker, agent)))
            counts[chosen] += 1
            given[one.check_id] = chosen
    _share_the_rest([one for agent in sorted(easy) for one in by_agent[agent]], counts, given)
    here = frozenset(counts)
    kinds = {one.check_id: _no(agent, barred) & here for agent, ones in by_agent.items() for one in ones}
    _even_out(given, kinds, counts)
    return given, homeless


def _even_out(given: dict[int, int], kinds: Mapping[int, frozenset[int]], counts: dict[int, int]) -> None:
    """Hand tickets on from who has most to who has fewest, over others where not directly, until no move helps.

    `kinds` says of each ticket who may not have it. What is left is the smallest difference there can be: the method
    of cost-reducing paths, Harvey, Ladner, Lovasz & Tamir (2006), Semi-matchings for bipartite graphs.
    """
    held: dict[int, dict[frozenset[int], list[int]]] = {checker: defaultdict(list) for checker in counts}
    for check_id, checker in sorted(given.items()):
        held[checker][kinds[check_id]].append(check_id)
    found = _way(held, counts)
    while found:
        for giver, taker in pairwise(found):
            kind = next(kind for kind, ones in held[giver].items() if ones and taker not in kind)
            check_id = held[giver][kind].pop()
            held[taker][kind].append(check_id)
            given[check_id] = taker
        counts[found[0]] -= 1
        counts[found[-1]] += 1
        found = _way(held, counts)


def _way(held: Mapping[int, Mapping[frozenset[int], list[int]]], counts: Mapping[int, int]) -> list[int]:
    """From whom over whom to whom a ticket can be handed on so that loads come closer; empty where nothing helps."""
    for start in sorted(counts, key=lambda checker: (-counts[checker], checker)):
        before: dict[int, int] = {start: start}
        line = [start]
        for giver in line:
            kinds = [kind for kind, ones in held[giver].items() if ones]
            for taker in counts:
                if taker not in before and any(taker not in kind for kind in kinds):
                    before[taker] = giver
                    line.append(taker)
        end = min(line, key=lambda checker: (counts[checker], checker))
        if counts[start] - counts[end] > 1:
            way = [end]
            while way[-1] != start:
                way.append(before[way[-1]])
            return way[::-1]
    return []


def _share_the_rest(drawn: Iterable[Drawn], counts: dict[int, int], given: dict[int, int]) -> None:
    """The least loaded checker takes the next ticket; neighbours in line are of the same agent and so meet others."""
    waiting = [(count, checker) for checker, count in counts.items()]
    heapq.heapify(waiting)
    for one in drawn:
        count, checker = heapq.heappop(waiting)
        given[one.check_id] = checker
        counts[checker] = count + 1
        heapq.heappush(waiting, (count + 1, checker))


def _no(agent: int, barred: Mapping[int, frozenset[int]]) -> frozenset[int]:
    return barred.get(agent, frozenset()) | {agent}


def _turn(checker: int, agent: int) -> int:
    """A different order of checkers for each agent, where their loads are the same."""
    return (checker * 7919 + agent * 104729) % 1000003
