"""What a comparison of everything upstream says: changed, unchanged, or that nobody can tell; and of which frames."""

import dataclasses
import json
import os

import pytest
from videomama_nuke.files import FileSequence
from videomama_nuke.upstream import EARLIER_VERSION, Comparison, Upstream, compare, restored

FIRST, LAST = 1001, 1004


@pytest.fixture
def files(tmp_path):
    """Four frames of a mask."""
    for frame in range(FIRST, LAST + 1):
        (tmp_path / f"mask.{frame}.exr").write_bytes(b"x" * frame)
    return tmp_path


def seen(folder, text="/shot/mask.%04d.exr", first=FIRST, last=LAST, name="mask.%04d.exr", **more) -> Upstream:
    source = FileSequence("MaskRead", text, f"{folder}/{name}", first, last)
    return Upstream("digest", sources=(source,), **more).with_files()


def copied(folder, to):
    """Copy the files as a farm does: with times of their own."""
    to.mkdir()
    for path in folder.glob("*.exr"):
        (to / path.name).write_bytes(path.read_bytes())
        os.utime(to / path.name, (1, 1))
    return to


def test_the_same_files_are_unchanged(files):
    assert compare(seen(files), seen(files)) == Comparison()


def test_it_survives_json_and_what_a_later_version_adds(files):
    then = seen(files)
    content = json.loads(json.dumps(dataclasses.asdict(then)))
    content["added"] = content["sources"][0]["added"] = "by a later version"
    assert restored(content) == then


def test_a_file_written_again_under_its_recorded_path_is_a_change(files):
    then = seen(files)
    os.utime(files / "mask.1002.exr", (1, 1))
    assert compare(then, seen(files)).changed


def test_copies_elsewhere_with_other_times_are_unchanged(files):
    assert compare(seen(files), seen(copied(files, files / "farm"))) == Comparison()


def test_a_copy_of_another_size_is_a_change(files):
    farm = copied(files, files / "farm")
    (farm / "mask.1002.exr").write_bytes(b"another")
    assert compare(seen(files), seen(farm)).changed


def test_another_path_in_the_script_is_a_doubt_though_the_sizes_agree(files):
    farm = copied(files, files / "farm")
    found = compare(seen(files), seen(farm, text="/v002/mask.%04d.exr"))
    assert not found.changed
    assert found.unchecked == ("MaskRead (it reads another folder)",)


def test_other_names_are_a_change(files):
    (files / "roto.1001.exr").write_bytes(b"x")
    assert compare(seen(files), seen(files, name="roto.%04d.exr")).changed


def test_files_that_cannot_be_seen_are_a_doubt(files):
    found = compare(seen(files), seen(files / "nowhere"))
    assert not found.changed
    assert found.unchecked == ("MaskRead (not all of its files can be seen)",)


@pytest.mark.parametrize(
    ("ends", "first", "last"), [((FIRST, LAST + 2), None, LAST), ((FIRST + 1, LAST), FIRST + 1, None)]
)
def test_a_longer_or_trimmed_range_leaves_the_frames_of_both(files, ends, first, last):
    for frame in (LAST + 1, LAST + 2):
        (files / f"mask.{frame}.exr").write_bytes(b"x")
    found = compare(seen(files), seen(files, first=ends[0], last=ends[1]))
    assert (found.changed, found.first, found.last) == (False, first, last)
    assert found.holds(FIRST + 1)
    assert not found.holds(FIRST - 1 if first else LAST + 1)


def test_below_a_node_that_shifts_time_another_range_is_a_change(files):
    (files / "mask.1005.exr").write_bytes(b"x")
    assert compare(seen(files, shifted=True), seen(files, last=LAST + 1, shifted=True)).changed


def test_ranges_without_a_common_frame_are_a_change(files):
    assert compare(seen(files), seen(files, first=2001, last=2004)).changed


def test_other_nodes_are_a_change_whatever_cannot_be_checked(files):
    assert compare(seen(files), dataclasses.replace(seen(files), nodes="other", unchecked=("Tracker1",))).changed


def test_what_cannot_be_checked_then_or_now_is_named(files):
    one, other = seen(files, unchecked=("Tracker1",)), seen(files)
    assert compare(one, other).unchecked == ("Tracker1",)
    assert compare(other, one).unchecked == ("Tracker1",)


def test_a_node_that_was_renamed_is_named_as_it_is_called_now(files):
    then, now = seen(files, unchecked=("Tracker1",)), seen(files, unchecked=("HeadTrack",))
    assert compare(then, now).unchecked == ("HeadTrack",)


def test_a_record_of_an_earlier_version_is_a_doubt_and_no_change(files):
    assert compare(None, seen(files)) == Comparison(unchecked=(EARLIER_VERSION,))


def test_a_still_has_one_file(tmp_path):
    (tmp_path / "still.exr").write_bytes(b"x")
    then = seen(tmp_path, name="still.exr", first=0, last=0)
    assert compare(then, seen(tmp_path, name="still.exr", first=0, last=0)) == Comparison()
    (tmp_path / "still.exr").write_bytes(b"longer")
    assert compare(then, seen(tmp_path, name="still.exr", first=0, last=0)).changed
