"""Puts orders of rows beside orders of people: whoever came third is supposed to have cast what lies third."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tests.adversary.report import Order
from tests.adversary.traces import Table

if TYPE_CHECKING:
    from tests.adversary.adversary import Adversary


def link(adversary: "Adversary") -> None:
    report = adversary.report
    _by_columns(adversary)
    everybody = dict.fromkeys((token for order in report.orders.values() for token in order), adversary.raters_of(None))
    seated = {review: adversary.raters_of(review) for review in set(report.reviews.values())}
    known = {token: seated[review] for token, review in report.reviews.items()}
    report.reach = {token: len(people) for token, people in known.items() if people}
    # Without anything about people: as if they had come in the order in which they were hired.
    hired = {"staff numbers": {person: float(person) for person in adversary.raters_of(None)}}
    for channel, order in report.orders.items():
        for activity, times in (report.activity | hired).items():
            report.links[f"{channel} x {activity}"] = matched(order, times, everybody)
            if known:
                report.keyed_links[f"{channel} x {activity}"] = matched(order, times, known)
    for name, places in report.limits.items():
        for activity, times in report.activity.items() if known else ():
            order = {token: (0, place) for token, place in places.items()}
            report.limit_links[f"{name} x {activity}"] = matched(order, times, known)


def matched(order: Order, times: dict[int, float], candidates: Mapping[bytes, Sequence[int]]) -> dict[bytes, int]:
    """Each row goes to the one of its candidates whose place among people is nearest to its place among rows."""
    everybody = {person for among in candidates.values() for person in among}
    came = sorted((person for person in times if person in everybody), key=lambda one: times[one])
    if len(came) < 2:
        return {}
    place = {person: at / (len(came) - 1) for at, person in enumerate(came)}
    rows = sorted(order, key=lambda token: (str(order[token][0]), order[token][1]))
    guessed = {}
    for at, token in enumerate(rows):
        among = [one for one in candidates.get(token, ()) if one in place]
        if among:
            here = at / max(1, len(rows) - 1)
            guessed[token] = min(among, key=lambda person: (abs(place[person] - here), person))
    return guessed


def _by_columns(adversary: "Adversary") -> None:
    """Columns beside a row's three that hold a person outright, in the urn or wherever rows are kept."""
    people = set(adversary.raters_of(None))
    for snapshot in adversary.collecting:
        for name, table in _tables(adversary, snapshot):
            for column in set(table.columns) - {"token_hash", "version", "sealed"}:
                said = {row["token_hash"]: _person(adversary, row[column]) for row in table.dicts()}
                known = {token: person for token, person in said.items() if person in people}
                if known:
                    adversary.report.links.setdefault(f"{name}.{column}", {}).update(known)


def _person(adversary: "Adversary", value: Any) -> int | None:
    return value if isinstance(value, int) else adversary.signs.get(str(value))


def _tables(adversary: "Adversary", snapshot: Any) -> list[tuple[str, Table]]:
    from tests.adversary.traces import of_file
    from tests.adversary.urns import urn_files

    files = [of_file(path).tables.get("ballot") for path in urn_files(snapshot)]
    main = [table for table in adversary.main[snapshot.name].tables.values() if table.name != "invitation"]
    found = [table for table in [*files, *main] if table is not None and "token_hash" in table.columns]
    return [(table.name, table) for table in found]
