import numpy as np
import pytest
from videomama_client.prompts import POINT, Prompt
from videomama_server.cache import layout
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.media import frames

CLIP = range(1001, 1015)


@pytest.fixture
def shot(make_shot):
    return make_shot(CLIP)


def sliding(remembering, jumps=(), gone=(), absent=()):
    """Return an engine whose mask slides by one pixel a frame, and by 20 more from each frame of `jumps` on."""

    class Sliding(remembering):
        def step(self, state, number, encoded, settings):
            mask = np.zeros_like(super().step(state, number, encoded, settings))
            at = number - 1001 + 20 * sum(number >= jump for jump in jumps)
            mask[8:40, at : at + 16] = 0.0 if number in gone else 0.9
            return mask

        def absent(self, settings):
            return frozenset(absent)

    engine = Sliding()
    engine.fingerprint = f"sliding {jumps} {gone} {absent}"
    return engine


def clicked(*numbers):
    return tuple(Prompt(POINT, number, (9.0, 9.0)) for number in numbers)


@pytest.fixture
def drifted(bench, shot, remembering):
    """Run a job with clicks and return the frames flagged and the first one to look at, and the outcome."""

    def run(*clicks, **how):
        engine = sliding(remembering, **{name: how.pop(name) for name in ("jumps", "gone", "absent") if name in how})
        made = bench.run(shot, engine, mask="", prompts=clicked(*(clicks or (1001,))), **how)
        return [(flag.kind, flag.frame_numbers, flag.worst) for flag in made.done.flags], made

    return run


def test_a_mask_that_follows_its_subject_is_not_flagged(drifted):
    assert drifted()[0] == []


def test_the_frame_on_which_the_mask_leaves_is_flagged_with_where_to_click_again(drifted):
    found, made = drifted(jumps=(1006, 1011))
    assert found == [("drift", [1006, 1011], 1006)]
    assert "click again, first on frame 1006" in made.done.flags[0].reason


def test_a_walk_backward_reaches_the_earlier_frame_second(drifted):
    assert drifted(1012, jumps=(1006,))[0] == [("drift", [1005], 1005)]


def test_the_first_to_look_at_is_the_nearest_to_a_prompt(drifted):
    assert drifted(1010, jumps=(1003, 1012))[0] == [("drift", [1002, 1012], 1012)]


def test_a_subject_that_is_gone_has_drifted_unless_the_settings_say_so(drifted):
    assert drifted(gone=(1007, 1008))[0] == [("drift", [1007], 1007)]
    assert drifted(gone=(1009, 1010), absent=(1009, 1010))[0] == []


def test_frames_of_the_cache_are_flagged_too_and_no_mask_is_opened_for_it(drifted, bench, monkeypatch):
    first, made = drifted(1003, jumps=(1006,))
    assert made.done.computed == 14
    assert all(layout.note(entry).exists() for entry in entries(bench))
    monkeypatch.setattr(frames, "read_mask", None)
    again, made = drifted(1003, jumps=(1006,))
    assert made.done.cached == 14
    assert again == first == [("drift", [1006], 1006)]


def entries(bench):
    return sorted(bench.cache.folder.glob("entries/*/*.exr"))


def test_masks_that_only_a_cached_later_stage_was_made_of_are_flagged_too(drifted):
    first, _ = drifted(jumps=(1006,), then=(PassthroughEngine(),))
    again, made = drifted(jumps=(1006,), then=(PassthroughEngine(),))
    assert (made.done.stages[0].computed, made.done.stages[0].cached) == (0, 0)
    assert again == first == [("drift", [1006], 1006)]


def test_a_mask_that_lost_its_note_is_read_again(drifted, bench):
    drifted(jumps=(1006, 1010), then=(PassthroughEngine(),))
    for entry in entries(bench):
        layout.note(entry).unlink(missing_ok=True)
    again, _ = drifted(jumps=(1006, 1010), then=(PassthroughEngine(),))
    assert again == [("drift", [1006, 1010], 1006)]


def test_frames_that_are_no_neighbours_are_not_compared(drifted):
    assert drifted(jumps=(1006,), frame_ranges="1004,1007")[0] == []
    assert drifted(jumps=(1006,), frame_ranges="1005-1006")[0] == [("drift", [1006], 1006)]


def test_a_frame_with_a_prompt_of_its_own_is_not_flagged(drifted):
    assert drifted(1001, 1006, jumps=(1006,))[0] == [("drift", [1005], 1005)]
    assert drifted(1001, 1005, 1006, jumps=(1006,))[0] == []


def test_masks_of_an_engine_without_a_memory_are_not_judged(bench, shot, remembering):
    engine = sliding(remembering, jumps=(1006,))
    engine.remembers = False
    assert bench.run(shot, engine, mask="", prompts=clicked(1001)).done.flags == []
