"""A clip of an evaluation: all that is there has the same frames, equally far apart."""

from pathlib import Path

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.datasets.clip import GroundTruthClip, numbered, numbered_if_there


def files(*numbers):
    return {number: Path(f"{number}.exr") for number in numbers}


def clip(plate=(1, 2, 3), truth=(1, 2, 3), mask=None, foreground=None):
    parts = (None if part is None else files(*part) for part in (mask, foreground))
    return GroundTruthClip("a/b", "hair", "ours", "plate.#.exr", files(*plate), files(*truth), *parts)


@pytest.mark.parametrize("numbers", [(3, 1, 2), (7,), (2, 4, 6)])
def test_frames_are_equally_far_apart_and_ascending(numbers):
    assert clip(numbers, numbers, numbers, numbers).numbers == sorted(numbers)


@pytest.mark.parametrize(("numbers", "gaps"), [((1, 2, 4), "3"), ((10, 12, 13), "11"), ((1, 2, 6), "3-5")])
def test_a_gap_is_named(numbers, gaps):
    with pytest.raises(BadInput, match=rf"missing: frames {gaps}\n"):
        clip(numbers, numbers)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"truth": (1, 2)}, "plate and alpha do not share frames 3"),
        ({"truth": (1, 2, 3, 4)}, "plate and alpha do not share frames 4"),
        ({"mask": (2, 3)}, "plate and mask do not share frames 1"),
        ({"mask": (1, 2, 3), "foreground": (4,)}, "plate and foreground do not share frames 1-4"),
    ],
)
def test_a_part_with_other_frames_is_named(parts, said):
    with pytest.raises(BadInput, match=said):
        clip(**parts)


def test_the_only_sequence_of_a_folder_is_found(draw, tmp_path):
    alpha = np.zeros((4, 4), np.float32)
    wanted = {number: draw.put(tmp_path / f"a.{number:04d}.png", alpha) for number in (1, 2)}
    (tmp_path / "notes.txt").write_text("no picture")
    pattern, found = numbered(tmp_path)
    assert (pattern, found) == (str(tmp_path / "a.####.png"), wanted)
    assert numbered_if_there(tmp_path) == wanted
    draw.put(tmp_path / "b.0001.png", alpha)
    with pytest.raises(BadInput):
        numbered(tmp_path)


def test_a_folder_that_is_not_there_has_no_sequence(tmp_path):
    assert numbered_if_there(tmp_path / "none") is None
    with pytest.raises(BadInput):
        numbered(tmp_path)
