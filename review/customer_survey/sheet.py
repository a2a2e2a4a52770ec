"""What the cells of a ticket list mean: one draft a row, or a problem with its row and column."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from review.customer_survey.headings import CHANNELS, LOCALES, NAMES
from review.domain.refusals import Problem
from review.infra.sheets import Row, Table, column_map, day_of, plain

REQUIRED = ("reference", "agent", "closed_on", "name")
LONGEST = {"reference": 64, "customer_no": 64, "name": 80, "email": 254, "channel": 40, "kind": 80, "subject": 200}
ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


def _words(table: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {plain(word): key for key, words in table.items() for word in (key, *words)}


_CHANNEL_OF, _LOCALE_OF = _words(CHANNELS), _words(LOCALES)


@dataclass(frozen=True, slots=True)
class Draft:
    """One ticket as the file tells it. Empty optional fields are None: nothing was said."""

    row: int
    reference: str
    agent_id: int
    closed_on: date
    name: str
    customer_no: str | None
    email: str | None
    locale: str | None
    channel: str
    kind: str
    subject: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """The drafts of a file in its order, and what is wrong with the rows that gave none."""

    drafts: tuple[Draft, ...]
    problems: tuple[Problem, ...]


def read(table: Table, agents: Mapping[str, int], today: date) -> Reading:
    """Every row of the table. `agents` are people by employee number and e-mail, in lower case.

    Raises Invalid when a needed column is missing.
    """
    columns = column_map(table.headings, NAMES, REQUIRED)
    first: dict[str, int] = {}
    drafts, problems = [], []
    for row in table.rows:
        texts = {key: UNPRINTABLE.sub(" ", row.at(column)).strip() for key, column in columns.items()}
        closed = day_of(texts["closed_on"])
        agent = agents.get(texts["agent"].lower())
        wrong = [
            _problem(row, table.headings[columns[key]], code, **params)
            for key, code, params in _wrong(texts, closed, agent, first, today)
        ]
        problems += wrong
        if not wrong and closed is not None and agent is not None:
            first[texts["reference"]] = row.number
            drafts.append(_draft(row, texts, agent, closed))
    return Reading(tuple(drafts), tuple(problems))


def _wrong(
    texts: Mapping[str, str], closed: date | None, agent: int | None, first: Mapping[str, int], today: date
) -> Iterator[tuple[str, str, dict[str, object]]]:
    yield from _misshapen(texts)
    if texts["reference"] in first:
        yield "reference", "twice", {"value": texts["reference"], "first": first[texts["reference"]]}
    if texts["agent"] and agent is None:
        yield "agent", "nobody", {"value": texts["agent"]}
    if texts["closed_on"] and closed is None:
        yield "closed_on", "no_date", {"value": texts["closed_on"]}
    if closed is not None and closed > today:
        yield "closed_on", "in_the_future", {"value": texts["closed_on"]}


def _misshapen(texts: Mapping[str, str]) -> Iterator[tuple[str, str, dict[str, object]]]:
    for key in REQUIRED:
        if not texts[key]:
            yield key, "blank", {}
    for key, longest in LONGEST.items():
        if len(texts.get(key, "")) > longest:
            yield key, "too_long", {"most": longest}
    if texts.get("email") and not ADDRESS.fullmatch(texts["email"].lower()):
        yield "email", "no_address", {"value": texts["email"]}
    if texts.get("locale") and plain(texts["locale"]) not in _LOCALE_OF:
        yield "locale", "no_language", {"value": texts["locale"]}


def _problem(row: Row, column: str, code: str, **params: object) -> Problem:
    told = {"row": row.number, "column": column, **params}
    return Problem(f"customer_survey:{code}", f"{row.number}/{column}", told)


def _draft(row: Row, texts: Mapping[str, str], agent: int, closed: date) -> Draft:
    channel = texts.get("channel", "")
    return Draft(
        row.number,
        texts["reference"],
        agent,
        closed,
        texts["name"],
        texts.get("customer_no") or None,
        texts.get("email", "").lower() or None,
        _LOCALE_OF.get(plain(texts.get("locale", ""))),
        _CHANNEL_OF.get(plain(channel), channel),
        texts.get("kind", ""),
        texts.get("subject") or None,
    )
