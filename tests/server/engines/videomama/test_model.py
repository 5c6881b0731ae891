"""The network on its device: plans that are kept, memory that runs out, and what is held between calls."""

from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from videomama_client.errors import OutOfMemory, WeightsError
from videomama_server.engines.base import DeviceLost, EngineConfig
from videomama_server.engines.videomama.memory import device, planner
from videomama_server.engines.videomama.model import Model
from videomama_server.heartbeat import beats

SMALL, LARGE = (64, 64), (64, 128)


@pytest.fixture(scope="module")
def config(tiny_checkpoint, tmp_path_factory):
    return EngineConfig(tiny_checkpoint, tmp_path_factory.mktemp("folded"), device="cpu", dtype="fp32")


@pytest.fixture
def model(config):
    return Model(config)


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


NO_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    torch.AcceleratorError("CUDA error: out of memory"),  # outside torch's allocator
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
]


def test_the_first_canvas_that_fits_is_taken_and_described(model):
    assert model.settle([LARGE, SMALL], 2, 2) == LARGE
    for named in ("cpu", "fp32", "128x64"):
        assert named in model.describe(LARGE)


class Crossings(TorchDispatchMode):
    """Notes the number format of all that is copied to another device."""

    def __init__(self):
        super().__init__()
        self.formats = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        found = function(*args, **(kwargs or {}))
        if function is torch.ops.aten._to_copy.default and found.device != args[0].device:
            self.formats.append(found.dtype)
            assert args[0].dtype == found.dtype
        return found


def test_what_goes_to_a_card_crosses_in_the_cards_number_format(model):
    model._device = device.Device(torch.device("meta"), torch.float16, torch.float16)
    with Crossings() as crossings:
        there = model._there(torch.rand(2, 3, 8, 8))
    assert (there.device.type, there.dtype) == ("meta", torch.float16)
    assert crossings.formats == [torch.float16]


def test_what_comes_back_is_float32_and_the_same_number(model):
    given = torch.rand(2, 3).half()
    back = model._back(given)
    assert back.dtype == torch.float32
    assert torch.equal(back.half(), given)


def test_a_canvas_is_planned_again_for_windows_of_another_length_only(model, monkeypatch):
    planned, real = [], planner.plan
    monkeypatch.setattr(planner, "plan", lambda *asked: planned.append(asked) or real(*asked))
    for window in (2, 2, 3, 3):
        model.settle([SMALL], window, 2)
    assert len(planned) == 2


def test_pictures_are_encoded_in_their_order_and_those_left_out_are_skipped(model):
    model.settle([SMALL], 2, 2)
    plates = list(torch.rand((3, 3, *SMALL), generator=torch.Generator().manual_seed(2)) * 2 - 1)
    together = model.encode([plates[0], None, plates[1], plates[2]])
    assert [moments.shape for moments in together] == [(8, 8, 8)] * 3
    for one, plate in zip(together, plates, strict=True):
        torch.testing.assert_close(one, model.encode([plate])[0], atol=1e-5, rtol=1e-4)


def test_a_mask_is_encoded_as_a_plate_of_three_equal_channels(model):
    model.settle([SMALL], 2, 2)
    mask = torch.rand((1, *SMALL), generator=torch.Generator().manual_seed(3)) * 2 - 1
    (one,), (other,) = model.encode([mask]), model.encode([mask.expand(3, -1, -1)])
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
    assert model.encode([None]) == []


def test_alphas_are_between_0_and_1_and_one_for_each_frame(model):
    model.settle([SMALL], 2, 2)
    estimate = model.estimate(latents())
    assert estimate.shape == (2, 4, 8, 8)
    for alphas in (model.decode(estimate * 30, 1), model.decode_as_published(estimate * 30)):
        assert alphas.shape == (2, *SMALL)
        assert 0 <= alphas.min() < 0.5 < alphas.max() <= 1


def test_the_published_decoder_works_in_groups_of_eight(model):
    model.settle([SMALL], 9, 9)
    nine = latents(9, channels=4)
    torch.testing.assert_close(
        model.decode_as_published(nine)[8:], model.decode_as_published(nine[8:]), atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize("error", NO_MEMORY, ids=["torch", "cpu", "driver", "cublas", "cudnn"])
def test_memory_that_runs_out_once_is_answered_with_a_tighter_plan(model, monkeypatch, error):
    """There is none on a CPU, so that one is lent."""
    model.settle([SMALL], 3, 3)
    expected = model.estimate(latents(3))
    frame_by_frame = replace(model._plans[SMALL], passes_unet=1)
    monkeypatch.setattr(planner, "tighter", lambda plan: frame_by_frame)
    failing(model, monkeypatch, error)
    torch.testing.assert_close(model.estimate(latents(3)), expected, atol=1e-5, rtol=1e-4)
    assert model._plans[SMALL] is frame_by_frame


@pytest.mark.parametrize("error", NO_MEMORY, ids=["torch", "cpu", "driver", "cublas", "cudnn"])
def test_memory_that_runs_out_for_good_makes_the_next_canvas_smaller(model, monkeypatch, error):
    assert model.settle([LARGE, SMALL], 2, 2) == LARGE
    failing(model, monkeypatch, *[error] * 50)
    with pytest.raises(OutOfMemory, match="a canvas of 128x64 does not fit in the memory of cpu") as raised:
        model.estimate(latents(canvas=LARGE))
    assert "smaller canvas" in raised.value.hint
    assert model.settle([LARGE, SMALL], 2, 2) == SMALL
    assert model.settle([LARGE], 2, 2) == LARGE  # nothing smaller is allowed: it is tried again
    model.release()
    assert model.settle([LARGE, SMALL], 2, 2) == LARGE


def test_a_job_that_waits_while_another_finds_its_canvas_too_large_settles_for_less(model, monkeypatch):
    model.settle([LARGE, SMALL], 2, 2)
    failing(model, monkeypatch, *[NO_MEMORY[0]] * 50)
    for _ in range(2):  # the second is the job that waited: it meets no plan
        with pytest.raises(OutOfMemory, match="a canvas of 128x64 does not fit"):
            model.estimate(latents(canvas=LARGE))
    assert model.describe(LARGE) == "cpu, fp32, canvas 128x64"


def test_a_fault_of_the_card_is_told_apart(model, monkeypatch):
    model.settle([SMALL], 2, 2)
    failing(model, monkeypatch, torch.AcceleratorError("CUDA error: an illegal memory access was encountered"))
    with pytest.raises(DeviceLost, match="illegal memory access"):
        model.estimate(latents())


def test_other_errors_are_not_taken_for_memory(model, monkeypatch):
    model.settle([SMALL], 2, 2)
    failing(model, monkeypatch, RuntimeError("something else"))
    with pytest.raises(RuntimeError, match="something else"):
        model.estimate(latents())


def test_a_budget_that_nothing_fits_in_is_an_error(config, raises_with_hint):
    with raises_with_hint(OutOfMemory, "GB"):
        Model(replace(config, max_vram_gb=0.001)).settle([SMALL], 2, 2)


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
    model.settle([LARGE], 2, 2)
    large = model._plans[LARGE].peak_bytes
    model.settle([SMALL], 2, 2)
    little = model._plans[SMALL].peak_bytes
    make_room, asked = room_of(monkeypatch, *[little] * others, large)
    assert Model(replace(config, make_room=make_room)).settle([LARGE, SMALL], 2, 2) == LARGE
    assert len(asked) == others
    make_room, asked = room_of(monkeypatch, little)
    assert Model(replace(config, make_room=make_room)).settle([LARGE, SMALL], 2, 2) == SMALL


def test_other_engines_let_go_before_nothing_fits(config, monkeypatch):
    make_room, asked = room_of(monkeypatch, 1000, 10**12)
    assert Model(replace(config, make_room=make_room)).settle([SMALL], 2, 2) == SMALL
    assert asked == [1000]
    make_room, asked = room_of(monkeypatch, 1000)
    with pytest.raises(OutOfMemory, match="GB"):
        Model(replace(config, make_room=make_room)).settle([SMALL], 2, 2)


def test_memory_that_runs_out_is_first_sought_from_other_engines(config, monkeypatch):
    asked = []
    model = Model(replace(config, make_room=lambda: asked.append(1) or True))
    model.settle([SMALL], 2, 2)
    expected, plan = model.estimate(latents()), model._plans[SMALL]
    failing(model, monkeypatch, NO_MEMORY[0])
    torch.testing.assert_close(model.estimate(latents()), expected)
    assert asked == [1]
    assert model._plans[SMALL] is plan


def test_usage_is_known_while_the_network_is_loaded(model):
    model.settle([SMALL], 2, 2)
    assert model.usage() is None
    model.estimate(latents())
    usage = model.usage()
    assert (usage.device, usage.dtype) == ("cpu", "fp32")
    assert usage.peak_bytes > usage.resident_bytes > 1_000_000
    model.release()
    assert model.usage() is None
    model.estimate(latents())  # a job that was planned before goes on
    assert model.usage().resident_bytes == usage.resident_bytes


def test_memory_is_given_back_once_there_was_any_and_a_lost_card_is_no_fault_of_that(model, monkeypatch):
    gave = []
    monkeypatch.setattr(device, "give_back", gave.append)
    model.give_back_memory()
    assert gave == []
    model.settle([SMALL], 2, 2)
    model.estimate(latents())
    model.give_back_memory()
    assert gave == [torch.device("cpu")]
    assert model.usage() is not None  # the weights stay

    def lost(_):
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(device, "give_back", lost)
    model.give_back_memory()


def test_a_budget_counts_what_is_resident_as_free(config, monkeypatch):
    monkeypatch.setattr(device, "free_bytes", lambda _: 5_000_000_000)
    model = Model(config)
    assert model._budget() == 5_000_000_000
    model.settle([SMALL], 2, 2)
    model.estimate(latents())
    assert model._budget() == 5_000_000_000 + model.usage().resident_bytes
    assert Model(replace(config, max_vram_gb=2))._budget() == 2_000_000_000
    assert Model(replace(config, max_vram_gb=9))._budget() == 5_000_000_000


def test_every_layer_beats_so_that_a_slow_one_is_not_taken_for_one_that_hangs(model):
    model.settle([SMALL], 2, 2)
    before = beats()
    model.estimate(latents())
    assert beats() - before > 100


def test_fingerprints_tell_weights_and_number_formats_apart(config, make_checkpoint, tmp_path):
    make_checkpoint("tiny", tmp_path / "other", seed=1)
    configs = [config, replace(config, dtype="bf16"), replace(config, weights=tmp_path / "other")]
    assert len({Model(one).fingerprint for one in configs}) == 3
    assert Model(config).fingerprint == Model(config).fingerprint


def test_no_weights_is_an_error_that_names_the_folder(config, tmp_path, raises_with_hint):
    with raises_with_hint(WeightsError, tmp_path / "none"):
        Model(replace(config, weights=tmp_path / "none"))
