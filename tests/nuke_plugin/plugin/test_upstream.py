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


def both(*sources: FileSequence, **more) -> Upstream:
    return Upstream("digest", sources=sources, **more)


def plain(**changes) -> FileSequence:
    """Four frames whose files were seen: each frame's size mark is its last digit, its time mark likewise."""
    made = FileSequence(
        "MaskRead", "/shot/mask.%04d.exr", "/shot/mask.%04d.exr", FIRST, LAST, "1111222233334444", "aaaabbbbccccdddd"
    )
    return dataclasses.replace(made, **changes)


@pytest.mark.parametrize(
    ("then", "now"), [("[x]/mask.%04d.exr", "[x]/mask.%04d.exr"), ("/v1/mask.%04d.exr", "/v2/mask.%04d.exr")]
)
def test_another_folder_that_the_script_itself_names_is_a_doubt(then, now):
    found = compare(both(plain(text=then)), both(plain(text=now, path="/other/mask.%04d.exr")))
    assert (found.changed, found.unchecked) == (False, ("MaskRead (it reads another folder)",))


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"times": "aaaabbbbccccdddd"}, False),
        ({"times": "aaaabbbbccccffff"}, True),
        ({"sizes": "1111222233335555"}, True),
        ({"times": "ffffbbbbccccdddd", "path": "/farm/mask.%04d.exr"}, False),
        ({"sizes": "5555222233334444", "path": "/farm/mask.%04d.exr"}, True),
    ],
)
def test_times_count_under_the_recorded_path_and_sizes_everywhere(changes, changed):
    assert compare(both(plain()), both(plain(**changes))).changed is changed


def test_one_source_more_or_less_is_a_change():
    assert compare(both(plain()), both(plain(), plain())).changed
    assert compare(both(plain(), plain()), both(plain())).changed
    assert compare(both(), both()) == Comparison()


def test_files_that_were_never_seen_are_a_doubt_for_ever():
    gone = plain(sizes="-" * 16, times="-" * 16)
    assert compare(both(gone), both(gone)).unchecked == ("MaskRead (its files cannot be seen)",)
    some = plain(sizes="1111----33334444", times="aaaa----ccccdddd")
    assert compare(both(some), both(some)) == Comparison()
    assert compare(both(plain()), both(some)).unchecked == ("MaskRead (not all of its files can be seen)",)


def test_of_several_ranges_the_frames_of_all_are_left():
    then = both(plain(), plain())
    now = both(
        plain(first=FIRST + 1, sizes="222233334444", times="bbbbccccdddd"),
        plain(last=LAST - 1, sizes="111122223333", times="aaaabbbbcccc"),
    )
    found = compare(then, now)
    assert (found.changed, found.first, found.last) == (False, FIRST + 1, LAST - 1)
    assert [found.holds(frame) for frame in range(FIRST, LAST + 1)] == [False, True, True, False]
    again = compare(now, then)
    assert (again.first, again.last) == (FIRST + 1, LAST - 1)
    two = both(now.sources[0], plain(first=FIRST + 2, sizes="33334444", times="ccccdddd"))
    assert compare(then, two).first == FIRST + 2
    two = both(plain(last=LAST - 2, sizes="11112222", times="aaaabbbb"), now.sources[1])
    assert compare(then, two).last == LAST - 2


def test_a_shift_makes_any_other_range_a_change():
    longer = plain(last=LAST + 1, sizes="11112222333344445555", times="aaaabbbbccccddddeeee")
    assert not compare(both(plain()), both(longer)).changed
    assert compare(both(plain()), both(longer, shifted=True)).changed
    assert not compare(both(plain()), both(plain(), shifted=True)).changed


def test_what_holds_everywhere_has_no_end():
    assert Comparison().holds(-(10**6))
    assert Comparison(first=3).holds(3)
    assert not Comparison(first=3).holds(2)
    assert Comparison(last=3).holds(3)
    assert not Comparison(last=3).holds(4)


def test_signatures_hold_what_machines_share_and_exact_ones_all():
    one = both(plain())
    for changes in ({"text": "other"}, {"path": "/farm/mask.%04d.exr"}, {"times": "x" * 16}, {"node": "Read2"}):
        other = both(plain(**changes))
        assert other.signature == one.signature
        assert other.exact != one.exact
    for changes in ({"path": "/shot/roto.%04d.exr"}, {"first": FIRST - 1}, {"last": LAST + 1}, {"sizes": "x" * 16}):
        assert both(plain(**changes)).signature != one.signature
    for changes in ({"nodes": "other"}, {"unchecked": ("A",)}, {"shifted": True}):
        other = dataclasses.replace(one, **changes)
        assert other.signature != one.signature
        assert other.exact != one.exact
    assert len(one.signature) == len(one.exact) == 16


def test_what_a_dataclass_does_not_have_is_left_out():
    assert restored({"nodes": "n"}) == Upstream("n")
    assert restored({"nodes": "n", "unchecked": ["A"], "shifted": True}) == Upstream("n", ("A",), True)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Upstream) == {"shifted": False}
    assert numbers_left_out(Comparison) == {"changed": False}
