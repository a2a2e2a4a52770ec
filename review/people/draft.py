"""What somebody says about a colleague, from a form or from a row of a file, and what of it makes no sense."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from email_validator import EmailNotValidError, validate_email

from review.domain.access import Role
from review.domain.refusals import Problem

LOCALES = ("zh", "en")
LONGEST = {"employee_no": 32, "name": 80, "email": 254, "post": 80}
DEEPEST = 6
LONGEST_UNIT = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDraft:
    """A colleague as described. `department` is the way from the top, `客服中心/售后一组`; missing units are made.

    `roles` are those granted by somebody; the supervisor's role follows the reporting lines and is left out here.
    """

    employee_no: str
    name: str
    email: str | None = None
    department: str | None = None
    supervisor_no: str | None = None
    post: str | None = None
    joined_on: date | None = None
    left_on: date | None = None
    roles: frozenset[Role] = frozenset({Role.AGENT})
    locale: str = "zh"

    @property
    def granted(self) -> frozenset[Role]:
        return self.roles - {Role.SUPERVISOR}


def problems_of(draft: PersonDraft) -> Iterator[Problem]:
    """What is wrong with a draft by itself; `where` names the field."""
    for field in ("employee_no", "name"):
        if not getattr(draft, field):
            yield Problem("form:required", field)
    for field, longest in LONGEST.items():
        if len(getattr(draft, field) or "") > longest:
            yield Problem("form:too_long", field, {"max": longest})
    if draft.employee_no and not is_number(draft.employee_no):
        yield Problem("people:number_unusable", "employee_no")
    if draft.email and not is_address(draft.email):
        yield Problem("form:not_an_email", "email")
    if draft.supervisor_no and draft.supervisor_no.casefold() == draft.employee_no.casefold():
        yield Problem("people:own_supervisor", "supervisor_no")
    if draft.joined_on and draft.left_on and draft.left_on < draft.joined_on:
        yield Problem("people:left_before_joined", "left_on")
    if draft.locale not in LOCALES:
        yield Problem("form:choose_one", "locale")
    yield from _department_problems(draft.department)


def _department_problems(path: str | None) -> Iterator[Problem]:
    units = units_of(path)
    if any(len(unit) > LONGEST_UNIT for unit in units):
        yield Problem("form:too_long", "department", {"max": LONGEST_UNIT})
    if len(units) > DEEPEST:
        yield Problem("people:department_too_deep", "department", {"most": DEEPEST})


def units_of(path: str | None) -> tuple[str, ...]:
    """The units of a department's path, from the top; Chinese and English strokes both part them."""
    parts = (path or "").replace("／", "/").replace("\\", "/").split("/")
    return tuple(part.strip() for part in parts if part.strip())


def is_number(text: str) -> bool:
    """Whether an employee number can be printed, typed and told apart from an e-mail address."""
    return text.isprintable() and not any(mark in text for mark in "@ \t/") and text == text.strip()


def is_address(text: str) -> bool:
    """Whether letters can be addressed so. The domain may be one of the organisation's own network."""
    try:
        validate_email(text, check_deliverability=False, globally_deliverable=False, allow_smtputf8=False)
    except EmailNotValidError:
        return False
    return True
