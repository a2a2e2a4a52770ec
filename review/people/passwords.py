"""Passwords: how they are kept (argon2id), how long a check takes, and which ones are refused."""

import threading
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY

from review.domain.refusals import Invalid, Problem
from review.infra.house import house

SHORTEST = 10
LONGEST = 128
COMMON = Path(__file__).with_name("common_passwords.txt")

# A check takes 64 MiB: without a limit, a crowd of sign-ins at nine o'clock would take all the memory there is.
_at_once = threading.BoundedSemaphore(4)


@cache
def _hasher(*, cheap: bool) -> PasswordHasher:
    return PasswordHasher.from_parameters(CHEAPEST if cheap else RFC_9106_LOW_MEMORY)


def hasher() -> PasswordHasher:
    """The parameters new hashes are made with: RFC 9106's for ordinary machines, the cheapest in tests."""
    return _hasher(cheap=house().settings.is_testing)


@cache
def _nobodys(*, cheap: bool) -> str:
    return _hasher(cheap=cheap).hash("the password of nobody")


def hashed(password: str) -> str:
    with _at_once:
        return hasher().hash(normal(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one behind the hash; takes as long where there is no hash at all."""
    known = password_hash if password_hash and password_hash.startswith("$argon2") else None
    with _at_once:
        try:
            found = hasher().verify(known or _nobodys(cheap=house().settings.is_testing), normal(password)[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
    return found and known is not None


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return hasher().check_needs_rehash(password_hash)


def normal(password: str) -> str:
    """The same characters whatever keyboard typed them (full-width letters, composed accents)."""
    return unicodedata.normalize("NFKC", password)


@cache
def _common() -> frozenset[str]:
    return frozenset(line for line in COMMON.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))


def require_good(password: str, about: Iterable[str | None], where: str = "password") -> None:
    """Long enough, not one that everybody uses, not the person's own number, name or address. Raises Invalid.

    No rules about digits and signs: they make passwords worse.
    """
    plain = normal(password).casefold()
    if len(plain) < SHORTEST:
        raise Invalid("people:password_too_short", where, least=SHORTEST)
    if len(plain) > LONGEST:
        raise Invalid("people:password_too_long", where, most=LONGEST)
    if plain.strip() in _common() or len(set(plain)) < 3:
        raise Invalid("people:password_common", where)
    if _is_about(plain, about):
        raise Invalid("people:password_about_you", where)


def _is_about(plain: str, about: Iterable[str | None]) -> bool:
    """Whether little is left of the password once a word about the person is taken out."""
    words = [normal(word).casefold() for word in about if word]
    words += [word.partition("@")[0] for word in words if "@" in word]
    return any(word in plain and len(plain) - len(word) < 4 for word in words if len(word) >= 2)


def require_same(password: str, again: str) -> None:
    """The two entries must agree; raises Invalid at the second."""
    if password != again:
        raise Invalid.of([Problem("form:not_the_same", "again")])
