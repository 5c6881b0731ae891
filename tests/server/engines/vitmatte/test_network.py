from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from videomama_client.errors import WeightsError
from videomama_server.engines.vitmatte import files, network


@pytest.fixture(scope="module")
def found(tiny_edge_networks):
    return files.find(tiny_edge_networks, "small")


def picture():
    rng = np.random.default_rng(0)
    plate = rng.random((50, 70, 3)).astype(np.float32)
    trimap = np.full((50, 70), 128, np.uint8)
    trimap[:10], trimap[40:] = 0, 255
    return plate, trimap


@pytest.mark.filterwarnings("ignore")
def test_the_preprocessing_is_that_of_transformers(found):
    """Its own works on whole numbers, 0..255; it pads to whole steps, and leaves the trimap as it is."""
    from transformers.models.vitmatte.image_processing_pil_vitmatte import VitMatteImageProcessorPil

    plate, trimap = picture()
    bytes_ = np.rint(plate * 255).astype(np.uint8)
    expected = VitMatteImageProcessorPil.from_pretrained(found[0].parent)(
        images=bytes_, trimaps=trimap, return_tensors="pt", input_data_format="channels_last"
    )["pixel_values"]
    seen = []

    class Recorder(torch.nn.Module):
        def forward(self, pixels):
            seen.append(pixels)
            return type("Found", (), {"alphas": pixels[:, :1]})

    loaded = network.load(*found)
    loaded.model = Recorder()
    tensor = torch.from_numpy(bytes_.astype(np.float32) / 255).permute(2, 0, 1)[None]
    out = loaded(tensor, torch.from_numpy(trimap / np.float32(255))[None, None])
    assert out.shape == (1, 1, 50, 70)
    assert seen[0].shape == expected.shape == (1, 4, 64, 96)
    torch.testing.assert_close(seen[0], expected, atol=1e-5, rtol=0)


def test_the_network_answers_with_an_alpha_of_the_pictures_size(found):
    plate, trimap = picture()
    loaded = network.load(*found).eval()
    with torch.inference_mode():
        tensor = torch.from_numpy(plate).permute(2, 0, 1)[None]
        alpha = loaded(tensor, torch.from_numpy(trimap / np.float32(255))[None, None])
    assert alpha.shape == (1, 1, 50, 70)
    assert 0 <= float(alpha.min()) < float(alpha.max()) <= 1


def test_the_footprint_follows_the_config(found, tmp_path):
    tiny = network.footprint(found[0])
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"backbone_config": {"num_attention_heads": 12, "hidden_size": 768}}))
    base = network.footprint(config)
    assert tiny.of(512, 512) < base.of(512, 512) < base.of(1024, 1024) / 4
    assert base.per_pair == 4 * tiny.per_pair


@pytest.fixture
def own(found, tmp_path):
    """A copy that a test may change."""
    folder = shutil.copytree(found[0].parent, tmp_path / "own")
    return tuple(folder / path.name for path in found)


def test_tensors_that_do_not_fit_are_an_error_that_names_one(own):
    from safetensors.torch import load_file, save_file

    tensors = load_file(own[2])
    del tensors["decoder.matting_head.matting_convs.0.weight"]
    save_file(tensors, own[2], {"format": "pt"})
    with pytest.raises(WeightsError, match=r"does not fit ViTMatte: 1 tensors differ.*matting_convs\.0\.weight"):
        network.load(*own)


@pytest.mark.parametrize(("place", "said"), [(1, "does not say how plates are normalised"), (2, "cannot be loaded")])
def test_a_damaged_file_is_an_error_that_names_it(own, place, said):
    own[place].write_text("{}")
    with pytest.raises(WeightsError, match=said) as refused:
        network.load(*own)
    assert str(own[0].parent) in refused.value.message
    assert "--with vitmatte" in refused.value.hint
