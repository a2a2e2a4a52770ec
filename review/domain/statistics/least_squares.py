"""Solves symmetric positive definite systems of a few hundred unknowns in plain Python."""

Factors = list[list[float]]
"""Row i from its diagonal on: the upper triangle after elimination."""


def factorise(matrix: list[list[float]]) -> Factors:
    """The upper triangle of `matrix` after elimination without exchanges, which positive definiteness makes safe."""
    rows = [row[i:] for i, row in enumerate(matrix)]
    for i, pivot in enumerate(rows):
        head = pivot[0]
        for step in range(1, len(pivot)):
            if pivot[step]:
                factor = pivot[step] / head
                rows[i + step] = [a - factor * b for a, b in zip(rows[i + step], pivot[step:], strict=True)]
    return rows


def solve(factors: Factors, right: list[float]) -> list[float]:
    """The unknowns for one right-hand side."""
    size = len(right)
    values = list(right)
    for i in range(size):
        share = values[i] / factors[i][0]
        for step in range(1, size - i):
            values[i + step] -= factors[i][step] * share
    for i in reversed(range(size)):
        known = sum(factors[i][step] * values[i + step] for step in range(1, size - i))
        values[i] = (values[i] - known) / factors[i][0]
    return values
