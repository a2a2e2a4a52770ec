"""The demo's tickets: a company of any size can import them."""

from datetime import date

import pytest

from review.demo.company import company
from review.demo.tickets import HEADINGS, in_portions, tickets_csv
from review.domain.period import Period, PeriodKind
from review.infra.sheet_limits import Limits
from review.infra.sheets import read_table

PERIOD = Period(PeriodKind.QUARTERLY, date(2026, 1, 1), date(2026, 3, 31))


def tickets(people: int) -> bytes:
    made = company(people, 1, date(2026, 4, 1))
    return tickets_csv(list(made.colleagues), PERIOD, date(2026, 3, 31), "1:0", 12, with_email=0.3)


@pytest.mark.parametrize("most", [1, 7, 50, 10_000])
def test_portions_hold_every_row_once_and_each_has_the_headings(most: int) -> None:
    whole = read_table(tickets(12), "tickets.csv")
    parts = [read_table(part, "tickets.csv") for part in in_portions(tickets(12), most)]
    assert all(part.headings == tuple(HEADINGS.split(",")) and len(part.rows) <= most for part in parts)
    assert [row.cells for part in parts for row in part.rows] == [row.cells for row in whole.rows]


def test_the_tickets_of_ten_thousand_people_are_files_an_import_takes() -> None:
    parts = list(in_portions(tickets(10_000)))
    assert len(parts) > 1
    assert all(len(part) < Limits().file_bytes for part in parts)
    assert sum(len(read_table(part, "tickets.csv").rows) for part in parts) > 100_000
