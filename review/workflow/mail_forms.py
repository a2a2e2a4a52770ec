"""Forms around the mail: the words of letters, a letter that tries them out, limits by domain."""

import re
from collections.abc import Mapping

from email_validator import EmailNotValidError, validate_email
from wtforms import Field, HiddenField, StringField, TextAreaField

from review.domain.refusals import Invalid, Problem
from review.infra import pacing
from review.infra.forms import Form, KeepingForm, at_most, filled, strip
from review.infra.ids import row_id
from review.infra.wording import LONGEST, Words

DOMAIN = re.compile(r"\*|[a-z0-9-]+(\.[a-z0-9-]+)+")
MOST_LIMITS = 200


class WordsForm(KeepingForm):
    """What HR may say in a letter; `after` is the version that was read."""

    subject = StringField(filters=[strip])
    opening = TextAreaField(filters=[strip])
    closing = TextAreaField(filters=[strip])
    signature = TextAreaField(filters=[strip])
    after = HiddenField()

    def words(self) -> Words:
        return Words(*(self[name].data or "" for name in LONGEST))

    def version(self) -> int:
        try:
            return row_id(self.after.data or "")
        except ValueError:
            return -1  # no version: whoever sends this read none


class TryForm(Form):
    """Where a letter that tries the words out goes."""

    to = StringField(filters=[strip], validators=[filled(), at_most(254)])

    def validate_to(self, field: Field) -> None:
        try:
            validate_email(field.data or "", check_deliverability=False)
        except EmailNotValidError:
            field.errors = [*field.errors, "mail:not_an_address"]

    def validate(self, extra_validators: object = None) -> bool:
        return bool(super().validate(extra_validators)) and not self.to.errors


class LimitsForm(Form):
    """One domain a line with its letters a minute, `*` for all others."""

    limits = TextAreaField(validators=[at_most(20_000)])

    def wanted(self) -> dict[str, int]:
        """Raises Invalid that names each line that makes no sense."""
        problems, found = [], {}
        lines = [line.split() for line in (self.limits.data or "").splitlines()]
        for number, words in enumerate(lines, 1):
            if not words:
                continue
            domain, count = words[0].lower().lstrip("@"), words[1] if len(words) == 2 else ""
            if not DOMAIN.fullmatch(domain) or not re.fullmatch(r"[1-9]\d{0,5}", count, re.ASCII):
                problems.append(Problem("workflow:limit_unreadable", "limits", {"number": number}))
            elif domain in found:
                problems.append(Problem("workflow:limit_twice", "limits", {"number": number, "domain": domain}))
            elif int(count) > pacing.MOST_A_MINUTE:
                problems.append(Problem("workflow:limit_too_high", "limits", {"number": number}))
            else:
                found[domain] = int(count)
        if len(found) > MOST_LIMITS:
            problems.append(Problem("workflow:too_many_limits", "limits", {"most": MOST_LIMITS}))
        if problems:
            raise Invalid.of(problems)
        return found


def limits_text(limits: Mapping[str, int]) -> str:
    """The limits as they are typed."""
    return "\n".join(f"{domain} {count}" for domain, count in sorted(limits.items()))
