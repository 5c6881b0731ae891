import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from videomama_client.errors import BadInput
from videomama_server.media.sequences import Pattern, parse, with_first, with_view

PADDINGS = ["####", "######", "#", "@@@@", "@", "%04d", "%06d", "%d", "$F4", "$F"]
ORDINARY = st.text(string.ascii_letters + string.digits + "._-,:+ ()[]x~", max_size=12)


@pytest.mark.parametrize(
    ("text", "head", "digits", "tail"),
    [
        ("plate.####.exr", "plate.", 4, ".exr"),
        ("plate.%04d.exr", "plate.", 4, ".exr"),
        ("plate.######.exr", "plate.", 6, ".exr"),
        ("plate.%06d.exr", "plate.", 6, ".exr"),
        ("plate.#.exr", "plate.", 4, ".exr"),
        ("plate.%d.exr", "plate.", 1, ".exr"),
        ("plate.$F4.exr", "plate.", 4, ".exr"),
        ("plate.$F.exr", "plate.", 1, ".exr"),
        ("plate.@.exr", "plate.", 1, ".exr"),
        ("plate.@@@@.EXR", "plate.", 4, ".EXR"),
        ("plate_####.exr", "plate_", 4, ".exr"),
        ("####.png", "", 4, ".png"),
        ("plate.####", "plate.", 4, ""),
        ("plate.####_left.exr", "plate.", 4, "_left.exr"),
        ("alpha1####.exr", "alpha1", 4, ".exr"),
        ("roto1####.exr", "roto1", 4, ".exr"),
        ("sh010-####.exr", "sh010-", 4, ".exr"),
        ("sh010,####.exr", "sh010,", 4, ".exr"),
        ("sh010:####.exr", "sh010:", 4, ".exr"),
        ("sh010-020_####.exr", "sh010-020_", 4, ".exr"),
        ("sh010-020####.exr", "sh010-020", 4, ".exr"),
        ("plate.1001####.exr", "plate.1001", 4, ".exr"),
        ("plate.1,5#.exr", "plate.1,5", 4, ".exr"),
        ("v02-%04d.exr", "v02-", 4, ".exr"),
        ("v02-%d.exr", "v02-", 1, ".exr"),
        ("take3#.exr", "take3", 4, ".exr"),
        ("take3x2####.exr", "take3x2", 4, ".exr"),
        ("take#3.####.exr", "take#3.", 4, ".exr"),
        ("shot@2x.####.exr", "shot@2x.", 4, ".exr"),
        ("shot@2x.%d.exr", "shot@2x.", 1, ".exr"),
        ("50%done.####.exr", "50%done.", 4, ".exr"),
        ("$FEND.####.exr", "$FEND.", 4, ".exr"),
        ("A001_C002-@@@@.exr", "A001_C002-", 4, ".exr"),
        ("A001_C002_0903AB_001.%07d.exr", "A001_C002_0903AB_001.", 7, ".exr"),
        ("shot.v001.####.exr", "shot.v001.", 4, ".exr"),
        ("shot_20240101-153000.####.exr", "shot_20240101-153000.", 4, ".exr"),
        ("roto [final], 2.####.exr", "roto [final], 2.", 4, ".exr"),
        ("Ébauche plan.####.exr", "Ébauche plan.", 4, ".exr"),
    ],
)
def test_a_pattern_is_taken_apart(text, head, digits, tail):
    pattern = parse(f"/shots/{text}")
    assert (pattern.folder, pattern.head, pattern.digits, pattern.tail) == (Path("/shots"), head, digits, tail)
    assert pattern.frames is None
    assert not pattern.single


@pytest.mark.parametrize(
    ("text", "head", "digits", "frames"),
    [
        ("still.exr", "still", 0, None),
        ("shot_v012.exr", "shot_v012", 0, None),
        ("shot@2x.exr", "shot@2x", 0, None),
        ("plate_1001.exr", "plate_1001", 0, None),
        ("plate.1001.exr", "plate.", 4, (1001,)),
        ("plate.-002.exr", "plate.", 4, (-2,)),
        ("plate.-0002.exr", "plate.", 5, (-2,)),
        ("plate.-0.exr", "plate.-0", 0, None),
        ("plate.20240101153000123.exr", "plate.20240101153000123", 0, None),
        ("plate.1000000000000000.exr", "plate.", 16, (10**15,)),
        ("plate.1000000000000001.exr", "plate.1000000000000001", 0, None),
        ("plate." + "1" * 5000 + ".exr", "plate." + "1" * 5000, 0, None),
        ("p.10.2.exr", "p.10.", 1, (2,)),
    ],
)
def test_a_name_without_a_place_for_the_number_is_one_picture(text, head, digits, frames):
    pattern = parse(text)
    assert (pattern.head, pattern.digits, pattern.frames) == (head, digits, frames)
    assert pattern.single
    assert pattern.path(7) == Path(text)
    assert pattern.name == text


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("plate.1001-1003#.exr", (1001, 1002, 1003)),
        ("plate.1001-1003####.exr", (1001, 1002, 1003)),
        ("plate.1-9x4%04d.exr", (1, 5, 9)),
        ("plate.1-2,7@@@@.exr", (1, 2, 7)),
        ("plate.-2-1#.exr", (-2, -1, 0, 1)),
        ("plate.-5--4$F4.exr", (-5, -4)),
    ],
)
def test_a_pattern_may_name_its_range_in_full_after_a_dot(text, frames):
    pattern = parse(text)
    assert pattern.frames == frames
    assert (pattern.head, pattern.digits) == ("plate.", 4)


def test_a_range_may_begin_the_name():
    assert parse("/shots/1001-1003#.exr").frames == (1001, 1002, 1003)


@pytest.mark.parametrize("folder", ["/home/me@work", "/shots/a#b", "/shots/take##1", "/shots/%04d", "/shots/1-10", "."])
def test_a_folder_may_have_any_name(folder):
    pattern = parse(f"{folder}/plate.####.exr")
    assert pattern.folder == Path(folder)
    assert pattern.path(7) == Path(folder) / "plate.0007.exr"


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        (r"C:\shots\take##1\me@2\plate.####.exr", r"C:\shots\take##1\me@2"),
        (r"C:/shots\a%04d\plate.####.exr", r"C:/shots\a%04d"),
        (r"\\server\share$F4\1-10\plate.####.exr", r"\\server\share$F4\1-10"),
    ],
)
def test_a_windows_path_is_taken_apart_on_any_system(text, folder):
    pattern = parse(text)
    assert (pattern.head, pattern.digits, pattern.tail, pattern.frames) == ("plate.", 4, ".exr", None)
    assert pattern.folder == Path(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "''"),
        ("/", "'/'"),
        ("a\0b.####.exr", "file name"),
        ("a\n.exr", "file name"),
        ("a\udfff\ud800.####.exr", "file name"),
        ("a.####.b.####.exr", "two places"),
        ("p.%02d_%04d.exr", "two places"),
        ("p.$F4.####.exr", "two places"),
        ("p#@@@@.exr", "two places"),
        ("p.%4d.exr", "blanks"),
        ("p.%099d.exr", "32 digits"),
        ("p." + "#" * 99 + ".exr", "32 digits"),
        ("p.%0" + "9" * 300 + "d.exr", "32 digits"),
    ],
)
def test_what_is_not_a_pattern_is_an_error_that_says_why(text, said, raises_with_hint):
    with raises_with_hint(BadInput, said):
        parse(text)


@pytest.mark.parametrize(
    ("digits", "frame", "name"),
    [
        ("####", 5, "0005"),
        ("####", 12345, "12345"),
        ("%d", 5, "5"),
        ("$F", 5, "5"),
        ("#", 5, "0005"),
        ("####", -5, "-005"),
        ("@@@@", -5, "-005"),
        ("%d", -5, "-5"),
    ],
)
def test_numbers_are_padded_as_nuke_does(digits, frame, name):
    assert parse(f"p.{digits}.exr").path(frame).name == f"p.{name}.exr"


@pytest.mark.parametrize(
    ("pattern", "name", "frame"),
    [
        ("p.####.exr", "p.-002.exr", -2),
        ("p.####.exr", "p.-0002.exr", -2),
        ("p.####.exr", "p.-02.exr", None),
        ("p.####.exr", "p.-0000.exr", None),
        ("p_####.exr", "p_-0002.exr", -2),
        ("####.exr", "-0002.exr", -2),
        ("p.#.exr", "p.-02.exr", -2),
        ("p.%d.exr", "p.-2.exr", -2),
        ("p.%d.exr", "p.02.exr", None),
        ("p.####.exr", "p.٣٣٣٣.exr", None),
        ("p####.exr", "p-0002.exr", None),
        ("p####.exr", "p-002.exr", -2),
        ("take3#.exr", "take3-12.exr", None),
        ("p.v####.exr", "p.v-0002.exr", None),
        ("v####.exr", "v-0002.exr", None),
        ("vx.####.exr", "vx.-0002.exr", -2),
        ("p.####.exr", "p.1000000000000000.exr", 10**15),
        ("p.####.exr", "p.1000000000000001.exr", None),
        ("p.####.exr", "p.exr", None),
        ("p.####.exr", "p.20240101153000123.exr", None),
    ],
)
def test_a_name_holds_a_frame_or_none(pattern, name, frame):
    assert parse(pattern).number(name) == frame


@given(ORDINARY, st.sampled_from(PADDINGS), ORDINARY, st.integers(-99999, 99999))
def test_what_is_written_is_read_again(head, padding, tail, frame):
    pattern = parse(f"/shots/{head}{padding}_{tail}.exr")
    assert pattern.number(pattern.path(frame).name) == frame


@given(ORDINARY, st.sampled_from(PADDINGS), ORDINARY)
def test_an_ordinary_name_is_taken_as_it_is(head, padding, tail):
    pattern = parse(f"/shots/{head}{padding}_{tail}.exr")
    named = re.search(r"(?:^|\.)-?\d+--?\d+", head) and pattern.frames is not None
    assert pattern.tail == f"_{tail}.exr"
    assert pattern.head == head or named


@given(ORDINARY, st.sampled_from(PADDINGS), st.integers(-999, 99999))
def test_the_name_of_a_pattern_writes_the_same_files(head, padding, frame):
    pattern = parse(f"/shots/{head}{padding}.exr")
    again = parse(str(pattern.folder / pattern.name))
    assert again.path(frame) == pattern.path(frame)


@pytest.mark.parametrize(
    ("text", "suffix"),
    [("p.####.exr", ".exr"), ("p.####_left.EXR", ".EXR"), ("p.####", ""), ("still.tif", ".tif"), ("p.1.tar.gz", ".gz")],
)
def test_the_ending_says_the_format(text, suffix):
    assert parse(text).suffix == suffix


@pytest.mark.parametrize(
    ("text", "view", "filled"),
    [
        ("/s/%V/plate_%v.####.exr", "left", "/s/left/plate_l.####.exr"),
        ("/s/plate_%V.%04d.exr", "right", "/s/plate_right.%04d.exr"),
        ("/s/plate.####.exr", "left", "/s/plate.####.exr"),
        ("/s/50%value/plate.####.exr", "", "/s/50%value/plate.####.exr"),
    ],
)
def test_a_view_is_filled_in(text, view, filled):
    assert with_view(text, view) == filled


@pytest.mark.parametrize("text", ["/s/%V/p.####.exr", "/s/p_%v.####.exr"])
def test_a_pattern_of_views_needs_a_view(text, raises_with_hint):
    with raises_with_hint(BadInput, text, "view"):
        with_view(text, "")


def test_a_pattern_can_be_made_without_a_text():
    assert Pattern("", Path("/spool"), "plate.", 4, ".exr").path(7) == Path("/spool/plate.0007.exr")


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Pattern) == {"any_padding": False, "single": False}


def test_a_movie_is_one_whatever_numbers_are_in_its_name():
    for name in ("plate.mov", "take.1001.MP4", "A001_C003_0925.mxf"):
        movie = parse(f"/shots/{name}")
        assert movie.is_movie
        assert movie.frames is None
        assert movie.name == movie.path(7).name == name
    assert not parse("/shots/plate.####.exr").is_movie
    assert not parse("/shots/plate.1001.exr").is_movie


def test_the_number_of_a_movies_first_frame_may_stand_after_it():
    movie = parse("/shots/plate.mov@1001")
    assert (movie.is_movie, movie.frames, movie.name) == (True, (1001,), "plate.mov")
    assert parse("/shots/plate.mov@-5").frames == (-5,)
    assert with_first("/shots/plate.mov", 1001) == "/shots/plate.mov@1001"
    assert with_first("/shots/plate.mov@7", 1001) == "/shots/plate.mov@1001"
    assert with_first("/shots/plate.####.exr", 1001) == "/shots/plate.####.exr"
    assert with_first("/shots/plate.mov", None) == "/shots/plate.mov"
