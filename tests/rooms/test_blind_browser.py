"""The browser's cryptography in a real browser: against the standard, another implementation, and our own server."""

import hashlib
import json
import threading
import unicodedata
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_ec_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask, Response
from werkzeug.serving import make_server

from review.ballots import blind_rsa, sealing
from review.domain.vocabulary import Level
from review.infra.headers import init_headers
from tests.chromium import chromium
from tests.vectors import rfc9474, rsa_keys

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
ORACLE = ROOT / "tests/vendor/blindrsa-ts"
SEED = bytes(range(32))
PASSPHRASE = "ten green bottles 十个"
CYCLE, REVIEW = 12, 345


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(said: str) -> bytes:
    return urlsafe_b64decode(said + "=" * (-len(said) % 4))


def spki(key: RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def script(path: Path) -> Response:
    return Response(path.read_text(encoding="utf-8"), mimetype="text/javascript")


@pytest.fixture(scope="module")
def page() -> Iterator["Page"]:
    """A page under the strict policy that loads our modules and the implementation beside them."""
    app = Flask("bare", root_path=str(ROOT), static_folder="static")
    init_headers(app)
    app.add_url_rule("/", "page", lambda: "<!doctype html><html lang=en><link rel=icon href=data:,></html>")
    app.add_url_rule("/cases.js", "cases", lambda: script(ROOT / "tests/rooms/blind_cases.js"))
    app.add_url_rule("/oracle/<path:name>", "oracle", lambda name: script(ORACLE / name))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with chromium() as browser:
            page = browser.new_page()
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            yield page
            assert complaints == []
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def call(page: "Page", name: str, *arguments: Any) -> Any:
    """What a function of blind_cases.js yields; AssertionError with its words where it throws."""
    done = outcome(page, name, *arguments)
    assert "error" not in done, done
    return done.get("value")


def outcome(page: "Page", name: str, *arguments: Any) -> dict[str, Any]:
    script = """async ([name, given]) => {
        const cases = await import("/cases.js");
        return cases.outcome(() => cases[name](...given));
    }"""
    done: dict[str, Any] = page.evaluate(script, [name, list(arguments)])
    return done


def test_the_implementation_beside_ours_is_the_published_one_byte_for_byte() -> None:
    said = json.loads((ORACLE / "manifest.json").read_text(encoding="utf-8"))
    for name, expected in said["sha384"].items():
        digest = hashlib.sha384((ORACLE / name).read_bytes()).digest()
        assert "sha384-" + b64encode(digest).decode() == expected
    there = {path.relative_to(ORACLE).as_posix() for path in ORACLE.rglob("*.js")}
    assert there == set(said["sha384"])


@pytest.mark.browser
def test_the_published_vectors_with_a_salt_come_out_byte_for_byte(page: "Page") -> None:
    key, vectors = rfc9474()
    salted = [vector for vector in vectors if vector["salt"]]
    assert len(salted) == 2
    for vector in salted:
        told = call(page, "vector", text(spki(key.public_key())), vector)
        assert told == {name: vector[name] for name in ("blinded_msg", "inv", "sig")}


@pytest.mark.browser
def test_a_thousand_random_tickets_come_out_as_in_another_implementation(page: "Page") -> None:
    small = generate_private_key(65537, 1024)
    plan = [(rsa_keys()[0], 100), (rsa_keys()[1], 100), (small, 800)]
    signed, differences = [], 0
    for key, count in plan:
        done = call(page, "blindBoth", text(spki(key.public_key())), key.key_size, count)
        differences += done["differences"]
        signed += [text(blind_rsa.blind_sign(key, raw(blinded))) for blinded in done["blinded"]]
    assert len(signed) == 1000
    assert differences == 0
    assert call(page, "finalizeBoth", signed) == 0


@pytest.mark.browser
def test_a_ballot_cast_in_the_browser_opens_on_the_server_and_nowhere_else(page: "Page") -> None:
    key, sealing_key = rsa_keys()[0], new_ec_key(SECP256R1())
    point = sealing_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    size = sealing.size_of(comments=True, maximum=True)
    answers = {"service_attitude": "excellent", "business_skill": "poor"}
    asked = call(page, "ask", text(SEED), CYCLE, REVIEW, text(spki(key.public_key())))
    signed = text(blind_rsa.blind_sign(key, raw(asked["blinded"])))
    said = {"answers": answers, "comment": '谢谢 "quoted"\n', "size": size, "sealKey": text(point)}
    told = call(page, "cast", REVIEW, signed, said)
    body, ticket, signature = raw(told["body"]), raw(asked["prepared"]), raw(told["signature"])

    assert ticket[32:] == b"review360 ticket|%d|%d" % (CYCLE, REVIEW)
    assert blind_rsa.verify(key.public_key(), ticket, signature)
    assert raw(told["hash"]) == hashlib.sha256(ticket).digest()
    assert raw(told["receipt"]) == hashlib.sha256(b"review360 receipt|" + ticket).digest()
    head = b"\x01" + CYCLE.to_bytes(4) + REVIEW.to_bytes(4) + ticket[:32] + signature
    assert body.startswith(head)
    assert len(body) == len(head) + sealing.sealed_size(size)
    where = {"token_hash": raw(told["hash"]), "private_key": sealing_key}
    opened = sealing.unseal(1, body[len(head) :], cycle_id=CYCLE, **where)
    assert (opened.ballot.review_id, opened.ballot.comment) == (REVIEW, said["comment"])
    assert opened.ballot.answers == {name: Level(level) for name, level in answers.items()}
    assert (opened.ticket, opened.signature) == (ticket, signature)
    with pytest.raises(ValueError, match="not sealed"):
        sealing.unseal(1, body[len(head) :], cycle_id=CYCLE + 1, **where)


@pytest.mark.browser
def test_a_forged_signature_never_becomes_a_ticket(page: "Page") -> None:
    key, other = rsa_keys()
    asked = call(page, "ask", text(SEED), CYCLE, REVIEW, text(spki(key.public_key())))
    forged = text(blind_rsa.blind_sign(other, bytes(8) + raw(asked["blinded"])[8:]))
    for signed in (forged, text(bytes(256)), text(b"\xff" * 256), text(bytes(255)), ""):
        assert "TypeError" in outcome(page, "cast", REVIEW, signed, {})["error"]


@pytest.mark.browser
def test_a_key_of_another_size_or_exponent_is_refused(page: "Page") -> None:
    odd = generate_private_key(3, 1024).public_key()
    assert call(page, "imported", text(spki(rsa_keys()[0].public_key())), 2048) == 2048
    for given, bits in ((rfc9474()[0].public_key(), 2048), (odd, 1024)):
        assert "not a key of this size" in outcome(page, "imported", text(spki(given)), bits)["error"]
    assert "error" in outcome(page, "imported", text(b"no key at all"), 2048)


@pytest.mark.browser
def test_the_same_seed_and_key_give_the_same_ticket_and_another_key_another(page: "Page") -> None:
    der = spki(rsa_keys()[0].public_key())

    def expected(name: str, length: int) -> str:
        info = f"review360 {name}|{REVIEW}|{hashlib.sha256(der).hexdigest()}".encode()
        return text(HKDF(hashes.SHA256(), length, salt=None, info=info).derive(SEED))

    first = call(page, "derived", text(SEED), REVIEW, text(der))
    assert first == [expected("prefix", 32), expected("salt", 48), expected("blinding", 272)]
    assert call(page, "derived", text(SEED), REVIEW, text(der)) == first
    elsewhere = [
        call(page, "derived", text(SEED), REVIEW + 1, text(der)),
        call(page, "derived", text(SEED), REVIEW, text(spki(rsa_keys()[1].public_key()))),
        call(page, "derived", text(bytes(32)), REVIEW, text(der)),
    ]
    assert len({part for parts in [first, *elsewhere] for part in parts}) == 12


@pytest.mark.browser
def test_a_seed_comes_back_under_its_passphrase_only(page: "Page") -> None:
    blob = call(page, "wrapped", text(SEED), PASSPHRASE)
    assert call(page, "unwrapped", blob, PASSPHRASE) == text(SEED)
    assert call(page, "unwrapped", blob, PASSPHRASE.replace("ten", "ｔｅｎ")) == text(SEED)  # a full-width keyboard
    for wrong in (PASSPHRASE + " ", PASSPHRASE.upper(), ""):
        assert "OperationError" in outcome(page, "unwrapped", blob, wrong)["error"]
    garbled = bytearray(raw(blob))
    garbled[-1] ^= 1
    assert "OperationError" in outcome(page, "unwrapped", text(bytes(garbled)), PASSPHRASE)["error"]
    assert call(page, "wrapped", text(SEED), PASSPHRASE) != blob


@pytest.mark.browser
def test_a_wrapped_seed_is_what_it_is_said_to_be(page: "Page") -> None:
    blob = raw(call(page, "wrapped", text(SEED), PASSPHRASE))
    secret = unicodedata.normalize("NFKC", PASSPHRASE).encode()
    key = hashlib.pbkdf2_hmac("sha256", secret, blob[:16], 600_000)
    assert AESGCM(key).decrypt(blob[16:28], blob[28:], None) == SEED
    assert len(blob) == 16 + 12 + 32 + 16
    one, other = call(page, "newSeeds")
    assert one != other
    assert len(raw(one)) == 32


@pytest.mark.browser
def test_every_ballot_has_one_size_and_one_that_does_not_fit_is_refused(page: "Page") -> None:
    size = sealing.size_of(comments=True, maximum=True)
    plain = [raw(call(page, "filled", {"a": "good"} if n else {}, "长" * n, size)) for n in (0, 1, 280)]
    assert {len(each) for each in plain} == {size}
    assert plain[0].startswith(b'{"answers":{},"review":7,"signature":')
    assert "one size" in outcome(page, "filled", {}, "长" * 1000, size)["error"]
