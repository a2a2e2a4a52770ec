"""What happens at 星河客服中心: the roster arrives, two cycles are lived through, a third stands in the middle.

Every step is the call a person's click would make, at the instant it would have been made; time is an argument.
"""

import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from io import StringIO
from uuid import UUID

from review.customer_survey import answering, intake, links
from review.cycles import changes, service
from review.cycles.lookup import file_of
from review.cycles.tables import CycleRow
from review.demo import quality, sheets, words
from review.demo.answers import Character, character, customer_answer, own_review, peer_answers, rating
from review.demo.company import TEAMS, Company, roster_csv
from review.demo.tickets import in_portions, tickets_csv
from review.domain.calendar import add_working_days, local_day, settled
from review.domain.period import Period, PeriodKind, period_before
from review.domain.scheme import Scheme
from review.domain.vocabulary import GRADES, Grade, Source
from review.infra import jobs, mail, organisation
from review.infra.db import db
from review.infra.house import house
from review.infra.organisation import Organisation
from review.infra.sheets import read_table
from review.kpi import plans as kpi_plans
from review.peer_review import service as peer_review
from review.people import accounts, directory, roster, roster_apply, roster_plan
from review.responses import service as responses
from review.results import looks, publication, second_look
from review.results import service as results
from review.results.second_look import LookOutcome
from review.schemes import service as schemes
from review.workflow import launch, plan, proposal, publish
from review.workflow.tick import tick

ORGANISATION = Organisation("星河客服中心", "Asia/Shanghai", "zh", frozenset(), "hr@xinghe.example.com")
TICKETS_EACH = 20
MORNING = time(9)

Say = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of each source has come in; all of it where a cycle is over."""

    own: float = 1.0
    supervisor: float = 1.0
    peers: float = 0.86
    customers: float = 0.93


IN_THE_MIDDLE = Shares(own=0.68, supervisor=0.36, peers=0.55, customers=0.58)


class Story:
    """One company from its first import on. Call `live` inside an application context."""

    def __init__(self, company: Company, seed: int, now: datetime, say: Say) -> None:
        self.company, self.seed, self.now, self.say = company, seed, now, say
        self.people: dict[str, int] = {}
        self.hr = 0
        self.mails = True

    def live(self, *, history: int = 2) -> None:
        """`history` published cycles, then the one that is running now. Without history the mail is left waiting."""
        self.mails = history > 0
        today = local_day(self.now, ORGANISATION.zone)
        organisation.configure(ORGANISATION)
        self._hire(self.now - timedelta(days=120 * history + 30))
        schemes.install_default(self.now - timedelta(days=120 * history + 30))
        kpi_plans.install_starting_set(self.now - timedelta(days=120 * history + 30))
        db.session.commit()
        periods = list(_periods(proposal.last_period(PeriodKind.QUARTERLY, today), history))
        for number, period in enumerate(periods[:-1]):
            first = add_working_days(period.end + timedelta(days=4), 1)
            self._cycle(period, settled(first, MORNING, ORGANISATION.zone), number, Shares())
        first = _working_days_before(today, 4)
        self._cycle(periods[-1], settled(first, MORNING, ORGANISATION.zone), len(periods) - 1, None)

    def give_passwords(self, passwords: dict[str, str]) -> None:
        """Let these people (by employee number) sign in; nobody else can until they activate their account."""
        for number, password in passwords.items():
            accounts.set_password(directory.person(self.people[number]), password, self.now, by=None)
        db.session.commit()

    def _hire(self, at: datetime) -> None:
        table = read_table(roster_csv(self.company), "roster.csv")
        planned = roster_plan.plan(roster.read_roster(table), at.date(), may_make_administrators=True)
        assert not planned.flaws, planned.flaws[:3]
        roster_apply.apply(planned, by=None, now=at)
        db.session.commit()
        self.people = {person.employee_no: person.id for person in directory.active(at.date())}
        self.hr = self.people[self.company.hr_no]

    def _cycle(self, period: Period, opens_at: datetime, number: int, shares: Shares | None) -> None:
        """A cycle from draft on; without `shares` it stops in the middle of the answers, which is now."""
        cycle = self._launch(period, opens_at, number, is_over=shares is not None)
        scheme = schemes.scheme_of(cycle.scheme_id)
        cast = self._characters(scheme, number)
        if shares is None:
            self._answer(cycle, scheme, cast, IN_THE_MIDDLE, min(self.now, cycle.closes_at - timedelta(hours=1)))
            sheets.in_the_middle(self._scene(cycle), self.now, self.people[self.company.agent_no])
            quality.live(cycle, self.seed, visitor=self.people[self.company.agent_no], hr=self.hr, now=self.now)
            tick(self.now)
            return
        self._answer(cycle, scheme, cast, shares, opens_at + timedelta(days=3))
        sheets.enter_all(self._scene(cycle), opens_at + timedelta(days=4))
        self._close(cycle)

    def _scene(self, cycle: CycleRow) -> sheets.Scene:
        skill = {one.employee_no: one.skill for one in self.company.colleagues if one.supervisor_no}
        return sheets.Scene(cycle, str(self.seed), skill, self.hr)

    def _launch(self, period: Period, opens_at: datetime, number: int, *, is_over: bool) -> CycleRow:
        drafted = opens_at - timedelta(days=6)
        dates = proposal.dates_from(local_day(opens_at, ORGANISATION.zone), ORGANISATION)
        scheme = schemes.install_default(drafted)
        wanted = service.CyclePlan(
            name=_name(period), period=period, scheme_id=scheme.id, dates=dates, seed=self.seed * 100 + number
        )
        cycle = service.create(wanted, ORGANISATION.zone, by=self.hr, now=drafted)
        reviewed = [self.people[one.employee_no] for one in self.company.colleagues if one.supervisor_no]
        service.choose(cycle, reviewed)
        self._import_tickets(period, drafted, number, is_over=is_over)
        plan.ask(cycle, drafted)
        db.session.commit()
        self._drain(drafted)
        stored = plan.of(cycle.id)
        assert stored is not None
        self._confirmed(cycle, number)
        changes.confirm_plan(cycle, stored.digest, by=self.hr, now=drafted + timedelta(hours=1))
        db.session.commit()
        launch.ask(cycle, by=self.hr, now=opens_at)
        db.session.commit()
        self._drain(opens_at)
        self.say("launched", cycle.name)
        return db.session.get_one(CycleRow, cycle.id)

    def _confirmed(self, cycle: CycleRow, number: int) -> None:  # noqa: ARG002  other stories tell cycles apart
        """What HR decides about a cycle besides its assignment, before it starts: its KPI plan."""
        at = cycle.opens_at - timedelta(days=5)
        sheets.choose_plan(cycle, self.hr, at)
        sheets.tell_figures(self._scene(cycle), at)

    def _import_tickets(self, period: Period, at: datetime, number: int, *, is_over: bool) -> None:
        posts = {post for _, post in TEAMS}
        agents = [one for one in self.company.colleagues if one.post in posts]
        data = tickets_csv(
            agents, period, at.date(), f"{self.seed}:{number}", TICKETS_EACH, with_email=0.06 if is_over else 0.3
        )
        for portion in in_portions(data):
            outcome = intake.take_in(portion, "tickets.csv", at, self.hr)
            assert not outcome.problems, outcome.problems[:3]
            db.session.commit()

    def _characters(self, scheme: Scheme, number: int) -> dict[int, Character]:
        return {
            self.people[one.employee_no]: character(f"{self.seed}:{one.employee_no}", one.skill, scheme, 0.02 * number)
            for one in self.company.colleagues
        }

    def _dice(self, *parts: object) -> random.Random:
        return random.Random(":".join(map(str, (self.seed, *parts))))

    def _answer(
        self, cycle: CycleRow, scheme: Scheme, cast: dict[int, Character], shares: Shares, at: datetime
    ) -> None:
        """Everybody who answers does so at `at`; the visitor's agent leaves something to do in a running cycle."""
        visitor = self.people[self.company.agent_no]
        running = shares is IN_THE_MIDDLE
        for review in service.living_reviews(cycle.id):
            subject, dice = cast[review.subject_id], self._dice("own", cycle.name, review.subject_id)
            is_visitor = running and review.subject_id == visitor
            if dice.random() < shares.own and not is_visitor:
                responses.file_self(review.id, review.subject_id, own_review(dice, scheme, subject), at)
            if review.supervisor_id and dice.random() < shares.supervisor:
                said = rating(dice, scheme, cast[review.supervisor_id], subject)
                responses.file_rating(review.id, review.supervisor_id, said, at)
        db.session.commit()
        self._vote(cycle, scheme, cast, shares, at, skip=visitor if running else None)
        self._survey(cycle, scheme, cast, shares, at)
        self.say("answered", cycle.name)

    def _vote(
        self,
        cycle: CycleRow,
        scheme: Scheme,
        cast: dict[int, Character],
        shares: Shares,
        at: datetime,
        skip: int | None,
    ) -> None:
        for rater in self.people.values():
            if rater == skip:
                continue
            for asked in peer_review.lists_of(rater, at):
                if asked.cycle.id != cycle.id:
                    continue
                for seat in asked.seats:
                    self._cast(seat.id, scheme, cast, shares, at)
            db.session.rollback()

    def _cast(self, seat_id: UUID, scheme: Scheme, cast: dict[int, Character], shares: Shares, at: datetime) -> None:
        file = peer_review.seat_file(seat_id)
        dice = self._dice("peer", file.cycle.name, file.seat.rater_id, file.review.subject_id)
        if dice.random() < shares.peers:
            said = peer_answers(dice, scheme, cast[file.seat.rater_id], cast[file.review.subject_id])
            peer_review.cast(file, said, at)

    def _survey(
        self, cycle: CycleRow, scheme: Scheme, cast: dict[int, Character], shares: Shares, at: datetime
    ) -> None:
        names = {one.name: self.people[one.employee_no] for one in self.company.colleagues}
        listed = csv.DictReader(StringIO("".join(links.links_csv(cycle.id, at, everybody=True))))
        for number, line in enumerate(listed):
            dice = self._dice("customer", line["customer_no"])
            if dice.random() >= shares.customers:
                continue
            token = line["link"].rsplit("/", 1)[-1]
            said = customer_answer(dice, scheme.asked_of(Source.CUSTOMERS), cast[names[line["agent"]]])
            answering.answer(token, f"form-{number}", said, at)
        db.session.commit()

    def _close(self, cycle: CycleRow) -> None:
        closes_at, finalise_by, publish_on = cycle.closes_at, cycle.finalise_by, cycle.publish_on
        tick(closes_at)
        self._drain(closes_at)
        cycle = db.session.get_one(CycleRow, cycle.id)
        sheets.sign_some(self._scene(cycle), closes_at + timedelta(hours=12), 0.6)
        self._finalise(cycle, closes_at + timedelta(days=1))
        self._look(cycle, closes_at + timedelta(days=2))
        at = max(finalise_by, settled(publish_on, MORNING, ORGANISATION.zone))
        cycle = db.session.get_one(CycleRow, cycle.id)
        publish.ask(cycle, cycle.name, by=self.hr, now=at)
        db.session.commit()
        self._drain(at)
        self._sign(cycle.id, at + timedelta(days=2))
        self.say("published", cycle.name)

    def _finalise(self, cycle: CycleRow, at: datetime) -> None:
        """Most grades are as computed; now and then a supervisor decides otherwise and says why."""
        for review in service.living_reviews(cycle.id):
            card, dice = results.scorecard_of(review.id), self._dice("final", cycle.name, review.subject_id)
            if card.grade is None:
                decided = results.SignOff("本期数据不足，已和本人说明。", None, "主管评分未提交完整。")
            else:
                decided = results.SignOff(words.summary(dice, card.grade.value))
                if dice.random() < 0.04 and card.grade is not GRADES[0]:
                    better = GRADES[GRADES.index(card.grade) - 1]
                    decided = replace(decided, grade=Grade(better), reason=words.PRAISE[0])
            results.finalise(review.id, decided, by=review.supervisor_id or self.hr, now=at)
        db.session.commit()

    def _look(self, cycle: CycleRow, at: datetime) -> None:
        """Scores near a cut get their second look from whoever is proposed."""
        second_look.name_proposed(cycle, by=self.hr, now=at)
        for row in db.session.execute(looks.listed(cycle.id, only_open=True)).all():
            review_id, person = row[0].id, row.SecondLookRow.person_id
            reason = self._dice("look", cycle.name, review_id).choice(words.SECOND_LOOK)
            said = second_look.Said(LookOutcome.CONFIRMED, reason)
            second_look.decide(second_look.LookFile(file_of(review_id), row.SecondLookRow), said, by=person, now=at)
        db.session.commit()

    def _sign(self, cycle_id: int, at: datetime) -> None:
        for review in service.living_reviews(cycle_id):
            if self._dice("sign", cycle_id, review.subject_id).random() < 0.9:
                publication.acknowledge(file_of(review.id), by=review.subject_id, now=at)
        db.session.commit()

    def _drain(self, at: datetime) -> None:
        """What the worker would have done by then: every job that is due, every letter."""
        db.session.commit()
        jobs.work_all(house().handlers, house().progress, "demo", at)
        while self.mails and mail.send_due(at):
            pass


def _name(period: Period) -> str:
    quarter = "一二三四"[(period.start.month - 1) // 3]
    return f"{period.start.year}年第{quarter}季度"


def _periods(last: Period, history: int) -> Iterator[Period]:
    """`history` quarters before `last`, oldest first, then `last`."""
    found = [last]
    for _ in range(history):
        found.insert(0, period_before(found[0]))
    return iter(found)


def _working_days_before(day: date, count: int) -> date:
    """The working day that lies `count` working days before `day`."""
    earlier = day
    while count:
        earlier = earlier - timedelta(days=1)
        count -= earlier.weekday() < 5
    while earlier.weekday() >= 5:
        earlier = earlier - timedelta(days=1)
    return earlier
