"""What the `score` command is given, read from plain data into the values that the scoring takes.

Where the contract leaves room, the most literal reading holds: null is the same as an absent key (only `peer_step`
null means something); `target` and `actual` may stand on every KPI row, other figures only on rows of their rule;
customers answer in stars and nobody else does; a null answer to a criterion nobody is asked about is no answer;
below the first bracket a row earns nothing; every line of bonus or deduction and every veto has a reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from review.domain.kpi import KpiItem, Line, SheetVeto, read_items, read_lines, read_veto
from review.domain.reading import Reader, place
from review.domain.responses import (
    Answers,
    Evidence,
    cells_of,
    collect_answers,
    collect_stars,
    tally_stars,
)
from review.domain.scheme import Scheme, read_overrides, read_scheme, sealed
from review.domain.scorecard import Scorecard
from review.domain.scoring import score
from review.domain.vocabulary import Source
from review.schemes.library import BUILTIN, builtin

MOST_RESPONSES = 20_000
_KEYS = ("scheme", "responses")
_OPTIONAL = ("overrides", "kpi", "bonus", "deductions", "sheet_veto")


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """One review, ready to be scored."""

    scheme: Scheme
    evidence: Evidence
    kpi: tuple[KpiItem, ...]
    bonus: tuple[Line, ...]
    deductions: tuple[Line, ...]
    sheet_veto: SheetVeto | None

    def scored(self) -> Scorecard:
        return score(self.scheme, self.evidence, self.kpi, self.bonus, self.deductions, self.sheet_veto)


def read_request(data: object) -> ScoreRequest:
    """The request in `data`. Raises Invalid with every problem and its place."""
    reader = Reader()
    raw = reader.mapping(data, "", _KEYS, _OPTIONAL)
    scheme = _read_scheme(reader, raw)
    evidence = _read_responses(reader, scheme, raw.get("responses"), "responses")
    request = ScoreRequest(
        scheme=scheme,
        evidence=evidence,
        kpi=_read_sheet(reader, scheme, raw.get("kpi"), "kpi"),
        bonus=read_lines(reader, raw.get("bonus"), "bonus"),
        deductions=read_lines(reader, raw.get("deductions"), "deductions"),
        sheet_veto=read_veto(reader, raw.get("sheet_veto"), "sheet_veto"),
    )
    reader.finish()
    return request


def _read_scheme(reader: Reader, raw: Mapping[str, object]) -> Scheme:
    """The scheme with its overrides; the default one stands in where it is not named, to go on looking for mistakes."""
    named, scheme = raw.get("scheme"), builtin()
    if isinstance(named, str) and named in BUILTIN:
        scheme = builtin(named)
    elif isinstance(named, Mapping):
        scheme = read_scheme(reader, named, "scheme")
        if reader.problems:
            reader.finish()  # under a scheme that makes no sense, nothing else does
        scheme = sealed(scheme)
    elif "scheme" in raw:
        reader.note("unknown_scheme", "scheme", known=", ".join(BUILTIN))
    if raw.get("overrides") is None:
        return scheme
    before = len(reader.problems)
    changed = read_overrides(reader, scheme, raw["overrides"], "overrides")
    return sealed(changed) if len(reader.problems) == before else scheme


def _read_responses(reader: Reader, scheme: Scheme, data: object, where: str) -> Evidence:
    raw = reader.mapping(data, where, (), [source.value for source in Source])

    def levels(source: Source) -> list[Answers]:
        listed = reader.items(raw.get(source.value), place(where, source.value), MOST_RESPONSES)
        return [collect_answers(reader, scheme, source, element, spot) for spot, element in listed]

    listed = reader.items(raw.get(Source.CUSTOMERS.value), place(where, Source.CUSTOMERS.value), MOST_RESPONSES)
    stars = [collect_stars(reader, scheme, element, spot) for spot, element in listed]
    peers = levels(Source.PEERS)
    seats = max(len(peers), scheme.minimums[Source.PEERS])  # a file does not tell how many were asked: enough of them
    return Evidence(
        self=tuple(levels(Source.SELF)),
        supervisor=tuple(levels(Source.SUPERVISOR)),
        peers=cells_of(scheme, peers, panel_size=seats),
        customers=tally_stars(stars),
    )


def _read_sheet(reader: Reader, scheme: Scheme, data: object, where: str) -> tuple[KpiItem, ...]:
    if data is None:
        return ()
    raw = reader.mapping(data, where, (), ("items",))
    return read_items(reader, scheme, raw.get("items"), place(where, "items"))
