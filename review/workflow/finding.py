"""What one check of the doctor's comes to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from review.domain.refusals import Problem


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `code` names what is right or wrong, `is_ok` which of the two."""

    code: str
    is_ok: bool
    detail: str = ""
    params: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def problem(self) -> Problem:
        """What there is to say."""
        return Problem(self.code, None, {"detail": self.detail, **self.params})
