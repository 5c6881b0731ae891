"""The memory plans of canvases: which is taken, memory that runs out, and what other engines hold."""

from dataclasses import replace

import pytest
import torch
from videomama_client.errors import OutOfMemory
from videomama_server.engines.base import DeviceLost
from videomama_server.engines.runtime import device
from videomama_server.engines.videomama.memory import planner
from videomama_server.engines.videomama.memory.known_peaks import KnownPeaks
from videomama_server.engines.videomama.model import Model

SMALL, LARGE = (64, 64), (64, 128)
NO_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    torch.AcceleratorError("CUDA error: out of memory"),  # outside torch's allocator
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
]


def latents(frames=2, canvas=SMALL, channels=12):
    size = (frames, channels, canvas[0] // 8, canvas[1] // 8)
    return torch.randn(size, generator=torch.Generator().manual_seed(1))


def failing(model, monkeypatch, *errors):
    """Make the network fail with each of the errors in turn, and work after them."""
    left, real = list(errors), model._using

    def using(part, plan):
        if left:
            raise left.pop(0)
        return real(part, plan)

    monkeypatch.setattr(model, "_using", using)


def test_the_first_canvas_that_fits_is_taken_and_described(model):
    assert model.plans.settle([LARGE, SMALL], 2, 2) == LARGE
    for named in ("cpu", "fp32", "128x64"):
        assert named in model.plans.describe(LARGE)


def test_a_canvas_is_planned_again_for_windows_of_another_length_only(model, monkeypatch):
    planned, real = [], planner.plan
    monkeypatch.setattr(planner, "plan", lambda *asked: planned.append(asked) or real(*asked))
    for window in (2, 2, 3, 3):
        model.plans.settle([SMALL], window, 2)
    assert len(planned) == 2


def test_a_plan_is_the_same_before_and_after_the_network_is_loaded(model, monkeypatch):
    def measured_anew():
        monkeypatch.setattr(planner, "peaks", KnownPeaks())
        planner._network.cache_clear()
        planner._weights.cache_clear()
        model.plans._plans.clear()
        model.plans.settle([LARGE], 2, 2)
        return model.plans._plans[LARGE]

    monkeypatch.setattr(device, "free_bytes", lambda _: 10**12)
    before = measured_anew()
    assert model.usage() is None
    model.estimate(latents(canvas=LARGE))
    assert model.usage() is not None
    after = measured_anew()
    assert after.peak_bytes == pytest.approx(before.peak_bytes, rel=0.02)
    assert replace(after, peak_bytes=0, budget_bytes=0) == replace(before, peak_bytes=0, budget_bytes=0)


@pytest.mark.parametrize("error", NO_MEMORY, ids=["torch", "cpu", "driver", "cublas", "cudnn"])
def test_memory_that_runs_out_once_is_answered_with_a_tighter_plan(model, monkeypatch, error):
    """There is none on a CPU, so that one is lent."""
    model.plans.settle([SMALL], 3, 3)
    expected = model.estimate(latents(3))
    frame_by_frame = replace(model.plans._plans[SMALL], passes_unet=1)
    monkeypatch.setattr(planner, "tighter", lambda plan: frame_by_frame)
    failing(model, monkeypatch, error)
    torch.testing.assert_close(model.estimate(latents(3)), expected, atol=1e-5, rtol=1e-4)
    assert model.plans._plans[SMALL] is frame_by_frame


@pytest.mark.parametrize("error", NO_MEMORY, ids=["torch", "cpu", "driver", "cublas", "cudnn"])
def test_memory_that_runs_out_for_good_makes_the_next_canvas_smaller(model, monkeypatch, error):
    assert model.plans.settle([LARGE, SMALL], 2, 2) == LARGE
    failing(model, monkeypatch, *[error] * 50)
    with pytest.raises(OutOfMemory, match="a canvas of 128x64 does not fit in the memory of cpu") as raised:
        model.estimate(latents(canvas=LARGE))
    assert "smaller canvas" in raised.value.hint
    assert model.plans.settle([LARGE, SMALL], 2, 2) == SMALL
    assert model.plans.settle([LARGE], 2, 2) == LARGE  # nothing smaller is allowed: it is tried again
    model.release()
    assert model.plans.settle([LARGE, SMALL], 2, 2) == LARGE


def test_a_job_that_waits_while_another_finds_its_canvas_too_large_settles_for_less(model, monkeypatch):
    model.plans.settle([LARGE, SMALL], 2, 2)
    failing(model, monkeypatch, *[NO_MEMORY[0]] * 50)
    for _ in range(2):  # the second is the job that waited: it meets no plan
        with pytest.raises(OutOfMemory, match="a canvas of 128x64 does not fit"):
            model.estimate(latents(canvas=LARGE))
    assert model.plans.describe(LARGE) == "cpu, fp32, canvas 128x64"


def test_a_fault_of_the_card_is_told_apart(model, monkeypatch):
    model.plans.settle([SMALL], 2, 2)
    failing(model, monkeypatch, torch.AcceleratorError("CUDA error: an illegal memory access was encountered"))
    with pytest.raises(DeviceLost, match="illegal memory access"):
        model.estimate(latents())


def test_other_errors_are_not_taken_for_memory(model, monkeypatch):
    model.plans.settle([SMALL], 2, 2)
    failing(model, monkeypatch, RuntimeError("something else"))
    with pytest.raises(RuntimeError, match="something else"):
        model.estimate(latents())


def test_a_budget_that_nothing_fits_in_is_an_error(config, raises_with_hint):
    with raises_with_hint(OutOfMemory, "GB"):
        Model(replace(config, max_vram_gb=0.001)).plans.settle([SMALL], 2, 2)


def room_of(monkeypatch, *free):
    """Let a machine have so many bytes free, and more each time that another engine lets go; count how often."""
    left, asked = list(free), []
    monkeypatch.setattr(device, "free_bytes", lambda _: left[0])

    def make_room():
        asked.append(left.pop(0) if len(left) > 1 else None)
        return asked[-1] is not None

    return make_room, asked


@pytest.mark.parametrize("others", [0, 1, 2])
def test_other_engines_let_go_before_a_smaller_canvas_is_taken(config, monkeypatch, others):
    model = Model(config)
    model.plans.settle([LARGE], 2, 2)
    large = model.plans._plans[LARGE].peak_bytes
    model.plans.settle([SMALL], 2, 2)
    little = model.plans._plans[SMALL].peak_bytes
    make_room, asked = room_of(monkeypatch, *[little] * others, large)
    assert Model(replace(config, make_room=make_room)).plans.settle([LARGE, SMALL], 2, 2) == LARGE
    assert len(asked) == others
    make_room, asked = room_of(monkeypatch, little)
    assert Model(replace(config, make_room=make_room)).plans.settle([LARGE, SMALL], 2, 2) == SMALL


def test_other_engines_let_go_before_nothing_fits(config, monkeypatch):
    make_room, asked = room_of(monkeypatch, 1000, 10**12)
    assert Model(replace(config, make_room=make_room)).plans.settle([SMALL], 2, 2) == SMALL
    assert asked == [1000]
    make_room, asked = room_of(monkeypatch, 1000)
    with pytest.raises(OutOfMemory, match="GB"):
        Model(replace(config, make_room=make_room)).plans.settle([SMALL], 2, 2)


def test_memory_that_runs_out_is_first_sought_from_other_engines(config, monkeypatch):
    asked = []
    model = Model(replace(config, make_room=lambda: asked.append(1) or True))
    model.plans.settle([SMALL], 2, 2)
    expected, plan = model.estimate(latents()), model.plans._plans[SMALL]
    failing(model, monkeypatch, NO_MEMORY[0])
    torch.testing.assert_close(model.estimate(latents()), expected)
    assert asked == [1]
    assert model.plans._plans[SMALL] is plan


def test_a_budget_counts_what_is_resident_as_free(config, monkeypatch):
    monkeypatch.setattr(device, "free_bytes", lambda _: 5_000_000_000)
    model = Model(config)
    assert model.plans._budget() == 5_000_000_000
    model.plans.settle([SMALL], 2, 2)
    model.estimate(latents())
    assert model.plans._budget() == 5_000_000_000 + model.usage().resident_bytes
    assert Model(replace(config, max_vram_gb=2)).plans._budget() == 2_000_000_000
    assert Model(replace(config, max_vram_gb=9)).plans._budget() == 5_000_000_000


def test_a_network_fits_beside_others_where_the_card_holds_both(config, monkeypatch):
    held = [0]
    model = Model(replace(config, others_hold=lambda _: held[0]))
    model.plans.settle([SMALL], 2, 2)
    peak = model.plans._plans[SMALL].peak_bytes
    monkeypatch.setattr(device, "free_bytes", lambda _: peak - 1)
    assert model.plans.fits(SMALL)  # nobody could let go
    held[0] = 100
    assert not model.plans.fits(SMALL)
    monkeypatch.setattr(device, "free_bytes", lambda _: peak)
    assert model.plans.fits(SMALL)
    limited = Model(replace(config, others_hold=lambda _: held[0], max_vram_gb=(peak + 50) / 1e9))
    limited.plans.settle([SMALL], 2, 2)  # what others hold does not count: they let go
    assert not limited.plans.fits(SMALL)
    held[0] = 40
    assert limited.plans.fits(SMALL)


def test_a_plan_does_not_depend_on_what_other_engines_hold(config, monkeypatch):
    alone = Model(config)
    alone.plans.settle([LARGE, SMALL], 2, 2)
    peak = alone.plans._plans[LARGE].peak_bytes
    monkeypatch.setattr(device, "free_bytes", lambda _: 1000)
    beside = Model(replace(config, others_hold=lambda name: peak if name == "cpu" else 0))
    assert beside.plans.settle([LARGE, SMALL], 2, 2) == LARGE
