import struct
from fractions import Fraction
from itertools import product
from types import SimpleNamespace

import av
import numpy as np
import pytest
from videomama_server.media import color, orientation
from videomama_server.media.movies import index_store
from videomama_server.media.movies.look import BT601, BT709, Look, _orientation, look_of

PQ, HLG, P3, BT2020 = 16, 18, 12, 9


def look_at(movie):
    return index_store.index_of(movie)[1].look


def space_of(**tags):
    return color.resolve("auto", False, Look(64, 48, **tags).declared)


def test_pq_and_hlg_are_handed_to_opencolorio_by_name():
    assert space_of(transfer=PQ, primaries=BT2020) == "Rec.2100-PQ - Display"
    assert space_of(transfer=HLG, primaries=BT2020) == "Rec.2100-HLG - Display"
    assert space_of(transfer=1, primaries=BT2020) == "Rec.1886 Rec.2020 - Display"
    assert space_of(transfer=8, primaries=BT2020) == "Linear Rec.2020"


def test_standard_video_counts_as_what_screens_show():
    for tags in (
        {},
        {"transfer": 1, "primaries": 1},
        {"transfer": 6, "primaries": 6},
        {"transfer": 13, "primaries": 1},
    ):
        assert space_of(**tags) == color.DISPLAY
    assert space_of(transfer=13, primaries=P3) == "sRGB Encoded P3-D65 - Texture"
    assert space_of(transfer=8, primaries=1) == color.LINEAR


def test_what_no_name_is_known_for_is_told():
    for tags in ({"transfer": 9}, {"primaries": 8, "transfer": 1}):
        declared = Look(64, 48, **tags).declared
        assert declared.words
        assert not declared.names
        assert "--colorspace" in color.doubt("auto", False, declared)


def test_tags_of_a_movie_are_read(make_movie, numbered):
    tags = {"color_trc": PQ, "color_primaries": BT2020, "colorspace": 9, "color_range": 1}
    movie = make_movie(
        "plate.mkv",
        numbered(2),
        codec="libx265",
        layout="yuv420p10le",
        tags=tags,
        options={"x265-params": "log-level=0"},
    )
    look = look_at(movie)
    assert (look.transfer, look.primaries, look.matrix, look.full_range) == (PQ, BT2020, 9, False)
    assert look.layout == "yuv420p10le"


@pytest.mark.parametrize(("size", "matrix"), [((64, 48), BT601), ((64, 720), BT709)])
def test_where_a_movie_names_no_matrix_its_size_decides(make_movie, numbered, size, matrix):
    assert look_at(make_movie("plate.mp4", numbered(1, size))).matrix == matrix


def test_alpha_and_the_shape_of_pixels_are_seen(make_movie, numbered):
    how = {"codec": "prores_ks", "layout": "yuva444p10le", "options": {"profile": "4444"}}
    look = look_at(make_movie("plate.mov", numbered(1, alpha=True), aspect=2, **how))
    assert look.has_alpha
    assert look.aspect == 2


class Tags:
    """A stream that says how wide its pixels are, itself or through its codec."""

    def __init__(self, own=None, of_codec=None):
        self.sample_aspect_ratio = own
        self.codec_context = SimpleNamespace(sample_aspect_ratio=of_codec)


def picture(height=48, layout="yuv420p", **tags):
    frame = av.VideoFrame(4, height, layout)
    for name, value in tags.items():
        setattr(frame, name, value)
    return frame


@pytest.mark.parametrize(
    ("height", "said", "matrix"),
    [(718, 2, BT601), (719, 2, BT601), (720, 2, BT709), (2160, 2, BT709), (2160, 6, 6), (480, 1, 1), (480, 9, 9)],
)
def test_a_named_matrix_counts_else_pictures_of_720_rows_are_high_definition(height, said, matrix):
    assert look_of(picture(height, colorspace=said), Tags()).matrix == matrix


@pytest.mark.parametrize(
    ("own", "of_codec", "aspect"),
    [
        (None, None, 1.0),
        (Fraction(0), Fraction(3, 2), 1.5),
        (Fraction(2), Fraction(3, 2), 2.0),
        (Fraction(1, 100), None, 1.0),
        (Fraction(15, 1000), None, 0.015),
        (Fraction(99), None, 99.0),
        (Fraction(100), None, 1.0),
        (Fraction(1001, 10), None, 1.0),
    ],
)
def test_the_shape_of_a_pixel_is_the_streams_unless_it_makes_no_sense(own, of_codec, aspect):
    assert look_of(picture(), Tags(own, of_codec)).aspect == aspect


@pytest.mark.parametrize(
    ("layout", "said", "full"),
    [("yuv420p", 0, False), ("yuv420p", 1, False), ("yuv420p", 2, True), ("yuvj420p", 1, True), ("yuvj420p", 2, True)],
)
def test_the_range_is_full_where_it_is_said_or_the_layout_means_it(layout, said, full):
    assert look_of(picture(layout=layout, color_range=said), Tags()).full_range is full


@pytest.mark.parametrize(("layout", "alpha"), [("yuva444p", True), ("ya8", True), ("rgba", True), ("rgb24", False)])
def test_what_a_picture_says_is_taken_over(layout, alpha):
    look = look_of(picture(30, layout, colorspace=5, color_primaries=12, color_trc=13), Tags())
    assert (look.width, look.height, look.layout, look.has_alpha) == (4, 30, layout, alpha)
    assert (look.matrix, look.primaries, look.transfer, look.orientation) == (5, 12, 13, 1)


def told(primaries, transfer):
    found = Look(64, 48, primaries=primaries, transfer=transfer).declared
    return found.words, found.names


@pytest.mark.parametrize("primaries", [1, 2, 5, 6, 7, 9, 11, 12])
def test_curves_of_their_own_count_whatever_the_primaries(primaries):
    assert told(primaries, 16) == ("PQ (Rec.2100)", ("Rec.2100-PQ - Display",))
    assert told(primaries, 18) == ("HLG (Rec.2100)", ("Rec.2100-HLG - Display",))
    for transfer, words in {5: "gamma 2.8", 9: "a logarithm", 10: "a logarithm", 17: "SMPTE ST 428"}.items():
        assert told(primaries, transfer) == (words, ())


@pytest.mark.parametrize("primaries", [1, 2, 5, 6, 7])
def test_curves_of_usual_primaries(primaries):
    assert told(primaries, 8) == ("linear", (color.LINEAR,))
    assert told(primaries, 4) == ("gamma 2.2", ("g22_rec709",))
    assert told(primaries, 13) == ("sRGB", (color.DISPLAY,))
    assert told(primaries, 2) == ("", ())
    for transfer in (1, 6, 7, 11, 12, 14, 15):
        assert told(primaries, transfer) == ("standard video", (color.DISPLAY,))


@pytest.mark.parametrize("transfer", [1, 2, 4, 13, 14])
def test_curves_of_wide_primaries(transfer):
    assert told(9, transfer) == ("Rec.2020 video", ("Rec.1886 Rec.2020 - Display",))
    assert told(9, 8) == ("linear Rec.2020", ("Linear Rec.2020",))
    for primaries in (11, 12):
        assert told(primaries, transfer) == ("P3 video", ("srgb_p3d65", "Display P3 - Display"))
        assert told(primaries, 8) == ("linear P3", ("Linear P3-D65",))


@pytest.mark.parametrize("primaries", [3, 4, 8, 10, 13, 22])
def test_primaries_without_a_name_are_told_by_their_number(primaries):
    assert told(primaries, 1) == (f"primaries number {primaries} of H.273", ())


class Side:
    """Side data of a decoded picture: its kind and its bytes."""

    def __init__(self, kind, *numbers):
        self.type, self._bytes = SimpleNamespace(name=kind), struct.pack(f"{len(numbers)}i", *numbers)

    def __bytes__(self):
        return self._bytes


def turned_by(matrix, *before):
    a, b, c, d = (number * 65536 for number in matrix)
    sides = [*before, Side("DISPLAYMATRIX", a, b, 0, c, d, 0, 0, 0, 1 << 30)]
    return _orientation(SimpleNamespace(side_data=sides))


SIGNS = (-1, 1)
QUARTERS = [(a, 0, 0, d) for a, d in product(SIGNS, SIGNS)] + [(0, b, c, 0) for b, c in product(SIGNS, SIGNS)]


@pytest.mark.parametrize("matrix", QUARTERS, ids=str)
def test_each_quarter_turn_moves_pixels_where_its_matrix_says(matrix):
    """A stored pixel (x, y) is seen at (a x + c y, b x + d y)."""
    a, b, c, d = matrix
    stored = np.arange(6, dtype=np.float32).reshape(2, 3, 1)
    places = {(b * x + d * y, a * x + c * y): stored[y, x, 0] for y in range(2) for x in range(3)}
    seen = orientation.upright(stored, turned_by(matrix))
    assert seen.ravel().tolist() == [places[place] for place in sorted(places)]


def test_other_turns_and_other_side_data_leave_a_picture_upright():
    assert turned_by((1, 1, -1, 1)) == 1
    assert turned_by((-1, 0, 0, -1), Side("REGIONS", 1, 2, 3)) == 3
    assert _orientation(SimpleNamespace(side_data=[Side("REGIONS", *range(9))])) == 1
    assert _orientation(SimpleNamespace(side_data=[])) == 1


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    left_out = {"aspect": 1.0, "orientation": 1, "has_alpha": False, "matrix": 1, "full_range": False}
    assert numbers_left_out(Look) == {**left_out, "primaries": 2, "transfer": 2}
