"""Where this installation keeps its data and whom it talks to: one frozen value, read once, complete or no start."""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from review.domain.refusals import Invalid, Problem

PACKAGE = Path(__file__).resolve().parents[1]
IS_CHECKOUT = (PACKAGE.parent / "pyproject.toml").is_file()

# Where templates/, static/ and migrations/ are: at the top of a checkout, or inside the installed package.
ROOT = PACKAGE.parent if IS_CHECKOUT else PACKAGE / "bundle"
HOME = ROOT if IS_CHECKOUT else Path.cwd()
KEY_BYTES = 32
MOST_PROXIES = 5
CAST = "cast"  # where the web application itself takes sealed ballots


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Paths and addresses. `keys_dir` is kept apart from `data_dir` so that no backup of the data holds a key."""

    data_dir: Path
    keys_dir: Path
    backups_dir: Path  # made when the first backup is
    database_url: str
    urn_url: str | None
    smtp_url: str | None
    base_url: str
    cast_url: str  # where browsers send sealed ballots: beside the pages, or at a host of its own
    secret_key: str
    bounce_address: str | None = None  # where letters come back to that could not be delivered
    bounce_imap: str | None = None  # the mailbox behind it, where it is one
    proxies: int = 0  # how many proxies of ours stand in front: their word about the caller's address is believed
    is_demo: bool = False
    is_testing: bool = False

    @property
    def takes_casts_here(self) -> bool:
        """Whether the web application takes sealed ballots itself, because no other place was named."""
        return self.cast_url == f"{self.base_url}/{CAST}"

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the variables that the README lists, `REVIEW_DATA` and the rest.

        Raises Invalid when keys or urns would lie where data or backups do, when PostgreSQL is used without a database
        of its own for the urns, or when an address cannot be read.
        """
        data = Path(environ.get("REVIEW_DATA") or HOME / "instance").resolve()
        keys = Path(environ.get("REVIEW_KEYS") or data.parent / f"{data.name}-keys").resolve()
        backups = Path(environ.get("REVIEW_BACKUPS") or data.parent / f"{data.name}-backups").resolve()
        wrong = misplaced(data, keys, backups)
        if wrong:
            raise Invalid.of(wrong)
        database = environ.get("DATABASE_URL") or f"sqlite:///{data / 'review.sqlite'}"
        if not database.startswith("sqlite") and not environ.get("URN_URL"):
            raise Invalid("settings:urn_url_missing", "URN_URL")
        base = (environ.get("REVIEW_BASE_URL") or "http://localhost:8360").rstrip("/")
        data.mkdir(parents=True, exist_ok=True, mode=0o700)  # hashes of passwords and what people wrote lie in it
        keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(
            data_dir=data,
            keys_dir=keys,
            backups_dir=backups,
            database_url=database,
            urn_url=environ.get("URN_URL") or None,
            smtp_url=environ.get("SMTP_URL") or None,
            bounce_address=_bounce_address(environ.get("BOUNCE_ADDRESS") or ""),
            bounce_imap=_imap_url(environ.get("BOUNCE_IMAP") or ""),
            base_url=base,
            cast_url=environ.get("REVIEW_CAST_URL") or f"{base}/{CAST}",
            secret_key=key_text(keys / "session.key"),
            proxies=_proxies(environ.get("REVIEW_PROXIES") or "0"),
            is_demo=environ.get("REVIEW_DEMO") == "1",
        )


def misplaced(data: Path, keys: Path, backups: Path) -> list[Problem]:
    """What is wrong with where these folders lie: no copy of data or backups may carry keys, none of backups urns."""
    wrong = []
    if _nested(keys, data):
        wrong.append(Problem("settings:keys_inside_data", "REVIEW_KEYS"))
    if _nested(keys, backups):
        wrong.append(Problem("settings:keys_inside_backups", "REVIEW_BACKUPS"))
    if _nested(data / "urns", backups):
        wrong.append(Problem("settings:urns_inside_backups", "REVIEW_BACKUPS"))
    return wrong


def _nested(one: Path, other: Path) -> bool:
    return one == other or one in other.parents or other in one.parents


def _proxies(typed: str) -> int:
    if not (typed.isascii() and typed.isdigit() and int(typed) <= MOST_PROXIES):
        raise Invalid("settings:proxies_not_a_number", "REVIEW_PROXIES")
    return int(typed)


def _bounce_address(typed: str) -> str | None:
    """An address with room for what is put behind its local part: `+`, a number of ten digits, a seal of 26 letters."""
    local, _, domain = typed.strip().lower().rpartition("@")
    if not typed.strip():
        return None
    if not re.fullmatch(r"[a-z0-9._-]{1,26}", local) or not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", domain):
        raise Invalid("settings:bounce_address", "BOUNCE_ADDRESS")
    return f"{local}@{domain}"


def _imap_url(typed: str) -> str | None:
    parts = urlsplit(typed.strip())
    if not typed.strip():
        return None
    if parts.scheme not in {"imap", "imaps"} or not (parts.hostname and parts.username and parts.password):
        raise Invalid("settings:bounce_imap", "BOUNCE_IMAP")
    return typed.strip()


def key_text(path: Path) -> str:
    """A random secret kept in a file of the key directory; made on first use, safe when two processes race.

    Raises Invalid for a file that lost its content: an empty key would sign whatever anybody makes up.
    """
    if not path.exists():
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        fresh.touch(mode=0o600)
        with fresh.open("w") as file:
            file.write(secrets.token_hex(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())  # or a loss of power may leave the name without the content
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    text = path.read_text().strip()
    if len(text) != 2 * KEY_BYTES:
        raise Invalid("settings:key_damaged", str(path))
    return text
