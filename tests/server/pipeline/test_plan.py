from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from videomama_client.errors import BadInput
from videomama_client.messages import SubmitMatte
from videomama_client.prompts import Prompt
from videomama_client.settings import MatteSettings
from videomama_server.engines.base import WindowShape
from videomama_server.pipeline import plan
from videomama_server.pipeline.window_grid import Window

SHAPE = WindowShape(4, 2)


@dataclass
class Numbers:
    """A source of which only the numbers are asked."""

    role: str
    numbers: tuple[int, ...]
    text: str = "/shot/frames.####.exr"
    suffix: str = ".exr"
    gone: tuple[int, ...] = ()

    def frames(self):
        return self.numbers

    def lost(self):
        return self.gone


def make(plate=range(1001, 1011), mask=range(1001, 1011), clip="", frame_ranges="", shape=SHAPE):
    request = SubmitMatte("r", "p", "m", "o", MatteSettings(), clip, frame_ranges)
    (made,) = plan.make(request, [shape], Numbers("plate", tuple(plate)), Numbers("mask", tuple(mask)))
    return made


def test_by_default_all_plate_frames_are_the_clip_and_wanted():
    made = make()
    assert made.wanted == made.frames == tuple(range(1001, 1011))
    assert made.windows[0] == Window(1001, 1004)
    assert made.windows[-1] == Window(1007, 1010)


def test_frames_that_a_wanted_frame_depends_on_are_read():
    made = make(frame_ranges="1004")
    assert made.wanted == (1004,)
    assert made.windows == (Window(1001, 1004), Window(1002, 1005), Window(1004, 1007))
    assert made.frames == tuple(range(1001, 1008))


def test_what_is_needed_is_known_before_anything_is_there():
    laid = plan.plan_frames(range(1001, 1011), "1004", SHAPE)
    assert laid == make(frame_ranges="1004")
    assert plan.plan_frames(range(1001, 1011), "", SHAPE) == make()


def test_a_clip_on_twos_has_the_frames_that_it_names():
    made = make(plate=range(1001, 1021), mask=range(1001, 1021, 2), clip="1001-1019x2", frame_ranges="1007")
    assert made.clip == tuple(range(1001, 1020, 2))
    assert made.windows == (Window(1001, 1007, 2), Window(1005, 1011, 2))
    assert made.frames == (1001, 1003, 1005, 1007, 1009, 1011)


def test_no_window_reaches_over_a_gap_of_the_clip():
    made = make(plate=range(1, 40), mask=range(1, 40), clip="1-9x2,20-25,30")
    assert made.frames == made.wanted == (1, 3, 5, 7, 9, 20, 21, 22, 23, 24, 25, 30)
    assert made.windows == (Window(1, 7, 2), Window(3, 9, 2), Window(20, 23), Window(22, 25), Window(30, 30))
    assert made.places == {1: 1, 3: 2, 5: 3, 7: 4, 9: 5, **{frame: frame for frame in (*range(20, 26), 30)}}


@given(
    st.sets(st.integers(-40, 40), min_size=1)
    | st.builds(range, st.integers(-40, 0), st.integers(1, 90), st.integers(1, 4)),
    st.sampled_from([SHAPE, WindowShape(8, 2, 2), WindowShape(1, 0), WindowShape(5, 1, 0)]),
    st.data(),
)
def test_of_any_clip_a_part_has_the_windows_groups_and_places_of_the_whole(clip, shape, data):
    clip = sorted(clip)
    wanted = sorted(data.draw(st.sets(st.sampled_from(clip), min_size=1, max_size=6)))
    whole = plan.plan_frames(clip, "", shape)
    part = plan.plan_frames(clip, ",".join(map(str, wanted)), shape)
    assert part.wanted == tuple(wanted)
    assert set(part.frames) <= set(clip)
    assert part.places == whole.places
    for group in part.groups:
        (same,) = (other for other in whole.groups if set(group.wanted) <= set(other.wanted))
        assert (group.frames, group.windows) == (same.frames, same.windows)
        for frame in group.frames:
            assert part.by_frame[frame] == whole.by_frame[frame]


def test_plates_on_twos_without_a_clip_are_missing_frames_with_a_proposal():
    with pytest.raises(BadInput) as raised:
        make(plate=[1001, 1003, 1005], mask=[1001, 1003, 1005])
    assert "plate frames 1002, 1004" in raised.value.message
    assert "--clip 1001-1005x2" in raised.value.hint
    assert make(plate=[1001, 1003, 1005], mask=[1001, 1003, 1005], clip="1001-1005x2").wanted == (1001, 1003, 1005)


def test_a_frame_between_those_of_the_clip_is_outside_it(raises_with_hint):
    with raises_with_hint(BadInput, "frames 1002", "1001-1009x2"):
        make(clip="1001-1009x2", frame_ranges="1001-1003")


@pytest.mark.parametrize(("frames", "said"), [("1000-1002", "1000"), ("1011", "1011"), ("abc", "'abc'")])
def test_what_lies_outside_or_makes_no_sense_is_refused_without_files_too(frames, said, raises_with_hint):
    with raises_with_hint(BadInput, said):
        plan.plan_frames(range(1001, 1011), frames, SHAPE)


def test_windows_do_not_depend_on_the_frames_wanted():
    whole = make()
    for frame in range(1001, 1011):
        assert make(frame_ranges=str(frame)).by_frame[frame] == whole.by_frame[frame]


def test_wanted_frames_may_have_gaps():
    made = make(frame_ranges="1009,1002")
    assert made.wanted == (1002, 1009)
    assert set(made.by_frame) == {1002, 1009}


def test_the_clip_can_be_shorter_than_what_is_on_disk():
    made = make(plate=range(900, 1100), clip="1001-1010")
    assert made.frames == tuple(range(1001, 1011))


def test_only_frames_that_are_read_must_be_there():
    made = make(mask=range(1001, 1005), frame_ranges="1001")
    assert made.frames == (1001, 1002, 1003, 1004)


def test_missing_frames_are_all_named(raises_with_hint):
    with raises_with_hint(BadInput, "plate frames 1003, 1007-1008", "mask frames 1010", "/shot/frames.####.exr"):
        make(plate=[1001, 1002, 1004, 1005, 1006, 1009, 1010], mask=range(1001, 1010))


@pytest.mark.parametrize(
    ("plate", "mask", "first"),
    [
        (range(1002, 1011), range(1001, 1010), ("plate", 1001)),
        ([1001, *range(1004, 1011)], range(1001, 1011), ("plate", 1002)),
        (range(1001, 1011), range(1003, 1011), ("mask", 1001)),
    ],
)
def test_the_error_names_the_first_frame_that_is_missing(plate, mask, first):
    with pytest.raises(BadInput) as raised:
        make(plate=plate, mask=mask, clip="1001-1010")
    assert (raised.value.role, raised.value.frame) == first


def test_frames_outside_the_clip_are_an_error_that_names_them(raises_with_hint):
    with raises_with_hint(BadInput, "1000, 1011-1012", "1001-1010"):
        make(frame_ranges="1000-1012x11,1012,1005,1011")


@pytest.mark.parametrize("field", ["clip", "frame_ranges"])
def test_a_range_that_makes_no_sense_is_an_error_that_names_it(field, raises_with_hint):
    with raises_with_hint(BadInput, "'abc'"):
        make(**{field: "abc"})


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        (MatteSettings(), WindowShape(16, 4)),
        (MatteSettings(window=6), WindowShape(6, 3)),
        (MatteSettings(window=1), WindowShape(1, 0)),
        (MatteSettings(overlap=0), WindowShape(16, 0)),
        (MatteSettings(window=8, overlap=1), WindowShape(8, 1)),
    ],
)
def test_the_settings_shape_the_windows_else_the_engine_does(settings, shape):
    assert plan.window_shape(settings, WindowShape(16, 4)) == shape


@pytest.mark.parametrize("settings", [MatteSettings(window=0), MatteSettings(window=999), MatteSettings(overlap=9)])
def test_a_shape_that_cannot_be_laid_is_an_error(settings, raises_with_hint):
    with raises_with_hint(BadInput):
        plan.window_shape(settings, WindowShape(16, 4))


def test_without_context_every_wanted_frame_is_a_group_of_its_own():
    made = make(frame_ranges="1004,1006")
    assert [(tuple(group.frames), group.wanted) for group in made.groups] == [((1004,), (1004,)), ((1006,), (1006,))]
    assert all(group.windows == made.by_frame[group.wanted[0]] for group in made.groups)


def test_with_context_the_frames_at_home_in_a_window_are_completed_together():
    made = make(plate=range(1, 31), mask=range(1, 31), shape=WindowShape(8, 4, 2))
    assert [wanted for group in made.groups for wanted in group.wanted] == list(range(1, 31))
    for group in made.groups:
        first, last = group.wanted[0], group.wanted[-1]
        assert group.frames == range(max(1, first - 2), min(30, last + 2) + 1)
        assert {window for frame in group.frames for window in made.by_frame[frame]} == set(group.windows)


@pytest.mark.parametrize("frame", [1, 9, 17, 30])
def test_a_group_does_not_depend_on_the_frames_wanted(frame):
    shape = WindowShape(8, 4, 2)
    whole = make(plate=range(1, 31), mask=range(1, 31), shape=shape)
    part = make(plate=range(1, 31), mask=range(1, 31), shape=shape, frame_ranges=str(frame))
    (group,) = part.groups
    (same,) = (other for other in whole.groups if frame in other.wanted)
    assert (group.frames, group.windows, group.wanted) == (same.frames, same.windows, (frame,))
    assert {number: part.by_frame[number] for number in group.frames} == {
        number: whole.by_frame[number] for number in group.frames
    }


def test_groups_are_found_by_the_windows_they_depend_on():
    made = make(plate=range(1, 31), mask=range(1, 31), shape=WindowShape(8, 4, 2))
    for window, groups in made.groups_of.items():
        assert groups == tuple(group for group in made.groups if window in group.windows)


def test_what_the_windows_of_a_stage_read_is_wanted_of_the_stage_before():
    first, second, last = plan.plan_stages(range(1001, 1041), "1020", [WindowShape(8, 2), SHAPE, WindowShape(1, 0)])
    assert last.wanted == last.frames == (1020,)
    assert second.wanted == (1020,)
    assert first.wanted == second.frames
    assert set(first.frames) > set(first.wanted)
    assert plan.plan_stages(range(1001, 1041), "1020", [SHAPE]) == [plan.plan_frames(range(1001, 1041), "1020", SHAPE)]


def test_frames_by_which_masks_are_judged_are_wanted_of_the_stage_that_makes_them():
    alone = [WindowShape(1, 0)] * 3
    wanted = [one.wanted for one in plan.plan_stages(range(1, 11), "2", alone, looked_at=1)]
    assert wanted == [(2, 4, 6, 8, 10), (2, 4, 6, 8, 10), (2,)]
    assert [one.wanted for one in plan.plan_stages(range(1, 11), "2", alone)] == [(2,)] * 3


def test_an_engine_that_walks_has_no_windows_and_reads_all_that_it_walks_over():
    walking = plan.walk_shape(MatteSettings(engine="held"), [Prompt("point", 4, (1.0, 1.0))], remembers=True)
    first, last = plan.plan_stages(range(1, 11), "8", [walking, WindowShape(3, 1)])
    assert first.frames == tuple(range(4, last.frames[-1] + 1))
    assert (first.windows, first.groups) == ((), ())
    assert (plan.starts_of(first), plan.starts_of(last)) == ((4,), ())
    for asked in ({"window": 3}, {"overlap": 0}):
        with pytest.raises(BadInput, match=r"engine held .* has no windows"):
            plan.walk_shape(MatteSettings(engine="held", **asked), [], remembers=True)


def planned_of(plate, mask, clip=""):
    request = SubmitMatte("r", "p", "m", "o", MatteSettings(), clip, "")
    return plan.make(request, [SHAPE], plate, mask)


def test_frames_that_a_movie_has_lost_are_refused_by_number_unless_the_clip_leaves_them_out():
    plate = Numbers("plate", tuple(range(1, 11)), "/shot/plate.mov", ".mov", gone=(9, 10))
    mask = Numbers("mask", tuple(range(1, 11)))
    with pytest.raises(BadInput, match=r"plate frames 9-10 of /shot/plate\.mov cannot be read") as raised:
        planned_of(plate, mask)
    assert "--clip 1-8" in raised.value.hint
    assert (raised.value.role, raised.value.frame) == ("plate", 9)
    (found,) = planned_of(plate, mask, "1-8")
    assert found.clip == tuple(range(1, 9))


def test_a_movie_that_shares_no_frame_with_the_masks_is_to_be_numbered():
    plate = Numbers("plate", (86400, 86401), "/shot/plate.mov", ".mov")
    with pytest.raises(BadInput, match="missing: mask frames") as raised:
        planned_of(plate, Numbers("mask", (1001, 1002)))
    assert "--first-frame" in raised.value.hint
