import hashlib

import pytest


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.safetensors")}


def test_a_checkpoint_is_the_same_for_the_same_seed(make_checkpoint, tiny_checkpoint, tmp_path):
    make_checkpoint("tiny", tmp_path / "again")
    make_checkpoint("tiny", tmp_path / "other", seed=1)
    assert digests(tmp_path / "again") == digests(tiny_checkpoint)
    assert digests(tmp_path / "other") != digests(tiny_checkpoint)


def test_a_checkpoint_has_the_published_layout(tiny_checkpoint):
    files = sorted(str(path.relative_to(tiny_checkpoint)) for path in tiny_checkpoint.rglob("*") if path.is_file())
    assert files == [
        "VideoMaMa/unet/config.json",
        "VideoMaMa/unet/diffusion_pytorch_model.safetensors",
        "stable-video-diffusion-img2vid-xt/vae/config.json",
        "stable-video-diffusion-img2vid-xt/vae/diffusion_pytorch_model.fp16.safetensors",
    ]


def test_an_unknown_kind_is_an_error(make_checkpoint, tmp_path):
    with pytest.raises(KeyError):
        make_checkpoint("medium", tmp_path)
