import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from videomama_client.errors import BadInput
from videomama_server.sequences import find, format_range, in_folder, parse, parse_range, whole_range

PNG = frozenset({".png"})


def put(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def found(folder, pattern):
    return {frame: path.name for frame, path in find(parse(str(folder / pattern))).items()}


@pytest.mark.parametrize(
    ("text", "head", "digits", "tail"),
    [
        ("plate.####.exr", "plate.", 4, ".exr"),
        ("plate.%04d.exr", "plate.", 4, ".exr"),
        ("plate.######.exr", "plate.", 6, ".exr"),
        ("plate.%06d.exr", "plate.", 6, ".exr"),
        ("plate.#.exr", "plate.", 4, ".exr"),
        ("plate.%d.exr", "plate.", 1, ".exr"),
        ("plate_####.exr", "plate_", 4, ".exr"),
        ("####.png", "", 4, ".png"),
        ("plate.####", "plate.", 4, ""),
        ("shot.v001.####.exr", "shot.v001.", 4, ".exr"),
        ("shot_20240101-153000.####.exr", "shot_20240101-153000.", 4, ".exr"),
        ("roto [final], 2.####.exr", "roto [final], 2.", 4, ".exr"),
        ("still.exr", "still", 0, ".exr"),
        ("shot_v012.exr", "shot_v012", 0, ".exr"),
    ],
)
def test_a_pattern_is_taken_apart(text, head, digits, tail):
    pattern = parse(f"/shots/{text}")
    assert (pattern.folder, pattern.head, pattern.digits, pattern.tail) == (Path("/shots"), head, digits, tail)
    assert pattern.frames is None


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("plate.1001-1003#.exr", (1001, 1002, 1003)),
        ("plate.1001-1003####.exr", (1001, 1002, 1003)),
        ("plate.1-9x4%04d.exr", (1, 5, 9)),
        ("plate.1,5#.exr", (1, 5)),
        ("plate.-2-1#.exr", (-2, -1, 0, 1)),
    ],
)
def test_a_pattern_may_name_its_range(text, frames):
    pattern = parse(text)
    assert pattern.frames == frames
    assert (pattern.head, pattern.digits) == ("plate.", 4)


@pytest.mark.parametrize("folder", ["/home/me@work", "/shots/a#b", "/shots/take##1", "/shots/%04d", "/shots/1-10", "."])
def test_a_folder_may_have_any_name(folder):
    pattern = parse(f"{folder}/plate.####.exr")
    assert pattern.folder == Path(folder)
    assert pattern.path(7) == Path(folder) / "plate.0007.exr"


@pytest.mark.parametrize("text", ["", "/", "a\0b.####.exr", "a\n.exr", "a.####.b.####.exr", "p.%02d_%04d.exr"])
def test_a_pattern_that_makes_no_sense_is_an_error(text, raises_with_hint):
    with raises_with_hint(BadInput):
        parse(text)


@pytest.mark.parametrize(
    ("digits", "frame", "name"),
    [
        ("####", 5, "0005"),
        ("####", 12345, "12345"),
        ("%d", 5, "5"),
        ("#", 5, "0005"),
        ("####", -5, "-005"),
        ("%d", -5, "-5"),
    ],
)
def test_numbers_are_padded_as_nuke_does(digits, frame, name):
    assert parse(f"p.{digits}.exr").path(frame).name == f"p.{name}.exr"


@given(st.integers(-99999, 99999), st.integers(2, 8), st.sampled_from(["p.", "p_", "", "v01."]))
def test_a_path_is_found_again_under_its_number(tmp_path_factory, frame, digits, head):
    folder = tmp_path_factory.mktemp("sequence")
    for padding in ("#" * digits, f"%0{digits}d"):
        pattern = parse(str(folder / f"{head}{padding}.exr"))
        pattern.path(frame).touch()
        assert find(pattern) == {frame: pattern.path(frame)}


@given(st.integers(-9999, 99999), st.integers(1, 6))
def test_the_path_of_one_numbered_picture_is_that_picture(tmp_path_factory, frame, digits):
    path = tmp_path_factory.mktemp("single") / f"p.{str(frame).zfill(digits)}.exr"
    path.touch()
    assert find(parse(str(path))) == {frame: path}


def test_frames_are_found_in_ascending_order(tmp_path):
    put(tmp_path, "p.1002.exr", "p.0999.exr", "p.1001.exr", "p.10000.exr", "p.-001.exr")
    assert list(found(tmp_path, "p.####.exr")) == [-1, 999, 1001, 1002, 10000]


def test_other_names_paddings_and_endings_do_not_match(tmp_path):
    put(tmp_path, "p.0001.exr", "p.002.exr", "p.00003.exr", "q.0004.exr", "p.0005.png", "p.0006.exr.tmp", "p.000x.exr")
    assert found(tmp_path, "p.####.exr") == {1: "p.0001.exr"}


def test_a_single_hash_reads_any_padding(tmp_path):
    put(tmp_path, "p.1.exr", "p.02.exr", "p.00003.exr", "p.-4.exr")
    assert found(tmp_path, "p.#.exr") == {-4: "p.-4.exr", 1: "p.1.exr", 2: "p.02.exr", 3: "p.00003.exr"}


def test_only_the_name_decides_whether_any_padding_is_read(tmp_path):
    put(tmp_path / "a#b", "p.1.exr", "p.0002.exr")
    put(tmp_path / "a##b", "p.1.exr", "p.0002.exr")
    assert found(tmp_path, "a#b/p.####.exr") == {2: "p.0002.exr"}
    assert found(tmp_path, "a##b/p.#.exr") == {1: "p.1.exr", 2: "p.0002.exr"}


def test_a_named_range_selects(tmp_path):
    put(tmp_path, *(f"p.{frame}.exr" for frame in range(1001, 1010)))
    assert list(found(tmp_path, "p.1003-1005#.exr")) == [1003, 1004, 1005]
    assert list(found(tmp_path, "p.1009-1008####.exr")) == [1008, 1009]


def test_the_same_number_twice_is_an_error_that_names_both_files(tmp_path, raises_with_hint):
    put(tmp_path, "p.1.exr", "p.0001.exr")
    with raises_with_hint(BadInput, "frame 1", "p.1.exr", "p.0001.exr"):
        found(tmp_path, "p.#.exr")


def test_a_still_picture_counts_as_frame_1(tmp_path):
    put(tmp_path, "still.exr")
    assert found(tmp_path, "still.exr") == {1: "still.exr"}


@pytest.mark.parametrize("name", ["p.####.exr", "still.exr", "p.2001-2005#.exr", "none/p.####.exr"])
def test_a_pattern_that_matches_nothing_is_an_error_that_names_it(tmp_path, raises_with_hint, name):
    put(tmp_path, "p.1.exr")
    with raises_with_hint(BadInput, tmp_path / name):
        found(tmp_path, name)


def test_special_characters_in_names_are_taken_literally(tmp_path):
    put(tmp_path, "a+b (1).0001.exr", "aab (1).0002.exr")
    assert found(tmp_path, "a+b (1).####.exr") == {1: "a+b (1).0001.exr"}


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("1001-1003", [1001, 1002, 1003]),
        ("1-10x3, 20", [1, 4, 7, 10, 20]),
        ("5", [5]),
        ("-3--1", [-3, -2, -1]),
        ("3-1", [1, 2, 3]),
        ("1,1,1-2", [1, 2]),
        ("5000000-5000002x2", [5000000, 5000002]),
    ],
)
def test_frame_ranges(text, frames):
    assert parse_range(text) == frames


@pytest.mark.parametrize("text", ["", ",", "a", "1-", "1-2-3", "1-10x0", "1.5", "1-5x0.5", "1-x", "9" * 5000])
def test_what_is_no_frame_range_is_an_error(text, raises_with_hint):
    with raises_with_hint(BadInput, text):
        parse_range(text)


@pytest.mark.parametrize("read", [parse_range, lambda text: parse(f"p.{text}#.exr")])
@pytest.mark.parametrize("text", ["1-9999999", "-9000000-9000", ",".join(["1-999999"] * 9)])
def test_a_range_that_is_too_long_is_refused_at_once(read, text, raises_with_hint):
    started = time.monotonic()
    with raises_with_hint(BadInput, text):
        read(text)
    assert time.monotonic() - started < 0.5


@given(st.sets(st.integers(-2000, 2000), min_size=1, max_size=30))
def test_ranges_round_trip(frames):
    assert parse_range(format_range(frames)) == sorted(frames)
    assert whole_range(frames) == format_range(frames)


def test_ranges_are_written_as_a_person_would():
    assert format_range([1003, 1001, 1002, 1007]) == "1001-1003, 1007"
    assert format_range([-3, -2, 5, 6]) == "-3--2, 5-6"
    assert format_range([]) == ""


def test_long_lists_are_cut_with_a_count():
    assert parse_range(whole_range(range(0, 1000, 2))) == list(range(0, 1000, 2))
    text = format_range(range(0, 1000, 2))
    assert text.endswith("and more (500 frames in all)")
    assert len(text) < 300


def test_the_only_sequence_of_a_folder(tmp_path):
    put(tmp_path, "roto_0009.png", "roto_0010.png", ".hidden.png", "notes.txt")
    pattern = in_folder(tmp_path, PNG)
    assert pattern.text == str(tmp_path / "roto_####.png")
    assert list(find(pattern)) == [9, 10]
    assert parse(pattern.text).path(9) == pattern.path(9)


def test_a_sequence_without_padding_in_a_folder(tmp_path):
    put(tmp_path, "8.png", "9.png", "10.png")
    pattern = in_folder(tmp_path, PNG)
    assert list(find(pattern)) == list(find(parse(pattern.text))) == [8, 9, 10]


@pytest.mark.parametrize(
    ("names", "named"),
    [
        ([], "none"),
        (["a.1.png", "b.1.png"], "a.#.png, b.#.png"),
        (["a.1.png", "a.1.PNG"], "a.#.PNG"),
        (["a.png"], "a.png"),
    ],
)
def test_a_folder_that_does_not_hold_one_sequence_is_an_error(tmp_path, raises_with_hint, names, named):
    put(tmp_path / "roto", *names)
    with raises_with_hint(BadInput, tmp_path / "roto", named):
        in_folder(tmp_path / "roto", PNG)


def test_a_folder_that_is_not_there_is_an_error(tmp_path, raises_with_hint):
    with raises_with_hint(BadInput, tmp_path / "none"):
        in_folder(tmp_path / "none", PNG)
