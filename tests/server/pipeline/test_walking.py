import threading
from dataclasses import replace

import numpy as np
import pytest
from videomama_client.errors import BadInput, Cancelled, InternalError
from videomama_client.prompts import BOX, MASK, POINT, TEXT, Prompt
from videomama_server.cache import layout
from videomama_server.engines.held import HeldEngine
from videomama_server.media import frames

CLIP = range(1001, 1015)
CLICK = Prompt(POINT, 1004, (20.0, 10.0))
OTHER = Prompt(POINT, 1010, (30.0, 20.0))


@pytest.fixture
def shot(make_shot):
    return make_shot(CLIP)


@pytest.fixture
def walk(bench, shot, remembering):
    """Run jobs of one engine from prompts: `walk(CLICK, frame_ranges="1004")`; `walk.engine` records the last."""

    def run(*prompts, engine=None, on=bench, **asked):
        run.engine = engine or remembering()
        return on.run(shot, run.engine, prompts=prompts, **{"mask": "", **asked})

    return run


@pytest.fixture
def paint(pictures, tmp_path):
    """Write a painted frame and return its prompt: `paint(1004, x=20)`."""

    def make(frame, x=20, height=48, width=64, **more):
        file = tmp_path / f"key{frame}-{x}-{width}.exr"
        pictures.settle(pictures.write(file, pictures.disc(x, 24, height=height, width=width), "A"))
        return Prompt(MASK, frame, file=str(file), **more)

    return make


def bits(outcome, numbers=CLIP):
    return {frame: outcome.alpha(frame).tobytes() for frame in numbers}


def counts(outcome):
    return outcome.done.computed, outcome.done.cached


def stepped(engine, backward=False):
    return [number for number, _, back in engine.steps if back is backward]


def states(bench):
    return sorted(layout.within(bench.cache.folder / layout.STATES, layout.KEPT))


def test_walks_go_forward_and_backward_from_every_prompt_until_the_next(walk):
    made = walk(CLICK, OTHER)
    assert counts(made) == (14, 0)
    assert walk.engine.begun == [(1004, False), (1010, False), (1004, True), (1010, True)]
    assert stepped(walk.engine) == list(range(1004, 1015))
    assert stepped(walk.engine, backward=True) == [1004, 1003, 1002, 1001, *range(1010, 1004, -1)]


class Flat:
    """Its masks say which way the walk goes."""

    def step(self, state, number, encoded, settings):
        super().step(state, number, encoded, settings)
        return np.full(encoded.shape, 0.75 if state["walk"][1] else 0.25, np.float32)


def test_between_two_prompts_each_walk_counts_the_more_the_nearer_its_prompt_is(walk, remembering):
    made = walk(CLICK, OTHER, engine=type("Both", (Flat, remembering), {})())
    found = [float(made.alpha(frame)[5, 5]) for frame in CLIP]
    assert found[:4] == [0.75, 0.75, 0.75, 0.25]
    np.testing.assert_allclose(found[4:9], 0.25 + 0.5 * np.arange(1, 6) / 6, atol=1e-6)
    assert found[9:] == [0.25] * 5


def test_without_a_frame_in_its_prompts_a_walk_begins_on_the_clips_first(walk):
    walk(Prompt(TEXT, text="the dog"))
    assert walk.engine.begun == [(1001, False)]
    assert stepped(walk.engine) == list(CLIP)


def test_a_second_run_takes_no_step_and_opens_no_plate(walk, monkeypatch):
    first = walk(CLICK, OTHER)
    monkeypatch.setattr(frames, "read_plate", None)
    again = walk(CLICK, OTHER)
    assert counts(again) == (0, 14)
    assert walk.engine.steps == walk.engine.begun == []
    assert bits(again) == bits(first)


def test_a_part_of_the_clip_has_the_bits_of_the_whole(walk, make_bench):
    whole = bits(walk(CLICK, OTHER))
    for wanted in (1001, 1004, 1006, 1010, 1014):
        part = walk(CLICK, OTHER, on=make_bench(), frame_ranges=str(wanted))
        assert part.done.frame_count == 1
        assert bits(part, [wanted]) == bits_of(whole, wanted)
    assert stepped(walk.engine) == list(range(1010, 1015))


def bits_of(known, *numbers):
    return {frame: known[frame] for frame in numbers}


def test_a_longer_part_begins_at_the_nearest_kept_state_and_has_the_same_bits(walk, make_bench):
    whole = bits(walk(CLICK))
    bench = make_bench()
    walk(CLICK, on=bench, frame_ranges="1008")  # keeps a state after each fourth step, and after the last
    later = walk(CLICK, on=bench, frame_ranges="1011")
    assert walk.engine.resumed == [(1004, False)]
    assert walk.engine.begun == []
    assert stepped(walk.engine) == [1009, 1010, 1011]
    assert bits(later, [1011]) == bits_of(whole, 1011)
    rest = walk(CLICK, on=bench)
    assert counts(rest) == (12, 2)
    assert stepped(walk.engine) == [1004, 1005, 1006, 1007, 1009, 1010, 1012, 1013, 1014]
    assert stepped(walk.engine, backward=True) == [1004, 1003, 1002, 1001]
    assert bits(rest) == whole


def damage(path):
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-50])


def swap(path):
    path.write_bytes(next(other for other in path.parents[1].glob("*/*.state") if other != path).read_bytes())


@pytest.mark.parametrize("spoil", [damage, cut_short, swap])
def test_a_kept_state_that_is_damaged_is_never_taken(walk, bench, spoil):
    whole = bits(walk(CLICK))
    for entry in bench.cache.folder.glob("entries/*/*.exr"):
        entry.unlink()
    for path in states(bench):
        spoil(path)
    again = walk(CLICK)
    assert walk.engine.resumed == []
    assert bits(again) == whole


def test_a_job_that_dies_in_the_middle_of_a_walk_goes_on_from_a_kept_state(walk, remembering, bench, make_bench):
    whole = bits(walk(CLICK, on=make_bench()))

    class Dying(remembering):
        def step(self, state, number, encoded, settings):
            if number == 1013:
                raise RuntimeError("died")
            return super().step(state, number, encoded, settings)

    with pytest.raises(RuntimeError, match="died"):
        walk(CLICK, engine=Dying())
    finished = len(list(bench.cache.folder.glob("entries/*/*.exr")))
    assert finished >= 6
    after = walk(CLICK)
    assert counts(after) == (14 - finished, finished)
    assert stepped(walk.engine)[0] >= 1008
    assert bits(after) == whole


def test_two_walks_that_meet_keep_their_halves_for_the_next_worker(walk, remembering, make_bench):
    whole = bits(walk(CLICK, OTHER))
    bench = make_bench()

    class Dying(remembering):
        def step(self, state, number, encoded, settings):
            if state["walk"][1]:
                raise RuntimeError("died")
            return super().step(state, number, encoded, settings)

    with pytest.raises(RuntimeError, match="died"):
        walk(CLICK, OTHER, engine=Dying(), on=bench)
    after = walk(CLICK, OTHER, on=bench)
    assert stepped(walk.engine) == []
    assert bits(after) == whole


@pytest.mark.parametrize(
    "other",
    [
        [replace(CLICK, place=(21.0, 10.0)), OTHER],
        [CLICK, replace(OTHER, place=(30.0, 21.0))],
        [CLICK, OTHER, Prompt(POINT, 1004, (9.0, 9.0), subject=False)],
        [CLICK, OTHER, Prompt(BOX, 1010, (9.0, 9.0, 5.0, 5.0))],
        [CLICK, OTHER, Prompt(TEXT, text="the dog")],
        [CLICK],
    ],
)
def test_other_prompts_make_every_mask_of_the_object_new(walk, other):
    walk(CLICK, OTHER)
    assert counts(walk(*other)) == (14, 0)


def test_what_an_object_is_called_changes_no_key(walk):
    walk(CLICK, OTHER)
    assert counts(walk(replace(CLICK, object="dog"), replace(OTHER, object="dog"))) == (0, 14)


def test_an_edited_plate_makes_new_what_was_walked_over_it_and_nothing_else(walk, shot, pictures):
    walk(CLICK)
    shot.put_plate(1012, pictures.scene(77))
    edited = walk(CLICK)
    assert counts(edited) == (3, 11)
    assert stepped(walk.engine) == [1012, 1013, 1014]
    shot.put_plate(1002, pictures.scene(78))
    assert counts(walk(CLICK)) == (2, 12)
    shot.put_plate(1004, pictures.scene(79))
    assert counts(walk(CLICK)) == (14, 0)


def test_an_edited_key_mask_makes_all_new_and_a_rewritten_one_nothing(walk, paint, pictures):
    key = paint(1004)
    first = walk(key)
    pictures.settle(pictures.write(key.file, pictures.disc(20, 24), "A", dtype="float"))
    assert counts(walk(key)) == (0, 14)
    pictures.settle(pictures.write(key.file, pictures.disc(21, 24), "A"))
    second = walk(key)
    assert counts(second) == (14, 0)
    assert bits(second) != bits(first)


def test_the_engine_is_told_places_in_the_frame_that_it_sees(walk, shot, pictures, remembering):
    seen = []

    class Listening(remembering):
        def begin(self, brief, settings):
            seen.extend(brief.prompts)
            return super().begin(brief, settings)

    for number in CLIP:  # 4 columns of overscan on the left, 2 rows above
        shot.put_plate(number, pictures.scene(number, 52, 72), display=(0, 0, 64, 48), origin=(-4, -2))
    box = Prompt(BOX, 1004, (-2.0, 0.0, 10.0, 5.0))
    back = Prompt(POINT, 1004, (0.0, 47.0), subject=False)
    made = walk(CLICK, box, back, engine=Listening(), frame_ranges="1004")
    (told,) = seen
    np.testing.assert_array_equal(told.points, [[24, 12], [4, 49]])
    assert told.labels.tolist() == [True, False]
    assert told.box == (2, 2, 12, 7)
    assert made.done.roi == [-4, -2, 72, 52]


def test_a_key_mask_is_shaped_and_brought_to_the_plates_size(walk, paint, remembering):
    seen = []

    class Listening(remembering):
        def begin(self, brief, settings):
            seen.append(brief.prompts[0].load_mask())
            return super().begin(brief, settings)

    walk(paint(1004), engine=Listening(), frame_ranges="1004")
    walk(paint(1004, x=40, height=96, width=128), engine=Listening(), frame_ranges="1004")
    walk(paint(1004), engine=Listening(), frame_ranges="1004", mask_grow=90.0)
    assert [mask.shape for mask in seen] == [(48, 64)] * 3
    assert seen[1].sum() == pytest.approx(seen[0].sum() / 4, rel=0.2)
    assert seen[2].sum() > seen[0].sum()


def test_held_masks_dissolve_between_key_masks_and_depend_on_no_other_frame(bench, shot, paint, pictures):
    keys = paint(1004), paint(1010, x=40)
    made = bench.run(shot, HeldEngine(), prompts=keys, mask="")
    first, last = pictures.disc(20, 24), pictures.disc(40, 24)
    np.testing.assert_array_equal(made.alpha(1001), first)
    np.testing.assert_allclose(made.alpha(1007), 0.5 * (first + last), atol=1e-6)
    np.testing.assert_array_equal(made.alpha(1014), last)
    assert states(bench) == []
    shot.put_plate(1006, pictures.scene(80))
    assert counts(bench.run(shot, HeldEngine(), prompts=keys, mask="")) == (1, 13)


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        (Prompt(POINT, 2000, (1.0, 1.0)), r"click 2000:1,1 is on frame 2000, and the clip is 1001-1014"),
        (Prompt(POINT, 1004, (64.0, 1.0)), r"click 1004:64,1 lies outside the plate, which is 64x48"),
        (Prompt(BOX, 1004, (70.0, 1.0, 5.0, 5.0)), r"box 1004:70,1,5,5 lies outside the plate"),
    ],
)
def test_a_prompt_that_does_not_fit_the_clip_is_refused(walk, prompt, said):
    with pytest.raises(BadInput, match=said):
        walk(prompt)


def test_key_masks_that_do_not_fit_are_refused(walk, paint, pictures):
    with pytest.raises(BadInput, match=r"key mask of dog frame 1004: it is 64x64, the plate is 64x48"):
        walk(paint(1004, height=64, object="dog"))
    empty = paint(1005)
    pictures.settle(pictures.write(empty.file, np.zeros((48, 64)), "A"))
    with pytest.raises(BadInput, match="nothing is painted on 1 key mask"):
        walk(empty)
    assert counts(walk(empty, CLICK)) == (14, 0)  # the object may be away on a frame
    with pytest.raises(BadInput, match=r"nowhere\.png is not there"):
        walk(replace(empty, file="/nowhere.png"))


def test_windows_are_refused_where_there_are_none(walk):
    with pytest.raises(BadInput, match="has no windows"):
        walk(CLICK, window=4)


def test_a_mask_of_another_size_is_the_engines_fault(walk, remembering):
    class Wrong(remembering):
        def step(self, state, number, encoded, settings):
            return super().step(state, number, encoded, settings)[1:]

    with pytest.raises(InternalError, match=r"engine remembering returned a mask of shape \(47, 64\)"):
        walk(CLICK, engine=Wrong())


def test_a_walk_that_is_cancelled_keeps_what_it_finished(bench, shot, remembering, take):
    stop = threading.Event()

    class Stopping(remembering):
        def step(self, state, number, encoded, settings):
            if number == 1012:
                stop.set()
            return super().step(state, number, encoded, settings)

    with pytest.raises(Cancelled):
        take(bench.matte(shot, Stopping(), stop, mask="", prompts=(CLICK,)))
    after = bench.run(shot, remembering(), mask="", prompts=(CLICK,))
    assert after.done.cached >= 6


def test_masks_on_disk_are_seen_beside_prompts_and_are_in_the_key(walk, shot, pictures):
    both = walk(CLICK, mask=shot.mask)
    assert bits(both) != bits(walk(CLICK))
    shot.put_mask(1012, pictures.disc(3, 3))
    assert counts(walk(CLICK, mask=shot.mask)) == (3, 11)
    assert both.done.judged == 0
