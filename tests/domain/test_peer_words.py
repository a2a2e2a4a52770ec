"""Peers' words: the same spelling for everybody, few ballots show none, the order tells nothing."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.domain.peer_words import LONGEST, comments_of, least_ballots, normalised, read_comment
from review.domain.refusals import Invalid
from review.domain.scheme import Scheme
from review.domain.vocabulary import Source
from review.schemes.library import builtin

WORDS = [f"Comment number {number}" for number in range(12)]


def asking(peers_from: int | None = 10, minimum: int = 5) -> Scheme:
    scheme = builtin()
    comments = replace(scheme.comments, peers_from=peers_from)
    return replace(scheme, comments=comments, minimums={**scheme.minimums, Source.PEERS: minimum})


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Always   on\ttime \r\n\n and kind  ", "Always on time and kind"),
        ("“Quick” and ‘kind’ – ‹always›", '"Quick" and \'kind\' - "always"'),
        ("wait--what — no ― yes − end", "wait-what - no - yes - end"),
        ("zero\u200bwidth\u200d \ufeffmark\u2060s", "zerowidth marks"),
        ("\u202eevil\u202c \u2066bidi\u2069 \u061cmark", "evil bidi mark"),
        ("bell\x07 nul\x00 esc\x1b[31m", "bell nul esc[31m"),
        ("ｆｕｌｌ　ｗｉｄｔｈ ①", "full width 1"),
        ("热情, 周到 ; 很好!!", "热情，周到；很好！！"),
        ("热情，周到；很好！！", "热情，周到；很好！！"),
        ("「专业」，“耐心”", '"专业","耐心"'),
        ("带我 熟悉 KPI 报表", "带我熟悉 KPI 报表"),
        ("star\ufe0f \u3164filler\u2800", "star filler"),
        ("private \ue000 use \U000f0000", "private use"),
        ("\ud800 lone", "lone"),
        ("\u200b \u3164 \n", ""),
    ],
)
def test_habits_of_typing_are_taken_away(typed: str, kept: str) -> None:
    assert normalised(typed) == kept


@given(st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=60))
def test_normalising_twice_changes_nothing_and_leaves_nothing_invisible(typed: str) -> None:
    once = normalised(typed)
    assert normalised(once) == once
    assert once == once.strip()
    assert not {unicodedata.category(sign) for sign in once} & {"Cc", "Cf", "Cs", "Co", "Cn"}
    once.encode()


def test_a_text_of_280_characters_is_kept_and_one_of_281_refused() -> None:
    assert len(read_comment(asking(), " " + "字" * LONGEST + "\n")) == LONGEST
    with pytest.raises(Invalid) as refused:
        read_comment(asking(), "字" * (LONGEST + 1))
    assert refused.value.problems[0].where == "comment"


def test_a_scheme_that_asks_for_no_words_keeps_none() -> None:
    assert read_comment(asking(None), "Hello") == ""
    assert comments_of(asking(None), 1, WORDS, 12, 12) == ()


def test_one_ballot_fewer_than_the_scheme_says_shows_nothing() -> None:
    assert comments_of(asking(10), 1, WORDS[:9], 9, 12) == ()
    assert len(comments_of(asking(10), 1, WORDS[:9], 10, 12)) == 9


def test_words_never_show_where_the_figures_of_as_many_ballots_would_not() -> None:
    assert least_ballots(asking(5, minimum=8)) == 8
    assert comments_of(asking(5, minimum=8), 1, WORDS[:7], 7, 12) == ()
    assert comments_of(asking(5, minimum=5), 1, WORDS[:5], 5, 4) == (), "the panel is smaller than that"


def test_the_order_is_that_of_a_hash_and_another_one_for_each_review() -> None:
    shown = comments_of(asking(), 1, WORDS, 12, 12)
    assert shown == comments_of(asking(), 1, reversed(WORDS), 12, 12)
    assert sorted(shown) == sorted(WORDS)
    assert shown != tuple(WORDS)
    assert shown != comments_of(asking(), 2, WORDS, 12, 12)


def test_what_a_browser_sealed_too_long_or_unspelled_is_cut_and_spelled_at_the_count() -> None:
    shown = comments_of(asking(5), 1, ["x" * 1000, "\u200b", "“a”", "", "\u202ea"], 5, 5)
    assert sorted(map(len, shown)) == [1, 3, LONGEST]
