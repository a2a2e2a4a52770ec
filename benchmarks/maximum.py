"""What maximum protection costs: drawing tickets on the server, and the browser's work for one ballot.

    python -m benchmarks.maximum [cycles]

The server's part is the whole request through the application, with a database on disk and real keys; the browser's
part runs in Chromium with the modules that the page loads. Needs the packages of the tests. Both are times on the wall:
on a busy machine look at the server's own seconds of processor beside them.
"""

import logging
import os
import statistics
import sys
import tempfile
import threading
import time
from base64 import urlsafe_b64encode
from datetime import timedelta
from pathlib import Path

from flask import Flask
from werkzeug.serving import make_server

from review.app import create_app
from review.ballots import seal_keys, ticket_keys
from review.ballots import service as ballots
from review.infra.clock import now
from review.infra.db import db
from review.infra.settings import Settings
from review.tables import metadata
from review.tickets.tables import WRAPPED_BYTES
from tests.browse import Browser
from tests.chromium import chromium
from tests.make import Somebody, make_department, make_person
from tests.make_cycle import reviews_of, set_dates
from tests.make_tickets import blindings_of, make_maximum

COLLEAGUES = 10
BALLOTS = 200
GOAL_DRAW, GOAL_BALLOT = 300.0, 20.0

WORK = """async ([keys, sealKey, size, count]) => {
    const [bytes, rsa, seeds, tickets, ballot] = await Promise.all(
        ["bytes", "rsa", "seed", "ticket", "ballot"].map((name) => import(`/static/js/blind/${name}.js`)));
    const spki = bytes.fromText(keys.spki);
    const key = await rsa.importKey(spki);
    const [n, d] = [key.n, BigInt(keys.d)];
    const publicKey = bytes.fromText(sealKey);
    const answers = { a: "good", b: "excellent", c: "fair", d: "good" };
    const took = [];
    for (let review = 1; review <= count; review += 1) {
        const seed = seeds.newSeed();
        const before = performance.now();
        const asked = await tickets.request(seed, 1, review, key, spki);
        const away = performance.now();
        const signed = bytes.toBytes(rsa.power(bytes.toNumber(asked.blinded), d, n), 256);  // the server's part
        const back = performance.now();
        const ticket = await tickets.complete(asked, key, signed);
        const plain = ballot.plaintext(answers, "", review, ticket.prepared, ticket.signature, size);
        const sealed = await ballot.seal(plain, { cycle: 1, hash: await tickets.hashOf(ticket), publicKey });
        ballot.body(1, review, ticket.prefix, ticket.signature, sealed);
        took.push(performance.now() - back + away - before);
    }
    return took;
}"""


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def told(name: str, took: list[float], goal: float) -> None:
    p95 = statistics.quantiles(took, n=20)[-1]
    verdict = "met" if p95 < goal else "MISSED"
    print(f"{name:<44}median {statistics.median(took):6.1f} ms   p95 {p95:6.1f} ms   goal {goal:.0f} ms: {verdict}")


def company(members: int) -> dict[str, Somebody]:
    """One team whose members all rate each other."""
    lead = make_person("Lead")
    team = make_department("Service")
    people = {f"p{n}": make_person(f"P{n}", department=team, supervisor=lead.id) for n in range(members)}
    db.session.commit()
    return people


def draws(
    app: Flask, settings: Settings, cycles: list[int], people: dict[str, Somebody]
) -> tuple[list[float], list[float]]:
    """Milliseconds of each draw on the wall and of the processor, the request as a browser sends it."""
    took, worked = [], []
    for cycle_id in cycles:
        for person in people.values():
            with app.app_context():
                made = blindings_of(settings, cycle_id, person, os.urandom(32))
            sent = {
                "wrapped": text(bytes(WRAPPED_BYTES)),
                "blinded": {str(s): text(b.blinded) for s, (_, b) in made.items()},
            }
            browser = Browser(app, person)
            headers = {"X-CSRFToken": browser.token()}
            start, began = time.perf_counter(), time.process_time()
            answer = browser.client.post(f"/peers/{cycle_id}/draw", json=sent, headers=headers)
            took.append(1000 * (time.perf_counter() - start))
            worked.append(1000 * (time.process_time() - began))
            assert len(answer.get_json()["signatures"]) == len(people) - 1
    return took, worked


def ballots_in_browser(app: Flask, settings: Settings, cycle_id: int) -> list[float]:
    """Milliseconds of blinding, unblinding and sealing each ballot, without what the server does."""
    with app.app_context():
        review = next(iter(reviews_of(cycle_id).values()))
        size = ballots.ballot_size(cycle_id)
    private = ticket_keys.private_key(settings.keys_dir, cycle_id, review)
    spki, seal_key = (
        ticket_keys.public(settings.keys_dir, cycle_id, review),
        seal_keys.public(settings.keys_dir, cycle_id),
    )
    assert private is not None and spki is not None and seal_key is not None  # noqa: PT018  made just before
    keys = {"spki": text(spki), "d": str(private.private_numbers().d)}
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with chromium() as browser:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/sign-in")
            took: list[float] = page.evaluate(WORK, [keys, text(seal_key), size, BALLOTS])
            return took
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def main() -> int:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    cycles_wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_env({"REVIEW_DATA": str(Path(folder) / "instance")})
        app = create_app(settings, is_checked=False)
        with app.app_context():
            metadata.create_all(db.engine)
            people = company(COLLEAGUES + 1)
            start = time.perf_counter()
            cycles = [
                make_maximum(people, settings, tuple(people), name=f"C{n}", quarters_ago=n + 1)
                for n in range(cycles_wanted)
            ]
            made = len(cycles) * len(people)
            print(f"{made} keys and {len(cycles)} cycles made in {time.perf_counter() - start:.1f} s")
            for cycle_id in cycles:
                set_dates(cycle_id, opens_at=now() - timedelta(days=1), closes_at=now() + timedelta(days=1))
            db.session.commit()
        took, worked = draws(app, settings, cycles, people)
        told(f"draw {COLLEAGUES} tickets (server)", took, GOAL_DRAW)
        told("  of it the processor's time", worked, GOAL_DRAW)
        told("blind, unblind and seal a ballot (browser)", ballots_in_browser(app, settings, cycles[0]), GOAL_BALLOT)
        with app.app_context():
            db.engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
