"""Queues a wave of surveys and answers some, through the real server over loopback, and prints what it took.

    python -m benchmarks.surveys [customers] [answers] [--postgres] [--workers N] [--threads N] [--clients N]

First the wave: every ticket is looked at, the sample drawn, invitations and letters written, in one transaction, as the
worker's job does it. Then gunicorn with its thread workers serves the application, and clients (threads of one process
of their own) open a survey and send its form, each for another customer: the time of the POST is what a customer waits
after the button. Percentiles are over all POSTs; a run with one client shows the work without the queue. On SQLite
every answer is on the disk before its customer reads thanks (synchronous=FULL), on the benchmark's PostgreSQL fsync is
off, as in the tests.
"""

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import func, insert, select, update

from review.app import create_app
from review.customer_survey import plans, reading, service, waves
from review.customer_survey.tables import InvitationRow
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.survey_plan import Mode, SurveyPlan
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra import migrate
from review.infra.clock import now
from review.infra.db import db
from review.infra.outbox import LetterRow
from review.infra.settings import Settings
from review.responses.tables import ResponseRow
from tests.make import make_cast
from tests.make_cycle import make_cycle
from tests.postgres import cluster, free_port, new_database

ROOT = Path(__file__).resolve().parents[1]
GOAL_P95 = 50.0  # milliseconds
CHANNELS, KINDS = ("phone", "chat", "email", "wechat"), ("return", "invoice", "delivery", "repair", "advice")
FORM = re.compile(r'name="form"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="form"')
STARS = {f"stars-{key}": "4" for key in ("business_knowledge", "communication", "problem_solving")} | {"overall": "5"}


def prepare(customers: int) -> int:
    """A cycle that collects, and a closed ticket of every customer; the cycle's id."""
    cast, moment = make_cast(), now()
    cycle_id = make_cycle(cast)
    first = moment.date() - timedelta(days=80)
    dates = {
        "opens_at": moment - timedelta(days=1),
        "closes_at": moment + timedelta(days=10),
        "stage": Stage.COLLECTING,
    }
    period = {"period_start": first, "period_end": moment.date()}
    db.session.execute(update(CycleRow).where(CycleRow.id == cycle_id).values(**dates, **period))
    agents = list(db.session.scalars(select(ReviewRow.subject_id).where(ReviewRow.cycle_id == cycle_id)))
    for start in range(0, customers, 5000):
        numbers = range(start, min(start + 5000, customers))
        people = [{"id": n + 1, "name": f"C{n}", "email": f"c{n}@customer.example", "locale": "zh"} for n in numbers]
        db.session.execute(insert(CustomerRow), people)
        db.session.execute(insert(TicketRow), [_ticket(n, agents, first) for n in numbers])
    db.session.commit()
    return cycle_id


def _ticket(number: int, agents: list[int], first: date) -> dict[str, object]:
    return {
        "reference": f"T{number:07}",
        "customer_id": number + 1,
        "agent_id": agents[number % len(agents)],
        "closed_on": first + timedelta(days=number % 60),
        "channel": CHANNELS[number % 4],
        "kind": KINDS[number % 5],
    }


def timed(name: str, rows: int, work: "object") -> None:
    start = time.perf_counter()
    work()  # type: ignore[operator]
    took = time.perf_counter() - start
    print(f"{name:<44}{took:8.2f} s   {rows / took:10,.0f} rows/s", flush=True)


def queue(app: Flask, customers: int) -> list[str]:
    """Preview and send one wave to everybody; the links."""
    with app.app_context():
        cycle_id = prepare(customers)
        cycle, moment = db.session.get_one(CycleRow, cycle_id), now()
        sample = SurveyPlan(mode=Mode.LIST, everybody=False, per_person=min(1000, customers // 20 + 15))
        timed("preview of a stratified sample", customers, lambda: waves.preview(cycle, sample, 7, moment))
        db.session.rollback()
        timed("a wave queued: draw, invitations, letters", customers, lambda: _send(cycle_id))
        assert db.session.scalar(select(func.count()).select_from(LetterRow)) == customers
        assert plans.has_begun(cycle_id)
        db.session.rollback()
        ids = db.session.scalars(select(InvitationRow.customer_id).order_by(InvitationRow.id)).all()
        links = [f"/s/{service.link_token(cycle_id, one, 1)}" for one in ids]
        db.session.remove()
        return links


def _send(cycle_id: int) -> None:
    service.queue_invitations(db.session.get_one(CycleRow, cycle_id), now())
    db.session.commit()


@contextmanager
def served(environ: dict[str, str], workers: int, threads: int) -> Iterator[int]:
    """gunicorn on a free port, as `review serve` starts it, with as many processes as wanted."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "review.app:create_app()", "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gthread", "--threads", str(threads), "--workers", str(workers)]
    command += ["--no-control-socket", "--log-level", "error", "--keep-alive", "30"]
    server = subprocess.Popen(command, env={**os.environ, **environ}, cwd=ROOT)
    try:
        for _ in range(200):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait()


def answer_all(port: int, links: list[str], clients: int) -> dict[str, list[float]]:
    """Open each survey and send it, by as many clients at once; milliseconds of each GET and POST."""
    took: dict[str, list[float]] = {"get": [], "post": []}
    waiting, lock = iter(links), threading.Lock()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with lock:
                link = next(waiting, None)
            if link is None:
                return
            page = _ask(connection, "GET", link, None, took["get"])
            found = FORM.search(page)
            assert found is not None, page[:300]
            body = urlencode(STARS | {"form": found.group(1) or found.group(2), "comment": "回复很快"})
            _ask(connection, "POST", link, body, took["post"])

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def _ask(connection: http.client.HTTPConnection, method: str, link: str, body: str | None, took: list[float]) -> str:
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    start = time.perf_counter()
    connection.request(method, link, body, headers)
    response = connection.getresponse()
    text = response.read().decode()
    took.append(1000 * (time.perf_counter() - start))
    assert response.status == (303 if body else 200), response.status
    return text


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def drive(port: int, links: list[str], clients: int, name: str) -> None:
    """The clients in a process of their own, so that they do not share the server's interpreter."""
    command = [sys.executable, "-m", "benchmarks.surveys", "--drive", str(port), "--clients", str(clients)]
    start = time.perf_counter()
    run = subprocess.run(command, input=json.dumps(links), capture_output=True, text=True, cwd=ROOT, check=True)
    whole = time.perf_counter() - start
    told = json.loads(run.stdout)
    verdict = "met" if told["p95"] < GOAL_P95 else "MISSED"
    print(
        f"{name:<44}{len(links) / told['seconds']:8.0f} answers/s   POST p50 {told['p50']:.1f} p95 {told['p95']:.1f} "
        f"p99 {told['p99']:.1f} ms   GET p95 {told['get_p95']:.1f} ms   goal p95 {GOAL_P95:.0f} ms: {verdict}"
        f"   ({whole:.1f} s in all)",
        flush=True,
    )


def driven(port: int, clients: int) -> None:
    links = json.load(sys.stdin)
    start = time.perf_counter()
    took = answer_all(port, links, clients)
    seconds = time.perf_counter() - start
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    told = {name: percentile(took["post"], share) for name, share in shares.items()}
    print(json.dumps({"seconds": seconds, "get_p95": percentile(took["get"], 0.95), **told}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("customers", nargs="?", type=int, default=100_000)
    parser.add_argument("answers", nargs="?", type=int, default=2000)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--drive", type=int, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.drive:
        driven(wanted.drive, wanted.clients)
        return
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        environ = {"REVIEW_DATA": f"{folder}/instance", "REVIEW_BASE_URL": "http://127.0.0.1"}
        if wanted.postgres:
            server = stack.enter_context(cluster())
            environ |= {"DATABASE_URL": new_database(server), "URN_URL": new_database(server)}
        settings = Settings.from_env(environ)
        migrate.upgrade(settings.database_url)
        app = create_app(settings)
        print(f"{db_name(wanted.postgres)}, {wanted.customers:,} customers", flush=True)
        links = queue(app, wanted.customers)
        many = wanted.answers
        with served(environ, wanted.workers, wanted.threads) as port:
            drive(port, links[: many // 4], 1, "one client")
            name = f"{wanted.clients} clients, {wanted.workers} processes of {wanted.threads} threads"
            drive(port, links[many // 4 : many // 4 + many], wanted.clients, name)
        with app.app_context():
            answers = db.session.scalar(select(func.count()).select_from(ResponseRow))
            assert answers == many // 4 + many, answers
            cycle = db.session.scalars(select(CycleRow)).one()
            timed("the reading of the whole cycle", wanted.customers, lambda: reading.reading_of(cycle))
            db.session.remove()
            db.engine.dispose()


def db_name(postgres: bool) -> str:
    return "PostgreSQL" if postgres else "SQLite"


if __name__ == "__main__":
    main()
