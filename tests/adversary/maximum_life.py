"""The same play under maximum protection: tickets are drawn blindly, ballots dropped into the slot without a session.

Whoever comes draws and casts in one sitting; some draw and cast the day after, two draw and never cast, one never
draws. Both entries write the access log that the documentation asks to turn off, and the copies hold every key.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_der_public_key
from flask.testing import FlaskClient
from werkzeug.test import Client

from review.ballots import blind_rsa, ticket
from review.ballots import service as ballots
from review.cycles.tables import CycleRow
from review.domain.vocabulary import Level
from review.infra.db import db
from review.tickets import service as tickets
from review.tickets.endpoint import create_endpoint
from review.tickets.forms import as_bytes, as_text
from tests.adversary.installation import Installation, Person
from tests.adversary.life import DAYS, LEVELS, Life, Visit
from tests.adversary.told import Cast
from tests.make import NOW
from tests.make_peers import ASKED
from tests.make_tickets import Blinding, Held, derived, letter_of

ROUNDS = 1000  # of PBKDF2 in this play: the passphrase is not what is tried


class Accessed:
    """A WSGI application behind a server that logs every request."""

    def __init__(self, inner: Any, home: Installation, name: str) -> None:
        self._inner, self._home, self._path = inner, home, home.logs / f"{name}-access.log"

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        def starting(status: str, headers: Any, *rest: Any) -> Any:
            moment = self._home.clock.now(NOW.tzinfo)
            with self._path.open("a") as log:
                method, path = environ["REQUEST_METHOD"], environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"]
                log.write(f'127.0.0.1 - - [{moment.isoformat()}] "{method} {path}" {status[:3]}\n')
            return start(status, headers, *rest)

        return self._inner(environ, starting)


class Script:
    """What the page's script does, for one rater. `credentials` are what it sends along to the slot: nothing."""

    credentials = "omit"

    def __init__(self, life: "MaximumLife", browser: FlaskClient, token: str, rater: int) -> None:
        self._life, self._browser, self._token = life, browser, token
        self.rater = rater
        self._place = f"/peers/{life.home.cycle_id}"
        self._passphrase = f"words that only {rater} knows"
        told = browser.get(f"{self._place}/tickets")
        assert told.status_code == 200, told.text[-2000:]
        self._told = told.get_json()
        self._check_index()
        seed = hashlib.sha256(f"seed {life.seed} {rater}".encode()).digest()
        self.seed = self._unwrapped() if self._told["wrapped"] else seed

    def _check_index(self) -> None:
        """The keys must be those of the index, the index that of the page."""
        index = self._life.home.app.test_client(use_cookies=False).get(self._index_url()).data
        assert hashlib.sha256(index).hexdigest() == self._told["index"]["sha256"]
        listed = json.loads(index)
        assert listed["seal"] == hashlib.sha256(as_bytes(self._told["seal_public"])).hexdigest()
        for one in self._told["colleagues"]:
            assert listed["keys"][str(one["review"])] == hashlib.sha256(as_bytes(one["key"])).hexdigest()

    def _index_url(self) -> str:
        return str(self._told["index"]["url"])

    def draw(self) -> dict[UUID, Held]:
        """All tickets at once, the same ones again for whoever comes back."""
        made = {UUID(one["seat"]): (one["review"], self._blinded(one)) for one in self._told["colleagues"]}
        answer = self._browser.post(f"{self._place}/draw", json=self.letter(made), headers={"X-CSRFToken": self._token})
        assert answer.status_code == 200, answer.text[-2000:]
        signed, keys = answer.get_json()["signatures"], {UUID(one["seat"]): one for one in self._told["colleagues"]}
        return {seat: self._finished(keys[seat], each, as_bytes(signed[str(seat)])) for seat, (_, each) in made.items()}

    def letter(self, made: dict[UUID, tuple[int, Blinding]]) -> dict[str, Any]:
        """What is sent to have the tickets signed."""
        blinded = {str(seat): as_text(each.blinded) for seat, (_, each) in made.items()}
        return {"wrapped": self._told["wrapped"] or as_text(self._wrapped()), "blinded": blinded}

    def _blinded(self, colleague: dict[str, Any]) -> Blinding:
        key, review = _key(colleague), colleague["review"]
        prepared = ticket.make(self._told["cycle"], review, derived(self.seed, "prefix", review, 32))
        factor = int.from_bytes(derived(self.seed, "factor", review, 272)) % key.public_numbers().n
        salt = derived(self.seed, "salt", review, 48)
        return Blinding(prepared, *blind_rsa.blind(key, prepared, salt=salt, factor=factor))

    def _finished(self, colleague: dict[str, Any], made: Blinding, signature: bytes) -> Held:
        done = blind_rsa.finalize(_key(colleague), made.prepared, signature, made.inverse)
        return Held(self._told["cycle"], colleague["review"], made.prepared[:32], done)

    def _wrapped(self) -> bytes:
        salt, nonce = (derived(self.seed, what, 0, size) for what, size in (("wrap", 16), ("nonce", 12)))
        return salt + nonce + AESGCM(self._wrapping(salt)).encrypt(nonce, self.seed, None)

    def _unwrapped(self) -> bytes:
        kept = as_bytes(self._told["wrapped"])
        return AESGCM(self._wrapping(kept[:16])).decrypt(kept[16:28], kept[28:], None)

    def _wrapping(self, salt: bytes) -> bytes:
        return hashlib.pbkdf2_hmac("sha256", self._passphrase.encode(), salt, ROUNDS)

    def drop(self, body: bytes) -> None:
        """Into the slot, which is another server."""
        headers = {}
        if self.credentials == "include":
            cookie = self._browser.get_cookie("review")
            assert cookie is not None
            headers["Cookie"] = f"review={cookie.value}"
        assert self._life.slot.post("/", data=body, headers=headers).status_code == 204


def _key(colleague: dict[str, Any]) -> RSAPublicKey:
    key = load_der_public_key(as_bytes(colleague["key"]))
    assert isinstance(key, RSAPublicKey)
    return key


class MaximumLife(Life):
    """One run of a cycle under maximum protection, by one seed. Its installation must have the keys for tickets."""

    with_keys = True

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.home.app.wsgi_app = Accessed(self.home.app.wsgi_app, self.home, "app")  # type: ignore[method-assign]
        self.slot = Client(Accessed(create_endpoint(self.home.settings), self.home, "slot"), use_cookies=False)
        self._some: Held | None = None

    def _launch(self) -> None:
        ballots.open_urn(self.home.cycle_id)
        cycle = db.session.get_one(CycleRow, self.home.cycle_id)
        assert tickets.freeze(cycle, by=self.home.staff["Hana"].id, now=NOW)

    def _visits(self, day: int, today: list[Person], back: list[Person]) -> list[Visit]:
        """Some only draw when they first come, and cast the day after."""
        later = self.lookers if day < DAYS - 1 else []
        first = [(one, one not in self.silent and one not in later, False) for one in today]
        return first + [(one, True, one in self.editors) for one in back]

    def _sit(self, browser: FlaskClient, token: str, day: int, rater: int, chosen: list[tuple[UUID, int]]) -> None:
        if rater == self.silent[0].id:
            return
        script = Script(self, browser, token, rater)
        held = script.draw()
        self.truth.hash_of |= {seat: ticket.hash_of(each.ticket) for seat, each in held.items()}
        self._some = next(iter(held.values()))
        for seat, review in chosen:
            levels = tuple(self.dice.choice(LEVELS) for _ in ASKED)
            answers = {key: Level(level) for key, level in zip(ASKED, levels, strict=True)}
            script.drop(letter_of(self.home.settings, held[seat], answers))
            self.truth.casts.append(Cast(day, rater, seat, review, levels))

    def _mishap(self, _browser: FlaskClient, _seat: UUID, _token: str) -> None:
        """Ballots that do not get in: the urn is broken, a session comes along, the words make no sense."""
        assert self._some is not None
        body = letter_of(self.home.settings, self._some, dict.fromkeys(ASKED, Level.EXCELLENT))
        with self.home.app.app_context(), self._urn_broken():
            assert self.slot.post("/", data=body).status_code == 400
        for wrong, headers in ((body[::-1], {"Cookie": "review=somebody"}), (body[:-1], {}), (body[::-1], {})):
            assert self.slot.post("/", data=wrong, headers=headers).status_code == 400
