import pytest
from hypothesis import given
from hypothesis import strategies as st
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.media.sequences import find, in_folder, parse

PNG = frozenset({".png"})


def put(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def found(folder, pattern):
    return {frame: path.name for frame, path in find(parse(str(folder / pattern))).items()}


@given(
    st.integers(-99999, 99999),
    st.integers(2, 8),
    st.sampled_from(
        ["p.", "p_", "", "v01.", "alpha1", "sh010-", "sh010,", "take3", "shot@2x.", "A001_C002-", "%", "a "]
    ),
)
def test_a_path_is_found_again_under_its_number(tmp_path_factory, frame, digits, head):
    folder = tmp_path_factory.mktemp("sequence")
    for padding in ("#" * digits, f"%0{digits}d", "@" * digits, f"$F{digits}", "%d", "#", "$F", "@"):
        pattern = parse(str(folder / f"{head}{padding}.exr"))
        pattern.path(frame).touch()
        assert find(pattern) == {frame: pattern.path(frame)}
        pattern.path(frame).unlink()


@given(st.integers(-9999, 99999), st.integers(1, 6))
def test_the_path_of_one_numbered_picture_is_that_picture(tmp_path_factory, frame, digits):
    path = tmp_path_factory.mktemp("single") / f"p.{str(frame).zfill(digits)}.exr"
    path.touch()
    assert find(parse(str(path))) == {frame: path}


def test_frames_are_found_in_ascending_order(tmp_path):
    put(tmp_path, "p.1002.exr", "p.0999.exr", "p.1001.exr", "p.10000.exr", "p.-001.exr", "p.-0002.exr")
    assert list(found(tmp_path, "p.####.exr")) == [-2, -1, 999, 1001, 1002, 10000]


def test_other_names_paddings_and_endings_do_not_match(tmp_path):
    put(tmp_path, "p.0001.exr", "p.002.exr", "p.00003.exr", "q.0004.exr", "p.0005.png", "p.0006.exr.tmp", "p.000x.exr")
    assert found(tmp_path, "p.####.exr") == {1: "p.0001.exr"}


def test_digits_of_a_name_are_no_part_of_the_number(tmp_path):
    put(tmp_path, "roto0001.exr", "roto10001.exr", "roto20001.exr")
    assert found(tmp_path, "roto1####.exr") == {1: "roto10001.exr"}
    assert found(tmp_path, "roto2####.exr") == {1: "roto20001.exr"}


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
    assert list(found(tmp_path, "p.1001-1009x4#.exr")) == [1001, 1005, 1009]
    assert list(found(tmp_path, "p.1009-1008####.exr")) == [1008, 1009]


@pytest.mark.parametrize(
    ("pattern", "one", "other", "frame"),
    [("p.#.exr", "p.1.exr", "p.0001.exr", 1), ("p.####.exr", "p.-002.exr", "p.-0002.exr", -2)],
)
def test_the_same_number_twice_is_an_error_that_names_both_files(
    tmp_path, raises_with_hint, pattern, one, other, frame
):
    put(tmp_path, one, other)
    with raises_with_hint(BadInput, f"frame {frame}", one, other):
        found(tmp_path, pattern)


def test_a_still_picture_counts_as_frame_1(tmp_path):
    put(tmp_path, "still.exr")
    assert found(tmp_path, "still.exr") == {1: "still.exr"}


@pytest.mark.parametrize("name", ["p.####.exr", "still.exr", "p.2001-2005#.exr", "none/p.####.exr"])
def test_a_pattern_that_matches_nothing_is_an_error_that_names_it(tmp_path, raises_with_hint, name):
    put(tmp_path, "p.1.exr")
    with raises_with_hint(BadInput, "mask: ", tmp_path / name):
        find(parse(str(tmp_path / name)), "mask")


def test_a_folder_that_cannot_be_listed_is_not_permitted(tmp_path, monkeypatch, raises_with_hint):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "iterdir", refuse)
    with raises_with_hint(NotPermitted, tmp_path):
        found(tmp_path, "p.####.exr")


def test_special_characters_in_names_are_taken_literally(tmp_path):
    put(tmp_path, "a+b (1).0001.exr", "aab (1).0002.exr")
    assert found(tmp_path, "a+b (1).####.exr") == {1: "a+b (1).0001.exr"}


def test_the_only_sequence_of_a_folder(tmp_path):
    put(tmp_path, "roto_0009.png", "roto_0010.png", ".hidden.png", "notes.txt")
    pattern = in_folder(tmp_path, PNG)
    assert pattern.text == str(tmp_path / "roto_####.png")
    assert list(find(pattern)) == [9, 10]


@pytest.mark.parametrize("head", ["", "sh010-", "take3.", "alpha1_"])
def test_a_sequence_without_padding_in_a_folder(tmp_path, head):
    put(tmp_path, f"{head}8.png", f"{head}9.png", f"{head}10.png")
    assert list(find(in_folder(tmp_path, PNG))) == [8, 9, 10]


def test_negative_frames_in_a_folder(tmp_path):
    put(tmp_path, "p.-0002.png", "p.-0001.png", "p.0000.png", "p.0001.png")
    assert list(find(in_folder(tmp_path, PNG))) == [-2, -1, 0, 1]


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
