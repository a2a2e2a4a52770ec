"""A list that grows asks the database no more than a short one: the same number of queries at 60 and at 600 people."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from review.app import create_app
from review.cycles import service as cycles
from review.cycles.tables import CycleRow, ReviewRow
from review.demo import sheets
from review.demo.company import company
from review.demo.story import MORNING, ORGANISATION, Story
from review.domain.calendar import add_working_days, local_day, settled
from review.domain.period import Period, PeriodKind, period_before
from review.domain.records import Csat, TicketSystem
from review.helpdesk.tables import TicketRow
from review.infra import organisation
from review.infra.clock import now as clock_now
from review.infra.db import db
from review.infra.settings import Settings
from review.kpi import plans as kpi_plans
from review.people import directory
from review.people.tables import PersonRow
from review.quality import calibration, checks, drawing, form_versions, samples
from review.quality.tables import CheckRow
from review.results import publication
from review.results import service as results
from review.schemes import service as schemes
from review.tables import metadata
from review.workflow import plan, proposal, publish
from review.workflow.tick import tick
from tests.browse import Browser
from tests.make import Somebody
from tests.queries import count_queries

MOST = 15  # queries a page may send
MOST_AT_THE_START = 20  # everyone's first page asks each room once what it has to do for them
SIZES = (60, 600)
QUARTER = PeriodKind.QUARTERLY


class Company(Story):
    """The demo's company without answers: one cycle published, one that collects, one in draft."""

    def __init__(self, size: int, now: datetime) -> None:
        today = local_day(now, ORGANISATION.zone)
        super().__init__(company(size, 3, today), 3, now, lambda _code, _cycle: None)
        self.today = today
        self.cycles: dict[str, int] = {}

    def live_through(self) -> None:
        organisation.configure(ORGANISATION)
        self._hire(self.now - timedelta(days=400))
        schemes.install_default(self.now - timedelta(days=400))
        db.session.commit()
        last = proposal.last_period(QUARTER, self.today)
        before = period_before(last)
        first = add_working_days(before.end + timedelta(days=4), 1)
        self._published(self._launch(before, settled(first, MORNING, ORGANISATION.zone), 0, is_over=True))
        day = add_working_days(self.today - timedelta(days=6), 1)
        opened = self._launch(last, settled(day, MORNING, ORGANISATION.zone), 1, is_over=False)
        self.cycles["collecting"] = opened.id
        self.cycles["draft"] = self._drafted(last)
        self._check_quality()
        db.session.execute(update(PersonRow).values(password_hash="unusable"))
        db.session.commit()

    def _published(self, cycle: CycleRow) -> None:
        """Nobody answered: every supervisor says so, and it is published all the same."""
        self.cycles["published"] = cycle.id
        at = cycle.closes_at
        tick(at)
        self._drain(at)
        said = results.SignOff("Nobody was rated this time.", None, "Ratings were not handed in.")
        for review in cycles.living_reviews(cycle.id):
            results.finalise(review.id, said, by=review.supervisor_id or self.hr, now=at + timedelta(days=1))
        db.session.commit()
        cycle = db.session.get_one(CycleRow, cycle.id)
        published_at = settled(cycle.publish_on, MORNING, ORGANISATION.zone)
        publish.ask(cycle, cycle.name, by=self.hr, now=published_at)
        self._drain(published_at)

    def _drafted(self, last: Period) -> int:
        day = max(add_working_days(self.today, 2), last.end + timedelta(days=1))
        wanted = cycles.CyclePlan(
            name="One day in between",
            period=Period(PeriodKind.CUSTOM, self.today, self.today),
            scheme_id=schemes.install_default(self.now).id,
            dates=proposal.dates_from(add_working_days(day, 1), ORGANISATION),
        )
        cycle = cycles.create(wanted, ORGANISATION.zone, by=self.hr, now=self.now)
        cycles.choose(cycle, [self.people[one.employee_no] for one in self.company.colleagues if one.supervisor_no])
        kpi_plans.use(cycle, kpi_plans.install_starting_set(self.now).id, by=self.hr, now=self.now)
        plan.ask(cycle, self.now)
        db.session.commit()
        self._drain(self.now)
        return cycle.id

    def _check_quality(self) -> None:
        """A sample over everybody's tickets, a third of it checked by the supervisors; a calibration round."""
        form = form_versions.install_default(self.now)
        due = self.now + timedelta(days=5)
        span = (self.today - timedelta(days=7), self.today)
        sample = samples.create(samples.SamplePlan("All", form.id, *span, 2, due, seed=1), by=self.hr, now=self.now)
        drawing.freeze(sample, self.now)
        bosses = list(directory.by_ids(directory.lines().values()).values())
        samples.assign(sample, bosses, by=self.hr, now=self.now)
        db.session.commit()
        rules = form_versions.form_of(form.id)
        for row in db.session.scalars(select(CheckRow).where(CheckRow.checker_id.is_not(None), CheckRow.id % 3 == 0)):
            said = checks.Sheet({category.key: category.scale for category in rules.categories})
            checks.file_check(checks.file_of(row.id), row.checker_id, said, rules, self.now)
        references = select(TicketRow.reference).where(TicketRow.agent_id.not_in([one.id for one in bosses])).limit(3)
        wanted = calibration.RoundPlan("Round", form.id, tuple(db.session.scalars(references)), tuple(bosses[:5]), due)
        self.cycles["round"] = calibration.create(wanted, by=self.hr, now=self.now).id
        self.cycles["sample"] = sample.id
        done = select(CheckRow.id).where(CheckRow.filed_at.is_not(None)).limit(1)
        self.cycles["check"] = db.session.scalars(done).one()

    def _confirmed(self, cycle: CycleRow, number: int) -> None:
        """The cycle that collects has KPI sheets, without any figure."""
        if number == 1:
            sheets.choose_plan(cycle, self.hr, self.now - timedelta(days=30))

    def _import_tickets(self, *_args: object, **_options: object) -> None:
        """Customers are another room's; lists of them are not on these pages. What boards add up comes from here."""
        tickets = [
            TicketRow(
                system=TicketSystem.ZENDESK,
                reference=f"{person}-{number}",
                agent_id=person,
                closed_on=self.today - timedelta(days=number),
                channel="phone",
                kind=("exchange", "refund")[number % 2],
                csat=Csat.GOOD,
                resolution=3600,
            )
            for person in self.people.values()
            for number in range(2)
        ]
        if not db.session.scalar(select(TicketRow.id).limit(1)):
            db.session.add_all(tickets)


class House:
    """A company of one size, and the same three people of it."""

    def __init__(self, app: Flask, lived: Company) -> None:
        self.app, self.cycles = app, lived.cycles
        numbers = {"agent": lived.company.agent_no, "sam": lived.company.supervisor_no, "hana": lived.company.hr_no}
        with app.app_context():
            self.people = {name: _somebody(lived.people[number]) for name, number in numbers.items()}
            published = select(ReviewRow.id).where(
                ReviewRow.cycle_id == self.cycles["published"], ReviewRow.subject_id == self.people["agent"].id
            )
            self.review = db.session.scalars(published).one()
            assert publication.publication_of(self.review)


def _somebody(person_id: int) -> Somebody:
    row = db.session.get_one(PersonRow, person_id)
    return Somebody(row.id, row.name, row.employee_no, f"{row.id}:{row.session_version}")


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, House]]:
    made = {}
    for size in SIZES:
        folder = tmp_path_factory.mktemp(f"company-{size}")
        app = create_app(Settings.from_env({"REVIEW_DATA": str(folder / "instance")}))
        with app.app_context():
            metadata.create_all(db.engine)
            lived = Company(size, clock_now() - timedelta(minutes=1))
            lived.live_through()
            db.session.remove()
        made[size] = House(app, lived)
    yield made
    for house in made.values():
        with house.app.app_context():
            db.session.remove()
            db.engine.dispose()


PAGES = {
    "people": ("hana", "/people"),
    "ticket records": ("hana", "/records/import"),
    "everybody there ever was": ("hana", "/people?state=all"),
    "cycles": ("hana", "/cycles"),
    "board of a running cycle": ("hana", "/cycles/{collecting}"),
    "a draft": ("hana", "/cycles/{draft}"),
    "peer assignment": ("hana", "/cycles/{draft}/peers"),
    "who is in a cycle": ("hana", "/cycles/{draft}/people"),
    "a search in it": ("hana", "/cycles/{draft}/people?q=1"),
    "reviews of a cycle": ("hana", "/cycles/{collecting}/reviews"),
    "surveys": ("hana", "/cycles/{collecting}/surveys"),
    "case reviews": ("hana", "/cycles/{collecting}/cases"),
    "customers to contact": ("hana", "/cycles/{collecting}/contacts"),
    "my cases": ("sam", "/cases"),
    "plan of surveys": ("hana", "/cycles/{collecting}/surveys/plan"),
    "preview of surveys": ("hana", "/cycles/{collecting}/surveys/preview"),
    "what customers say": ("hana", "/cycles/{collecting}/surveys/reading"),
    "themes of comments": ("hana", "/cycles/{collecting}/surveys/themes"),
    "requests to leave tickets out": ("hana", "/surveys/exclusions"),
    "customers who want no letters": ("hana", "/surveys/unsubscribed"),
    "what customers say of the team": ("sam", "/team/{collecting}/surveys"),
    "my requests to leave tickets out": ("agent", "/surveys/leave-out"),
    "results of the company": ("hana", "/cycles/{published}/report"),
    "a published cycle": ("hana", "/cycles/{published}"),
    "indicators of everybody": ("hana", "/indicators"),
    "alerts": ("hana", "/indicators/alerts"),
    "hints": ("hana", "/indicators/hints"),
    "indicators by team": ("hana", "/indicators?by=team&step=weeks"),
    "indicators by ticket type": ("hana", "/indicators?by=kind"),
    "indicators of a person": ("hana", "/indicators/people/{agent}"),
    "quality checks": ("hana", "/quality"),
    "a sample of tickets": ("hana", "/quality/samples/{sample}"),
    "tickets drawn of a person": ("hana", "/quality/samples/{sample}/people/{agent}"),
    "a new sample": ("hana", "/quality/samples/new"),
    "a check": ("hana", "/checks/{check}"),
    "disputes of checks": ("hana", "/disputes"),
    "a calibration round": ("hana", "/calibrations/{round}"),
    "quality of the team": ("sam", "/team/quality"),
    "what I check": ("sam", "/checks"),
    "checks of my tickets": ("agent", "/checks"),
    "KPI plan of a cycle": ("agent", "/kpi/plan"),
    "KPI plans": ("hana", "/kpi/plan/versions"),
    "mail": ("hana", "/admin/mail"),
    "stopped addresses": ("hana", "/admin/mail/stopped"),
    "words of a letter": ("hana", "/admin/mail/words/invitation/zh"),
    "jobs": ("hana", "/admin/jobs"),
    "audit log": ("hana", "/admin/audit"),
    "start page of HR": ("hana", "/"),
    "team board": ("sam", "/team"),
    "grid over the team": ("sam", "/team/{collecting}/rate"),
    "overview of the team": ("sam", "/team/{collecting}/rate?criterion=all"),
    "results of the team": ("sam", "/team/{published}/report"),
    "indicators of the team": ("sam", "/indicators"),
    "start page of a supervisor": ("sam", "/"),
    "my indicators": ("agent", "/indicators"),
    "whom I rate": ("agent", "/peers"),
    "my results": ("agent", "/results"),
    "my result": ("agent", "/results/{review}"),
    "my self-review": ("agent", "/self-review/{own}"),
    "start page": ("agent", "/"),
    "KPI sheets of a cycle": ("hana", "/cycles/{collecting}/kpi"),
    "KPI sheets that lack figures": ("hana", "/cycles/{collecting}/kpi?state=open&page=2"),
    "KPI sheets of the team": ("sam", "/team/{collecting}/kpi"),
    "one KPI row over all people": ("hana", "/team/{collecting}/kpi/rows/volume"),
    "all my KPI sheets": ("agent", "/kpi"),
    "my KPI sheet": ("agent", "/kpi/sheets/{own}"),
    "figures of one person": ("hana", "/kpi/sheets/{own}/figures"),
}


def queries_of(house: House, name: str) -> list[str]:
    who, address = PAGES[name]
    with house.app.app_context():
        own = select(ReviewRow.id).where(
            ReviewRow.cycle_id == house.cycles["collecting"], ReviewRow.subject_id == house.people["agent"].id
        )
        agent = house.people["agent"].id
        url = address.format(agent=agent, review=house.review, own=db.session.scalars(own).one(), **house.cycles)
        engine = db.engine
        db.session.remove()
    browser = Browser(house.app, house.people[who], "en")
    browser.get(url)  # the first visit may fill caches that live as long as the process
    with count_queries(engine) as seen:
        browser.get(url)
    return seen


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_as_much_of_600_people_as_of_60(houses: dict[int, House], name: str) -> None:
    few, many = (queries_of(houses[size], name) for size in SIZES)
    assert len(few) == len(many), "\n".join(["N+1: one query a row somewhere on this page", *many[-12:]])
    most = MOST_AT_THE_START if name.startswith("start page") else MOST
    assert len(many) < most, "\n".join([f"{len(many)} queries", *many])
