"""Whom a file means by an agent: by HR's word, e-mail address, employee number or name; nobody is ever guessed.

A name that fits several people, or a number and an address of different people, is left for HR to settle.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from review.domain.records import TicketSystem
from review.helpdesk.cells import told
from review.helpdesk.indicator_synonyms import AND, PARTS
from review.helpdesk.tables import AliasRow
from review.infra.db import db
from review.people.tables import PersonRow

LONGEST_LABEL = 120
MOST_LABELS = 5_000  # remembered as unknown; a file with more has no agents in that column
MOST_PARTS = 1_000_000
_TOKENS = re.compile(r"[\s()\[\]【】/_,;、<>·-]+")
_AND, _PARTS = re.compile(AND), re.compile(PARTS)


@dataclass(frozen=True, slots=True)
class Match:
    """`person` is who it is; without one, `is_nobody` says whether HR said: none of ours. `label` is what is known."""

    label: str
    person: int | None = None
    is_nobody: bool = False


@dataclass(frozen=True, slots=True)
class Handlers:
    """Everybody who handled one ticket: their people with parts, and the words that nobody could settle."""

    label: str
    shares: tuple[tuple[int, int], ...] = ()
    unknown: tuple[str, ...] = ()
    is_nobody: bool = False

    @property
    def main(self) -> int | None:
        """Who has the largest part, the first of equals; nobody as long as one of the handlers is unknown."""
        if self.unknown or not self.shares:
            return None
        return max(self.shares, key=lambda share: share[1])[0]


def name_key(name: str) -> str:
    """A name whatever its width, case, spaces and, in letters, the order of its parts."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    parts = [part for part in re.split(r"[\s,.·・]+", plain) if part]
    return " ".join(sorted(parts)) if plain.isascii() else "".join(parts)


@dataclass(slots=True)
class Roster:
    """Our people by everything that may name them, and what HR said of a system's words."""

    by_email: dict[str, int]
    by_number: dict[str, int]
    by_name: dict[str, list[int]]
    aliases: dict[str, int | None]
    users: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # the file's own list of users by their ids
    unknown: Counter[str] = field(default_factory=Counter)
    _known: dict[tuple[str, ...], Match] = field(default_factory=dict)

    def handlers(self, says: Mapping[str, str]) -> Handlers | None:
        """Who handled a ticket that says this of its agents; None where it says nothing."""
        several = _several(says.get("agents", ""))
        if several:
            return self._together([(self.match({"agent": word}), parts) for word, parts in several])
        if not any(says.values()):
            return None
        match = self.match(says)
        if match.person is None and not match.is_nobody:
            several = _several(says.get("agent", ""), only_if_several=True)
            found = [(self.match({"agent": word}), parts) for word, parts in several]
            if any(each.person is not None for each, _parts in found):  # or a comma stands in one strange name
                return self._together(found)
        return self._together([(match, 1)]) if match.label else None

    def _together(self, found: list[tuple[Match, int]]) -> Handlers:
        label = "; ".join(f"{match.label}:{parts}" if len(found) > 1 else match.label for match, parts in found)
        shares: Counter[int] = Counter()
        for match, parts in found:
            if match.person is not None:
                shares[match.person] += parts
        unknown = tuple(match.label for match, _ in found if match.person is None and not match.is_nobody)
        return Handlers(label[:400], tuple(shares.items()), unknown, not unknown and not shares)

    def match(self, says: Mapping[str, str]) -> Match:
        """One agent by all that is said of them."""
        name = says.get("agent", "") or f"{says.get('agent_first', '')} {says.get('agent_last', '')}".strip()
        key = (name, says.get("agent_email", ""), says.get("agent_no", ""))
        if key not in self._known:
            if len(self._known) > 4 * MOST_LABELS:
                self._known.clear()
            self._known[key] = self._match(*key)
        return self._known[key]

    def _match(self, name: str, email: str, number: str) -> Match:
        user = self.users.get(number, {})
        email, name = email or user.get("email", ""), name or user.get("name", "")
        label = label_of(name, email, number)
        for word in (label, email, number, name):
            if word and word in self.aliases:
                person = self.aliases[word]
                return Match(label, person, person is None)
        return Match(label, self._found(name, email, number))

    def _found(self, name: str, email: str, number: str) -> int | None:
        texts = [text for text in (email, number, name) if text]
        sure = {person for text in texts for person in (self._exactly(text),) if person is not None}
        if sure:
            return sure.pop() if len(sure) == 1 else None
        found = self.by_name.get(name_key(name), []) if name else []
        return found[0] if len(found) == 1 else self._inside(name)

    def _exactly(self, text: str) -> int | None:
        plain = unicodedata.normalize("NFKC", text).strip().casefold()
        return self.by_email.get(plain) or self.by_number.get(plain)

    def _inside(self, name: str) -> int | None:
        """`张三(1001)`, `1001-张三`, `Ada Lim <ada@…>`: a number or address among the words, and no other name."""
        plain = unicodedata.normalize("NFKC", name)
        tokens = [token for token in _TOKENS.split(plain) if token]
        people = {person for token in tokens if (person := self._exactly(token)) is not None}
        addresses = {self.by_email.get(found.casefold()) for found in re.findall(r"[^\s<>()]+@[^\s<>()]+", plain)}
        people |= {person for person in addresses if person is not None}
        if len(people) != 1:
            return None
        person = people.pop()
        rest = [token for token in tokens if self._exactly(token) is None and "@" not in token and "." not in token]
        named = self.by_name.get(name_key(" ".join(rest)), []) if rest else [person]
        return person if person in named or not rest else None


def label_of(name: str, email: str, number: str) -> str:
    """The word HR is asked about."""
    beside = email or number
    if name and beside and beside not in name:
        return f"{name} ({beside})"[:LONGEST_LABEL]
    return (name or beside)[:LONGEST_LABEL]


def _several(text: str, *, only_if_several: bool = False) -> list[tuple[str, int]]:
    """`张三;李四`, `张三:2;李四:1`, or a list of objects with names and parts."""
    if text.startswith("["):
        return _listed(text)
    words = [word for word in _AND.split(text) if word]
    if len(words) < 2 and only_if_several and not _PARTS.fullmatch(text):
        return []
    found = []
    for word in words:
        parts = _PARTS.fullmatch(word)
        if parts is None or (only_if_several and len(words) < 2):
            found.append((word.strip(), 1))
        else:
            found.append((parts[1].strip(), max(1, min(int(parts[2]), MOST_PARTS))))
    return found if len(found) > 1 or not only_if_several else []


def _listed(text: str) -> list[tuple[str, int]]:
    try:
        entries = json.loads(text)
    except ValueError:
        return []
    found = []
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, str):
            found.append((told(entry), 1))
        elif isinstance(entry, dict):
            word = next((str(entry[key]) for key in NAMES_OF_HANDLER if entry.get(key)), "")
            parts = next((str(entry[key]) for key in PARTS_OF_HANDLER if entry.get(key)), "1")
            found.append((word, min(int(parts), MOST_PARTS) if parts.isdigit() and int(parts) > 0 else 1))
    return [(word, parts) for word, parts in found if word]


NAMES_OF_HANDLER = ("email", "agentEmail", "agentName", "name", "agentId", "id")
PARTS_OF_HANDLER = ("parts", "share", "handlingTime", "responseCount", "count")


def roster(system: TicketSystem, users: Mapping[str, Mapping[str, str]] | None = None) -> Roster:
    """Everybody there ever was, for files may be old. Two queries."""
    by_email, by_number = {}, {}
    by_name: dict[str, list[int]] = {}
    for person_id, number, name, email in _people():
        by_number[number.casefold()] = person_id
        by_name.setdefault(name_key(name), []).append(person_id)
        if email:
            by_email[email.casefold()] = person_id
    said = select(AliasRow.label, AliasRow.person_id).where(AliasRow.system == system)
    aliases: dict[str, int | None] = {row.label: row.person_id for row in db.session.execute(said)}
    return Roster(by_email, by_number, by_name, aliases, users or {})


def _people() -> Iterable[Any]:
    return db.session.execute(select(PersonRow.id, PersonRow.employee_no, PersonRow.name, PersonRow.email))
