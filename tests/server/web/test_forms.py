"""Values that a browser sent."""

import pytest
from starlette.datastructures import ImmutableMultiDict
from videomama_client.errors import BadInput
from videomama_server.web.forms import Form


def form(*pairs):
    return Form(ImmutableMultiDict(list(pairs)))


def test_the_last_value_counts_and_spaces_do_not():
    assert form(("a", "1"), ("a", " 2 ")).text("a") == "2"
    assert form().text("a", "none") == "none"
    assert form(("a", "1"), ("a", "2")).texts("a") == ["1", "2"]


def test_names_below_a_prefix_lose_it_and_empty_ones_are_left_out():
    assert form(("e.x", "1"), ("e.y", " "), ("s.z", "2")).below("e.") == {"x": "1"}


@pytest.mark.parametrize("text", ["", "x", "1.5", "9" * 400, "٣", "--1", "1e3"])
def test_what_is_no_whole_number_is_an_error(text):
    with pytest.raises(BadInput):
        form(("frame", text)).whole("frame")


def test_whole_numbers_may_be_negative_or_missing():
    assert form(("frame", "-12")).whole("frame") == -12
    assert form().whole("frame", 7) == 7


@pytest.mark.parametrize("text", ["{", "{}", "1", "[" * 100_000, '["\\ud800"]'])
def test_what_is_no_list_is_an_error(text):
    with pytest.raises(BadInput):
        form(("prompts", text)).listed("prompts")


def test_a_null_character_is_an_error():
    with pytest.raises(BadInput):
        form(("plate", "a\0b"))
