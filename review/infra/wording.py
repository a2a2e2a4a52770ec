"""The words of letters that HR may change: plain text with placeholders, by kind and language, every version kept.

Where nobody changed anything the default stands, which is the letter's own template (`<kind>.default.txt`), so that
the page on which HR writes and the letter that leaves speak of one text.
"""

import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from typing import Any

from flask import current_app
from flask_babel import force_locale
from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from review.domain.refusals import Invalid, Problem, Taken
from review.infra.db import db
from review.infra.house import Worded, house

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
LONGEST = {"subject": 150, "opening": 4000, "closing": 4000, "signature": 500}
INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


class LetterWordingRow(db.Model):
    """One version of one letter's words in one language; without texts it says that the default stands again."""

    __tablename__ = "letter_wording"
    __table_args__ = (
        UniqueConstraint("kind", "locale", "version"),
        CheckConstraint("version >= 1", name="versions_count_from_one"),
        CheckConstraint(
            "(subject IS NULL) = (opening IS NULL) AND (subject IS NULL) = (closing IS NULL) "
            "AND (subject IS NULL) = (signature IS NULL)",
            name="all_of_it_or_the_default",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    locale: Mapped[str] = mapped_column(String(8))
    version: Mapped[int]
    subject: Mapped[str | None] = mapped_column(Text)
    opening: Mapped[str | None] = mapped_column(Text)
    closing: Mapped[str | None] = mapped_column(Text)
    signature: Mapped[str | None] = mapped_column(Text)
    written_at: Mapped[datetime]
    written_by: Mapped[int] = mapped_column(ForeignKey("person.id"))


@dataclass(frozen=True, slots=True)
class Words:
    """What HR may change of a letter. Paragraphs are parted by an empty line."""

    subject: str
    opening: str
    closing: str
    signature: str


FIELDS = tuple(field.name for field in fields(Words))


def _newest(kind: str, locale: str) -> LetterWordingRow | None:
    found = select(LetterWordingRow).where(LetterWordingRow.kind == kind, LetterWordingRow.locale == locale)
    return db.session.scalar(found.order_by(LetterWordingRow.version.desc()).limit(1))


def words_of(row: LetterWordingRow) -> Words | None:
    """What a version says; None where it says that the default stands."""
    if row.subject is None:
        return None
    return Words(row.subject, row.opening or "", row.closing or "", row.signature or "")


def current(kind: str, locale: str) -> tuple[Words, int]:
    """The words that letters leave with now, and their version: 0 for a default nobody ever changed."""
    row = _newest(kind, locale)
    said = words_of(row) if row else None
    return said or default(kind, locale), row.version if row else 0


def _template(kind: str) -> Any:
    return current_app.jinja_env.get_template(f"letters/{kind.replace(':', '/')}.default.txt").module


def default(kind: str, locale: str) -> Words:
    """The words of the template, with placeholders where a letter has its own facts."""
    spec = house().worded[kind]
    named = {name: f"{{{name}}}" for name in (*spec.allowed, *spec.made)} | {"locale": locale}
    with force_locale(locale):
        module = _template(kind)
        return Words(*(str(getattr(module, name)(named)).strip() for name in FIELDS))


def check(kind: str, words: Words) -> Words:
    """The words with line breaks as they are kept. Raises Invalid with every fault, each at its field."""
    spec = house().worded[kind]
    tidy = Words(*(text.replace("\r\n", "\n").replace("\r", "\n").strip() for text in astuple(words)))
    problems = [problem for name in FIELDS for problem in _faults(spec, name, getattr(tidy, name))]
    if problems:
        raise Invalid.of(problems)
    return tidy


def _faults(spec: Worded, field: str, text: str) -> list[Problem]:
    names = sorted((*spec.allowed, *spec.made))
    allowed = " ".join(f"{{{name}}}" for name in names)
    used = PLACEHOLDER.findall(text)
    found = []
    if not text and field in {"subject", "opening"}:
        found.append(Problem("form:required", field))
    if len(text) > LONGEST[field]:
        found.append(Problem("form:too_long", field, {"max": LONGEST[field]}))
    if field == "subject" and "\n" in text:
        found.append(Problem("mail:one_line", field))
    if INVISIBLE.search(text):
        found.append(Problem("mail:invisible", field))
    if set("{}") & set(PLACEHOLDER.sub("", text)):
        found.append(Problem("mail:brace", field, {"allowed": allowed}))
    for name in dict.fromkeys(used):
        if name not in names:
            found.append(Problem("mail:unknown_placeholder", field, {"name": f"{{{name}}}", "allowed": allowed}))
    for name in sorted(spec.required.get(field, frozenset()) - set(used)):
        found.append(Problem("mail:placeholder_missing", field, {"name": f"{{{name}}}", "allowed": allowed}))
    return found


def write(kind: str, locale: str, words: Words | None, *, after: int, by: int, now: datetime) -> int:
    """Keep a new version after version `after`, None for the default; its number. Raises Invalid, Taken."""
    said = check(kind, words) if words is not None else None
    newest = _newest(kind, locale)
    if (newest.version if newest else 0) != after:
        raise Taken("mail:worded_meanwhile")
    texts = dict(zip(FIELDS, astuple(said), strict=True)) if said else dict.fromkeys(FIELDS)
    row = LetterWordingRow(kind=kind, locale=locale, version=after + 1, written_at=now, written_by=by, **texts)
    db.session.add(row)
    db.session.flush()
    return row.version


def fill(text: str, values: Mapping[str, object]) -> str:
    """The text with its placeholders filled in, once: what stands in a value is never read as a placeholder."""
    return PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), text)


def filled(kind: str, locale: str, context: Mapping[str, Any], words: Words | None = None) -> Words:
    """The words of one letter (those that stand, or the given ones), about the facts in its context."""
    spec, said = house().worded[kind], words or current(kind, locale)[0]
    with force_locale(locale):
        module = _template(kind)
        made = {name: " ".join(str(getattr(module, name)(context)).split()) for name in spec.made}
    values = {**{name: context["placeholders"][name] for name in spec.allowed}, **made}
    return Words(*(fill(text, values) for text in astuple(said)))


def sample(kind: str, locale: str) -> dict[str, Any]:
    """A context to try the letter out with: invented facts, a link that leads nowhere."""
    spec = house().worded[kind]
    with force_locale(locale):
        module = _template(kind)
        invented = {name: " ".join(str(module.sample(name)).split()) for name in spec.allowed}
        context = dict(spec.sample(locale))
        facts = {**invented, **context.get("placeholders", {})}
        return context | facts | {"placeholders": facts}
