"""Tensors are read from safetensors and from pickles of nothing else; code in a pickle is never run."""

import math
import os
from contextlib import suppress

import pytest
import torch
from safetensors.torch import load_file
from videomama_client.errors import WeightsError
from videomama_server.engines.videomama.checkpoint import checks, layouts, tensors, weights
from videomama_server.engines.videomama.checkpoint.headers import TensorInfo

UNET_NAME = "VideoMaMa/unet/diffusion_pytorch_model.safetensors"
VAE_NAME = "stable-video-diffusion-img2vid-xt/vae/diffusion_pytorch_model.fp16.safetensors"


def to_pickle(path, content, **options):
    """Put a pickle in the place of a safetensors file."""
    pickle = path.with_name("diffusion_pytorch_model.bin")
    torch.save(content, pickle, **options)
    path.unlink()
    return pickle


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_pickle_of_nothing_but_tensors_is_the_same_as_safetensors(
    own_checkpoint, unet_file, tmp_path, folded_once, zipped
):
    to_pickle(unet_file, load_file(unet_file), _use_new_zipfile_serialization=zipped)
    path = weights.folded(layouts.find(own_checkpoint), tmp_path, torch.bfloat16)
    one, other = load_file(path), load_file(folded_once["bf16"])
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


class Trap:
    def __reduce__(self):
        return (os.system, ("touch sprung",))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_pickle_with_code_in_it_is_refused_and_not_run(
    own_checkpoint, unet_file, tmp_path, monkeypatch, raises_with_hint, zipped
):
    monkeypatch.chdir(tmp_path)
    pickle = to_pickle(unet_file, {"conv_in.weight": Trap()}, _use_new_zipfile_serialization=zipped)
    with raises_with_hint(WeightsError, pickle, "cannot be opened safely"):
        weights.check(layouts.find(own_checkpoint))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [[1, 2], {"state_dict": {}}, {"a": 3}], ids=["list", "nested", "number"])
def test_a_pickle_of_something_else(own_checkpoint, unet_file, raises_with_hint, content):
    pickle = to_pickle(unet_file, content)
    with raises_with_hint(WeightsError, pickle, "something other"):
        weights.check(layouts.find(own_checkpoint))


def test_a_pickle_that_is_damaged(own_checkpoint, unet_file):
    pickle = to_pickle(unet_file, load_file(unet_file))
    os.truncate(pickle, 100_000)
    with pytest.raises(WeightsError, match="cannot be opened safely") as caught:
        weights.check(layouts.find(own_checkpoint))
    assert "safetensors" in caught.value.hint


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", [UNET_NAME, VAE_NAME])
def test_values_that_are_not_finite(own_checkpoint, tmp_path, raises_with_hint, name, value, change):
    path = own_checkpoint / name
    tensor = "conv_norm_out.bias" if name == UNET_NAME else "encoder.conv_norm_out.bias"
    bias = load_file(path)[tensor]
    bias[3] = value
    change(path, **{tensor: bias})
    found = layouts.find(own_checkpoint)
    weights.check(found)
    with raises_with_hint(WeightsError, path, "NaN or infinity", tensor):
        list(checks.run(found, full=True))
    with raises_with_hint(WeightsError, path, "NaN or infinity", tensor):
        weights.folded(found, tmp_path / "folded", torch.bfloat16)
    assert not list((tmp_path / "folded").glob("*.safetensors"))


@pytest.mark.parametrize("pickled", [False, True], ids=["safetensors", "pickle"])
def test_names_types_and_shapes_are_known_without_reading(unet_file, pickled):
    content = load_file(unet_file)
    path = to_pickle(unet_file, content) if pickled else unet_file
    found = tensors.tensor_infos(path, "unet")
    assert found == {name: TensorInfo("F32", tuple(tensor.shape)) for name, tensor in content.items()}
    with tensors.Tensors(path, "unet") as read:
        assert len(read) == len(list(read)) == len(content)
        assert torch.equal(read["conv_in.weight"], content["conv_in.weight"])


def test_a_file_of_the_other_network_is_refused(vae_file, raises_with_hint):
    with raises_with_hint(WeightsError, vae_file, "holds no UNet"):
        tensors.tensor_infos(vae_file, "unet")
    with raises_with_hint(WeightsError, vae_file, "holds no UNet"):
        tensors.Tensors(vae_file, "unet")


@pytest.mark.parametrize(
    ("values", "finite"),
    [([], True), ([0.0, -1e38], True), ([0.0, math.nan], False), ([math.inf, 1.0], False), ([-math.inf], False)],
    ids=str,
)
def test_a_tensor_is_finite_when_all_its_values_are(values, finite):
    assert tensors.is_finite(torch.tensor(values)) == finite


@pytest.mark.parametrize(("said", "loads"), [("mmap can only be used with files", 2), ("the archive is damaged", 1)])
def test_only_a_pickle_of_the_old_format_is_loaded_without_mapping_it(tmp_path, monkeypatch, said, loads):
    asked = []

    def load(path, **options):
        asked.append(options)
        if "mmap" in options:
            raise RuntimeError(said)
        return {}

    monkeypatch.setattr(tensors.torch, "load", load)
    with suppress(RuntimeError):
        assert tensors._torch_load(tmp_path / "w.bin") == {}
    assert len(asked) == loads
    assert all(options["weights_only"] is True for options in asked)
    assert asked[0]["mmap"] is True
