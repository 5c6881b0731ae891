import os
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.media import frames
from videomama_server.media.movies import index_store, writing
from videomama_server.media.movies.look import Look
from videomama_server.media.movies.numbering import frames_of
from videomama_server.media.movies.writing import MovieStyle

pytest.importorskip("av", reason="movies are written with PyAV, which is not installed")


def written(path, pictures, style):
    with writing.writing(path, style) as movie:
        for picture in pictures:
            movie.write(picture)
    return frames_of(path, None)


def test_an_alpha_movie_gives_back_colour_alpha_numbers_and_rate(tmp_path, numbered):
    pictures = numbered(4, alpha=True)
    found = written(tmp_path / "alpha.mov", pictures, MovieStyle(Fraction(24000, 1001), 1001))
    assert list(found) == [1001, 1002, 1003, 1004]
    for path, picture in zip(found.values(), pictures, strict=True):
        assert np.abs(frames.read_mask(path).pixels[..., 0] - picture[..., 3]).max() < 1 / 1023
        assert np.abs(frames.read_plate(path).pixels - picture[..., :3]).max() < 0.01
    index = index_store.index_of(tmp_path / "alpha.mov")[1]
    assert index.rate == Fraction(24000, 1001)
    assert (index.look.matrix, index.look.primaries, index.look.transfer) == (1, 1, 1)


def test_the_colours_of_the_plate_are_said(tmp_path, numbered):
    style = MovieStyle(Fraction(25), -1, look=Look(0, 0, matrix=9, primaries=9, transfer=16))
    found = written(tmp_path / "alpha.mov", numbered(2, alpha=True), style)
    assert list(found) == [1, 2]
    look = index_store.index_of(tmp_path / "alpha.mov")[1].look
    assert (look.matrix, look.primaries, look.transfer) == (9, 9, 16)
    assert np.abs(frames.read_plate(found[2]).pixels - numbered(2)[1]).max() < 0.01


@pytest.mark.parametrize("name", ["look.mp4", "look.mov"])
def test_a_movie_to_look_at_is_near_the_pictures_whatever_their_size(tmp_path, numbered, name):
    pictures = numbered(3, (65, 49))
    found = written(tmp_path / name, pictures, MovieStyle(Fraction(24), lossy=True))
    assert len(found) == 3
    plate = frames.read_plate(list(found.values())[2])
    assert plate.pixels.shape == (48, 64, 3)
    assert np.abs(plate.pixels - pictures[2][:48, :64]).max() < 0.05


def test_a_movie_that_fails_leaves_nothing_behind(tmp_path, numbered):
    def fail():
        with writing.writing(tmp_path / "alpha.mov", MovieStyle(Fraction(24))) as movie:
            movie.write(numbered(1)[0])
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_endings_that_are_not_written_are_refused(tmp_path):
    with pytest.raises(BadInput, match="cannot write an alpha movie"):
        writing.check(tmp_path / "alpha.mp4", False)
    with pytest.raises(BadInput, match="cannot write a preview movie"):
        writing.check(tmp_path / "look.mkv", True)


@pytest.mark.skipif(sys.platform == "win32", reason="names are Unicode there")
def test_a_name_that_is_not_utf8_is_refused_before_any_work():
    with pytest.raises(BadInput, match=r"caf\\xe9\.mov is not UTF-8"):
        writing.check(Path(os.fsdecode(b"/shots/caf\xe9.mov")), False)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(MovieStyle) == {"first": 0, "aspect": 1.0, "lossy": False}
