"""The forensic adversary: handed copies of everything but the key directory, it looks for ballots and who cast them.

It knows the product's design, no secret of it, and not which leak there may be. With `seal_key` it holds the private
half of the seal as well, though not the key that leads from seats to rows.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from review.domain.vocabulary import Source
from review.schemes.library import builtin
from tests.adversary import chains, draws, figures, nights, servers, sittings, urns
from tests.adversary.reading import Ballots, Needles, files_of, signs_of
from tests.adversary.report import Report
from tests.adversary.told import Snapshot
from tests.adversary.traces import Catalogue, main_of

CRITERIA = {criterion.key for criterion in builtin().criteria}
# The main database, also as it lies in a backup, which the harness has unpacked.
MAIN = re.compile(r"instance/review\.sqlite|postgres/|instance-backups/[^/]+/database\.")
ASKED = {criterion.key for criterion in builtin().asked_of(Source.PEERS)}


class Adversary:
    """One investigation. Snapshots come in the order in which they were made; the first is from before any cast.

    Under maximum protection they hold the key directory, and it uses every key of every night.
    """

    def __init__(self, snapshots: Sequence[Snapshot], seal_key: bytes | None = None) -> None:
        self.snapshots = snapshots
        self.seal_key = seal_key
        self.report = Report()
        self.main: dict[str, Catalogue] = {}
        self.signs: dict[str, int] = {}  # name, number, address -> person
        self.seats: list[tuple[UUID, int, int]] = []  # seat, review, rater
        self.opened: dict[bytes, dict[str, Any]] = {}  # what the rows of the closing copy say, with the private key
        self.drawn: set[int] = set()  # who has drawn tickets
        self._ballots = Ballots(ASKED, CRITERIA)
        self._bytes: dict[Path, bytes] = {}

    def investigate(self) -> Report:
        self.main = {snapshot.name: main_of(snapshot) for snapshot in self.snapshots}
        self._learn(self.main[self.snapshots[0].name])
        self._read_everything()
        self._look_for_seats()
        urns.look(self)
        servers.look(self)
        draws.look(self)
        nights.compare(self)
        chains.link(self)
        sittings.compare(self)
        figures.check(self)
        return self.report

    @property
    def collecting(self) -> list[Snapshot]:
        """The snapshots made while ballots came in, the closing one last."""
        at = next((at for at, one in enumerate(self.snapshots) if one.name == "closing"), len(self.snapshots) - 1)
        return list(self.snapshots[: at + 1])

    @property
    def afterwards(self) -> list[Snapshot]:
        return list(self.snapshots[len(self.collecting) :])

    def raters_of(self, review: int | None) -> list[int]:
        """Who could have cast a ballot about this review, or any ballot: whoever has not drawn a ticket cannot."""
        asked = {rater for _, about, rater in self.seats if review in (None, about)}
        return sorted(asked & self.drawn if self.drawn else asked)

    def _learn(self, main: Catalogue) -> None:
        for person in main.tables["person"].dicts():
            for sign in (person["name"], person["employee_no"], person["email"]):
                if sign:
                    self.signs[sign] = person["id"]
        for seat in main.tables["seat"].dicts():
            self.seats.append((as_uuid(seat["id"]), seat["review_id"], seat["rater_id"]))

    def contents(self, snapshots: Sequence[Snapshot]) -> dict[bytes, str]:
        """What is in the files of these snapshots, each content once, with the name of a file that has it."""
        found: dict[bytes, str] = {}
        for snapshot in snapshots:
            for path in files_of(snapshot.folder):
                found.setdefault(self.bytes_of(path), str(path.relative_to(snapshot.folder)))
        return found

    def bytes_of(self, path: Path) -> bytes:
        if path not in self._bytes:
            self._bytes[path] = path.read_bytes()
        return self._bytes[path]

    def _read_everything(self) -> None:
        """Ballots in any file, in any dress. What could be read before the first cast was filed by somebody else."""
        before = {said for data in self.contents(self.snapshots[:1]) for said in self._ballots.in_bytes(data)}
        seen = {
            (where, said)
            for data, where in self.contents(self.snapshots[1:]).items()
            for said in self._ballots.in_bytes(data)
            if said not in before
        }
        self.report.readable = len(seen)
        for where, said in seen:
            self.report.found("readable ballot", where, sorted(said))

    def _look_for_seats(self) -> None:
        """No seat's id may stand anywhere but in the table of seats."""
        signs = Needles([sign for seat, *_ in self.seats for sign in signs_of(seat)])
        for data, where in self.contents(self.snapshots[1:]).items():
            # The tables of the main database are looked at row by row.
            if not MAIN.match(where) and signs.places(data):
                self.report.found("seat outside its table", where)
        for table in self.main[self.snapshots[-1].name].tables.values():
            text = b"\x00".join(_bytes(value) for row in table.rows for value in row)
            if table.name != "seat" and signs.places(text):
                self.report.found("seat outside its table", table.name)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def as_uuid(value: Any) -> UUID:
    return UUID(bytes=value) if isinstance(value, bytes) else UUID(str(value))
