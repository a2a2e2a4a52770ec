"""Chooses whom to ask about which ticket: by lot with a stated seed, never by the agent.

Pure: the same tickets and seed give the same choice, in whatever order they come and in whatever process.
"""

import hashlib
import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from review.domain.strata import Stratum, allocate

NO_STRATUM = Stratum("", "")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A ticket somebody could be asked about. `customer` names the person who would get the letter.

    It holds nothing that an agent writes or rates: only whose ticket it is, of what sort, and its number.
    """

    ticket_id: int
    reference: str
    customer: str
    agent_id: int
    stratum: Stratum = NO_STRATUM


def choose(candidates: Iterable[Candidate], seed: int, invited: Mapping[int, int] | None = None) -> list[Candidate]:
    """One ticket for every customer. Who was helped by several agents goes to the one with the fewest invitations.

    Customers of a single agent come first, because nobody else can ask them; `invited` is what each agent has already.
    So everyone reaches the minimum of answers where the tickets allow it.
    """
    drawn = _one_a_pair(candidates, seed)
    counts: dict[int, int] = defaultdict(int, invited or {})
    chosen: list[Candidate] = []
    shared = []
    for options in drawn.values():
        if len(options) == 1:
            chosen.extend(options.values())
            counts[next(iter(options))] += 1
        else:
            shared.append(options)
    return chosen + _share_out(shared, counts, seed)


def sample(
    candidates: Iterable[Candidate], seed: int, seats: Mapping[int, int], invited: Mapping[int, int] | None = None
) -> list[Candidate]:
    """As many customers of each agent as they have `seats`, their strata in proportion to the agent's tickets.

    A customer of several agents is first given to one of them (see `choose`, also for `invited`); then each agent's
    seats are allocated over the strata by the largest remainder, and the lot falls within a stratum. Sorted by number.
    """
    everything = list(candidates)
    population: dict[int, Counter[Stratum]] = defaultdict(Counter)
    for each in everything:
        population[each.agent_id][each.stratum] += 1
    mine: dict[int, dict[Stratum, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
    for each in choose(everything, seed, invited):
        mine[each.agent_id][each.stratum].append(each)
    chosen: list[Candidate] = []
    for agent, strata in mine.items():
        room = {key: len(found) for key, found in strata.items()}
        given = allocate(population[agent], room, max(0, seats.get(agent, 0)))
        for key, found in strata.items():
            # Another lot than the one that chose the ticket: who has many tickets would win that one more often.
            found.sort(key=lambda each: _digest(f"{seed}|customer|{each.customer}"))
            chosen.extend(found[: given[key]])
    return sorted(chosen, key=lambda each: each.reference)


def _one_a_pair(candidates: Iterable[Candidate], seed: int) -> dict[str, dict[int, Candidate]]:
    """For every customer the agents they met, each with the ticket the lot fell on."""
    drawn: dict[str, dict[int, Candidate]] = {}
    lots: dict[tuple[str, int], bytes] = {}
    for candidate in sorted(candidates, key=lambda each: each.reference):
        pair, lot = (candidate.customer, candidate.agent_id), _lot(seed, candidate)
        if pair not in lots or lot < lots[pair]:
            lots[pair] = lot
            drawn.setdefault(candidate.customer, {})[candidate.agent_id] = candidate
    return drawn


def _share_out(shared: list[dict[int, Candidate]], counts: dict[int, int], seed: int) -> list[Candidate]:
    """The agent with the fewest invitations takes the next customer, those with the fewest other choices first."""
    queues: dict[int, list[tuple[int, bytes, Candidate]]] = defaultdict(list)
    for options in shared:
        for agent, candidate in options.items():
            queues[agent].append((len(options), _lot(seed, candidate), candidate))
    for queue in queues.values():
        queue.sort(key=lambda each: each[:2], reverse=True)  # taken from the end
    waiting = [(counts[agent], agent) for agent in queues]
    heapq.heapify(waiting)
    asked: set[str] = set()
    chosen = []
    while waiting:
        count, agent = heapq.heappop(waiting)
        queue = queues[agent]
        while queue and queue[-1][2].customer in asked:
            queue.pop()
        if not queue:
            continue
        candidate = queue.pop()[2]
        asked.add(candidate.customer)
        chosen.append(candidate)
        heapq.heappush(waiting, (count + 1, agent))
    return chosen


def _lot(seed: int, candidate: Candidate) -> bytes:
    return _digest(f"{seed}|{candidate.reference}")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
