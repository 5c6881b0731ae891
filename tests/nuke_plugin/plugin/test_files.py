"""What the plug-in knows of the files that a node reads."""

import os

import pytest

FIRST, LAST = 1001, 1004


@pytest.fixture
def source(nuke, tmp_path):
    """Make what a node reads of `plate.####.exr`: `source(last=1003)`."""
    from videomama_nuke.files import FileSequence

    def make(name: str = "plate.%04d.exr", first: int = FIRST, last: int = LAST) -> FileSequence:
        return FileSequence("PlateRead", f"/shot/{name}", f"{tmp_path}/{name}", first, last)

    for frame in range(FIRST, LAST + 1):
        (tmp_path / f"plate.{frame}.exr").write_bytes(b"x" * frame)
        os.utime(tmp_path / f"plate.{frame}.exr", (frame, frame))
    return make


@pytest.mark.parametrize("target", ["nowhere.exr", "plate.1001.exr"], ids=["a link to nowhere", "a link to itself"])
def test_one_frame_that_cannot_be_looked_at_hides_no_other(nuke, tmp_path, target):
    from videomama_nuke import files

    for frame in range(1000, 1010):
        (tmp_path / f"plate.{frame}.exr").write_bytes(b"a picture")
    (tmp_path / "plate.1001.exr").unlink()
    (tmp_path / "plate.1001.exr").symlink_to(tmp_path / target)
    found = {frame for frame, _ in files._stats(str(tmp_path / "plate.%04d.exr"))}
    assert found == set(range(1000, 1010)) - {1001}


def test_every_frame_has_marks_of_its_own_size_and_time(source):
    seen = source().looked_at()
    marks = [seen.marks(frame) for frame in range(FIRST, LAST + 1)]
    assert all(len(part) == 4 for pair in marks for part in pair)
    assert len({size for size, _ in marks}) == len({time for _, time in marks}) == LAST - FIRST + 1
    assert seen.sizes == "".join(size for size, _ in marks)
    assert seen.times == "".join(time for _, time in marks)
    assert source().looked_at() == seen


def test_a_change_of_one_file_changes_its_marks_alone(source, tmp_path):
    before = source().looked_at()
    os.utime(tmp_path / "plate.1002.exr", (5, 5))
    after = source().looked_at()
    assert after.sizes == before.sizes
    assert [frame for frame in range(FIRST, LAST + 1) if before.marks(frame) != after.marks(frame)] == [1002]


def test_times_within_a_microsecond_are_the_same_and_beyond_it_are_not(source, tmp_path):
    path = tmp_path / "plate.1001.exr"
    found = []
    for nanoseconds in (1_000_000_000, 1_000_000_999, 1_000_001_000):
        os.utime(path, ns=(nanoseconds, nanoseconds))
        found.append(source().looked_at().times)
    assert found[0] == found[1] != found[2]


def test_a_frame_without_a_file_has_no_marks(source, tmp_path):
    (tmp_path / "plate.1003.exr").unlink()
    seen = source().looked_at()
    assert [seen.marks(frame) is None for frame in range(FIRST, LAST + 2)] == [False, False, True, False, True]
    assert seen.seen
    assert not source("other.%04d.exr").looked_at().seen
    assert not source().seen  # nobody has looked yet


def test_what_two_ranges_have_in_common(source):
    assert list(source(first=1, last=5).common(source(first=4, last=9))) == [4, 5]
    assert not source(first=1, last=5).common(source(first=6, last=9))


@pytest.mark.parametrize("name", ["plate.%04d.exr", "plate.%d.exr", "plate.####.exr"])
def test_a_number_may_be_written_in_nukes_ways(source, name):
    from videomama_nuke import files

    assert files.numbered(f"/shot/{name}")
    assert source(name).looked_at().sizes == source().looked_at().sizes


def test_a_still_is_one_file_and_only_that(source, tmp_path):
    from videomama_nuke import files

    assert not files.numbered("/shot %04d/still.exr")
    (tmp_path / "still.exr").write_bytes(b"x")
    (tmp_path / "still.exr.bak").write_bytes(b"x")
    still = source("still.exr", 0, 0).looked_at()
    assert still.name == "still.exr"
    assert still.marks(0) is not None
    assert len(still.sizes) == 4


def test_negative_frames_are_found(source, tmp_path):
    (tmp_path / "roll.-2.exr").write_bytes(b"x")
    assert source("roll.%d.exr", -2, 0).looked_at().marks(-2) is not None


def test_names_that_only_look_like_the_pattern_are_left_out(source, tmp_path):
    from videomama_nuke import files

    for name in ("plate.1005.exr.tmp", "plate.x.exr", "aplate.1006.exr"):
        (tmp_path / name).write_bytes(b"x")
    assert sorted(frame for frame, _ in files._stats(f"{tmp_path}/plate.%04d.exr")) == list(range(FIRST, LAST + 1))


@pytest.mark.parametrize(
    ("pattern", "frame", "named"),
    [
        ("fg.####.exr", 7, "fg.0007.exr"),
        ("fg.%04d.exr", 1001, "fg.1001.exr"),
        ("fg.%d.exr", 7, "fg.7.exr"),
        ("fg.#.exr", 7, "fg.0007.exr"),
        ("fg#3.######.exr", 7, "fg#3.000007.exr"),
        ("100%.%04d.exr", 7, "100%.0007.exr"),
        ("fg.%04d.exr", -2, "fg.-002.exr"),
    ],
)
def test_a_frame_has_the_file_that_the_server_writes(pattern, frame, named):
    from pathlib import Path

    from videomama_nuke import files
    from videomama_server.media import sequences

    assert files.file_of(f"/shot/{pattern}", frame) == Path("/shot") / named
    assert sequences.parse(f"/shot/{pattern}").path(frame) == Path("/shot") / named


def test_patterns_that_name_the_same_files_are_known():
    from videomama_nuke import files

    assert len({files.known_by(f"/shot/{name}.exr") for name in ("fg.####", "fg.%04d", "../shot/fg.%d")}) == 1
    assert files.known_by("/shot/fg.####.exr") != files.known_by("/shot/fg2.####.exr")
