"""The network on its device: plans that are kept, memory that runs out, and what is held between calls."""

from dataclasses import replace

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from videomama_client.errors import WeightsError
from videomama_server.engines.runtime import device
from videomama_server.engines.videomama.model import Model
from videomama_server.heartbeat import beats

SMALL, LARGE = (64, 64), (64, 128)


def latents(frames=2, canvas=SMALL, channels=12):
    size = (frames, channels, canvas[0] // 8, canvas[1] // 8)
    return torch.randn(size, generator=torch.Generator().manual_seed(1))


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


def test_pictures_are_encoded_in_their_order_and_those_left_out_are_skipped(model):
    model.plans.settle([SMALL], 2, 2)
    plates = list(torch.rand((3, 3, *SMALL), generator=torch.Generator().manual_seed(2)) * 2 - 1)
    together = model.encode([plates[0], None, plates[1], plates[2]])
    assert [moments.shape for moments in together] == [(8, 8, 8)] * 3
    for one, plate in zip(together, plates, strict=True):
        torch.testing.assert_close(one, model.encode([plate])[0], atol=1e-5, rtol=1e-4)


def test_a_mask_is_encoded_as_a_plate_of_three_equal_channels(model):
    model.plans.settle([SMALL], 2, 2)
    mask = torch.rand((1, *SMALL), generator=torch.Generator().manual_seed(3)) * 2 - 1
    (one,), (other,) = model.encode([mask]), model.encode([mask.expand(3, -1, -1)])
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
    assert model.encode([None]) == []


def test_alphas_are_between_0_and_1_and_one_for_each_frame(model):
    model.plans.settle([SMALL], 2, 2)
    estimate = model.estimate(latents())
    assert estimate.shape == (2, 4, 8, 8)
    for alphas in (model.decode(estimate * 30, 1), model.decode_as_published(estimate * 30)):
        assert alphas.shape == (2, *SMALL)
        assert 0 <= alphas.min() < 0.5 < alphas.max() <= 1


def test_the_published_decoder_works_in_groups_of_eight(model):
    model.plans.settle([SMALL], 9, 9)
    nine = latents(9, channels=4)
    torch.testing.assert_close(
        model.decode_as_published(nine)[8:], model.decode_as_published(nine[8:]), atol=1e-5, rtol=1e-4
    )


def test_usage_is_known_while_the_network_is_loaded(model):
    model.plans.settle([SMALL], 2, 2)
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
    model.plans.settle([SMALL], 2, 2)
    model.estimate(latents())
    model.give_back_memory()
    assert gave == [torch.device("cpu")]
    assert model.usage() is not None  # the weights stay

    def lost(_):
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(device, "give_back", lost)
    model.give_back_memory()


def test_every_layer_beats_so_that_a_slow_one_is_not_taken_for_one_that_hangs(model):
    model.plans.settle([SMALL], 2, 2)
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


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Model.decode) == {"stay": False}
