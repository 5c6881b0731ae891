import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.cache.memo import pixel_digest
from videomama_server.media import frames
from videomama_server.media.movies.numbering import frames_of

PRORES = {"codec": "prores_ks", "layout": "yuva444p10le", "options": {"profile": "4444", "alpha_bits": "16"}}


def test_a_movie_is_read_as_pictures_are(make_movie, numbered):
    movie = make_movie("plate.mov", numbered(3, alpha=True), **PRORES)
    path = frames_of(movie, 1001)[1003]
    seen, plate = frames.probe_plate(path), frames.read_plate(path)
    assert (seen.geometry, seen.is_float) == (plate.geometry, plate.is_float) == (plate.geometry, False)
    assert plate.pixels.shape == (48, 64, 3)
    assert np.abs(plate.pixels - numbered(3)[2]).max() < 0.01
    assert pixel_digest(plate) == pixel_digest(frames.read_plate(path))


def test_the_alpha_of_a_movie_is_its_mask(make_movie, numbered):
    movie = make_movie("mask.mov", numbered(3, alpha=True), **PRORES)
    mask = frames.read_mask(frames_of(movie, 1)[3])
    assert np.abs(mask.pixels[..., 0] - 0.98).max() < 2 / 1023
    red = frames.read_mask(frames_of(movie, 1)[3], "R")
    assert np.abs(red.pixels[..., 0] - numbered(3)[2][..., 0]).max() < 0.01


def test_a_movie_without_alpha_is_a_grey_mask(make_movie, numbered):
    movie = make_movie("mask.mp4", numbered(3), options={"crf": "1"})
    mask = frames.read_mask(frames_of(movie, 1)[2])
    assert np.abs(mask.pixels[..., 0] - numbered(3)[1][..., 0]).max() < 0.02


@pytest.mark.parametrize(("turned", "turns"), [(90, 1), (180, 2), (-90, 3)])
def test_a_turned_movie_is_read_upright(make_movie, numbered, turned, turns):
    movie = make_movie("plate.mp4", numbered(2), turned=turned, options={"crf": "1"})
    plate = frames.read_plate(frames_of(movie, 1)[1])
    upright = np.rot90(numbered(2)[0], turns)
    assert plate.pixels.shape == upright.shape
    assert np.abs(plate.pixels - upright).max() < 0.02
    assert frames.probe_plate(frames_of(movie, 1)[1]).geometry == plate.geometry


def test_the_shape_of_pixels_is_kept(make_movie, numbered):
    movie = make_movie("plate.mov", numbered(1, alpha=True), aspect=2, **PRORES)
    assert frames.probe_plate(frames_of(movie, 1)[1]).geometry.pixel_aspect == 2


def test_a_picture_that_is_not_in_the_file_is_refused(make_movie, numbered):
    movie = make_movie("plate.mkv", numbered(10, (320, 240)), codec="ffv1")
    content = movie.read_bytes()
    movie.write_bytes(content[: int(len(content) * 0.6)])
    with pytest.raises(BadInput, match=r"it ends early, after . of 10 pictures"):
        frames.read_plate(frames_of(movie, 1)[10])


def test_a_movie_smaller_than_any_plate_is_refused(make_movie, numbered):
    movie = make_movie("plate.mkv", numbered(1, (8, 8)), codec="ffv1")
    with pytest.raises(BadInput, match="too small"):
        frames.probe_plate(frames_of(movie, 1)[1])
