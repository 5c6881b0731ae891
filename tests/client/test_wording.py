import pytest
from videomama_client.wording import choices, counted, guess


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 frames"), (1, "1 frame"), (2, "2 frames"), (12_000, "12,000 frames")]
)
def test_a_count_agrees_with_its_noun(number, words):
    assert counted(number, "frame") == words


def test_a_noun_may_have_a_plural_of_its_own():
    assert [counted(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]


@pytest.mark.parametrize("typo", ["mattte", "Matte", "mate", "mtate"])
def test_the_closest_known_word_is_proposed_whatever_its_case(typo):
    assert guess(typo, ["status", "matte"]) == "Did you mean matte?"


@pytest.mark.parametrize("word", ["", "zzz", "x"])
def test_nothing_is_proposed_for_what_resembles_nothing(word):
    assert guess(word, ["status", "matte"]) == ""


def test_a_hint_has_the_closest_and_all():
    assert choices("clasic", ["auto", "classic"]) == "Did you mean classic? There are: auto, classic."
    assert choices("x", ["auto", "classic"]) == "There are: auto, classic."
