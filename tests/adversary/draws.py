"""Looks at maximum protection with the whole key directory in hand: draws, keys, opened tickets, what names them.

It opens every ballot and checks every signature. What is left is to find out who drew which ticket.
"""

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.adversary.reading import Needles
from tests.adversary.told import Snapshot
from tests.adversary.traces import Table, mentions
from tests.adversary.urns import urn_files

if TYPE_CHECKING:
    from tests.adversary.adversary import Adversary

COLUMNS = {
    "ticket_draw": {"cycle_id", "rater_id", "wrapped"},
    "ballot_ticket": {"seat_id", "cycle_id", "blinded_hash"},
    "ticket_index": {"cycle_id", "sha256", "body"},
}
# Backups keep what they were made of, and a server its log of writes until it is used anew, as the documentation says.
KEPT = ("instance-backups/", "postgres/wal/")


def look(adversary: "Adversary") -> None:
    """Before the tables are compared; does nothing where no tickets were drawn."""
    main = adversary.main[adversary.collecting[-1].name]
    adversary.drawn = set(main.tables["ticket_draw"].column("rater_id")) if "ticket_draw" in main.tables else set()
    if not adversary.drawn:
        return
    _tables(adversary)
    _index(adversary)
    _named(adversary)
    _by_rows(adversary)
    _order(adversary)
    _keys(adversary)
    _remains(adversary)


def _tables(adversary: "Adversary") -> None:
    main = adversary.main[adversary.collecting[-1].name]
    for name, columns in COLUMNS.items():
        if set(main.tables[name].columns) != columns:
            adversary.report.found("columns of the draws", name, sorted(set(main.tables[name].columns) ^ columns))
        if name != "ticket_index" and main.sql and "WITHOUT ROWID" not in main.sql[name].upper():
            adversary.report.found("draws are numbered", name)
    for name in main.sql:
        if name.startswith(tuple(f"ix_{table}" for table in COLUMNS)):
            adversary.report.found("index of the draws", name)


# -- keys and tickets ------------------------------------------------------------------------------------------------


def _index(adversary: "Adversary") -> None:
    """One index for everybody on every night, no key beside it, and every ticket signed by a key of it."""
    report, last = adversary.report, adversary.collecting[-1]
    seen = {
        body for one in adversary.collecting for body in adversary.main[one.name].tables["ticket_index"].column("body")
    }
    if len(seen) != 1:
        report.found("more than one index of keys", "ticket_index", len(seen))
    listed = json.loads(_raw(min(seen)))["keys"]
    keys = _public_keys(adversary, last, listed)
    strangers = [token for token, said in adversary.opened.items() if not _is_signed(said, keys)]
    if strangers:
        report.found("another ticket key for some", "the urn", f"{len(strangers)} tickets of no key in the index")


def _public_keys(adversary: "Adversary", last: Snapshot, listed: dict[str, str]) -> dict[int, RSAPublicKey]:
    keys: dict[int, RSAPublicKey] = {}
    expected = {f"{review}.{kind}" for review in listed for kind in ("key", "der")} | {"size"}
    for folder in last.keys.glob("tickets-*"):
        for path in sorted(folder.iterdir()):
            if path.name not in expected:
                adversary.report.found("a key that the index does not know", "the key directory", path.name)
            elif path.suffix == ".der":
                if hashlib.sha256(path.read_bytes()).hexdigest() != listed[path.stem]:
                    adversary.report.found("a key that the index does not know", "the key directory", path.name)
                keys[int(path.stem)] = load_der_public_key(path.read_bytes())  # type: ignore[assignment]
    return keys


def _is_signed(said: dict[str, Any], keys: dict[int, RSAPublicKey]) -> bool:
    try:
        ticket, signature = _unpacked(said["ticket"]), _unpacked(said["signature"])
        keys[int(said["review"])].verify(signature, ticket, PSS(MGF1(SHA384()), 48), SHA384())
    except (InvalidSignature, KeyError):
        return False
    return True


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _raw(value: Any) -> bytes:
    """PostgreSQL's copy writes bytes in hex."""
    return value if isinstance(value, bytes) else bytes.fromhex(value.removeprefix("\\x"))


# -- what names a ticket ---------------------------------------------------------------------------------------------


def signs_of(token: bytes, said: dict[str, Any]) -> dict[str, bytes]:
    """Everything that an opened row has of its ticket, and what follows from it."""
    ticket, signature = _unpacked(said.get("ticket", "")), _unpacked(said.get("signature", ""))
    return {
        "token hash": token,
        "prefix": ticket[:32],
        "signature": signature[:32],
        "receipt": hashlib.sha256(b"review360 receipt|" + ticket).digest(),
        "hash of the prefix": hashlib.sha256(ticket[:32]).digest(),
        "hash of the signature": hashlib.sha256(signature).digest(),
    }


def _written(sign: bytes) -> tuple[bytes, ...]:
    encoded = base64.urlsafe_b64encode(sign).rstrip(b"=")
    return sign, sign.hex().encode(), sign.hex().upper().encode(), encoded, base64.b64encode(sign).rstrip(b"=")


def _named(adversary: "Adversary") -> None:
    """No file but the urn names a ticket while ballots come in; where one does, in which order."""
    of: dict[bytes, tuple[str, bytes]] = {}
    for token, said in adversary.opened.items():
        for what, sign in signs_of(token, said).items():
            of |= dict.fromkeys(_written(sign), (what, token))
    needles = Needles(of)
    for snapshot in adversary.collecting[-1:]:
        urns = {str(path.relative_to(snapshot.folder)) for path in urn_files(snapshot)}
        for data, where in adversary.contents([snapshot]).items():
            if where in urns or where.startswith("postgres/"):
                continue
            found: dict[str, dict[bytes, tuple[object, Any]]] = {}
            for needle, places in needles.places(data).items():
                what, token = of[needle]
                found.setdefault(what, {})[token] = (0, min(places))
            for what, order in found.items():
                adversary.report.found("tickets are named outside the urn", where, f"{what} of {len(order)} rows")
                adversary.report.orders[f"{where}: place of the {what}"] = order


def _by_rows(adversary: "Adversary") -> None:
    """Rows of the main database in which something of a ticket stands beside a person or a seat."""
    of = {sign: token for token, said in adversary.opened.items() for sign in signs_of(token, said).values()}
    of |= {sign.hex(): token for sign, token in of.items()}  # type: ignore[misc]
    rater_of = {seat: rater for seat, _review, rater in adversary.seats}
    for table in adversary.main[adversary.collecting[-1].name].tables.values():
        for row in table.rows:
            tokens = {of[value] for value in row if isinstance(value, bytes | str) and value in of}
            if tokens:
                about = mentions(table, row, adversary.signs) | _seated(table, row, rater_of)
                if len(about) == 1:
                    guessed = adversary.report.links.setdefault(f"rows of {table.name}", {})
                    guessed |= dict.fromkeys(tokens, min(about))


def _seated(table: Table, row: tuple[Any, ...], rater_of: dict[Any, int]) -> set[int]:
    from tests.adversary.adversary import as_uuid

    seats = [value for name, value in zip(table.columns, row, strict=True) if name == "seat_id" and value]
    return {rater_of[as_uuid(seat)] for seat in seats if as_uuid(seat) in rater_of}


# -- the order of draws ----------------------------------------------------------------------------------------------


def _order(adversary: "Adversary") -> None:
    """In which order people drew: an attacker may learn it from pages, log and transactions; it must not help."""
    last = adversary.collecting[-1]
    main, rater_of = adversary.main[last.name], {seat: rater for seat, _review, rater in adversary.seats}
    signs = {_raw(row["wrapped"]): row["rater_id"] for row in main.tables["ticket_draw"].dicts()}
    from tests.adversary.adversary import as_uuid

    for row in main.tables["ballot_ticket"].dicts():
        signs[_raw(row["blinded_hash"])] = rater_of[as_uuid(row["seat_id"])]
    needles = Needles(signs)
    for path in sorted((last.folder / "instance").glob("review.sqlite*")):
        for name, pick in (("first", min), ("last", max)):
            at: dict[int, float] = {}
            for needle, places in needles.places(adversary.bytes_of(path)).items():
                person = signs[needle]
                at[person] = pick(at.get(person, pick(places)), pick(places))
            if at:
                adversary.report.activity[f"{name} place of draws in {path.name}"] = at
    for person, moment in main.draws:
        adversary.report.activity.setdefault("transaction of the draw", {})[person] = moment


# -- keys, and the end -----------------------------------------------------------------------------------------------


def _secrets(adversary: "Adversary") -> dict[bytes, str]:
    """A stretch of every secret key of every night: of a ticket's key out of its primes."""
    found = {}
    for snapshot in adversary.collecting:
        for path in sorted([*snapshot.keys.glob("urn-*"), *snapshot.keys.glob("seal-*"), *snapshot.keys.glob("*/*")]):
            if path.suffix != ".key":
                continue
            content = path.read_bytes()
            found[content[-232:-200] if len(content) > 500 else content[:32]] = path.name
    return found


def _keys(adversary: "Adversary") -> None:
    """Keys are in their directory and nowhere else."""
    needles = Needles(_secrets(adversary))
    for data, where in adversary.contents(adversary.snapshots).items():
        if not where.startswith("instance-keys/") and needles.places(data):
            adversary.report.found("a key outside its directory", where)


def _remains(adversary: "Adversary") -> None:
    """After the count neither a key nor anything of a draw is left, in rows, freed pages or the log of writes."""
    keys, draws = _secrets(adversary), set()
    for snapshot in adversary.collecting:
        tables = adversary.main[snapshot.name].tables
        draws |= {_raw(value) for value in tables["ticket_draw"].column("wrapped")}
        draws |= {_raw(value) for value in tables["ballot_ticket"].column("blinded_hash")}
    secrets, drawn = Needles(keys), Needles(draws)
    for data, where in adversary.contents(adversary.afterwards).items():
        if secrets.places(data):
            adversary.report.found("a key is left after the count", where)
        if not where.startswith(KEPT) and drawn.places(data):
            adversary.report.found("a draw is left after the count", where)
    for snapshot in adversary.afterwards:
        if any(adversary.main[snapshot.name].tables[name].rows for name in ("ticket_draw", "ballot_ticket")):
            adversary.report.found("a draw is left after the count", "the tables")
        if any(snapshot.keys.glob("tickets-*")):
            adversary.report.found("a key is left after the count", "the key directory")
