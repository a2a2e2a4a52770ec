"""How the rules say no: a code, a place and parameters, never words for people (templates carry those)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `code` is "room:reason", `where` is the place in the input."""

    code: str
    where: str | None = None
    params: Mapping[str, object] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.code} at {self.where}" if self.where else self.code


class Refusal(Exception):  # noqa: N818  a refusal is an answer, not an error
    """A no with all its reasons at once. Raise one of the subclasses: they decide what the door answers."""

    problems: tuple[Problem, ...]

    def __init__(self, code: str, where: str | None = None, **params: object) -> None:
        super().__init__(code)
        self.problems = (Problem(code, where, params),)

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> Self:
        """The refusal that carries all of `problems`; raises ValueError when there are none."""
        all_of_them = tuple(problems)
        if not all_of_them:
            raise ValueError("a refusal needs at least one problem")
        refusal = cls(all_of_them[0].code)
        refusal.problems = all_of_them
        return refusal

    @property
    def code(self) -> str:
        return self.problems[0].code

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)


class Invalid(Refusal):
    """The input makes no sense (422): correct it and send it again."""


class OutOfReach(Refusal):
    """The caller may not know whether such a thing exists (404)."""


class NotAllowed(Refusal):
    """The thing may be known of, but this deed is not the caller's (403)."""


class NotYet(Refusal):
    """Too early (409): carries every need that is still unmet, not only the first."""


class TooLate(Refusal):
    """The time for it has passed for good (410)."""


class Taken(Refusal):
    """Somebody else was first, or it has been done already (409)."""
