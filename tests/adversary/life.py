"""What happens in the installation between launch and publication, through its pages, commands and nightly ticks.

Everybody signs in and looks; most cast, some change their minds the day after, three never cast. `live` takes a copy of
everything but the key directory each night (`Snapshot`), and tells the truth only to whoever scores the adversary.
"""

import contextlib
import logging
import random
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

from bs4 import BeautifulSoup
from click import Command
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import select

from review.ballots import keys
from review.ballots import service as ballots
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.responses import SelfReview, Statement, SupervisorRating
from review.domain.vocabulary import Level
from review.infra import jobs, mail
from review.infra.db import db
from review.infra.house import house
from review.responses import service as responses
from review.results import publication
from review.results import service as results
from review.schemes.library import builtin
from review.workflow.backup_commands import backup_command
from review.workflow.commands import doctor_command
from review.workflow.cycle_commands import status_command
from review.workflow.tick import tick
from tests.adversary.installation import (
    PASSWORD,
    SEED,
    Installation,
    Person,
    drawn_from,
    environ_of,
    reviews_and_seats,
)
from tests.adversary.postgres_copies import copy_server
from tests.adversary.told import Cast, Lived, Snapshot, Truth
from tests.make import NOW
from tests.make_cycle import CLOSES, FINAL, set_stage
from tests.make_peers import ASKED
from tests.make_results import look

DAYS, SILENT, EDITORS = 3, 3, 6
NIGHTS = (1, 3)  # days that pass: few enough to stay before the close, enough for reminders to leave
LEVELS = [level.value for level in Level]
KEYS = [criterion.key for criterion in builtin().criteria]

Visit = tuple[Person, bool, bool]  # who comes, whether they cast, whether for the second time


@contextlib.contextmanager
def overheard(home: Installation) -> Iterator[None]:
    """The log and whatever is printed go into files, as under a service manager."""
    handler = logging.FileHandler(home.logs / "app.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        with (home.logs / "out.log").open("a") as out, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()


class Life:
    """One run, by one seed."""

    with_keys = False  # whether the copies hold the key directory as well

    def __init__(self, home: Installation, store: Path, *, seed: int = SEED) -> None:
        self.home, self.store, self.seed = home, store, seed
        self.dice, self.chance = random.Random(f"life {seed}"), random.Random(f"chance {seed}")
        self.truth, self.snapshots = Truth(), []
        self.reviews, self.truth.seats = reviews_and_seats(home)
        self.browsers: dict[str, FlaskClient] = {}
        self.seats_of: dict[int, list[tuple[UUID, int]]] = {}
        for seat, review, rater in self.truth.seats:
            self.seats_of.setdefault(rater, []).append((seat, review))
        with home.app.app_context():
            self.cycle_name = db.session.get_one(CycleRow, home.cycle_id).name
            db.session.rollback()

    def live(self) -> Lived:
        self.collect()
        return self.end()

    def collect(self) -> None:
        """From the opening of the urn to the last evening before the close."""
        with overheard(self.home), patch.object(secrets, "SystemRandom", lambda: self.chance):
            self._open()
            self._days()

    def end(self) -> Lived:
        """The close, the count, the publication."""
        with overheard(self.home):
            self._close()
            self._publish()
        return Lived(self.snapshots, self.truth)

    def resume(self, before: "Life") -> None:
        """Go on, in a copy of its installation, where another life has stopped collecting."""
        self.truth, self.few, self.snapshots = before.truth, before.few, list(before.snapshots)

    def _open(self) -> None:
        with self.home.app.app_context(), drawn_from(f"keys {self.seed}"):
            self._launch()
            db.session.commit()
        with self.home.app.app_context():
            for review in db.session.scalars(select(ReviewRow)).all():
                self._rate(review)
            db.session.commit()
        self._night("0")

    def _launch(self) -> None:
        ballots.open_urn(self.home.cycle_id)
        key = keys.read(self.home.settings.keys_dir, self.home.cycle_id)
        assert key is not None
        self.truth.hash_of = {seat: keys.token_hash(key, seat) for seat, *_ in self.truth.seats}

    def _rate(self, review: ReviewRow) -> None:
        own = {key: Level(self.dice.choice(LEVELS)) for key in KEYS}
        given = {key: Level(self.dice.choice(LEVELS)) for key in KEYS}
        responses.file_self(review.id, review.subject_id, SelfReview(own, Statement(overview="All in order.")), NOW)
        assert review.supervisor_id is not None
        responses.file_rating(review.id, review.supervisor_id, SupervisorRating(given, {}, "Steady."), NOW)

    def _days(self) -> None:
        raters = self.dice.sample(self.home.raters, len(self.home.raters))
        self.silent, casting = raters[:SILENT], raters[SILENT:]
        self.few = self.dice.sample(sorted(self.reviews), 2)
        self.spared = {review: self._half(review, casting) for review in self.few}
        self.editors, self.lookers = casting[:EDITORS], casting[EDITORS : 2 * EDITORS]
        for day in range(DAYS):
            today = raters[day::DAYS]
            back = [one for one in [*self.editors, *self.lookers] if one in raters[day - 1 :: DAYS]] if day else []
            visits = self._visits(day, today, back)
            self._day(day, self.dice.sample(visits, len(visits)))

    def _visits(self, _day: int, today: list[Person], back: list[Person]) -> list[Visit]:
        visits = [(one, one not in self.silent, False) for one in today]
        return visits + [(one, one in self.editors, True) for one in back]

    def _half(self, review: int, casting: list[Person]) -> set[int]:
        """Enough raters who leave this review out, so that its figure is withheld."""
        raters = [rater for _seat, about, rater in self.truth.seats if about == review]
        voting = [rater for rater in raters if rater in {one.id for one in casting}]
        return set(voting[4:])

    def _day(self, day: int, visits: list[Visit]) -> None:
        for number, (rater, casts, again) in enumerate(visits):
            browser = self._enter(rater)
            self.truth.visits.add((rater.id, f"night-{day + 1}"))
            self._seen_coming(rater)
            seats = self.seats_of[rater.id]
            token = token_of(browser.get("/peers").text)
            chosen = self.dice.sample(seats, 3) if casts and again else seats if casts else []
            spared = {review for review, raters in self.spared.items() if rater.id in raters}
            self._sit(browser, token, day, rater.id, [one for one in chosen if one[1] not in spared])
            if number == len(visits) // 2:
                self._poll(day, "noon")
                self._mishap(browser, seats[0][0], token)
        self._poll(day, "evening")
        self._night(str(day + 1))

    def _sit(self, browser: FlaskClient, token: str, day: int, rater: int, chosen: list[tuple[UUID, int]]) -> None:
        """One sitting of a rater: a ballot from each of these seats about its review."""
        for seat, review in chosen:
            self._cast(browser, token, day, rater, seat, review)

    def _seen_coming(self, person: Person) -> None:
        """Whoever runs the servers may also read the badges at the door: everybody casts when they come."""
        with (self.home.logs / "door.log").open("a") as door:
            door.write(f"{person.employee_no}\n")

    def _enter(self, person: Person) -> FlaskClient:
        """Sign in by the form, as a browser does."""
        browser = self.home.app.test_client()
        page = browser.get("/sign-in")
        form = {"csrf_token": token_of(page.text), "who": person.employee_no, "password": PASSWORD}
        assert browser.post("/sign-in", data=form).status_code == 302
        return browser

    def _cast(self, browser: FlaskClient, token: str, day: int, rater: int, seat: UUID, review: int) -> None:
        levels = tuple(self.dice.choice(LEVELS) for _ in ASKED)
        form = {f"c-{key}": level for key, level in zip(ASKED, levels, strict=True)}
        answer = browser.post(f"/peers/{seat}", data={"csrf_token": token, **form})
        assert answer.status_code == 302, answer.text[-2000:]
        self.truth.casts.append(Cast(day, rater, seat, review, levels))

    def _mishap(self, browser: FlaskClient, seat: UUID, token: str) -> None:
        """A cast that fails in the middle, and one that makes no sense."""
        form = {"csrf_token": token, **{f"c-{key}": "excellent" for key in ASKED}}
        with self.home.app.app_context(), self._urn_broken():
            assert browser.post(f"/peers/{seat}", data=form).status_code == 500
        assert browser.post(f"/peers/{seat}", data={**form, f"c-{ASKED[0]}": "supreme"}).status_code == 422

    @contextlib.contextmanager
    def _urn_broken(self) -> Iterator[None]:
        path = self.home.settings.data_dir / "urns" / f"{self.home.cycle_id}.sqlite"
        if not path.exists():
            with patch.object(type(ballots._urn(self.home.cycle_id)), "_place", _no_room):
                yield
            return
        aside = path.with_suffix(".aside")
        path.rename(aside)
        path.write_bytes(b"no database at all" * 100)
        yield
        path.unlink()
        aside.rename(path)

    def _poll(self, day: int, hour: str) -> None:
        """HR and the supervisors look at everything about the running cycle; what they see is kept."""
        cycle = f"/cycles/{self.home.cycle_id}"
        pages = {"Hana": ["/", cycle, f"{cycle}/reviews", f"{cycle}/peers", f"{cycle}/progress"], "Sam": ["/team"]}
        for name, urls in pages.items():
            self._keep(name, urls, f"{day}-{hour}")

    def _keep(self, name: str, urls: list[str], mark: str) -> None:
        browser = self.browsers.get(name) or self._enter(self.home.staff[name])
        self.browsers[name] = browser
        for url in urls:
            answer = browser.get(url)
            folder = self.home.folder / "pages" / mark
            folder.mkdir(parents=True, exist_ok=True)
            assert answer.status_code == 200, f"{url}: {answer.status_code}"
            (folder / f"{name}{url.replace('/', '_')}.html").write_bytes(answer.data)

    def _night(self, name: str) -> None:
        """Days go by: ticks, jobs, letters; a backup, the status, a look by the doctor; then a copy of everything."""
        for _ in range(NIGHTS[int(name) > 0]):
            self.home.clock.sleep(timedelta(days=1))
            self._work()
        self._command("doctor", doctor_command, [])
        self._command("status", status_command, [self.cycle_name])
        assert self._command("backup", backup_command, []).exit_code == 0
        self.copy(f"night-{name}")

    def _command(self, name: str, command: Command, arguments: list[str]) -> Result:
        """What it prints goes into a log of its own."""
        told = CliRunner().invoke(command, arguments, obj=lambda **_: self.home.app, env=environ_of(self.home.settings))
        with (self.home.logs / f"{name}.log").open("a") as log:
            log.write(told.output)
        return told

    def _work(self) -> None:
        with self.home.app.app_context():
            moment = self.home.clock.now(NOW.tzinfo)
            tick(moment)
            jobs.work_all(house().handlers, house().progress, "worker", moment)
            while mail.send_due(moment):
                pass
            db.session.remove()

    def copy(self, name: str) -> None:
        leave_out = None if self.with_keys else shutil.ignore_patterns("instance-keys")
        shutil.copytree(self.home.folder, self.store / name, ignore=leave_out)
        for archive in sorted((self.store / name).glob("*-backups/*.zip")):
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(archive.with_suffix(""))
            archive.unlink()
        settings = self.home.settings
        if settings.urn_url:
            closely = name in {"closing", "counted"}
            copy_server(settings.database_url, settings.urn_url, self.store / name, closely=closely)
        self.snapshots.append(Snapshot(name, self.store / name))

    def _close(self) -> None:
        self.truth.seal_key = seal_key(self.home)
        self.copy("closing")
        self.home.clock.offset += CLOSES - self.home.clock.now(NOW.tzinfo) + timedelta(minutes=1)
        self._work()
        with self.home.app.app_context():
            assert ballots.is_counted(self.home.cycle_id), "the count went wrong"
            db.session.rollback()
        self.copy("counted")

    def _publish(self) -> None:
        """Signed off, published, and read by those concerned."""
        moment = FINAL
        with self.home.app.app_context():
            for review in db.session.scalars(select(ReviewRow)).all():
                card = results.scorecard_of(review.id)
                said = results.SignOff("A steady quarter.", reason="" if card.grade else "Too little is known.")
                results.finalise(review.id, said, by=review.supervisor_id or 0, now=moment)
            look(self.home.cycle_id, self.home.staff["Hana"].id, moment)
            set_stage(self.home.cycle_id, type(db.session.get_one(CycleRow, self.home.cycle_id).stage).PUBLISHED)
            publication.freeze_cycle(self.home.cycle_id, by=self.home.staff["Hana"].id, now=moment)
            db.session.commit()
            bosses = {row.id: row.supervisor_id for row in db.session.scalars(select(ReviewRow))}
            db.session.remove()
        staff = {one.id: name for name, one in self.home.staff.items()}
        shown = [*self.few, *(review for review in sorted(self.reviews)[:4] if review not in self.few)]
        for review in shown:
            self._keep(staff[bosses[review]], [f"/results/{review}"], "published")
        self.copy("published")


def _no_room(*_: object) -> None:
    raise OSError("no space left on device")


def seal_key(home: Installation) -> bytes | None:
    """The private half of the seal, which the second attack has in its hands; None while ballots are not sealed."""
    path = home.settings.keys_dir / f"seal-{home.cycle_id}.key"
    return path.read_bytes() if path.exists() else None


def token_of(page: str) -> str:
    at = page.find('name="csrf_token"')
    found = BeautifulSoup(page[page.rfind("<", 0, at) : page.find(">", at) + 1], "html.parser").input
    assert found is not None
    return str(found["value"])
