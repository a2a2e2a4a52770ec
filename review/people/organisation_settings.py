"""Changes the organisation's settings: its name, zone, holidays, first language and the sender of its letters."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from review.domain.refusals import Invalid, Problem
from review.infra import audit, organisation
from review.infra.organisation import Organisation
from review.infra.sheets import day_of
from review.people.draft import LOCALES, is_address

MOST_HOLIDAYS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was typed; `holidays` holds one day a line, and anything behind the day is a remark."""

    name: str
    zone: str
    locale: str
    holidays: str
    mail_from: str


def change(wishes: Wishes, *, by: int, now: datetime) -> Organisation:
    """Check and write the settings; raises Invalid with every problem."""
    days, bad_lines = _days(wishes.holidays)
    problems = [*_problems(wishes), *bad_lines]
    if problems:
        raise Invalid.of(problems)
    before = organisation.current()
    after = Organisation(wishes.name, wishes.zone, wishes.locale, days, wishes.mail_from.lower())
    organisation.configure(after)
    told = {key: [_told(before, key), _told(after, key)] for key in ("name", "zone_key", "locale", "mail_from")}
    changed: dict[str, list[object]] = {key: [*pair] for key, pair in told.items() if pair[0] != pair[1]}
    if before.holidays != days:
        changed["holidays"] = [*(sorted(map(str, gone)) for gone in (before.holidays - days, days - before.holidays))]
    if changed:
        audit.record("people:organisation:changed", "organisation", by=by, at=now, **changed)
    return after


def _told(of: Organisation, key: str) -> str:
    return str(getattr(of, key))


def _problems(wishes: Wishes) -> Iterator[Problem]:
    if not wishes.name.strip() or not wishes.name.isprintable():
        yield Problem("form:required" if not wishes.name.strip() else "form:not_valid", "name")
    if len(wishes.name) > 120:
        yield Problem("form:too_long", "name", {"max": 120})
    if not is_zone(wishes.zone):
        yield Problem("people:no_such_zone", "zone")
    if wishes.locale not in LOCALES:
        yield Problem("form:choose_one", "locale")
    if not is_address(wishes.mail_from):
        yield Problem("form:not_an_email", "mail_from")


def is_zone(key: str) -> bool:
    try:
        ZoneInfo(key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return "/" in key or key == "UTC"


def _days(text: str) -> tuple[frozenset[date], list[Problem]]:
    days, problems = set(), []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        day = day_of(words[0])
        if day is None:
            problems.append(Problem("people:not_a_holiday", "holidays", {"line": number, "text": line.strip()[:40]}))
        else:
            days.add(day)
    if len(days) > MOST_HOLIDAYS:
        problems.append(Problem("form:out_of_range", "holidays", {"min": 0, "max": MOST_HOLIDAYS}))
    return frozenset(days), problems[:10]
