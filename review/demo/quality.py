"""Quality checks of the running cycle: a form, a drawn sample that is half checked, a dispute, a calibration round.

Works with whatever tickets there are, those of the customer list included; without tickets nothing is drawn.
"""

import random
from datetime import datetime, timedelta

from sqlalchemy import select

from review.cycles.tables import CycleRow
from review.domain.calendar import END_OF_DAY, add_working_days, local_day, settled
from review.domain.quality import Category, QualityForm, Sheet
from review.helpdesk.tables import TicketRow
from review.infra import organisation
from review.infra.db import db
from review.people import directory
from review.people.tables import PersonRow
from review.quality import calibration, checks, disputes, drawing, form_versions, lists, samples
from review.quality.checks import CheckFile

EACH = 3
FILED = 0.6
MOST_CHECKERS = 12
PRAISE = ("先回应了客户的情绪，再给方案，值得分享。", "记录清楚，接手的同事不用再问。", "整体稳定，开场再自然一些。")
FAULTS = (
    "客户问了两次才答到点上，见第2条回复。",
    "结束前没有确认客户还有没有别的问题。",
    "引用的是旧版退换货政策，时限说错一天。",
    "工单里只写了结果，没有写处理过程。",
)
OBJECTION = "客户第一句话里已经给了订单号，系统截图没有同步到工单，所以看起来没有核实。请结合通话录音再看。"


def live(cycle: CycleRow, seed: int, *, visitor: int, hr: int, now: datetime) -> None:
    """Everything that has happened by `now`; call inside an application context. Commits.

    The visitor's first ticket is checked and may be disputed, their second one is still open.
    """
    dice = random.Random(f"{seed}:quality:{cycle.id}")
    drawn_at = now - timedelta(days=2)
    form = form_versions.install_default(drawn_at, hr)
    ours = organisation.current()
    today = local_day(now, ours.zone)
    plan = samples.SamplePlan(
        name=f"{cycle.name}抽检",
        form_id=form.id,
        first_day=cycle.period_start,
        last_day=cycle.period_end,
        per_agent=EACH,
        due_at=settled(add_working_days(today, 4), END_OF_DAY, ours.zone),
        seed=random.Random(f"{seed}:{cycle.id}").getrandbits(31),
        not_own_team=True,
    )
    sample = samples.create(plan, by=hr, now=drawn_at)
    if not drawing.freeze(sample, drawn_at):
        db.session.commit()
        return
    samples.assign(sample, _checkers(hr), by=hr, now=drawn_at + timedelta(hours=1))
    db.session.commit()
    _check(sample.id, form_versions.form_of(form.id), visitor, dice, now)
    _calibrate(cycle, form.id, hr, dice, now)
    db.session.commit()


def _checkers(hr: int) -> list[PersonRow]:
    """Supervisors of teams, never HR: HR decides what is disputed."""
    bosses = sorted(set(directory.lines().values()))
    people = directory.by_ids(bosses)
    leading = [people[one] for one in bosses if one in people and people[one].supervisor_id is not None and one != hr]
    return (leading if len(leading) > 1 else list(people.values()))[:MOST_CHECKERS]


def _check(sample_id: int, form: QualityForm, visitor: int, dice: random.Random, now: datetime) -> None:
    by_agent = lists.by_agent(sample_id)
    objecting = next((agent for agent in by_agent if agent != visitor), None)
    for agent, ids in by_agent.items():
        for place, check_id in enumerate(ids):
            is_filed = dice.random() < FILED if place else agent in {visitor, objecting} or dice.random() < FILED
            if is_filed and not (agent == visitor and place == 1):
                _file(checks.file_of(check_id), form, dice, now - timedelta(hours=dice.randint(3, 30)))
    db.session.commit()
    if objecting is not None:
        _object(checks.file_of(by_agent[objecting][0]), form, now - timedelta(hours=2))


def _file(file: CheckFile, form: QualityForm, dice: random.Random, at: datetime) -> None:
    if file.check.checker_id is not None:
        checks.file_check(file, file.check.checker_id, _sheet(form, dice), form, at)


def _sheet(form: QualityForm, dice: random.Random, bias: float = 0.0) -> Sheet:
    marks = {category.key: _mark(category, dice, bias) for category in form.categories}
    low = [category for category in form.categories if category.is_low(marks[category.key])]
    return Sheet(
        marks,
        {category.key: dice.choice(FAULTS) for category in low},
        {category.key: dice.choice(category.causes).key for category in low if category.causes},
        dice.choice(PRAISE),
    )


def _mark(category: Category, dice: random.Random, bias: float) -> int | None:
    """Mostly good; a critical category is missed rarely; now and then not applicable."""
    if category.may_be_left_out and dice.random() < 0.06:
        return None
    luck = min(1.0, max(0.0, dice.gauss(0.85 if category.is_critical else 0.76, 0.2) + bias))
    return 1 + round(luck * (category.scale - 1))


def _object(file: CheckFile, form: QualityForm, at: datetime) -> None:
    """The agent would mark the weakest category one better."""
    marks = checks.marks_of(file.check.id)
    weakest = min(
        (row for row in marks.values() if row.filed_mark is not None and row.filed_mark < row.scale),
        key=lambda row: ((row.filed_mark or 0) / row.scale, row.category_key),
        default=None,
    )
    proposed = {} if weakest is None else {weakest.category_key: (weakest.filed_mark or 0) + 1}
    disputes.raise_dispute(file, file.agent.id, OBJECTION, proposed, form, at)


def _calibrate(cycle: CycleRow, form_id: int, hr: int, dice: random.Random, now: datetime) -> None:
    """Last week's round is over; this week's still runs and waits for some."""
    people = _checkers(hr)[:4]
    tickets = select(TicketRow.reference).where(
        TicketRow.closed_on.between(cycle.period_start, cycle.period_end),
        TicketRow.agent_id.is_not(None),
        TicketRow.agent_id.not_in([one.id for one in people]),
    )
    references = list(db.session.scalars(tickets.order_by(TicketRow.id).limit(6)))
    if len(people) < calibration.LEAST_PEOPLE or len(references) < 6:
        return
    begun = now - timedelta(days=6)
    for name, chosen, opened, due, everybody in (
        ("第一次校准", references[:3], begun, now - timedelta(days=1), True),
        ("第二次校准", references[3:], now - timedelta(hours=20), now + timedelta(days=3), False),
    ):
        plan = calibration.RoundPlan(f"{cycle.name}{name}", form_id, tuple(chosen), tuple(people), due)
        row = calibration.create(plan, by=hr, now=opened)
        _answer(row.id, [one.id for one in people], dice, opened + timedelta(hours=5), everybody=everybody)


def _answer(round_id: int, people: list[int], dice: random.Random, at: datetime, *, everybody: bool) -> None:
    """Each ticket has a truth that people see with some error, one of them a little milder than the others."""
    form = form_versions.form_of(calibration.round_of(round_id).form_id)
    truths: dict[int, Sheet] = {}
    for place, person in enumerate(people if everybody else people[-1:]):
        for seat in calibration.seats_of(round_id, person):
            truth = truths.setdefault(seat.ticket.id, _sheet(form, dice))
            said = _nearby(form, truth, dice, milder=place == 0)
            calibration.file_answer(seat, said, form, at)


def _nearby(form: QualityForm, truth: Sheet, dice: random.Random, *, milder: bool) -> Sheet:
    marks = {}
    for category in form.categories:
        mark = truth.marks[category.key]
        step = dice.choice((0,) * 14 + (1, -1, 1 if milder else 0))
        marks[category.key] = None if mark is None else min(category.scale, max(1, mark + step))
    low = [category for category in form.categories if category.is_low(marks[category.key])]
    comments = {category.key: dice.choice(FAULTS) for category in low}
    return Sheet(marks, comments, {one.key: dice.choice(one.causes).key for one in low if one.causes}, "")
