"""The vocabulary of deeds is whole and sorted, and what nobody listed nobody may."""

from review.domain.access import ALLOWED, Actor, Allowance, Deed, Role, may


def test_deeds_are_sorted_by_what_they_say() -> None:
    values = [deed.value for deed in Deed]
    assert values == sorted(values), "keep Deed in alphabetical order of its values, so that nothing hides in it"


def test_every_deed_reads_room_thing_verb() -> None:
    wrong = [deed.value for deed in Deed if len(deed.value.split(":")) != 3]
    assert not wrong, f"{wrong}: say room:thing:verb"


def test_every_deed_is_allowed_to_somebody() -> None:
    forgotten = [deed.value for deed in Deed if ALLOWED.get(deed, Allowance()) == Allowance()]
    assert not forgotten, f"{forgotten}: say in ALLOWED who may, or remove the deed"


def test_what_nobody_listed_nobody_may(monkeypatch) -> None:
    all_powerful = Actor(1, "Root", frozenset(Role))
    monkeypatch.setattr("review.domain.access.ALLOWED", {})
    assert not any(may(all_powerful, deed, frozenset()) for deed in Deed)
