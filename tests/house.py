"""A whole installation for journeys: a real web server, a real worker and a real mail server, each in its own thread.

with lived_in(folder) as home:
    home.address                    # of the web server
    home.mail.letters("ada@…")      # what the worker has sent, over SMTP
    with home.app.app_context(): …  # to look at the database
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from time import monotonic, sleep

from flask import Flask
from werkzeug.serving import make_server

from review.app import create_app
from review.infra import migrate
from review.infra.db import db
from review.infra.settings import Settings
from review.workflow.worker import Worker
from tests.postgres import free_port
from tests.smtp import Caught, caught_mail

PATIENCE = 20.0


@dataclass(frozen=True)
class Home:
    """What a journey needs to hold."""

    app: Flask
    address: str
    mail: Caught

    def letter(self, to: str, about: str) -> EmailMessage:
        """The newest letter to `to` whose text has `about` in it, as soon as it has come."""
        until = monotonic() + PATIENCE
        while monotonic() < until:
            found = [one for one in self.mail.letters(to) if about in text_of(one)]
            if found:
                return found[-1]
            sleep(0.1)
        raise AssertionError(f"no letter to {to} with {about!r}: {[one['Subject'] for one in self.mail.letters(to)]}")


def text_of(letter: EmailMessage) -> str:
    plain = letter.get_body(("plain",))
    return str(plain.get_content()) if plain else ""


@contextmanager
def lived_in(folder: Path, environ: dict[str, str] | None = None) -> Iterator[Home]:
    """An installation in `folder`, brought to the newest schema by its migrations."""
    with caught_mail(folder / "mail") as mail:
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        places = {"REVIEW_DATA": str(folder / "instance"), "REVIEW_BASE_URL": address, "SMTP_URL": mail.url}
        settings = Settings.from_env({**places, **(environ or {})})
        migrate.upgrade(settings.database_url)
        app = create_app(settings)
        server = make_server("127.0.0.1", port, app, threaded=True)
        worker = Worker(create_app(settings))
        threads = [threading.Thread(target=server.serve_forever), threading.Thread(target=worker.run)]
        for thread in threads:
            thread.start()
        try:
            yield Home(app, address, mail)
        finally:
            worker.stop()
            server.shutdown()
            for thread in threads:
                thread.join(PATIENCE)
            server.server_close()
            with app.app_context():
                db.session.remove()
                db.engine.dispose()
