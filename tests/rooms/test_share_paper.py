"""A share on paper: words in two languages, a QR code, and everything a tired reader may type instead."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.ballots.seal_keys import Share
from review.custody import paper
from review.domain.refusals import Invalid

SHARE = Share(2, bytes(range(16)))
ENGLISH = paper.words_of(SHARE, "en")
SHARES = st.builds(Share, st.integers(1, 3), st.binary(min_size=16, max_size=16))


def problems(typed: str, number: int | None = 2, cycle_id: int = 7) -> list[tuple[str, dict[str, object]]]:
    with pytest.raises(Invalid) as refused:
        paper.read(typed, number, cycle_id)
    return [(one.code, dict(one.params)) for one in refused.value.problems]


@given(SHARES, st.sampled_from(["en", "zh"]))
def test_twelve_words_in_either_language_are_the_share(share: Share, locale: str) -> None:
    words = paper.words_of(share, locale)
    assert len(words) == 12
    assert paper.read(" ".join(words), share.number, 1) == share


@given(SHARES, st.integers(1, 10**9 - 1))
def test_the_text_of_the_qr_code_is_the_share_and_names_cycle_and_number(share: Share, cycle_id: int) -> None:
    code = paper.code_of(cycle_id, share)
    assert paper.read(code, None, cycle_id) == share
    assert paper.read(f"  {code.lower()} \n", share.number, cycle_id) == share
    assert paper.read(f"{code[:30]}\n {code[30:]}", None, cycle_id) == share, "as it is printed, over two lines"


def test_the_words_are_those_of_the_standard() -> None:
    said = "abandon amount liar amount expire adjust cage candy arch gather drum buyer"
    assert " ".join(ENGLISH) == said
    assert paper.words_of(Share(1, bytes(16)), "en") == ["abandon"] * 11 + ["about"]


@pytest.mark.parametrize(
    "typed",
    [
        "ABANDON Amount liar\namount,expire adjust  cage\tcandy arch gather drum buyer",
        "1. abandon 2. amount 3. liar 4. amount\n5. expire 6. adjust 7. cage 8. candy\n9. arch gather drum buyer",
        "ａｂａｎｄｏｎ amount liar amount expire adjust cage candy arch gather drum buyer",
        "".join(paper.words_of(SHARE, "zh")),
        "、".join(paper.words_of(SHARE, "zh")),
        " ".join(ENGLISH[:5] + paper.words_of(SHARE, "zh")[5:]),
    ],
)
def test_case_spaces_numbering_and_the_language_of_a_word_do_not_matter(typed: str) -> None:
    assert paper.read(typed, 2, 7) == SHARE


def test_words_that_are_in_neither_list_are_named_with_their_place() -> None:
    typed = " ".join(["abandn", *ENGLISH[1:6], "caged", *ENGLISH[7:]])
    assert problems(typed) == [
        ("custody:strange_word", {"place": 1, "word": "abandn"}),
        ("custody:strange_word", {"place": 7, "word": "caged"}),
    ]


def test_too_few_and_too_many_words_are_counted() -> None:
    assert problems(" ".join(ENGLISH[:11])) == [("custody:not_twelve", {"count": 11})]
    assert problems(" ".join([*ENGLISH, "zoo"])) == [("custody:not_twelve", {"count": 13})]
    assert problems("12 ...") == [("custody:not_twelve", {"count": 0})]


def test_words_that_do_not_belong_together_are_refused() -> None:
    assert problems(" ".join(["zoo", *ENGLISH[1:]])) == [("custody:words_do_not_match", {})]
    swapped = [ENGLISH[1], ENGLISH[0], *ENGLISH[2:]]
    assert problems(" ".join(swapped)) == [("custody:words_do_not_match", {})]


def test_fifteen_of_sixteen_wrong_words_are_caught_by_the_checksum() -> None:
    wrong = [[*ENGLISH[:3], word, *ENGLISH[4:]] for word in paper.words_of(Share(1, b"\x5a" * 16), "en")]
    caught = sum(not _reads(words) for words in wrong)
    assert caught >= len(wrong) - 3


def _reads(words: list[str]) -> bool:
    try:
        paper.read(" ".join(words), 1, 1)
    except Invalid:
        return False
    return True


def test_words_need_their_number_and_a_code_does_not() -> None:
    assert problems(" ".join(ENGLISH), None) == [("custody:number_missing", {})]
    assert paper.read(paper.code_of(7, SHARE), None, 7) == SHARE


def test_a_code_of_another_cycle_number_or_hand_is_refused() -> None:
    code = paper.code_of(7, SHARE)
    assert problems(code, None, 8) == [("custody:other_cycle", {})]
    assert problems(code, 1) == [("custody:other_number", {"number": "2"})]
    for place, letter in itertools.product((12, 20, 40), "0F"):
        changed = code[:place] + letter + code[place + 1 :]
        if changed != code:
            assert problems(changed, None)[0][0] in {"custody:code_broken", "custody:other_cycle"}
    assert problems(code[:-3], None) == [("custody:code_broken", {})]


def test_a_number_before_the_words_is_read_apart() -> None:
    assert paper.numbered("2 " + " ".join(ENGLISH)) == (" " + " ".join(ENGLISH), 2)
    assert paper.numbered(" ".join(ENGLISH)) == (" ".join(ENGLISH), None)
    code = paper.code_of(7, SHARE)
    assert paper.numbered(code) == (code, None)
    assert paper.read(*paper.numbered("２：" + "".join(paper.words_of(SHARE, "zh"))), 7) == SHARE


def test_the_picture_needs_no_file_and_no_style() -> None:
    picture = paper.picture_of(paper.code_of(7, SHARE))
    assert picture.startswith("data:image/svg+xml")
    assert "style" not in picture
