from dataclasses import replace

import numpy as np
import pytest
import torch
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput, WeightsError
from videomama_client.settings import MatteSettings
from videomama_server.engines.base import EngineConfig, EngineFrame, licence_of
from videomama_server.engines.videomama import engine as engine_module
from videomama_server.engines.videomama import model as model_module
from videomama_server.engines.videomama.engine import VideoMamaEngine
from videomama_server.media.color import display_transform

H, W = 128, 192
FRAMES = range(1001, 1007)


@pytest.fixture(scope="module")
def straight(load_bench):
    """The published inference, written down with stock modules only."""
    return load_bench("straight")


@pytest.fixture
def engine(config):
    return VideoMamaEngine(config)


def plate(number, h=H, w=W):
    y, x = np.mgrid[:h, :w].astype(np.float32)
    waves = [np.sin((x + 3 * number) / (5 + c)) * np.cos((y - number) / (7 + c)) for c in range(3)]
    return (0.5 + 0.4 * np.stack(waves, axis=-1)).astype(np.float32)


def mask(number, h=H, w=W):
    y, x = np.mgrid[:h, :w]
    return np.clip(40 - np.hypot(x - w / 2 - 2 * (number - 1001), y - h / 2), 0, 1).astype(np.float32)


def framed(number, pixels=None, keyed=True, size=(H, W)):
    shown = mask(number, *size) if pixels is None else pixels
    keys = (f"plate {number}", f"mask {number} {shown.mean()}") if keyed else ("", "")
    return EngineFrame(number, shown, (1080, 1920), lambda: plate(number, *size), *keys)


def resolved(engine, size=(H, W), **asked):
    settings = MatteSettings.of(engine="videomama", **asked)
    shape = engine.shape(settings)
    return engine.resolve(replace(settings, window=settings.window or shape.length, overlap=shape.overlap), size)


def matte(engine, frames=FRAMES, wanted=None, size=(H, W), **asked):
    settings = resolved(engine, size, **{"canvas": f"{W}x{H}", **asked})
    prepared = [engine.prepare(framed(number, size=size), settings) for number in frames]
    estimates = engine.refine(prepared, settings)
    wanted = list(range(len(prepared))) if wanted is None else wanted
    completed = engine.complete(list(estimates), prepared, wanted, settings)
    return np.stack([engine.finish(alpha, prepared[at], settings) for alpha, at in zip(completed, wanted, strict=True)])


@pytest.mark.parametrize("frames", [1, 6, 11])
def test_reference_is_the_published_inference(config, straight, tiny_checkpoint, frames):
    numbers = range(1001, 1001 + frames)
    ours = matte(VideoMamaEngine(config), numbers, mode="reference", canvas=f"{W}x{H}")
    models = straight.load(tiny_checkpoint)
    theirs = straight.published(models, [plate(n) for n in numbers], [mask(n) for n in numbers], canvas=(H, W))
    assert theirs.std() > 0.05
    assert np.abs(ours - theirs).max() <= 1e-4


@pytest.mark.parametrize("soft", [False, True])
def test_reference_stretches_as_the_published_inference_does(config, straight, tiny_checkpoint, soft):
    numbers, size = range(1001, 1004), (150, 290)
    settings = {"mode": "reference", "canvas": f"{W}x{H}", "soft_mask": soft}
    engine = VideoMamaEngine(config)
    full = resolved(engine, size, **settings)
    prepared = [engine.prepare(framed(number, size=size), full) for number in numbers]
    latents = torch.from_numpy(engine.refine(prepared, full)) / 0.18215
    ours = engine._model.decode_as_published(latents).numpy()
    plates, masks = [plate(n, *size) for n in numbers], [mask(n, *size) for n in numbers]
    theirs = straight.published(straight.load(tiny_checkpoint), plates, masks, canvas=(H, W), threshold=not soft)
    assert np.abs(ours - theirs).max() <= 1e-4
    assert matte(engine, numbers, size=size, **settings).shape == (3, *size)


def test_production_alphas_are_alive_and_in_range(engine):
    alphas = matte(engine)
    assert alphas.shape == (6, H, W)
    assert alphas.dtype == np.float32
    assert 0 <= alphas.min() < alphas.max() <= 1
    assert alphas.std() > 0.02


def test_the_same_inputs_give_the_same_bits_in_another_engine(config):
    np.testing.assert_array_equal(matte(VideoMamaEngine(config)), matte(VideoMamaEngine(config)))


def test_what_was_encoded_before_gives_the_same_bits(engine):
    first = matte(engine)
    np.testing.assert_array_equal(first, matte(engine))
    np.testing.assert_array_equal(
        matte(engine, range(1003, 1009)), matte(VideoMamaEngine(engine._model._config), range(1003, 1009))
    )


def test_only_what_changed_is_encoded_again(engine, monkeypatch):
    settings = resolved(engine, canvas=f"{W}x{H}")
    engine.refine([engine.prepare(framed(number), settings) for number in FRAMES], settings)
    encoded = []
    real = engine._model.encode
    monkeypatch.setattr(engine._model, "encode", lambda pictures: (encoded.append(len(pictures)), real(pictures))[1])
    edited = [framed(number, np.zeros((H, W), np.float32) if number == 1003 else None) for number in FRAMES]
    looked_at = []
    for frame in edited:
        frame.load_plate = lambda number=frame.number: (looked_at.append(number), plate(number))[1]
    engine.refine([engine.prepare(frame, settings) for frame in edited], settings)
    assert encoded == [0, 1]
    assert looked_at == []


def test_frames_that_nobody_can_tell_apart_by_key_are_always_encoded(engine):
    settings = resolved(engine, canvas="64x64")
    one = engine.prepare(framed(1001, keyed=False), settings)
    engine.refine([one], settings)
    other = engine.prepare(framed(1002, keyed=False), settings)
    assert other.plate is not None
    assert other.mask is not None


@pytest.mark.parametrize(
    "change", [{"seed": 7}, {"feedback": 1}, {"soft_mask": True}, {"mask_threshold": 0.1}, {"canvas": "256x128"}]
)
def test_settings_change_the_alpha(engine, change):
    frames = range(1001, 1003)
    assert np.abs(matte(engine, frames) - matte(engine, frames, **change)).max() > 1e-4


def test_a_stretched_plate_is_not_taken_for_a_fitted_one(config):
    size = (100, 300)
    both, alone = VideoMamaEngine(config), VideoMamaEngine(config)
    matte(both, range(1001, 1003), size=size, mode="reference")
    np.testing.assert_array_equal(matte(both, range(1001, 1003), size=size), matte(alone, range(1001, 1003), size=size))


def test_a_job_goes_on_after_its_engine_was_released_for_another(engine):
    settings = resolved(engine, canvas="64x64")
    prepared = [engine.prepare(framed(number), settings) for number in range(1001, 1003)]
    before = engine.refine(prepared, settings)
    engine.release()
    np.testing.assert_array_equal(engine.refine(prepared, settings), before)
    assert "64x64" in engine.describe(settings)


def test_feedback_puts_the_alpha_in_place_of_the_mask(engine, monkeypatch):
    seen = []
    real = engine._model.estimate
    monkeypatch.setattr(engine._model, "estimate", lambda u: (seen.append((u, real(u))), seen[-1][1])[1])
    matte(engine, feedback=2)
    (first, z), (second, again), (third, _) = seen
    assert torch.equal(first[:, :8], second[:, :8])
    torch.testing.assert_close(second[:, 8:], z / 0.18215)
    torch.testing.assert_close(third[:, 8:], again / 0.18215)


def test_only_frames_that_are_wanted_are_given(engine):
    whole = matte(engine)
    np.testing.assert_array_equal(matte(engine, wanted=[1, 4]), whole[[1, 4]])


def test_far_frames_do_not_change_the_decoded_alpha_much(engine):
    """The decoder's statistics are local, so that a group's end changes little where it is far away."""
    settings = resolved(engine, canvas="128x64")
    prepared = [engine.prepare(framed(number), settings) for number in range(1001, 1017)]
    latents = list(engine.refine(prepared, settings))
    whole = engine.complete(latents, prepared, [0], settings)[0]
    part = engine.complete(latents[:12], prepared[:12], [0], settings)[0]
    assert np.abs(whole - part).max() < 1e-3


def test_defaults_stand_for_what_changes_no_pixel(engine):
    one = resolved(engine, (600, 800), weights="/elsewhere", seed=42)
    assert one == resolved(engine, (600, 800))
    assert one.option("canvas") == "896x704"  # as many pixels as the published inference looks at, in multiples of 64


@pytest.mark.parametrize("uncut", [{"soft_mask": True}, {"mode": "reference"}], ids=str)
def test_a_threshold_that_cuts_nothing_is_in_no_key(engine, uncut):
    assert resolved(engine, mask_threshold=0.25, **uncut) == resolved(engine, **uncut)
    assert resolved(engine, mask_threshold=0.25) != resolved(engine)


def test_a_setting_of_another_engine_is_refused_by_name(engine, raises_with_hint):
    with raises_with_hint(BadInput, "--mask-slack is a setting of classic"):
        resolved(engine, mask_slack=5.0)


def test_quality_fast_takes_a_smaller_canvas(engine):
    assert resolved(engine, (1080, 1920)).option("canvas") == "1856x1088"
    fast = resolved(engine, (1080, 1920), quality="fast")
    assert fast.option("canvas") == "1024x576"
    assert fast == resolved(engine, (1080, 1920), canvas="1024x576")


def test_the_published_canvas_is_the_references_own(engine):
    assert resolved(engine, (1080, 1920), mode="reference").option("canvas") == "1024x576"
    assert engine.shape(MatteSettings.of(mode="reference")).overlap == 0
    assert engine.rule(MatteSettings.of(mode="reference")).minimum_gain == 1.0


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"window": 26}, "--window 26"),
        ({"mode": "reference", "feedback": 1}, "feedback"),
    ],
)
def test_what_it_cannot_follow_is_an_error(engine, asked, named, raises_with_hint):
    with raises_with_hint(BadInput, named):
        resolved(engine, **asked)


def test_no_weights_is_an_error_that_names_the_folder(tmp_path, raises_with_hint):
    with raises_with_hint(WeightsError, tmp_path / "none"):
        VideoMamaEngine(EngineConfig(tmp_path / "none", tmp_path))


def test_weights_kept_in_bf16_give_nearly_the_same(config):
    full, short = VideoMamaEngine(config), VideoMamaEngine(replace(config, dtype="bf16"))
    assert np.abs(matte(full) - matte(short)).mean() < 0.01


def test_reference_may_start_from_the_devices_own_noise(engine):
    frames, asked = range(1001, 1003), {"mode": "reference", "canvas": "64x64"}
    on_device = (EngineOption("noise", "device"),)
    drawn = matte(engine, frames, engine_options=on_device, **asked)
    np.testing.assert_array_equal(drawn, matte(engine, frames, engine_options=on_device, **asked))
    assert not np.array_equal(drawn, matte(engine, frames, **asked))


def test_production_has_noise_of_its_own(engine, raises_with_hint):
    with raises_with_hint(BadInput, "only the reference mode"):
        resolved(engine, engine_options=(EngineOption("noise", "device"),))


def test_usage_is_known_while_the_network_is_loaded(engine):
    assert engine.usage() is None
    matte(engine)
    usage = engine.usage()
    assert usage.device == "cpu"
    assert usage.dtype == "fp32"
    assert usage.resident_bytes > 1_000_000
    assert usage.peak_bytes > usage.resident_bytes
    engine.release()
    assert engine.usage() is None
    matte(engine)


def test_it_says_the_licence_of_its_weights(engine):
    assert licence_of(engine, MatteSettings()) == "Stability AI Community License"


def test_it_says_what_it_runs_on(engine):
    text = engine.describe(resolved(engine, canvas=f"{W}x{H}"))
    for named in ("cpu", "fp32", f"{W}x{H}"):
        assert named in text


def test_a_small_budget_takes_a_smaller_canvas(config):
    ample, small = VideoMamaEngine(config), VideoMamaEngine(replace(config, max_vram_gb=1.3))

    def area(text):
        w, h = map(int, text.split("x"))
        return w * h

    canvases = [resolved(one, (1080, 1920)).option("canvas") for one in (small, ample)]
    assert area(canvases[0]) < area(canvases[1])


def on_device(config):
    """Return an engine whose pictures are its device's work, as they are on a card."""
    engine = VideoMamaEngine(config)
    engine._on_device = True
    return engine


@pytest.mark.parametrize("size", [(2 * H + 6, 2 * W + 10), (H, W), (H // 2 + 3, W // 2)])
def test_pictures_on_the_device_give_the_same_alphas(config, size):
    frames = range(1001, 1004)
    expected, found = matte(VideoMamaEngine(config), frames, size=size), matte(on_device(config), frames, size=size)
    assert found.shape == (3, *size)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() <= 1e-3
    assert expected.std() > 0.02


def test_the_device_converts_the_colour_of_plates(config, monkeypatch):
    transform, size, seen = display_transform("ACEScg", 0.0), (2 * H, 2 * W), []

    def prepared(engine, settings, number):
        frame = framed(number, size=size)
        frame.as_read, frame.lookup = plate(number, *size), transform.lookup
        frame.load_plate = lambda: (seen.append(number), transform(plate(number, *size)))[1]
        return engine.prepare(frame, settings)

    alphas = []
    for engine in (VideoMamaEngine(config), on_device(config)):
        settings = resolved(engine, size, canvas=f"{W}x{H}")
        frames = [prepared(engine, settings, number) for number in (1001, 1002)]
        completed = engine.complete(list(engine.refine(frames, settings)), frames, [0, 1], settings)
        alphas.append(np.stack([engine.finish(*pair, settings) for pair in zip(completed, frames, strict=True)]))
    assert seen == [1001, 1002]  # by the host alone
    assert np.abs(alphas[0] - alphas[1]).max() <= 1e-3


def test_a_plate_goes_to_the_device_once_though_two_windows_hold_it(config, monkeypatch):
    engine, laid, real = on_device(config), [], engine_module.on_device.placed
    monkeypatch.setattr(engine_module.on_device, "placed", lambda *given: (laid.append(1), real(*given))[1])
    settings = resolved(engine, (2 * H, 2 * W), canvas=f"{W}x{H}")
    prepared = [engine.prepare(framed(number, size=(2 * H, 2 * W)), settings) for number in (1001, 1002, 1003)]
    engine.refine(prepared[:2], settings)
    engine.refine(prepared[1:], settings)
    assert len(laid) == 3
    assert all(frame.waiting is None and frame.plate is None for frame in prepared)


def test_plates_that_wait_for_a_card_are_pinned_when_they_are_prepared(config, monkeypatch):
    engine, asked = on_device(config), []
    settings = resolved(engine, (H, W), canvas=f"{W}x{H}")
    monkeypatch.setattr(engine._model, "_device", replace(engine._model._device, device=torch.device("cuda:0")))
    monkeypatch.setattr(engine_module.uploads, "pinned", lambda *given: (asked.append(given[1].type), given[0])[1])
    prepared = engine.prepare(framed(1001), settings)
    assert prepared.waiting is not None
    assert asked == ["cuda"]


def test_the_published_way_is_the_hosts_work_alone(config):
    asked = {"mode": "reference", "canvas": f"{W}x{H}", "size": (2 * H, 2 * W)}
    frames = range(1001, 1003)
    np.testing.assert_array_equal(
        matte(VideoMamaEngine(config), frames, **asked), matte(on_device(config), frames, **asked)
    )


def test_memory_for_pictures_is_left_beside_the_network(config, monkeypatch):
    budgets, engine, real = [], on_device(config), model_module.planner.plan

    def plan(workload, wanted, budget, beside):
        budgets.append(budget - beside(wanted[0]))
        return real(workload, wanted, budget, beside)

    monkeypatch.setattr(model_module.planner, "plan", plan)
    monkeypatch.setattr(engine._model.plans, "_budget", lambda: 10**12)
    for size in ((1080, 1920), (2160, 3840), (1080, 1920)):
        resolved(engine, size, canvas=f"{W}x{H}")
    hd, uhd = (10**12 - budget for budget in budgets)  # the third fits into what was left for the second
    assert uhd > 3 * hd > 0
    assert uhd < 3 * 10**9
