"""One small company in the middle of its life, lived by the same services as everybody's, once per test run.

Two teams of nine or ten under a director. One cycle is published, one is being finalised, one collects now, one is in
draft. `template(folder)` builds it (some ten seconds), `open_copy(template, folder)` gives a test a copy of its own
(milliseconds) and the `World` that knows everybody's ids. Times stand around the real clock, because views ask it.
"""

import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID

from flask import Flask
from sqlalchemy import select, update
from werkzeug.datastructures import FileStorage

from review.app import create_app
from review.ballots import service as ballots
from review.customer_survey import intake, links
from review.cycles import service as cycles
from review.cycles.tables import CycleRow, ReviewRow
from review.demo import quality, words
from review.demo.company import company, roster_csv
from review.demo.story import MORNING, ORGANISATION, Shares, Story
from review.demo.tickets import tickets_csv
from review.domain.calendar import add_working_days, local_day, settled
from review.domain.period import Period, PeriodKind, period_before, period_containing
from review.domain.records import TicketSystem
from review.follow_up import service as follow_up
from review.helpdesk import importing
from review.helpdesk import jobs as ticket_jobs
from review.helpdesk import uploads as ticket_uploads
from review.infra import jobs, organisation
from review.infra.clock import now as clock_now
from review.infra.db import db
from review.infra.house import house
from review.infra.settings import Settings
from review.kpi import lines
from review.kpi import plans as kpi_plans
from review.kpi.changing import Hand
from review.kpi.lines import Proposal
from review.kpi.sheets import sheet_of
from review.kpi.tables import Direction
from review.peer_review.tables import SeatRow
from review.people import uploads
from review.people.tables import PersonRow
from review.quality import calibration, form_versions
from review.quality.tables import CheckRow, DisputeRow
from review.results import service as results
from review.results.tables import SecondLookRow
from review.schemes import service as schemes
from review.supervisor_review import notes
from review.supervisor_review.tables import NoteRow
from review.tables import metadata
from review.workflow import plan, proposal
from review.workflow.tick import tick
from tests.make import Somebody
from tests.make_kpi import plan_cycle

PEOPLE = 22
SEED = 7
FACTS = "world.json"
EVERYBODY_ANSWERS = Shares(own=1.0, supervisor=1.0, peers=0.95, customers=1.0)
SOME_ANSWER = Shares(own=0.5, supervisor=1.0, peers=0.25, customers=0.3)
FEW_ANSWER = Shares(own=0.4, supervisor=0.4, peers=0.15, customers=0.2)


@dataclass(frozen=True)
class Facts:
    """Ids of everything a test may want to speak of; the same in every copy.

    `ada` is an agent, `sam` answers for her result, `peer` holds the seat `seat` about her in the collecting cycle and
    sits in her team; `bo` is an agent of the other team under `quinn`; `hana` is HR, `max` the administrator.
    Quinn checked a ticket of Ada's in `check`, holds `open_check` about another, and marks `round_ticket` in the
    `round` that runs; `dispute` waits for somebody to decide it.
    """

    ada: int
    peer: int
    bo: int
    sam: int
    quinn: int
    hana: int
    max: int
    seat: str
    published: int
    finalising: int
    collecting: int
    draft: int
    published_review: int
    finalising_review: int
    collecting_review: int
    note: int
    survey_token: str
    upload: str
    customer_upload: int
    records: int
    case: int
    kpi_line: int
    sample: int
    check: int
    open_check: int
    dispute: int
    round: int
    round_ticket: int
    quality_form: int
    quality_draft: int


class World:
    """A copy of the company: its settings, its application, its people."""

    def __init__(self, settings: Settings, facts: Facts, *, is_checked: bool = True) -> None:
        self.settings, self.facts = settings, facts
        self.app: Flask = create_app(settings, is_checked=is_checked)

    @property
    def database(self) -> Path:
        return self.settings.data_dir / "review.sqlite"

    @property
    def urns(self) -> Path:
        return self.settings.data_dir / "urns"

    def somebody(self, name: str) -> Somebody:
        """Whoever `Facts` calls so, ready to be signed in."""
        with self.app.app_context():
            row = db.session.get_one(PersonRow, getattr(self.facts, name))
            return Somebody(row.id, row.name, row.employee_no, f"{row.id}:{row.session_version}")

    def let_go(self) -> None:
        """Close the database, so that its file may be replaced or removed."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()


def template(folder: Path) -> Path:
    """Build the world in `folder`, unless it is there."""
    if (folder / FACTS).exists():
        return folder
    # In memory where there is room: hundreds of ballots would each wait for the disk, which other tests look at.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as quick:
        _build(Path(quick))
        shutil.copytree(quick, folder, dirs_exist_ok=True)
    return folder


def _build(folder: Path) -> None:
    app = create_app(_settings(folder))
    with app.app_context():
        metadata.create_all(db.engine)
    (folder / FACTS).write_text(json.dumps(asdict(live_in(app))))


def live_in(app: Flask) -> Facts:
    """Let the company live through its cycles in an installation whose tables are there."""
    with app.app_context():
        facts = _Life(clock_now() - timedelta(minutes=2)).facts()
        db.session.remove()
        db.engine.dispose()  # the last connection to close writes SQLite's log back into the file
        return facts


def open_copy(built: Path, folder: Path, *, is_checked: bool = True) -> World:
    """A copy of the built world in `folder`, which must not exist yet or is replaced.

    `is_checked=False` lets it start where the product refuses to, with every logger listening say.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(built, folder)
    return World(_settings(folder), Facts(**json.loads((folder / FACTS).read_text())), is_checked=is_checked)


def _settings(folder: Path) -> Settings:
    environ = {"REVIEW_DATA": str(folder / "instance"), "REVIEW_BASE_URL": "http://localhost"}
    return replace(Settings.from_env(environ), is_testing=True)


class _Life(Story):
    """The demo's story with fewer tickets and four cycles that stop where a test wants them."""

    def __init__(self, now: datetime) -> None:
        today = local_day(now, ORGANISATION.zone)
        super().__init__(company(PEOPLE, SEED, today), SEED, now, lambda _code, _cycle: None)
        self.today = today
        self.tickets = b""

    def facts(self) -> Facts:
        self._begin()
        last = proposal.last_period(PeriodKind.QUARTERLY, self.today)
        before = period_before(last)
        published = self._over(period_before(before), 0, EVERYBODY_ANSWERS)
        self._close(db.session.get_one(CycleRow, published))
        finalising = self._over(before, 1, SOME_ANSWER)
        self._to_finalising(finalising)
        collecting = self._running(last)
        draft = self._draft(period_containing(PeriodKind.QUARTERLY, last.end + timedelta(days=1)))
        db.session.execute(update(PersonRow).values(password_hash="unusable"))
        db.session.commit()
        return self._told(published, finalising, collecting, draft)

    def _begin(self) -> None:
        organisation.configure(ORGANISATION)
        self._hire(self.now - timedelta(days=400))
        schemes.install_default(self.now - timedelta(days=400))
        kpi_plans.install_starting_set(self.now - timedelta(days=400))
        db.session.commit()

    def _over(self, period: Period, number: int, shares: Shares) -> int:
        """A cycle in the days after its period, answered, not yet closed."""
        opens_at = settled(add_working_days(period.end + timedelta(days=4), 1), MORNING, ORGANISATION.zone)
        cycle = self._launch(period, opens_at, number, is_over=True)
        scheme = schemes.scheme_of(cycle.scheme_id)
        self._answer(cycle, scheme, self._characters(scheme, number), shares, opens_at + timedelta(days=3))
        return cycle.id

    def _to_finalising(self, cycle_id: int) -> None:
        """Counted and scored; every second result is signed off, Ada's is not."""
        cycle = db.session.get_one(CycleRow, cycle_id)
        at = cycle.closes_at
        tick(at)
        self._drain(at)
        ada = self.people[self.company.agent_no]
        for place, review in enumerate(cycles.living_reviews(cycle_id)):
            card = results.scorecard_of(review.id)
            if review.subject_id == ada or place % 2 or card.grade is None:
                continue
            said = words.summary(self._dice("final", review.id), card.grade.value)
            decided = results.SignOff(said)
            results.finalise(review.id, decided, by=review.supervisor_id or self.hr, now=at + timedelta(days=1))
        # Whether Ada's score comes to lie near a cut is for the dice; that Quinn would look at it is not.
        of_ada = self._review(cycle_id, ada).id
        db.session.merge(
            SecondLookRow(review_id=of_ada, person_id=self._quinn(), named_by=self.hr, named_at=at, reason="")
        )
        db.session.commit()

    def _quinn(self) -> int:
        """Who leads the other team."""
        sam = db.session.get_one(PersonRow, self.people[self.company.agent_no]).supervisor_id
        lines = select(PersonRow.id, PersonRow.supervisor_id)
        teams: dict[int, int | None] = dict(map(tuple, db.session.execute(lines)))
        return next(boss for boss in teams.values() if boss and boss != sam and teams.get(boss))

    def _running(self, period: Period) -> int:
        """Opened three working days ago; Ada has not written her self-review yet."""
        day = self.today
        for _ in range(3):
            day -= timedelta(days=1)
            while day.weekday() >= 5:
                day -= timedelta(days=1)
        opens_at = settled(day, MORNING, ORGANISATION.zone)
        cycle = self._launch(period, opens_at, 2, is_over=False)
        scheme = schemes.scheme_of(cycle.scheme_id)
        self._answer(cycle, scheme, self._characters(scheme, 2), FEW_ANSWER, opens_at + timedelta(hours=3))
        quality.live(cycle, SEED, visitor=self.people[self.company.agent_no], hr=self.hr, now=self.now)
        tick(self.now)
        db.session.commit()
        return cycle.id

    def _confirmed(self, cycle: CycleRow, number: int) -> None:
        """The cycle that collects has KPI sheets; the others stay as they were before there were any."""
        if number == 2:
            plan_cycle(cycle.id, at=self.now)

    def _proposed(self, review_id: int, supervisor_id: int) -> int:
        """A line of bonus on Ada's sheet that waits for a decision."""
        said, by = Proposal(Direction.BONUS, "2", "Twelve articles."), Hand(supervisor_id, is_hr=False)
        lines.propose(sheet_of(review_id).cycle.id, review_id, said, by, self.now)
        db.session.commit()
        return sheet_of(review_id).lines[-1].id

    def _draft(self, period: Period) -> int:
        """Chosen, planned, not confirmed."""
        first = max(add_working_days(self.today, 1), period.start)
        wanted = cycles.CyclePlan(
            name="Next quarter",
            period=period,
            scheme_id=schemes.install_default(self.now).id,
            dates=proposal.dates_from(add_working_days(first, 1), ORGANISATION),
        )
        cycle = cycles.create(wanted, ORGANISATION.zone, by=self.hr, now=self.now)
        cycles.choose(cycle, [self.people[one.employee_no] for one in self.company.colleagues if one.supervisor_no])
        plan.ask(cycle, self.now)
        db.session.commit()
        self._drain(self.now)
        return cycle.id

    def _import_tickets(self, period: Period, at: datetime, number: int, *, is_over: bool) -> None:
        """Tickets of three agents only: enough customers for a mean, few enough for a test."""
        visitor = self.company.by_no(self.company.agent_no)
        others = [one for one in self.company.colleagues if "客服" in one.post and one != visitor and one.supervisor_no]
        data = tickets_csv([visitor, *others[:2]], period, at.date(), f"{SEED}:{number}", 19, with_email=0.2)
        self.tickets = data
        outcome = intake.take_in(data, "tickets.csv", at, self.hr)
        assert not outcome.problems, outcome.problems[:3]
        db.session.commit()

    def _review(self, cycle_id: int, subject_id: int) -> ReviewRow:
        query = select(ReviewRow).where(ReviewRow.cycle_id == cycle_id, ReviewRow.subject_id == subject_id)
        return db.session.scalars(query).one()

    def _checked(self, ada: int, quinn: int) -> dict[str, int]:
        """What there is of quality checks, and a draft of the next version of the form."""
        mine = select(CheckRow).where(CheckRow.agent_id == ada, CheckRow.checker_id == quinn).order_by(CheckRow.id)
        checks = db.session.scalars(mine).all()
        form = form_versions.install_default(self.now)
        draft = form_versions.begin(form, form.key, by=self.hr, now=self.now)
        db.session.commit()
        seat = max(calibration.open_seats(quinn, self.now), key=lambda each: each[0].id, default=None)
        running = calibration.rounds()[0]
        assert seat is None or seat[0].id == running.id
        return {
            "sample": checks[0].sample_id,
            "check": next(one.id for one in checks if one.filed_at),
            "open_check": next(one.id for one in checks if not one.filed_at),
            "dispute": db.session.scalars(select(DisputeRow.check_id)).one(),
            "round": running.id,
            "round_ticket": calibration.seats_of(running.id, quinn)[0].ticket.id,
            "quality_form": form.id,
            "quality_draft": draft.id,
        }

    def _records(self) -> int:
        """A file of tickets that HR has looked at and not imported yet, one of its agents unknown."""
        lines = "工单号,客服,关闭时间,满意度\n1,Nobody Known,2026-03-05,5\n"
        stored, digest = ticket_uploads.keep(FileStorage(BytesIO(lines.encode()), "tickets.csv"))
        brought = importing.Brought("tickets.csv", digest, self.hr, self.now)
        records = ticket_jobs.bring(TicketSystem.SHEET, stored, brought)
        db.session.commit()
        jobs.work_all({ticket_jobs.LOOK: ticket_jobs.do_look}, house().progress, "world", self.now)
        return records

    def _told(self, published: int, finalising: int, collecting: int, draft: int) -> Facts:
        ada = self.people[self.company.agent_no]
        person = db.session.get_one(PersonRow, ada)
        sam = person.supervisor_id
        lines = select(PersonRow.id, PersonRow.supervisor_id)
        teams: dict[int, int | None] = dict(map(tuple, db.session.execute(lines)))
        quinn = self._quinn()
        bo = next(one for one, boss in teams.items() if boss == quinn)
        review = self._review(collecting, ada).id
        seats = select(SeatRow.id, SeatRow.rater_id).where(SeatRow.review_id == review)
        raters: dict[UUID, int] = dict(map(tuple, db.session.execute(seats)))
        cast = ballots.has_cast(collecting, list(raters))
        db.session.rollback()
        seat, peer = next((s, r) for s, r in raters.items() if s not in cast and teams[r] == sam)
        open_links = [line.split(",") for line in links.links_csv(collecting, self.now, everybody=True)]
        tokens = [cell.strip().rsplit("/", 1)[-1] for line in open_links for cell in line if "/s/" in cell]
        assert sam is not None
        notes.add(ada, sam, self.today, "Calm with an angry caller.", None, today=self.today, now=self.now)
        upload = uploads.keep(roster_csv(self.company), "roster.csv", self.hr, self.now)
        intake.keep(self.tickets, "tickets.csv", self.hr, self.now)
        kept = intake.kept(self.hr, self.now)
        assert kept is not None
        records = self._records()
        case = follow_up.open_by_hand(review, "Waited two hours on the phone", by=self.hr, now=self.now)
        db.session.commit()
        note = db.session.scalars(select(NoteRow.id).where(NoteRow.subject_id == ada)).first()
        return Facts(
            ada=ada,
            peer=peer,
            bo=bo,
            sam=sam,
            quinn=quinn,
            hana=self.hr,
            max=self.people[self.company.admin_no],
            seat=str(seat),
            published=published,
            finalising=finalising,
            collecting=collecting,
            draft=draft,
            published_review=self._review(published, ada).id,
            finalising_review=self._review(finalising, ada).id,
            collecting_review=review,
            note=note,
            survey_token=tokens[0],
            upload=upload,
            customer_upload=kept.id,
            records=records,
            case=case.id,
            kpi_line=self._proposed(review, sam),
            **self._checked(ada, quinn),
        )
