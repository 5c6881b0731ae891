"""The options of a removal: what belongs together, and the words of a program."""

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_client.messages import FOREGROUND, SideResult
from videomama_client.settings import MatteSettings
from videomama_server.cli.matte import matte
from videomama_server.cli.removal_options import removal_flags, take_removal
from videomama_server.media import frames
from videomama_server.submission import Submission


@pytest.fixture
def taken(tmp_path):
    """Return the removal that words of `matte` ask for."""

    def take(*words):
        flags = matte.make_context("matte", list(words)).params
        return take_removal({name: flags[name] for name in removal_flags()}, str(tmp_path / "plate.####.exr"))

    return take


def test_nothing_is_removed_unless_asked_for(taken):
    assert taken() is None
    assert taken("--hole-grow", "3") is None


def test_words_are_split_by_quotes_and_a_backslash_is_of_a_path(taken):
    words = r"""C:\tools\lama.exe 'a b' "it's" --x={plate} #1"""
    removal = taken("--hole-masks", "h.####.png", "--then-run", words, "--clean-plate", "clean")
    assert removal.hand_over.words == ("C:\\tools\\lama.exe", "a b", "it's", "--x={plate}", "#1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--then-run", "x"), "--clean-plate is not given"),
        (("--clean-plate", "x"), "--then-run is not given"),
        (("--then-run", "x", "--clean-plate", "y"), "without --hole-masks"),
        (("--hole-masks", "h.png", "--then-run", "'x", "--clean-plate", "y"), "quote that is not closed"),
    ],
)
def test_what_belongs_together_is_said(taken, words, said):
    with pytest.raises(BadInput, match=said):
        taken(*words)


@pytest.mark.parametrize(
    "words",
    [
        ("--hole-masks", "{folder}/plate.####.exr"),
        ("--hole-masks", "{folder}/mask.####.exr"),
        ("--hole-masks", "{folder}/alpha.####.exr"),
        ("--hole-masks", "{folder}/fg.####.exr"),
        ("--hole-masks", "{folder}/h.####.png", "--then-run", "x", "--clean-plate", "{folder}"),
        ("--hole-masks", "{folder}/masks/plate.####.exr", "--then-run", "x", "--clean-plate", "{folder}/masks"),
    ],
)
def test_nothing_that_is_read_or_written_otherwise_is_replaced(taken, make_clip, tmp_path, words):
    clip = make_clip(count=2)
    for path in clip.folder.iterdir():
        path.rename(tmp_path / path.name)
    removal = taken(*(word.format(folder=tmp_path) for word in words))
    names = [str(tmp_path / f"{role}.####.exr") for role in ("plate", "mask", "alpha", "fg")]
    side = SideResult(FOREGROUND, names[3])
    order = Submission(*names[:3], MatteSettings(), side_results=(side,))
    with pytest.raises(BadInput):
        removal.check(order)
    assert sorted(path.name for path in tmp_path.glob("*.exr")) == [
        f"{role}.{frame}.exr" for role in ("mask", "plate") for frame in (1001, 1002)
    ]


def test_hole_masks_are_made_of_the_layer_and_what_asks_for_them_again_is_told(taken, tmp_path):
    alpha = np.zeros((32, 32), np.float32)
    alpha[10:20, 10:20] = 1
    frames.write_picture(tmp_path / "alpha.1001.exr", np.stack([alpha, 1 - alpha], axis=2), ("A", "matte.A"), "half")
    holes = str(tmp_path / "holes" / "h.####.png")
    removal = taken("--hole-masks", holes, "--hole-grow", "0", "--hole-threshold", "0.5")
    for role in ("p", "m"):
        (tmp_path / f"{role}.1001.exr").touch()
    names = [str(tmp_path / f"{role}.####.exr") for role in ("p", "m", "alpha")]
    order = Submission(*names, MatteSettings(), clip="1001", layer="matte")
    removal.check(order)
    removal.make(order)
    made = frames.read_mask(tmp_path / "holes" / "h.1001.png").pixels[..., 0]
    np.testing.assert_array_equal(made, 1 - alpha)
    assert removal.outputs() == [holes]
    assert removal.as_result() == {"hole_masks": holes}
    assert removal.beside() == {"hole-masks": holes, "hole-threshold": 0.5, "hole-close": 8.0, "hole-grow": 0.0}
