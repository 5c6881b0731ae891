import numpy as np
import pytest
from videomama_server.media.frames import read_plate
from videomama_server.media.movies import index_store, planes
from videomama_server.media.movies.look import Look
from videomama_server.media.movies.numbering import frames_of

HDR = np.array([[0.0, 0.25, 1.0]], np.float32)
LOSSLESS = [
    ("yuv444p16le", 1e-4),
    ("yuv444p12le", 1e-3),
    ("yuv422p10le", 2e-3),
    ("yuv420p", 6e-3),
    ("gbrp12le", 3e-4),
    ("bgr0", 6e-3),
    ("gray16le", 4e-3),
]


@pytest.mark.parametrize(("layout", "bound"), LOSSLESS)
def test_a_lossless_movie_gives_the_picture_within_its_own_rounding(make_movie, numbered, layout, bound):
    pictures = numbered(2)
    movie = make_movie("plate.mkv", pictures, codec="ffv1", layout=layout)
    for path, picture in zip(frames_of(movie, 1).values(), pictures, strict=True):
        assert np.abs(read_plate(path).pixels - picture).max() < bound


@pytest.mark.parametrize(("number", "name"), [(1, "ITU709"), (6, "ITU601"), (7, "SMPTE240M"), (9, "BT2020")])
def test_each_matrix_gives_back_the_colours_that_went_in(make_movie, number, name):
    rng = np.random.default_rng(1)
    picture = np.broadcast_to(rng.random((8, 8, 3), np.float32).repeat(8, 0).repeat(8, 1), (64, 64, 3))
    movie = make_movie(
        "plate.mkv", [picture], codec="ffv1", layout="yuv444p12le", matrix=name, tags={"colorspace": number}
    )
    assert np.abs(read_plate(frames_of(movie, 1)[1]).pixels - picture).max() < 2e-3


def test_the_full_range_is_read_as_such(make_movie, numbered):
    movie = make_movie("plate.mkv", numbered(2), codec="ffv1", layout="yuv444p10le", tags={"color_range": 2})
    assert index_store.index_of(movie)[1].look.full_range
    assert np.abs(read_plate(frames_of(movie, 1)[2]).pixels - numbered(2)[1]).max() < 2e-3


def test_ten_bits_stay_ten(make_movie):
    ramp = np.broadcast_to(np.linspace(0, 1, 1024, dtype=np.float32)[None, :, None], (64, 1024, 3))
    movie = make_movie("plate.mkv", [ramp], codec="ffv1", layout="yuv444p10le")
    assert len(np.unique(read_plate(frames_of(movie, 1)[1]).pixels[0, :, 1])) > 800


def test_what_lies_above_white_and_below_black_is_kept():
    import av

    frame = av.VideoFrame(16, 16, "yuv444p10le")
    for plane, level in zip(frame.planes, (1019, 512, 512), strict=True):
        plane.update(np.full((16, plane.line_size // 2), level, np.uint16).tobytes())
    assert planes.values(frame, Look(16, 16)).max() > 1.05


def test_matrices_turn_grey_into_grey_and_ycgco_back():
    for number in (1, 4, 5, 6, 7, 9):
        assert np.allclose(planes.matrix(number) @ np.array([0.5, 0, 0]), 0.5)
    rgb = np.array([0.9, 0.3, 0.1])
    green = -0.25 * rgb[0] + 0.5 * rgb[1] - 0.25 * rgb[2]
    ycgco = np.array([0.25 * rgb[0] + 0.5 * rgb[1] + 0.25 * rgb[2], green, 0.5 * rgb[0] - 0.5 * rgb[2]])
    assert np.allclose(planes.matrix(8) @ ycgco, rgb)
    with pytest.raises(planes.NotReadable):
        planes.matrix(10)


@pytest.mark.parametrize("layout", ["nv12", "p010le", "yuyv422", "uyvy422", "rgb24", "bgra", "rgb48be", "yuv420p10be"])
def test_however_values_are_packed_they_are_read(numbered, layout):
    import av

    whole = (numbered(1)[0] * 255 + 0.5).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(whole, format="rgb24").reformat(format=layout, dst_color_range=1)
    values = planes.values(frame, Look(64, 48, matrix=6))
    assert np.abs(values[..., :3] - numbered(1)[0]).max() < 8e-3
