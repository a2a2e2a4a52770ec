"""How fast letters leave, beside the time just to write them out and just to hand them over; and how fast rows are
claimed.

A worker's own functions send real customer letters over SMTP to a sink on the loopback address that takes everything,
in a process of its own. Each letter is committed as sent before the next one goes, so the disk counts, too.

Usage: python -m benchmarks.mail [LETTERS] [ROWS] [DATABASE_URL]. Prints one JSON object. Without DATABASE_URL it makes
a SQLite file in a temporary folder.
"""

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from sqlalchemy import func, select, update

from review.app import create_app
from review.infra import claims, mail, migrate, outbox, pacing
from review.infra.db import db
from review.infra.outbox import LetterRow, LetterState
from review.infra.settings import Settings
from review.infra.smtp_client import connection
from review.people.tables import PersonRow

NOW = datetime(2026, 4, 1, 8, 0, tzinfo=UTC)
KIND = "workflow:words_tried"  # the survey's invitation about invented facts: no company has to be made for it
PARAMS = {"kind": "customer_survey:invitation", "locale": "zh"}
DOMAINS = ("qq.com", "163.com", "gmail.com", "example.com")

SINK = """
import asyncio, sys
async def serve(reader, writer):
    writer.write(b"220 sink\\r\\n")
    while line := await reader.readline():
        word = line[:4].upper()
        if word == b"DATA":
            writer.write(b"354 go on\\r\\n"); await writer.drain()
            await reader.readuntil(b"\\r\\n.\\r\\n")
            writer.write(b"250 taken\\r\\n")
        elif word == b"QUIT":
            writer.write(b"221 bye\\r\\n"); break
        else:
            writer.write(b"250 ok\\r\\n")
        await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**22)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def write(count: int, start: int = 0) -> None:
    outbox.put_all(
        outbox.letter(KIND, f"test:{n}", f"c{n}@{DOMAINS[n % len(DOMAINS)]}", "zh", PARAMS, now=NOW)
        for n in range(start, start + count)
    )
    db.session.commit()


def rate(count: int, seconds: float) -> int:
    return round(count / seconds)


def rendering(count: int) -> float:
    """Seconds to write out so many letters and send none."""
    rows = list(db.session.scalars(select(LetterRow).limit(count)))
    began = perf_counter()
    for row in rows:
        mail.render(row, NOW).as_bytes()
    db.session.rollback()
    return perf_counter() - began


def handing_over(count: int, url: str) -> float:
    """Seconds to hand over one finished letter so many times, and write nothing down."""
    message = mail.render(db.session.scalars(select(LetterRow).limit(1)).one(), NOW)
    db.session.rollback()
    began = perf_counter()
    with connection(url) as opened:
        for _ in range(count):
            opened.begin()
            opened.client.send_message(message)
    return perf_counter() - began


def sending(count: int) -> float:
    began, done = perf_counter(), 0
    while done < count:
        done += mail.send_due(NOW + timedelta(seconds=perf_counter() - began))
    seconds = perf_counter() - began
    sent = db.session.scalar(select(func.count()).where(LetterRow.state == LetterState.SENT))
    db.session.rollback()
    assert sent == count, f"{sent} of {count}"
    return seconds


def claiming(rows: int, *, limited: bool) -> float:
    """Seconds to claim so many rows, fifty at a time, as a worker does."""
    db.session.execute(update(LetterRow).values(state=LetterState.WAITING, send_after=NOW, tried_at=None))
    pacing.set_limits({"*": pacing.MOST_A_MINUTE} if limited else {})
    db.session.commit()
    began, taken = perf_counter(), 0
    while found := claims.claim(NOW, mail.BATCH):
        taken += len(found)
    assert taken == rows, f"{taken} of {rows}"
    return perf_counter() - began


def main() -> None:
    letters, rows = (int(given) for given in (*sys.argv[1:3], "10000", "100000")[:2])
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen([sys.executable, "-c", SINK], stdout=subprocess.PIPE, text=True) as sink,
    ):
        assert sink.stdout is not None
        url = f"smtp://127.0.0.1:{sink.stdout.readline().strip()}"
        environ = {"REVIEW_DATA": str(Path(folder) / "house"), "SMTP_URL": url, "BOUNCE_ADDRESS": "bounce@example.com"}
        if len(sys.argv) > 3:
            environ |= {"DATABASE_URL": sys.argv[3], "URN_URL": f"{sys.argv[3]}_urns"}
        settings = Settings.from_env(environ)
        migrate.upgrade(settings.database_url)
        with create_app(settings).app_context():
            db.session.add(PersonRow(employee_no="1", name="HR", session_version=1, activation=1, locale="zh"))
            write(letters)
            few = min(letters, 1000)
            rendered, handed, sent = rendering(few) / few, handing_over(few, url) / few, sending(letters) / letters
            write(rows - letters, letters)
            plain, limited = claiming(rows, limited=False), claiming(rows, limited=True)
            db.session.remove()
            db.engine.dispose()
        sink.terminate()
    told = {
        "database": settings.database_url.partition(":")[0],
        "letters": letters,
        "sent_per_second": rate(1, sent),
        "rendered_per_second": rate(1, rendered),
        "handed_over_per_second": rate(1, handed),
        "sending_to_rendering_and_handing_over": round(sent / (rendered + handed), 2),
        "rows_claimed": rows,
        "claimed_per_second": rate(rows, plain),
        "claimed_per_second_with_limits": rate(rows, limited),
    }
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
