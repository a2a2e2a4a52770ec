"""What the assembly hands to every room: settings, link keys, progress, job handlers, letters, the mail transport."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import current_app

from review.domain.kpi_sheet import Beside
from review.infra.jobs import Handler, Progress
from review.infra.settings import Settings
from review.infra.tokens import Links


@dataclass(frozen=True, slots=True)
class Worded:
    """A letter whose words HR may change: which placeholders may stand in them, and which must, by field.

    `made` are placeholders whose value the letter's own template says. `sample` is a context for trying it out.
    """

    allowed: tuple[str, ...]
    required: Mapping[str, frozenset[str]]
    made: tuple[str, ...]
    sample: Callable[[str], Mapping[str, Any]]


Context = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class House:
    """One per application. `handlers` are the jobs it can do, `letters` the context of each letter it can write.

    `worded` are the letters whose words HR may change. `beside` finds what stands beside a self-statement, by review:
    the rooms of self-reviews and of KPI sheets do not see each other.
    """

    settings: Settings
    links: Links
    progress: Progress
    handlers: dict[str, Handler] = field(default_factory=dict)
    letters: dict[str, Context] = field(default_factory=dict)
    worded: dict[str, Worded] = field(default_factory=dict)
    beside: Callable[[int], Beside | None] = lambda _review_id: None


def house() -> House:
    """The house of the current application."""
    found: House = current_app.extensions["review"]
    return found


def absolute(path: str) -> str:
    """The address of `path` as somebody outside reaches it, for letters."""
    return house().settings.base_url + path
