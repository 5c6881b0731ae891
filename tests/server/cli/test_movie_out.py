import json
from fractions import Fraction

import numpy as np
import pytest
from videomama_server.cli import movie_out
from videomama_server.media import frames, sequences
from videomama_server.media.movies import index_store

pytest.importorskip("av", reason="movies are read with PyAV, which is not installed")
BOX = (slice(12, 36), slice(16, 48))


@pytest.fixture
def shot(make_movie, numbered):
    """Return the names of a plate and a mask as movies of 4 frames, from 1001."""
    rng = np.random.default_rng(3)
    plates = [picture + rng.random(picture.shape, np.float32) * 0.05 for picture in numbered(4)]
    masks = []
    for plate in plates:
        alpha = np.zeros((48, 64, 1), np.float32)
        alpha[BOX] = 1
        masks.append(np.concatenate([plate, alpha], axis=2))
    how = {"codec": "prores_ks", "timecode": "00:00:41:17"}
    plate = make_movie("plate.mov", plates, layout="yuv422p10le", **how)
    mask = make_movie("mask.mov", masks, layout="yuva444p10le", options={"profile": "4444", "alpha_bits": "16"}, **how)
    return ["--plate", str(plate), "--mask", str(mask), "--engine", "passthrough"]


def refine(videomama, server, shot, *words):
    return videomama("matte", *shot, "--connection-file", server.connection_file, "--no-start", *words)


def alphas(name):
    found = sequences.find(sequences.parse(str(name)))
    return {number: frames.read_mask(path).pixels[..., 0] for number, path in found.items()}


def test_the_alpha_goes_into_a_movie_and_one_to_look_at_is_made(videomama, server, shot, tmp_path):
    movie, look, files = tmp_path / "out" / "alpha.mov", tmp_path / "look.mp4", tmp_path / "files" / "a.####.exr"
    said = refine(videomama, server, shot, "--out", movie, "--preview-movie", look, "--preview-shows", "side-by-side")
    assert said.code == 0, said.err
    assert str(movie) in said.out
    assert str(look) in said.out
    assert sorted(path.name for path in movie.parent.iterdir()) == ["alpha.mov", "job.json"]
    kept = json.loads((movie.parent / "job.json").read_text())
    assert (kept["out"], kept["preview-movie"], kept["preview-shows"]) == (str(movie), str(look), "side-by-side")
    assert refine(videomama, server, shot, "--out", files).code == 0
    of_movie, of_files = alphas(movie), alphas(files)
    assert list(of_movie) == list(of_files) == [1001, 1002, 1003, 1004]
    for number, alpha in of_files.items():
        assert np.abs(of_movie[number] - alpha).max() < 1 / 1023
    plate = frames.read_plate(sequences.find(sequences.parse(str(movie)))[1002]).pixels
    assert np.abs(plate - frames.read_plate(sequences.find(sequences.parse(shot[1]))[1002]).pixels).max() < 0.03
    seen = index_store.index_of(look)[1]
    assert (seen.count, seen.look.width, seen.look.height) == (4, 128, 48)


def test_the_movie_may_be_grey_and_of_another_rate(videomama, server, shot, tmp_path):
    movie = tmp_path / "alpha.mov"
    words = ("--alpha-movie", "grey", "--fps", "23.976", "--first-frame", "7", "--frames", "8-9", "--json")
    said = refine(videomama, server, shot, "--out", movie, *words)
    assert said.code == 0, said.err
    assert json.loads(said.out)["movies"] == [str(movie)]
    index = index_store.index_of(movie)[1]
    assert (index.count, index.first, index.rate.denominator, index.look.has_alpha) == (2, 8, 1001, False)
    inside = alphas(movie)[8][BOX]
    assert inside.mean() > 0.97


@pytest.mark.parametrize("shows", ["comp", "alpha"])
def test_a_movie_to_look_at_goes_with_frames_too(videomama, server, shot, tmp_path, shows):
    look = tmp_path / "look.mov"
    words = ("--out", tmp_path / "a.####.exr", "--preview-movie", look, "--preview-shows", shows)
    assert refine(videomama, server, shot, *words).code == 0
    assert index_store.index_of(look)[1].count == 4
    assert (tmp_path / "a.1001.exr").exists()


def test_what_cannot_be_a_movie_is_refused_before_any_work(videomama, server, shot, tmp_path):
    cases = {
        "cannot write an alpha movie": ("--out", tmp_path / "alpha.mp4"),
        "would replace one that is read": ("--out", shot[1]),
        "is not a valid rate": ("--out", tmp_path / "alpha.mov", "--fps", "0"),
        "a movie has no layers": ("--out", tmp_path / "alpha.mov", "--layer", "hero"),
        "cannot write a preview movie": ("--out", tmp_path / "a.####.exr", "--preview-movie", tmp_path / "look.mkv"),
    }
    for sentence, words in cases.items():
        said = refine(videomama, server, shot, *words)
        assert said.code != 0
        assert sentence in said.err


def test_a_movie_is_sent_frame_by_frame_to_a_server_that_does_not_see_it(videomama, server, shot, tmp_path):
    seen, sent = tmp_path / "seen.####.exr", tmp_path / "sent.####.exr"
    assert refine(videomama, server, shot, "--out", seen).code == 0
    said = refine(videomama, server, shot, "--out", sent, "--transport", "inline", "--json")
    assert json.loads(said.out)["cached"] == 4
    for number, alpha in alphas(seen).items():
        assert np.array_equal(alphas(sent)[number], alpha)


def test_a_movie_that_ends_early_names_the_frames(videomama, server, shot, make_movie, numbered, tmp_path):
    movie = make_movie("short.mkv", numbered(10), codec="ffv1")
    content = movie.read_bytes()
    movie.write_bytes(content[: int(len(content) * 0.6)])
    words = ["--plate", str(movie), "--mask", shot[3], "--engine", "passthrough", "--first-frame", "1001"]
    said = refine(videomama, server, words, "--out", tmp_path / "a.####.exr", "--clip", "1001-1004")
    assert said.code == 0, said.err
    mask = make_movie("long.mkv", numbered(10), codec="ffv1")
    words[3] = str(mask)
    said = refine(videomama, server, words, "--out", tmp_path / "a.####.exr")
    assert said.code != 0
    assert "-1010 of" in said.err
    assert "the movie ends early" in said.err


def test_a_number_for_movies_needs_one(videomama, server, make_clip, tmp_path):
    clip = make_clip(2)
    words = ["--plate", str(clip.folder / "plate.####.exr"), "--mask", str(clip.folder / "mask.####.exr")]
    said = refine(videomama, server, words, "--out", tmp_path / "a.####.exr", "--first-frame", "5")
    assert "--first-frame is given without a movie" in said.err


@pytest.mark.parametrize(
    ("fps", "rate"),
    [
        (24, Fraction(24)),
        (23.976, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (12.5, Fraction(25, 2)),
        (23.99, Fraction(2399, 100)),
    ],
)
def test_a_rate_near_a_broadcast_rate_is_that_one(fps, rate):
    assert movie_out._exact_rate(fps) == rate
