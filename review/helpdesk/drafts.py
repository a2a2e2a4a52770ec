"""What one row says of one ticket: facts by the names of its columns, or why it is left out, or what is wrong."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from review.domain.records import Csat, TicketStatus
from review.domain.refusals import Problem
from review.domain.rounding import half_up
from review.helpdesk import cells, moments, scales
from review.helpdesk.columns import Column, Layout
from review.helpdesk.facts import Facts, duration_reader
from review.helpdesk.fitting import COUNTS, DURATIONS, MOMENTS
from review.helpdesk.moments import Moment
from review.helpdesk.workbooks import FORMULA

LONGEST_REFERENCE, LONGEST_COMMENT = 64, 2000
TEXTS = {"subject": 200, "kind": 80, "csat_comment": LONGEST_COMMENT}
AGENTS = ("agent", "agent_email", "agent_no", "agents", "agent_first", "agent_last")
CUSTOMERS = ("customer", "customer_email", "customer_no", "customer_first", "customer_last", "locale")
LEFT_OUT = {"is_spam": "spam", "is_deleted": "deleted", "is_archived": "archived", "is_merged": "merged"}
TOLD_AS_THEY_ARE = (
    *("first_response", "first_response_business", "customer_wait", "customer_wait_business", "handling"),
    *("resolution", "resolution_business", "reopens", "replies", "reassigns"),
)
# What was solved once counts where the last solution is not told.
INSTEAD_OF_UNTOLD = (
    ("resolution", ("first_resolution", "resolution_hours")),
    ("resolution_business", ("first_resolution_business",)),
)
_CUT_NUMBER = re.compile(r"\d(?:\.\d+)?[eE]\+\d{2,}")
_CONSTANT = re.compile(r'="([^"]*)"')
_TICKET_OF_ZRN = re.compile(r"ticket[s]?[:/](\d+)", re.IGNORECASE)

SHORT = 64  # only short texts repeat; keeping long ones would fill the memory
_told_short = lru_cache(maxsize=100_000)(cells.told)


@dataclass(slots=True)
class Draft:
    """One row, understood. `says` holds the ticket's columns that the row tells; `skip` is why the row is left out."""

    row: int
    reference: str = ""
    says: dict[str, Any] = field(default_factory=dict)
    agent: Mapping[str, str] = field(default_factory=dict)
    customer: Mapping[str, str] = field(default_factory=dict)
    skip: str = ""
    is_partial: bool = False
    problems: list[Problem] = field(default_factory=list)


class RowReader:
    """Reads the rows of one table. `today` is the organisation's day, `zone` its zone."""

    def __init__(self, layout: Layout, facts: Facts, zone: tzinfo, today: date) -> None:
        self._layout, self._facts, self._zone = layout, facts, zone
        self._latest = today + timedelta(days=1)
        self._columns = [column for column in layout.columns if column.field]
        self._headings = {column.field: column.heading for column in self._columns}
        self._readers = {column.place: reader for column in self._columns if (reader := self._reader(column))}
        self._heads = [column.heading for column in self._columns]

    def _reader(self, column: Column) -> Callable[[str], Any] | None:
        """How the cells of a column are read that are no plain texts."""
        name, facts = column.field, self._facts
        if name in DURATIONS:
            return lru_cache(maxsize=20_000)(duration_reader(facts, column.place))
        if name in MOMENTS:
            day_first, zone = facts.day_first.get(column.place, False), self._zone
            return lru_cache(maxsize=2_000)(lambda text: moments.moment(text, zone, day_first=day_first))
        if name in COUNTS:
            return lru_cache(maxsize=1_000)(cells.count)
        if name == "csat":
            scale, ended = facts.scale or scales.Scale.FIVE, facts.five_ended
            return lru_cache(maxsize=1_000)(lambda text: scales.answer(text, scale, five_ended=ended))
        return {"difficulty": _difficulty, "complaint": _complaint, "customer_opened": cells.flag}.get(
            name, cells.flag if name == "agent_answered" else None
        )

    def read(self, number: int, row: Sequence[str]) -> Draft:
        draft = Draft(number, is_partial=self._layout.is_partial)
        texts: dict[str, Any] = {}
        for column in self._columns:
            if column.place >= len(row) or not row[column.place]:
                continue
            text = row[column.place]
            if text == FORMULA:
                self._wrong(draft, column.field, "formula")
                continue
            text = _told_short(text) if len(text) < SHORT else cells.told(text)
            if not text:
                continue
            if column.field in MOMENTS and text == "0":
                continue
            self._take(draft, texts, column, text)
        self._conclude(draft, texts, row)
        return draft

    def _take(self, draft: Draft, texts: dict[str, Any], column: Column, text: str) -> None:
        reader = self._readers.get(column.place)
        if reader is None:
            texts[column.field] = text
            return
        try:
            texts[column.field] = reader(text)
        except (ValueError, OverflowError, OSError):
            self._wrong(draft, column.field, CODES.get(column.field, "no_number"), value=text[:60])

    def _wrong(self, draft: Draft, name: str, code: str, **params: object) -> None:
        heading = self._headings.get(name, name)
        told_of = {"row": draft.row, "column": heading, "sheet": self._layout.table.name, **params}
        draft.problems.append(Problem(f"helpdesk:{code}", f"{draft.row}/{heading}", told_of))

    # ---- the row as a whole -----------------------------------------------------------------------------------------

    def _conclude(self, draft: Draft, texts: dict[str, Any], row: Sequence[str]) -> None:
        if "subjects" in texts:
            texts["reference"] = _ticket_of(texts.pop("subjects"))
        if "answers" in texts:
            _take_answers(texts)
        draft.reference = _reference(str(texts.get("reference") or ""))
        draft.skip = self._why_left_out(draft, texts, row)
        if draft.skip:
            draft.problems.clear()
            return
        self._check_reference(draft)
        draft.agent = {name: texts[name] for name in AGENTS if name in texts}
        draft.customer = {name: texts[name] for name in CUSTOMERS if name in texts}
        self._state(draft, texts)
        self._lengths(draft, texts)
        self._answer(draft, texts)
        self._words(draft, texts)

    def _why_left_out(self, draft: Draft, texts: Mapping[str, Any], row: Sequence[str]) -> str:
        filled = [cell for cell in row if cell]
        if not draft.reference or cells.is_total(draft.reference):
            agent = texts.get("agent", "")
            if any(cells.is_total(cell) for cell in (*filled[:2], draft.reference, agent) if len(cell) < 30):
                return "total"
            if not draft.reference and not any(name in texts for name in ("agent", "status", "subject", "opened_at")):
                return "total"
        if draft.reference and self._is_heading(row):
            return "heading_again"
        last = self._facts.last.get(row[self._place("reference")].strip()) if self._facts.last and filled else None
        if last is not None and last[0] != draft.row:
            return "twice" if last[2] == hash(tuple(row)) else "older_state"
        for name, reason in LEFT_OUT.items():
            if name in texts and cells.is_yes(texts[name]):
                return reason
        state = cells.status(texts.get("status", "")) if "status" in texts else None
        return state if isinstance(state, str) and not isinstance(state, TicketStatus) else ""

    def _place(self, name: str) -> int:
        column = self._layout.column(name)
        return column.place if column else 0

    def _is_heading(self, row: Sequence[str]) -> bool:
        return [row[column.place] if column.place < len(row) else "" for column in self._columns] == self._heads

    def _check_reference(self, draft: Draft) -> None:
        if not draft.reference:
            self._wrong(draft, "reference", "blank")
        elif len(draft.reference) > LONGEST_REFERENCE:
            self._wrong(draft, "reference", "too_long", most=LONGEST_REFERENCE)
        elif _CUT_NUMBER.fullmatch(draft.reference):
            self._wrong(draft, "reference", "number_cut", value=draft.reference)
        elif cells.is_runnable(draft.reference):
            self._wrong(draft, "reference", "formula")

    # ---- when and in what state -------------------------------------------------------------------------------------

    def _state(self, draft: Draft, texts: Mapping[str, Any]) -> None:
        opened, closed = self._past(draft, texts, "opened_at"), self._past(draft, texts, "closed_at")
        updated, asked = texts.get("updated_at"), texts.get("asked_at")
        says = draft.says
        if opened is not None:
            says["opened_at"] = opened.at or datetime.combine(opened.day, datetime.min.time(), self._zone)
        if updated is not None and updated.at is not None:
            says["source_updated_at"] = updated.at
        says["status"] = status = self._status(texts, closed)
        if status is TicketStatus.SOLVED:
            best, is_guess = (closed, False) if closed else (updated or asked, True)
            if best is not None:
                says |= {"closed_on": best.day, "closed_at": best.at, "closed_is_guess": is_guess}
        if opened and opened.at and closed and closed.at and (closed.at - opened.at).total_seconds() < -60:
            self._wrong(draft, "closed_at", "closed_before_opened")

    def _past(self, draft: Draft, texts: Mapping[str, Any], name: str) -> Moment | None:
        found: Moment | None = texts.get(name)
        if found is not None and found.day > self._latest:
            self._wrong(draft, name, "in_the_future", value=found.day.isoformat())
        return found

    def _status(self, texts: Mapping[str, Any], closed: Moment | None) -> TicketStatus | None:
        """What the row tells of the state; None where it tells nothing, of a metric say that has no solution."""
        for name in ("status_type", "status"):
            if name in texts:
                state = cells.status(texts[name])
                if isinstance(state, TicketStatus):
                    return state
        if closed is not None or "asked_at" in texts:
            return TicketStatus.SOLVED
        has_column = "closed_at" in self._headings or "status" in self._headings
        return TicketStatus.OPEN if has_column and not self._layout.is_partial else None

    # ---- how long, how often ----------------------------------------------------------------------------------------

    def _lengths(self, draft: Draft, texts: Mapping[str, Any]) -> None:
        says = draft.says
        says |= {name: texts[name] for name in TOLD_AS_THEY_ARE if name in texts}
        for name, others in INSTEAD_OF_UNTOLD:
            found = next((texts[other] for other in others if other in texts), None)
            if found is not None:
                says.setdefault(name, found)
        if "first_response_exact" in texts:
            says["first_response"] = texts["first_response_exact"]
        opened, first, closed = texts.get("opened_at"), texts.get("first_response_at"), texts.get("closed_at")
        self._between(says, "first_response", opened, first)
        if says["status"] is TicketStatus.SOLVED and "resolution_business" not in says:
            self._between(says, "resolution", opened, closed)
        if "assignee_stations" in texts:
            says.setdefault("reassigns", max(texts["assignee_stations"] - 1, 0))
        if says.get("replies") == 0:  # systems write 0 where nobody replied yet
            for name in ("first_response", "first_response_business"):
                if says.get(name) == 0:
                    del says[name]

    def _between(self, says: dict[str, Any], name: str, start: Moment | None, end: Moment | None) -> None:
        if name not in says and start and end and start.at and end.at and end.at >= start.at:
            says[name] = int((end.at - start.at).total_seconds())

    # ---- what the customer said, and words --------------------------------------------------------------------------

    def _answer(self, draft: Draft, texts: Mapping[str, Any]) -> None:
        found: scales.Answer | None = texts.get("csat")
        if found is None:
            counted = (("bad_count", Csat.BAD, 0), ("ok_count", Csat.NEUTRAL, 50), ("good_count", Csat.GOOD, 100))
            found = next((scales.Answer(csat, points) for name, csat, points in counted if texts.get(name)), None)
        if found is not None:
            draft.says |= {"csat": found.csat, "csat_points": found.points}
            at: Moment | None = texts.get("csat_at")
            if at is not None and at.at is not None:
                draft.says["csat_at"] = at.at
        if "difficulty" in texts:
            draft.says["difficulty"] = texts["difficulty"]

    def _words(self, draft: Draft, texts: Mapping[str, Any]) -> None:
        says = draft.says
        for name, longest in TEXTS.items():
            if name in texts:
                says[name] = cells.harmless(texts[name])[:longest]
        if "channel" in texts:
            says["channel"] = cells.channel(texts["channel"])
        for name in ("customer_opened", "agent_answered"):
            if name in texts:
                says[name] = texts[name]
        if "complaint" in texts:
            says["is_complaint"] = texts["complaint"]
        elif {"complaint", "kind", "tags"} & self._headings.keys() and not self._layout.is_partial:
            says["is_complaint"] = any(
                cells.speaks_of_complaint(texts[name][:LONGEST_COMMENT]) for name in ("kind", "tags") if name in texts
            )


CODES = {
    **dict.fromkeys(DURATIONS, "no_duration"),
    **dict.fromkeys(MOMENTS, "no_moment"),
    "csat": "no_answer",
    "complaint": "no_flag",
    "customer_opened": "no_flag",
    "agent_answered": "no_flag",
}


def _reference(text: str) -> str:
    """The number without what spreadsheets put around it: ="00123", #123, 123.0."""
    constant = _CONSTANT.fullmatch(text)
    bare = (constant[1] if constant else text).strip().lstrip("#").strip()
    return bare[:-2] if bare.endswith(".0") and bare[:-2].isdigit() else bare


def _difficulty(text: str) -> int:
    value, _ = cells.number(text)
    hundredths = half_up(value.numerator * 100, value.denominator, 0)
    if not 0 < hundredths <= 100_000:
        raise ValueError(text)
    return hundredths


def _complaint(text: str) -> bool:
    return cells.speaks_of_complaint(text) or cells.flag(text)


def _ticket_of(text: str) -> str:
    """The ticket among the subjects of a survey."""
    try:
        subjects = json.loads(text)
    except ValueError:
        return ""
    for subject in subjects if isinstance(subjects, list) else ():
        if isinstance(subject, dict) and (found := _TICKET_OF_ZRN.search(str(subject.get("zrn", "")))):
            return found[1]
        if isinstance(subject, dict) and "ticket" in str(subject.get("type", "")).lower():
            return str(subject.get("id", ""))
    return ""


def _take_answers(texts: dict[str, Any]) -> None:
    """The first rating among a survey's answers, and the words beside it; nothing but skipped ones: only offered."""
    try:
        answers = json.loads(texts.pop("answers"))
    except ValueError:
        answers = []
    texts["csat"] = scales.Answer(Csat.OFFERED, None)
    for answer in (each for each in answers if isinstance(each, dict)):
        category, rating = str(answer.get("rating_category") or ""), str(answer.get("rating") or "")
        if category and texts["csat"].points is None and answer.get("type") != "skipped":
            texts["csat"] = _rated(category, rating)
            stamp = str(answer.get("updated_at") or answer.get("created_at") or "")
            if (at := _stamp(stamp)) is not None:
                texts["csat_at"] = at
        elif answer.get("type") == "open_ended" and (answer.get("value") or answer.get("comment")):
            texts["csat_comment"] = cells.told(str(answer.get("value") or answer.get("comment")))


def _rated(category: str, rating: str) -> scales.Answer:
    """The category as the system put it; the points of a rating from 1 to 5, else of the category."""
    by_category = scales.answer(category, scales.Scale.FIVE)
    number = scales.number_of(rating) if rating else None
    if number is not None and 1 <= number <= 5:
        return scales.Answer(by_category.csat, int(number * 20))
    return by_category


def _stamp(text: str) -> Moment | None:
    try:
        return moments.moment(text, moments.UTC)
    except (ValueError, OverflowError, OSError):
        return None
