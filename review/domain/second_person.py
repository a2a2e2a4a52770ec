"""Who is proposed where a second person from the management side is wanted: the nearest one above the supervisor."""

from collections.abc import Collection, Mapping


def nearest_above(
    supervisor: int | None, up: Mapping[int, int], here: Collection[int], never: Collection[int]
) -> int | None:
    """The first manager above `supervisor` who works here and is none of `never`; None at the top.

    `up` says who reports to whom. Somebody who has left is passed over, and a circle of lines ends the search.
    """
    seen = {supervisor}
    at = None if supervisor is None else up.get(supervisor)
    while at is not None and at not in seen:
        if at in here and at not in never:
            return at
        seen.add(at)
        at = up.get(at)
    return None
