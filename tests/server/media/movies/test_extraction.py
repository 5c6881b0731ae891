import numpy as np
from videomama_server.media import color, frames
from videomama_server.media.movies.extraction import extract, extracted
from videomama_server.media.movies.numbering import frames_of


def space(path):
    seen = frames.probe_plate(path)
    return color.resolve("auto", seen.is_float, seen.declared)


def test_extracted_pictures_have_the_pixels_and_the_colours_of_the_movie(tmp_path, make_movie, numbered):
    for transfer in (2, 16, 13):
        movie = make_movie(
            "plate.mkv",
            numbered(2, alpha=True),
            codec="ffv1",
            layout="yuva444p10le",
            tags={"color_trc": transfer},
            turned=0,
        )
        found = frames_of(movie, 5)
        written = extracted(found, tmp_path, f"plate{transfer}")
        assert list(written) == [5, 6]
        for number, path in written.items():
            assert np.array_equal(frames.read_plate(path).pixels, frames.read_plate(found[number]).pixels)
            assert np.array_equal(frames.read_mask(path).pixels, frames.read_mask(found[number]).pixels)
            assert space(path) == space(found[number])


def test_pictures_in_files_stay_where_they_are(tmp_path):
    files = {1: tmp_path / "plate.0001.exr"}
    assert extracted(files, tmp_path, "plate") == files


def test_half_floats_are_near_the_pixels_of_the_movie(tmp_path, make_movie, numbered):
    found = frames_of(make_movie("plate.mp4", numbered(2)), 5)
    path = extract(found[6], tmp_path / "one.exr", "half")
    exact = frames.read_plate(found[6]).pixels
    assert np.abs(frames.read_plate(path).pixels - exact).max() <= 2**-11
    assert path.stat().st_size < extract(found[6], tmp_path / "two.exr").stat().st_size
