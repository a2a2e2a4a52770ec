"""Turns "these two are matched" into "this one rates that one" so that everyone gives as many ratings as they get."""

from collections.abc import Iterable

Edge = tuple[int, int]


def orient(count: int, edges: Iterable[Edge]) -> list[Edge]:
    """Directs undirected edges between vertices 0..count-1 so that in- and out-degree differ by 0 or 1.

    Eulerian orientation: odd vertices are joined to one extra vertex, then every degree is even, and a walk along
    unused edges can only get stuck where it began, having entered each vertex as often as it left it. Linear time.
    """
    ends = list(edges)
    at: list[list[int]] = [[] for _ in range(count + 1)]
    for number, (a, b) in enumerate(ends):
        at[a].append(number)
        at[b].append(number)
    real = len(ends)
    for vertex in range(count):
        if len(at[vertex]) % 2:
            at[vertex].append(len(ends))
            at[count].append(len(ends))
            ends.append((vertex, count))
    return _walk(at, ends)[:real]


def _walk(at: list[list[int]], ends: list[Edge]) -> list[Edge]:
    used = bytearray(len(ends))
    directed = ends.copy()
    for start in range(len(at)):
        here = start
        while at[here]:
            number = at[here].pop()
            if used[number]:
                continue
            used[number] = 1
            a, b = ends[number]
            there = b if here == a else a
            directed[number] = (here, there)
            here = there
    return directed
