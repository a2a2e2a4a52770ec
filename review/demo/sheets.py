"""KPI sheets of the demo: a plan for every cycle, figures as a system tells them, hand rows, lines and signatures."""

import random
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from review.cycles.tables import CycleRow
from review.domain.indicators import Span, months_back
from review.domain.kpi_plan import Obtained, Record
from review.domain.records import TicketSystem
from review.helpdesk import importing, reading, unpacking
from review.helpdesk.importing import Brought
from review.infra.db import db
from review.kpi import entering, filling, lines, plans, signing
from review.kpi.changing import Hand
from review.kpi.entering import Entry
from review.kpi.lines import Proposal
from review.kpi.sheets import Sheet, sheet_of, sheets_in

BY_HAND = "本期抽检汇总。"  # why a figure that the system brings in is entered by hand: checks began later
BONUS = ("整理了12篇知识库文章。", "带教两名新同事上岗。", "大促期间主动支援夜班。")
DEDUCTION = "交接记录两次未填写。"
OWN = "本期响应更快了，解决率还有提升空间。下期重点减少重复来电。"
LEADER = "服务稳定，愿意帮助同事。继续练习复杂工单的判断。"
LEAST_DAYS = 6  # of a month that has begun, before anything is told of it
REMARK = "7月系统升级停机两天，响应时长受影响。"


@dataclass(frozen=True, slots=True)
class Scene:
    """Whose sheets are lived through: the cycle, by which luck, how able each employee number is (0 to 1), and HR."""

    cycle: CycleRow
    seed: str
    skill: Mapping[str, float]
    hr: int

    def dice(self, *parts: object) -> random.Random:
        return random.Random(":".join(map(str, (self.seed, self.cycle.name, *parts))))


def choose_plan(cycle: CycleRow, hr: int, at: datetime) -> None:
    """The plan that ships with the product, before the cycle starts."""
    plans.use(cycle, plans.install_starting_set(at, hr).id, by=hr, now=at)


HEADINGS = "客服工号,开始日期,结束日期,工单量,平均首次响应时长(秒),满意度(%),评价数,解决率(%)"


def tell_figures(scene: Scene, at: datetime) -> None:
    """Import what a ticket system tells of each person and month, as HR would. Commits."""
    with tempfile.TemporaryDirectory(prefix="review-demo-") as folder:
        file = Path(folder) / "figures.csv"
        file.write_bytes(_figures(scene, at.date()))
        tables = unpacking.unpack(file, Path(folder) / "unpacked")
        period = scene.cycle.period_start, scene.cycle.period_end
        prepared = reading.prepare(tables, TicketSystem.SHEET, at, period=period)
        brought = Brought(file.name, unpacking.digest_of(file), scene.hr, at, scene.cycle.id)
        row, _is_done = importing.begin(prepared, brought)
        import_id = row.id
        db.session.commit()
        counts = importing.carry_out(prepared, import_id, at)
        assert not counts.problems, counts.problems[:3]


def _figures(scene: Scene, today: date) -> bytes:
    """A row for each person and month: the period's, and of those after it what has passed, so that boards go on."""
    rows, spans = [HEADINGS], list(_months(scene.cycle.period_start, today - timedelta(days=1)))
    for number, skill in sorted(scene.skill.items()):
        dice = scene.dice("figures", number)
        pace, warmth = 620 + 280 * skill + dice.gauss(0, 60), 0.78 + 0.2 * skill + dice.gauss(0, 0.02)
        wait, solving = (700 - 400 * skill) * dice.uniform(0.75, 1.15), 76 + 20 * skill + dice.gauss(0, 2)
        for first, last in spans:
            tickets = max(10, round(pace * ((last - first).days + 1) / 91 * dice.uniform(0.9, 1.1)))
            answers = round(tickets * dice.uniform(0.3, 0.5))
            good = max(0, min(answers, round(answers * (warmth + dice.gauss(0, 0.02)))))
            solved = min(100.0, round(solving + dice.gauss(0, 1), 1))
            waited = round(wait * dice.uniform(0.9, 1.1))
            told = f"{tickets},{waited},{round(100 * good / answers, 2)},{answers},{solved}"
            rows.append(f"{number},{first},{last},{told}")
    return ("\ufeff" + "\n".join(rows) + "\n").encode()


def _months(first: date, last: date) -> Iterator[Span]:
    """The calendar months from `first` to `last`; of the last one what has passed, where it is a week or more."""
    for start, end in months_back(last, 12):
        if start >= first and (min(end, last) - start).days >= LEAST_DAYS:
            yield start, min(end, last)


def enter_all(scene: Scene, at: datetime) -> None:
    """HR brings in every row by hand that no record fills, and some lines are proposed and decided. Commits."""
    hand, entries = Hand(scene.hr, is_hr=True), {}
    for sheet in sheets_in(scene.cycle.id).values():
        if sheet.subject.id != scene.hr:
            entries[sheet.review_id] = _entries(scene, sheet)
    entering.enter(scene.cycle.id, entries, hand, at)
    _own_of_hr(scene, at)
    for sheet in sheets_in(scene.cycle.id).values():
        _lines(scene, sheet, at)
    db.session.commit()


def _entries(scene: Scene, sheet: Sheet) -> dict[str, Entry]:
    dice, skill = scene.dice("rows", sheet.subject.id), scene.skill.get(sheet.subject.employee_no, 0.6)
    entries = {}
    for row in sheet.rows:
        if row.plan.record is Record.QUALITY:
            points = min(100, round(70 + 25 * skill + dice.gauss(0, 4)))
            entries[row.key] = Entry(str(points), remark=BY_HAND)
        elif row.plan.obtained is Obtained.HAND:
            entries[row.key] = Entry(str(max(0, round(1 + 3 * skill + dice.gauss(0, 1)))))
    return entries


def _own_of_hr(scene: Scene, at: datetime) -> None:
    """Nobody enters their own figures, HR neither: their supervisor does."""
    mine = next((one for one in sheets_in(scene.cycle.id).values() if one.subject.id == scene.hr), None)
    if mine is not None and mine.supervisor_id is not None:
        by = Hand(mine.supervisor_id, is_hr=False)
        entering.enter(scene.cycle.id, {mine.review_id: _entries(scene, mine)}, by, at)


def _lines(scene: Scene, sheet: Sheet, at: datetime) -> None:
    dice = scene.dice("lines", sheet.subject.id)
    if sheet.supervisor_id is None or scene.hr in {sheet.subject.id, sheet.supervisor_id}:
        return
    if dice.random() < 0.15:
        said = Proposal(lines.BONUS, str(dice.choice((1, 2, 3))), dice.choice(BONUS))
    elif dice.random() < 0.08:
        said = Proposal(lines.DEDUCTION, "1", DEDUCTION)
    else:
        return
    lines.propose(sheet.cycle.id, sheet.review_id, said, Hand(sheet.supervisor_id, is_hr=False), at)
    lines.decide(sheet.cycle.id, _newest_line(sheet), approve=True, hand=Hand(scene.hr, is_hr=True), now=at)


def _newest_line(sheet: Sheet) -> int:
    return sheet_of(sheet.review_id).lines[-1].id


def sign_some(scene: Scene, at: datetime, share: float) -> None:
    """So many of the employees and their superiors write their words and sign. Commits."""
    for sheet in sheets_in(scene.cycle.id).values():
        dice = scene.dice("names", sheet.subject.id)
        if sheet.is_open or sheet.supervisor_id is None or dice.random() >= share:
            continue
        signing.write(sheet.cycle.id, sheet.review_id, signing.SELF, OWN, sheet.subject.id, at)
        signing.write(sheet.cycle.id, sheet.review_id, signing.LEADER, LEADER, sheet.supervisor_id, at)
        seen = sheet_of(sheet.review_id).digest
        remark = REMARK if dice.random() < 0.1 else ""
        signing.sign(sheet.review_id, sheet.subject.id, seen, remark, at)
        signing.sign(sheet.review_id, sheet.supervisor_id, seen, "", at + timedelta(hours=3))
    db.session.commit()


def in_the_middle(scene: Scene, at: datetime, visitor: int) -> None:
    """The running cycle: filled once, some hand rows entered, a line that waits for HR; the visitor's is complete."""
    filling.fill(scene.cycle, by=scene.hr, now=at)
    hand, entries = Hand(scene.hr, is_hr=True), {}
    for sheet in sheets_in(scene.cycle.id).values():
        is_visitor = sheet.subject.id == visitor
        if sheet.subject.id != scene.hr and (is_visitor or scene.dice("entered", sheet.subject.id).random() < 0.5):
            entries[sheet.review_id] = _entries(scene, sheet)
    entering.enter(scene.cycle.id, entries, hand, at)
    for at_most, sheet in enumerate(sheets_in(scene.cycle.id).values()):
        if at_most % 9 == 4 and sheet.supervisor_id is not None and sheet.subject.id not in {visitor, scene.hr}:
            said = Proposal(lines.BONUS, "2", BONUS[0])
            lines.propose(sheet.cycle.id, sheet.review_id, said, Hand(sheet.supervisor_id, is_hr=False), at)
    db.session.commit()
