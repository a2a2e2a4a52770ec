"""A finalising cycle of any size as rows: one supervisor, seventeen customers and peers' cells about each person.

Written by the database itself from the numbers 1 to n, in the same words on SQLite and PostgreSQL, so that filling two
million rows takes seconds. What people answered is arithmetic: every figure differs from its neighbours'.
"""

from datetime import timedelta

from sqlalchemy import insert, text

from review.cycles import service
from review.cycles.service import CyclePlan
from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.period import PeriodKind
from review.domain.vocabulary import Source
from review.infra import organisation
from review.infra.clock import now
from review.infra.db import db
from review.people.tables import PersonRow
from review.schemes.service import install_default, scheme_of
from review.workflow import proposal

CUSTOMERS = 17
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most)"


def fill(people: int) -> int:
    """The id of a counted cycle in which so many are reviewed."""
    at, ours = now(), organisation.current()
    boss = {"employee_no": "N0", "name": "Boss", "locale": "zh", "session_version": 1, "activation": 1}
    db.session.execute(insert(PersonRow), [boss])
    cycle = _cycle(at, ours)
    numbers = {"most": people}
    run(
        f"""INSERT INTO person (employee_no, name, locale, supervisor_id, session_version, activation)
        {NUMBERS} SELECT 'N' || i, 'Person ' || i, 'zh', 1, 1, 1 FROM n""",
        numbers,
    )
    run(
        "INSERT INTO review (cycle_id, subject_id, supervisor_id, without_peers) "
        "SELECT :cycle, id, 1, false FROM person WHERE id > 1 ORDER BY id",
        {"cycle": cycle.id},
    )
    _answers(cycle)
    _cells(cycle)
    run("INSERT INTO urn VALUES (:cycle)", {"cycle": cycle.id})
    run("INSERT INTO peer_count VALUES (:cycle, :at, 0, 0)", {"cycle": cycle.id, "at": at.replace(tzinfo=None)})
    run("ANALYZE", {})
    db.session.commit()
    return cycle.id


def run(statement: str, values: dict[str, object]) -> None:
    db.session.execute(text(statement), values)


def _cycle(at: object, ours: organisation.Organisation) -> CycleRow:
    proposed = proposal.propose(at, ours, PeriodKind.QUARTERLY)  # type: ignore[arg-type]
    scheme = install_default(at)  # type: ignore[arg-type]
    wanted = CyclePlan(name="Benchmark", period=proposed.period, scheme_id=scheme.id, dates=proposed.dates)
    cycle = service.create(wanted, ours.zone, by=None, now=at)  # type: ignore[arg-type]
    cycle.stage = Stage.FINALISING
    db.session.flush()
    return cycle


def _answers(cycle: CycleRow) -> None:
    empty = "'{}'::json" if db.engine.dialect.name == "postgresql" else "'{}'"
    scheme, filed = scheme_of(cycle.scheme_id), (now() - timedelta(days=1)).replace(tzinfo=None)
    plain = "filed_at, version, texts, wants_contact, withhold_ticket"
    values = {"cycle": cycle.id, "filed": filed, "most": CUSTOMERS}
    levels = ", ".join(f"1 + (r.id * {7 + n} + {n}) % 4" for n in range(5))
    run(
        f"""INSERT INTO response (review_id, source, respondent, person_id, c1, c2, c3, c4, c5, {plain})
        SELECT r.id, 'supervisor', 'person:1', 1, {levels}, :filed, 1, {empty}, false, false
        FROM review r WHERE r.cycle_id = :cycle""",
        values,
    )
    stars = ", ".join(
        f"1 + (r.id * {3 + n} + i * {5 + n}) % 5" if one.is_asked_of(Source.CUSTOMERS) else "CAST(NULL AS smallint)"
        for n, one in enumerate(scheme.criteria)
    )
    run(
        f"""INSERT INTO response (review_id, source, respondent, c1, c2, c3, c4, c5, overall, {plain})
        {NUMBERS} SELECT r.id, 'customers', 'c' || i, {stars}, 1 + (r.id + i) % 5, :filed, 1, {empty}, false, false
        FROM review r CROSS JOIN n WHERE r.cycle_id = :cycle ORDER BY r.id, i""",
        values,
    )


def _cells(cycle: CycleRow) -> None:
    for place, criterion in enumerate(scheme_of(cycle.scheme_id).asked_of(Source.PEERS)):
        run(
            """INSERT INTO peer_cell (review_id, criterion, n, points, "over")
            SELECT id, :criterion, '5-7', 4 * (16 + (id + :place) % 7), 1 FROM review WHERE cycle_id = :cycle""",
            {"cycle": cycle.id, "criterion": criterion.key, "place": place},
        )
