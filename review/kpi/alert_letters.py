"""What the letter about alerts is filled with: names and what each alert is about, no figures."""

from collections.abc import Mapping
from typing import Any

from review.kpi.alerts import LETTER


def alerts(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """New alerts of the day about the reader's people, for HR about everybody."""
    return dict(params)


LETTERS = {LETTER: alerts}
