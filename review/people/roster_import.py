"""The import of a roster, whoever asks for it: from the bytes of a file to a plan, from the plan to the database."""

from datetime import date

from review.infra import organisation
from review.infra.sheet_limits import Limits
from review.infra.sheets import read_table
from review.people.roster import Roster, read_roster
from review.people.roster_apply import apply, hold_the_directory
from review.people.roster_plan import Plan, plan

__all__ = ["apply", "hold_the_directory", "plan_of", "read"]


def read(data: bytes, filename: str) -> Roster:
    """The rows of an .xlsx or .csv file. Raises Invalid when the file or its columns cannot be read."""
    return read_roster(read_table(data, filename, Limits()))


def plan_of(data: bytes, filename: str, today: date, *, may_make_administrators: bool) -> Plan:
    """What importing this file would do now. New people get the organisation's language."""
    locale = organisation.current().locale
    return plan(read(data, filename), today, may_make_administrators=may_make_administrators, locale=locale)
