"""What nightly copies tell under maximum protection: who drew on the night on which ballots about a colleague came in.

The documentation states that as a limit. Within one night nothing may tell more; that is tried as well.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.adversary import servers
from tests.adversary.chains import matched
from tests.adversary.physical import file_orders
from tests.adversary.report import Order
from tests.adversary.told import Snapshot
from tests.adversary.traces import of_file
from tests.adversary.urns import urn_files

if TYPE_CHECKING:
    from tests.adversary.adversary import Adversary


def compare(adversary: "Adversary") -> None:
    """For each row the raters who drew on the night it came in, and guesses among them by every order of that night."""
    if not adversary.drawn:
        return
    report, before = adversary.report, set[int]()
    for old, new in pairwise(adversary.collecting):
        known, (rows, orders) = _rows(old)[0], _rows(new)
        fresh = {token for token in rows - known if token in report.reviews}
        drawn = _drawn(adversary, new)
        for token in fresh:
            asked = set(adversary.raters_of(report.reviews[token]))
            among = asked & (drawn - before) or asked & drawn
            report.tonight[token] = sorted(among)
        _guess(adversary, new, fresh, orders)
        before = drawn


def _guess(adversary: "Adversary", night: Snapshot, fresh: set[bytes], orders: dict[str, Order]) -> None:
    report = adversary.report
    among = {token: report.tonight[token] for token in fresh}
    for channel, order in orders.items():
        mine: Order = {token: place for token, place in order.items() if token in fresh}
        for activity, times in report.came.get(night.name, {}).items():
            guessed = matched(mine, times, among)
            report.night_links.setdefault(f"{channel} x {activity}", {}).update(guessed)
    first = {token: people[0] for token, people in among.items() if people}
    report.night_links.setdefault("the night alone", {}).update(first)


def _drawn(adversary: "Adversary", snapshot: Snapshot) -> set[int]:
    return set(adversary.main[snapshot.name].tables["ticket_draw"].column("rater_id"))


def _rows(snapshot: Snapshot) -> tuple[set[bytes], dict[str, Order]]:
    """The rows of a copy and the orders in which they lie."""
    tokens: set[bytes] = set()
    orders: dict[str, Order] = {}
    for token, order in _places(snapshot):
        tokens |= token
        orders |= order
    return tokens, orders


def _places(snapshot: Snapshot) -> Iterator[tuple[set[bytes], dict[str, Order]]]:
    for path in urn_files(snapshot):
        table = of_file(path).tables.get("ballot")
        if table is not None and "token_hash" in table.columns:
            found: dict[str, Any] = file_orders(path)
            yield set(table.column("token_hash")), found
    for table in servers.tables_of(snapshot):
        yield set(table.column("token_hash")), {}
