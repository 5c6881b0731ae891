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


def filled(layout, width=6, height=4):
    """A frame of whole numbers by chance in every plane, and those numbers, a row of bytes each."""
    import av

    frame, rng = av.VideoFrame(width, height, layout), np.random.default_rng(4)
    raw = [rng.integers(0, 256, (plane.height, plane.line_size), np.uint8) for plane in frame.planes]
    for plane, rows in zip(frame.planes, raw, strict=True):
        plane.update(rows.tobytes())
    return frame, raw


@pytest.mark.parametrize(
    ("layout", "order", "kind"),
    [
        ("rgb24", (0, 1, 2), "u1"),
        ("bgra", (2, 1, 0, 3), "u1"),
        ("rgb48le", (0, 1, 2), "<u2"),
        ("rgba64be", (0, 1, 2, 3), ">u2"),
    ],
)
def test_stored_colours_are_whole_numbers_over_the_most_there_may_be(layout, order, kind):
    frame, (rows,) = filled(layout)
    stored = rows.view(kind)[:, : 6 * len(order)].reshape(4, 6, len(order))[..., order].astype(np.float32)
    values = planes.values(frame, Look(6, 4))
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, stored / (255 if kind == "u1" else 65535), atol=1e-6)


@pytest.mark.parametrize(("layout", "bits"), [("gbrp", 8), ("gbrp10le", 10), ("gbrp12be", 12), ("gbrap16le", 16)])
def test_planes_of_colours_are_whole_numbers_over_the_most_there_may_be(layout, bits):
    import av

    frame = av.VideoFrame(6, 4, layout)
    levels = [(1 << bits) - 1, 0, (1 << bits) // 4, 1][: len(frame.planes)]
    for plane, level in zip(frame.planes, levels, strict=True):  # in the order G, B, R, A
        kind = "u1" if bits == 8 else f"{'>' if layout.endswith('be') else '<'}u2"
        plane.update(np.full(plane.buffer_size // np.dtype(kind).itemsize, level, kind).tobytes())
    order = [levels[2], levels[0], levels[1], *levels[3:]]
    values = planes.values(frame, Look(6, 4))
    assert values.shape == (4, 6, len(order))
    np.testing.assert_allclose(values[3, 5], np.array(order) / ((1 << bits) - 1), atol=1e-7)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_luma_and_colour_differences_lie_where_their_range_says(bits, full):
    """Black, white, and the largest differences of blue and of red; source: ITU-T H.273, 8.3."""
    import av

    name, kind, scale = "yuv444p" if bits == 8 else f"yuv444p{bits}le", "u1" if bits == 8 else "<u2", 1 << (bits - 8)
    black, white, swing = (0, (1 << bits) - 1, (1 << bits) - 1) if full else (16 * scale, 235 * scale, 224 * scale)
    middle = 1 << (bits - 1)
    for levels, wanted in [
        ((black, middle, middle), (0, 0, 0)),
        ((white, middle, middle), (1, 1, 1)),
        ((black, middle + swing // 2, middle), (0, -0.09366, 0.9278)),
        ((black, middle, middle + swing // 2), (0.7874, -0.23406, 0)),
    ]:
        frame = av.VideoFrame(6, 4, name)
        for plane, level in zip(frame.planes, levels, strict=True):
            plane.update(np.full(plane.buffer_size // np.dtype(kind).itemsize, level, kind).tobytes())
        values = planes.values(frame, Look(6, 4, matrix=1, full_range=full))
        np.testing.assert_allclose(values[2, 4], wanted, atol=5e-3 if full and bits == 8 else 1e-3)


@pytest.mark.parametrize(
    ("number", "red", "green", "blue"),
    [
        (1, 0.2126, 0.7152, 0.0722),
        (4, 0.30, 0.59, 0.11),
        (5, 0.299, 0.587, 0.114),
        (6, 0.299, 0.587, 0.114),
        (7, 0.212, 0.701, 0.087),
        (9, 0.2627, 0.6780, 0.0593),
        (8, 0.25, 0.5, 0.25),
    ],
)
def test_the_way_back_weighs_colours_as_the_standard_does(number, red, green, blue):
    assert np.linalg.inv(planes.matrix(number))[0] == pytest.approx((red, green, blue), abs=1e-5)


@pytest.mark.parametrize("layout", ["gbrpf32le", "rgbf32le", "rgbaf16le", "grayf32le", "nv20le", "xyz12le", "vuya"])
def test_other_ways_to_store_values_are_refused_by_their_name(layout):
    import av

    with pytest.raises(planes.NotReadable, match=f"^{layout}$"):
        planes.values(av.VideoFrame(6, 4, layout), Look(6, 4))


@pytest.mark.parametrize(
    ("packed", "apart"), [("nv12", "yuv420p"), ("nv16", "yuv422p"), ("nv24", "yuv444p"), ("y210le", "yuv422p10le")]
)
def test_packed_values_are_those_of_the_same_ones_apart(packed, apart):
    frame, _ = filled(apart, 8, 8)
    if apart.endswith("10le"):
        for plane in frame.planes:
            plane.update((np.arange(plane.buffer_size // 2, dtype="<u2") * 7 % 1024).astype("<u2").tobytes())
    frame.color_range = 1
    packed = frame.reformat(format=packed, src_color_range=1, dst_color_range=1)
    np.testing.assert_allclose(planes.values(packed, Look(8, 8)), planes.values(frame, Look(8, 8)), atol=1e-6)


def test_alphas_are_read_whatever_the_layout():
    frame, (rows,) = filled("ya8")
    values = planes.values(frame, Look(6, 4, full_range=True))
    np.testing.assert_allclose(values[..., 3], rows[:, 1:12:2] / 255, atol=1e-6)
    frame, raw = filled("yuva420p", 8, 4)
    np.testing.assert_allclose(planes.values(frame, Look(8, 4))[..., 3], raw[3][:, :8] / 255, atol=1e-6)


def test_grey_is_the_same_three_times():
    frame, (rows,) = filled("gray")
    values = planes.values(frame, Look(6, 4))
    assert values.shape == (4, 6, 3)
    np.testing.assert_allclose(values, np.repeat(rows[:, :6, None] / 255, 3, axis=2), atol=1e-6)
