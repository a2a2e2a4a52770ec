"""The file of a backup: a zip with a manifest that names every part with its size and SHA-256.

Written part by part under a temporary name, read part by part; nothing that an archive says about itself is believed
before it is measured.
"""

import hashlib
import json
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from review.domain.refusals import Invalid

FORMAT, VERSION = "review360 backup", 1
MANIFEST = "manifest.json"
CHUNK = 2**20
LARGEST_MANIFEST = 16 * 2**20
RATIO, ALWAYS_FINE = 250, 64 * 2**20  # nothing this product writes packs better than 1:250
# No part has a folder beyond this one, none begins with a dot: so none can lead out of where it is unpacked.
NAME = re.compile(r"database\.(?:sqlite|dump)|uploads/[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}")
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)

Report = Callable[[str, int, int], None]  # part, bytes done, bytes in all


@dataclass(frozen=True, slots=True)
class Part:
    """One file inside: its size and what it hashes to."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an archive says about itself. `schema` are the revisions of the database, `database` its dialect."""

    product: str
    schema: tuple[str, ...]
    database: str
    made_at: str
    parts: tuple[Part, ...]


class Writer:
    """Takes parts, each as a stream of bytes, and remembers what it has written."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True)
        self._parts: list[Part] = []

    def add(self, name: str, chunks: Iterable[bytes], *, is_packed: bool = False) -> None:
        """Write one part; `is_packed` for what is compressed already."""
        entry = zipfile.ZipInfo(name)  # dated 1980: the manifest says when the backup was made
        entry.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
        entry.external_attr = (stat.S_IFREG | 0o600) << 16
        digest, size = hashlib.sha256(), 0
        with self._zip.open(entry, "w", force_zip64=True) as out:
            for chunk in chunks:
                out.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        self._parts.append(Part(name, size, digest.hexdigest()))

    def finish(self, **about: Any) -> Manifest:
        """Write the manifest and close."""
        manifest = Manifest(parts=tuple(self._parts), **about)
        said = {"format": FORMAT, "format_version": VERSION, **asdict(manifest)}
        self._zip.writestr(MANIFEST, json.dumps(said, ensure_ascii=False, indent=1))
        self._zip.close()
        return manifest

    def abandon(self) -> None:
        self._zip.close()


class Reader:
    """An archive whose table has been looked over; its parts are checked while they are copied out."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._zip = archive
        self.manifest = manifest

    @property
    def size(self) -> int:
        """Bytes it unpacks to."""
        return sum(part.size for part in self.manifest.parts)

    def copy_out(self, part: Part, to: Path, report: Callable[[int], None] = lambda _size: None) -> None:
        """Write one part to `to` and wait for the disk. Raises Invalid when it is not what the manifest says."""
        digest, size = hashlib.sha256(), 0
        try:
            handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out, self._zip.open(part.name) as source:
                while size <= part.size and (chunk := source.read(CHUNK)):
                    size += len(chunk)
                    digest.update(chunk)
                    out.write(chunk)
                    report(len(chunk))
                out.flush()
                os.fsync(out.fileno())
        except BROKEN as error:
            raise _damaged(part.name, error) from error
        if size != part.size or digest.hexdigest() != part.sha256:
            raise Invalid("backup:damaged", part=part.name)


def _damaged(name: str, error: Exception) -> Exception:
    """A disk that is full is no damage to the archive."""
    if isinstance(error, OSError) and error.errno is not None:
        return error
    return Invalid("backup:damaged", part=name)


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """Open an archive. Raises Invalid for what is none, is of a later format, or holds anything it should not."""
    if not path.is_file():
        raise Invalid("backup:no_such_file", file=str(path))
    try:
        archive = zipfile.ZipFile(path)
    except BROKEN as error:
        raise Invalid("backup:not_an_archive", file=path.name) from error
    with archive:
        entries = archive.infolist()
        _check_entries(entries)
        manifest = _manifest(archive, path)
        _check_sizes(entries, manifest, path.stat().st_size)
        yield Reader(archive, manifest)


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise Invalid("backup:strange_entry", name=max(names, key=names.count)[:80])
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        is_plain = kind in {0, stat.S_IFREG} and not entry.is_dir() and not entry.flag_bits & 1
        if not is_plain or (entry.filename != MANIFEST and not NAME.fullmatch(entry.orig_filename)):
            raise Invalid("backup:strange_entry", name=entry.orig_filename[:80])


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    try:
        with archive.open(MANIFEST) as source:
            data = source.read(LARGEST_MANIFEST + 1)
        said = json.loads(data)
        if len(data) > LARGEST_MANIFEST or said["format"] != FORMAT:
            raise ValueError("no manifest of ours")
        version = int(said["format_version"])
        made = Manifest(
            product=str(said["product"]),
            schema=tuple(map(str, said["schema"])),
            database=str(said["database"]),
            made_at=str(said["made_at"]),
            parts=tuple(Part(str(one["name"]), int(one["size"]), str(one["sha256"])) for one in said["parts"]),
        )
    except (*BROKEN, KeyError, TypeError, RecursionError) as error:
        raise Invalid("backup:not_an_archive", file=path.name) from error
    if version > VERSION:
        raise Invalid("backup:newer_format", product=made.product)
    return made


def _check_sizes(entries: list[zipfile.ZipInfo], manifest: Manifest, packed: int) -> None:
    there = {entry.filename: entry.file_size for entry in entries if entry.filename != MANIFEST}
    if there != {part.name: part.size for part in manifest.parts} or len(there) != len(manifest.parts):
        raise Invalid("backup:damaged", part=MANIFEST)
    if sum(there.values()) > max(ALWAYS_FINE, RATIO * packed):
        raise Invalid("backup:bomb")


def chunks_of(path: Path, report: Callable[[int], None] = lambda _size: None) -> Iterator[bytes]:
    """A file as a stream."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            report(len(chunk))
            yield chunk
