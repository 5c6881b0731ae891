"""Frame ranges as people write them."""

import pytest
from videomama_client.errors import BadInput


@pytest.fixture
def frames(bare_nuke):
    from videomama_nuke import frames

    return frames


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1001", [1001]),
        ("1001-1003", [1001, 1002, 1003]),
        ("1001-1007x3, 1002", [1001, 1002, 1004, 1007]),
        (" 5 ,, 3,5 ", [3, 5]),
        ("-2-1", [-2, -1, 0, 1]),
    ],
)
def test_a_range_is_read(frames, text, numbers):
    assert frames.parse(text) == numbers


@pytest.mark.parametrize("text", ["", " , ", "first-last", "1001-"])
def test_what_is_no_range_is_refused_with_an_example(frames, text):
    with pytest.raises(BadInput) as caught:
        frames.parse(text)
    assert caught.value.hint == "Write it as 1001-1050x2, 1060."


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([], ""), ([7], "7"), ([1, 2], "1-2"), ([3, 1, 2, 7, 7, 9, 10], "1-3,7,9-10"), ([1, 3], "1,3")],
)
def test_frames_are_written_as_runs(frames, numbers, text):
    assert frames.text(numbers) == text
