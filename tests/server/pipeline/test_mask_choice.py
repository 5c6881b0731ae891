"""How good the masks of a job are taken to be: what is looked at, what follows, and what is said of it."""

import cv2
import numpy as np
import pytest
from videomama_client.engine_settings import ClassicSettings, OutlineSettings
from videomama_client.mask_presets import PRESETS, Outline, outline_of
from videomama_client.settings import MatteSettings
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.pipeline import mask_choice, mask_fit
from videomama_server.pipeline.mask_choice import frames_to_look_at

CLIP = range(1001, 1011)
LOOKED_AT = (1002, 1004, 1006, 1008, 1010)
WIDTH, HEIGHT = 480, 270
ALL = {"mask_slack": 7.0, "trimap_erode": 3.0, "trimap_dilate": 21.0}


def oval(grow=0.0):
    """A mask that is too large by so many pixels at 1920 wide."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    return (np.hypot((x - 240) / 1.5, y - 135) - 70 <= grow * WIDTH / 1920).astype(np.float32)


def plate(seed):
    """The oval in one colour over another, linear."""
    cover = cv2.GaussianBlur(oval(), (0, 0), 0.8)[..., None]
    noise = np.random.default_rng(seed).random((HEIGHT, WIDTH, 3), np.float32)
    return 0.05 + np.array([0.5, 0.2, 0.1], np.float32) * cover + 0.01 * noise


@pytest.fixture
def engine(temporal):
    """An engine that moves outlines, and says with which numbers."""

    class Moving(temporal):
        record = ClassicSettings

        def refine(self, prepared, settings):
            own = OutlineSettings.of(settings)
            self.outline = Outline(own.mask_slack, own.trimap_erode, own.trimap_dilate)
            share = np.float32(self.outline.mask_slack / 200)
            return (1 - share) * super().refine(prepared, settings)

    return Moving()


@pytest.fixture
def shot(make_shot):
    """Ten frames whose masks are right to the pixel."""
    made = make_shot(CLIP)
    for frame in CLIP:
        made.put_plate(frame, plate(frame))
        made.put_mask(frame, oval())
    return made


def masks(shot, grow, frames=CLIP):
    for frame in frames:
        shot.put_mask(frame, oval(grow))


@pytest.fixture
def nobody_looks(monkeypatch):
    def look(*_):
        raise AssertionError("no frame need be looked at")

    monkeypatch.setattr(mask_fit, "fit_of", look)


@pytest.mark.parametrize(
    ("clip", "expected"),
    [
        (CLIP, LOOKED_AT),
        (range(1001, 1101), (1011, 1031, 1051, 1071, 1091)),
        (range(1001, 1004), (1001, 1002, 1003)),
        ((7,), (7,)),
        (range(-10, 10, 2), (-8, -4, 0, 4, 8)),
    ],
    ids=str,
)
def test_five_frames_are_looked_at_and_they_lie_evenly_in_the_clip(clip, expected):
    assert tuple(frames_to_look_at(MatteSettings(), True, clip)) == expected


@pytest.mark.parametrize(
    ("grow", "quality"), [(0, "exact"), (10, "fair"), (24, "rough"), (-24, "rough")], ids=lambda value: str(value)
)
def test_the_numbers_follow_from_what_the_plates_say(bench, shot, engine, grow, quality):
    masks(shot, grow)
    outcome = bench.run(shot, engine)
    assert engine.outline == PRESETS[outcome.done.mask.quality]
    assert outcome.done.mask.quality == quality
    assert outcome.planned.mask == outcome.done.mask
    assert vars(engine.outline).items() <= vars(outcome.done.mask).items()
    assert outcome.done.mask.offset == pytest.approx(grow, abs=4)


def test_masks_that_are_too_large_or_too_small_are_told_in_pixels_of_the_plate(bench, shot, engine):
    masks(shot, 24)
    (large,) = bench.run(shot, engine).done.warnings
    assert large.startswith("the mask is about 6 px too large; check it, or correct it with --mask-grow -2")
    masks(shot, -24)
    (small,) = bench.run(shot, engine).done.warnings
    assert small.startswith("the mask is about 7 px too small; check it, or correct it with --mask-grow 2")
    corrected = bench.run(shot, engine, mask_grow=24.0)
    assert corrected.done.warnings == []
    assert corrected.done.mask.quality != "rough"


def test_a_part_of_the_clip_is_refined_like_the_whole_whatever_its_own_masks_are(bench, make_bench, shot, engine):
    masks(shot, 30, [1001, 1003, 1005])
    whole = bench.run(shot, engine)
    part = make_bench().run(shot, engine, frame_ranges="1003", roi=whole.roi)
    assert part.done.mask == whole.done.mask
    assert part.done.mask.quality == "exact"
    assert part.computed == [1003]
    assert np.array_equal(part.alpha(1003), whole.alpha(1003))


def test_what_was_found_gives_the_same_alphas_when_it_is_given(bench, shot, engine):
    first = bench.run(shot, engine)
    numbers = {name: getattr(first.done.mask, name) for name in ALL}
    again = bench.run(shot, engine, **numbers)
    assert again.done.cached == len(CLIP)
    assert (first.done.mask.quality, again.done.mask.quality) == ("exact", "")


def test_numbers_that_are_given_win(bench, shot, engine):
    outcome = bench.run(shot, engine, mask_slack=7.0)
    assert engine.outline == Outline(7.0, PRESETS["exact"].trimap_erode, PRESETS["exact"].trimap_dilate)
    assert outcome.done.mask.quality == "exact"


@pytest.mark.parametrize("asked", [ALL, {"mask_quality": "rough"}], ids=str)
def test_where_nothing_is_open_no_frame_is_looked_at(bench, shot, engine, nobody_looks, asked):
    bench.run(shot, engine, **asked)
    assert engine.outline == (Outline(**ALL) if asked is ALL else PRESETS["rough"])


def test_an_engine_that_leaves_outlines_alone_has_nothing_looked_at(bench, shot, nobody_looks):
    outcome = bench.run(shot, PassthroughEngine())
    assert outcome.done.mask is None
    assert outcome.planned.mask is None
    assert outcome.done.warnings == []


def test_a_second_job_looks_at_no_plate_again(bench, shot, engine, monkeypatch):
    first = bench.run(shot, engine)
    monkeypatch.setattr(mask_fit, "fit_of", lambda *_: pytest.fail("it is in the memo"))
    again = bench.run(shot, engine)
    assert again.done.cached == len(CLIP)
    assert again.done.mask == first.done.mask


def test_a_mask_that_changed_is_looked_at_again(bench, shot, engine):
    bench.run(shot, engine)
    masks(shot, 24)
    assert bench.run(shot, engine).done.mask.quality == "rough"
    assert bench.run(shot, engine, mask_threshold=0.4).done.mask.quality == "rough"


def test_where_the_plates_do_not_say_the_masks_are_rough_and_a_warning_says_so(bench, shot, engine):
    for frame in CLIP:
        shot.put_plate(frame, np.random.default_rng(frame).random((HEIGHT, WIDTH, 3), np.float32))
    outcome = bench.run(shot, engine)
    assert engine.outline == PRESETS["rough"]
    assert outcome.done.mask.quality == "unsure"
    assert outcome.done.warnings == [
        "the plate does not say how good the mask is, so it was taken as rough; "
        "choose --mask-quality exact, good, fair or rough"
    ]


def test_of_small_plates_the_masks_are_rough_and_nothing_is_said(bench, make_shot, engine):
    outcome = bench.run(make_shot(CLIP, "small"), engine)
    assert engine.outline == PRESETS["rough"]
    assert outcome.done.warnings == []


def test_frames_that_are_missing_are_named_and_the_others_decide(bench, shot, engine):
    for frame in (1002, 1010):
        shot.mask_file(frame).unlink()
    outcome = bench.run(shot, engine, frame_ranges="1005", window=2, overlap=0)
    (warning,) = outcome.done.warnings
    assert warning.startswith("frames 1002, 1010 are needed to judge how good the mask is, and are missing; it was")
    assert "1004-1008x2" in warning
    assert outcome.done.mask.quality == "exact"


def test_empty_masks_do_not_decide(bench, shot, engine):
    for frame in LOOKED_AT[:4]:
        shot.put_mask(frame, 0 * oval())
    masks(shot, 24, [1010])
    assert bench.run(shot, engine).done.mask.quality == "rough"


def test_the_alphas_of_a_stage_are_good_masks():
    def outline(**asked):
        return outline_of(OutlineSettings.of(mask_choice.of_alphas(MatteSettings.of(**asked), True)))

    assert outline() == PRESETS["good"]
    assert outline(mask_quality="fair") == PRESETS["fair"]
    assert outline(mask_slack=3.0).mask_slack == 3.0
    assert mask_choice.of_alphas(MatteSettings(), False) == MatteSettings()  # as in a job of this engine alone
