"""What the letters of this room are filled with; links are derived here, when a letter is rendered."""

from collections.abc import Mapping
from typing import Any

from review.infra import dates, organisation
from review.people import activation, directory


def choose_password(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """For both letters: to whom, their link, and until when it works, in either language."""
    person = directory.person(params["person"])
    until, zone = activation.until_of(params["until"]), organisation.current().zone
    return {
        "name": person.name,
        "employee_no": person.employee_no,
        "link": activation.link_of(person, params["until"]),
        "until": {locale: dates.moment(until, locale, zone) for locale in ("zh", "en")},
    }


LETTERS = {activation.LETTER: choose_password, activation.RESET: choose_password}
