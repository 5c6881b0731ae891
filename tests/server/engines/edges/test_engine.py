"""What all edge refiners do, with a network that is a few lines of numpy in the place of the real one."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from videomama_client.engine_settings import EdgeSettings, ViTMatteSettings
from videomama_client.errors import BadInput
from videomama_client.settings import MatteSettings
from videomama_server.engines.base import EngineConfig, EngineFrame, moves_outlines, needs_device, role_of
from videomama_server.engines.edges.engine import EdgeEngine
from videomama_server.metrics.temporal import dtssd

SIZE = (240, 320)


class Runner:
    """Answers with the brightness of the plate, and notes what it was asked."""

    name, arithmetic = "numpy", "cpu float32"

    def release(self):
        pass

    def __init__(self):
        self.asked = []
        self.unsteady = 0.0  # how far an answer may be off as a whole
        self.draw = np.random.default_rng(2)

    def side(self, sides, size):
        return sides[0]

    def estimate(self, plate, trimap):
        self.asked.append(trimap.shape)
        return np.clip(plate.mean(axis=2) + self.draw.normal(0, self.unsteady), 0, 1).astype(np.float32)

    def usage(self):
        return None


class Refiner(EdgeEngine):
    name, fingerprint, record, sides = "vitmatte", "test-1", ViTMatteSettings, (384,)
    published_under = "MIT"

    def __init__(self, folder):
        super().__init__(EngineConfig(folder, folder, device="cpu"))
        self.file, self.runner = folder / "weights", Runner()
        self.file.write_bytes(b"weights")

    @classmethod
    def identity(cls, config):
        return config

    def model_of(self, settings):
        return "only"

    def files_of(self, model):
        return (self.file,)

    def runner_of(self, model):
        return self.runner


@pytest.fixture
def refiner(tmp_path):
    return Refiner(tmp_path)


def disc(shift=0.0):
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    return np.clip((70 - np.hypot(x - 160 - shift, y - 120)) / np.float32(4) + 0.5, 0, 1)


def plate(shift=0.0, noise=0.0, seed=0):
    """Return a bright disc before a dark, textured wall."""
    wall = cv2.resize(np.random.default_rng(1).random((24, 32)).astype(np.float32) * 0.2, (SIZE[1], SIZE[0]))
    picture = wall + (0.9 - wall) * disc(shift)
    picture = picture + np.random.default_rng(seed).normal(0, noise, SIZE)
    return np.repeat(np.clip(picture, 0, 1)[..., None], 3, axis=2).astype(np.float32)


def frame(number, alpha=None, pixels=None):
    alpha = disc() if alpha is None else alpha
    return EngineFrame(number, alpha, SIZE, lambda: plate() if pixels is None else pixels)


def resolved(engine, **options):
    return engine.resolve(MatteSettings.of(engine="vitmatte", window=1, overlap=0, **options), SIZE)


def refine(engine, frames, **options):
    """Return the alphas of a clip, in the windows and groups that the pipeline would make of it."""
    settings = resolved(engine, **options)
    shape = engine.shape(settings)
    prepared = [engine.prepare(each, settings) for each in frames]
    estimates = []
    for start in range(0, len(prepared), shape.length):
        estimates += list(engine.refine(prepared[start : start + shape.length], settings))
    found, reach = [], shape.context or 0
    for at in range(len(frames)):
        first, last = max(0, at - reach), min(len(frames), at + reach + 1)
        found += engine.complete(estimates[first:last], prepared[first:last], [at - first], settings)
    return found


def test_it_is_an_edge_refiner_that_needs_the_device_and_leaves_outlines_where_they_are(refiner):
    assert role_of(Refiner) == "refiner"
    assert needs_device(refiner)
    assert not moves_outlines(Refiner)
    assert not Refiner.runs_well(EngineConfig(refiner.file, refiner.file))


def test_what_is_decided_holds_numbers_tile_and_weights_and_no_preset(refiner):
    settings = resolved(refiner, trimap_preset="wide")
    options = {option.name: option.value for option in settings.engine_options}
    assert options["trimap_foreground"] == 0.94
    assert options["tile"] == 384
    assert "trimap_preset" not in options
    before = options["weights"]
    assert before.endswith(" cpu float32")
    refiner.file.write_bytes(b"other weights")
    assert resolved(refiner, trimap_preset="wide").option("weights") != before


def test_the_band_is_refined_and_the_rest_stays_bit_for_bit(refiner):
    (found,) = refine(refiner, [frame(1)])
    settings = resolved(refiner)
    unknown = refiner.prepare(frame(1), settings).unknown
    assert found[~unknown].tobytes() == disc()[~unknown].tobytes()
    assert np.abs(found - disc())[unknown].max() > 0.05


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"trimap_mode": "probability"}, "--trimap-background or raise --trimap-foreground"),
        (
            {"trimap_mode": "distance", "trimap_inside": 0.0, "trimap_outside": 0.0},
            "--trimap-inside or --trimap-outside",
        ),
    ],
)
def test_an_empty_band_on_a_frame_with_an_edge_is_an_error_that_names_frame_and_settings(refiner, options, named):
    hard = (disc() > 0.5).astype(np.float32)
    with pytest.raises(BadInput, match="frame 1003: the trimap has no unknown pixels") as refused:
        refine(refiner, [frame(1003, hard)], **options)
    assert named in refused.value.hint
    assert refused.value.frame == 1003


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_frame_without_an_edge_passes_and_its_plate_is_not_asked_for(refiner, value):
    alpha = np.full(SIZE, value, np.float32)
    unread = EngineFrame(1, alpha, SIZE, lambda: pytest.fail("the plate was read"))
    (found,) = refine(refiner, [unread])
    assert found.tobytes() == alpha.tobytes()
    assert refiner.runner.asked == []


def test_steadying_calms_the_edge_and_keeps_what_is_certain(refiner):
    refiner.runner.unsteady = 0.1
    frames = [frame(n) for n in range(6)]
    plain, steady = (np.stack(refine(refiner, frames, steady=share)) for share in (0.0, 1.0))
    truth = disc()
    flicker = [[dtssd(now, truth, before, truth) for before, now in pairwise(clip)] for clip in (plain, steady)]
    assert np.mean(flicker[1]) < 0.7 * np.mean(flicker[0])
    unknown = refiner.prepare(frames[0], resolved(refiner)).unknown
    assert (steady[:, ~unknown] == disc()[~unknown]).all()


def test_a_frame_is_the_same_whichever_others_were_asked_for(refiner):
    frames = [frame(n, disc(n), plate(n)) for n in range(7)]
    assert np.array_equal(refine(refiner, frames)[3], refine(refiner, frames[1:6])[2])


def test_frames_are_reused_where_neither_alpha_nor_plate_changed_and_that_is_reported(refiner):
    frames = [frame(n, pixels=plate(noise=0.004, seed=n)) for n in range(4)]
    frames.append(frame(4, pixels=plate(shift=3)))  # the mask stays, the picture moves
    frames.append(frame(5, disc(3), plate(shift=3)))
    settings = resolved(refiner, reuse=0.02, steady=0.0)
    assert refiner.shape(settings).length == 8
    found = refine(refiner, frames, reuse=0.02, steady=0.0)
    plain = refine(refiner, frames, steady=0.0)
    assert all(np.array_equal(alpha, found[0]) for alpha in found[1:4])
    assert np.array_equal(found[4], plain[4])
    assert np.array_equal(found[5], plain[5])
    said = refiner.describe(settings)
    assert "3 of 6 frames reused" in said
    assert "largest alpha difference 0.0" in said


def test_what_was_reused_is_counted_for_each_job_anew(refiner):
    options = {"reuse": 0.02, "steady": 0.0}
    frames = [frame(number) for number in range(4)]
    settings = resolved(refiner, **options)
    for _ in range(2):
        refine(refiner, frames, **options)
        assert "3 of 4 frames reused" in refiner.describe(settings)
    assert "reused" not in refiner.describe(resolved(refiner, **options))  # by a job that has made none yet


def test_nothing_is_reused_unless_that_is_asked_for(refiner):
    assert EdgeSettings().reuse == 0
    refine(refiner, [frame(n) for n in range(3)], steady=0.0)
    assert len(refiner.runner.asked) == 3
    assert "reused" not in refiner.describe(resolved(refiner))


def test_a_tile_that_is_not_of_whole_steps_is_refused(refiner):
    with pytest.raises(BadInput, match="--tile 500 is not a multiple of 32"):
        resolved(refiner, tile=500)
    assert resolved(refiner, tile=512).option("tile") == 512


def test_the_trimap_can_be_returned_in_place_of_the_alpha_whatever_the_network(refiner):
    settings = resolved(refiner, show="trimap")
    assert settings == resolved(refiner, show="trimap", model="base", tile=512, steady=0.5, reuse=0.1)
    assert refiner.shape(settings).context is None
    (found,) = refine(refiner, [frame(1)], show="trimap")
    unknown = refiner.prepare(frame(1), resolved(refiner)).unknown
    assert np.array_equal(found == 0.5, unknown)
    assert (found[~unknown] == (disc()[~unknown] > 0.5)).all()
    assert refiner.runner.asked == []
    assert refiner.describe(settings) == "the trimap alone"
    assert refiner.licence(settings) == ""
    assert refiner.licence(resolved(refiner)).startswith("MIT, trained on Composition-1k")
    for value in (0.0, 1.0):
        (whole,) = refine(refiner, [frame(1, np.full(SIZE, value, np.float32))], show="trimap")
        assert (whole == value).all()


def test_the_plate_is_kept_only_where_a_tile_has_unknown_pixels(refiner):
    alpha = np.zeros((240, 1200), np.float32)
    alpha[80:160, 40:120] = 1
    pixels = np.full((240, 1200, 3), 0.5, np.float32)
    wide = EngineFrame(1, alpha, alpha.shape, lambda: pixels)
    kept = refiner.prepare(wide, resolved(refiner, tile=384)).plate
    assert (kept[:, :384] == 0.5).all()
    assert not kept[:, 384:].any()
