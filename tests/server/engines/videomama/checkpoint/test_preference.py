"""Which of several files is taken."""

import os

import numpy as np
from videomama_server.engines.videomama.checkpoint import layouts

PUBLISHED = "diffusion_pytorch_model.safetensors"
HALF = "diffusion_pytorch_model.fp16.safetensors"


def test_a_trainers_last_checkpoint_is_taken_and_its_average_only_when_alone(tmp_path, put):
    put.vae(tmp_path / "svd" / "vae" / HALF)
    for step in (500, 1000, 9500, 10000):
        put.unet(tmp_path / f"checkpoint-{step}" / "unet_ema" / PUBLISHED)
    assert layouts.find(tmp_path).unet == tmp_path / "checkpoint-10000" / "unet_ema" / PUBLISHED
    for step in (500, 9500):
        put.unet(tmp_path / f"checkpoint-{step}" / "unet" / PUBLISHED)
    assert layouts.find(tmp_path).unet == tmp_path / "checkpoint-9500" / "unet" / PUBLISHED
    last = put.unet(tmp_path / "unet" / PUBLISHED)
    assert layouts.find(tmp_path).unet == last


def test_of_two_precisions_the_higher_is_taken(tmp_path, put):
    put.vae(tmp_path / "vae" / HALF)
    put.unet(tmp_path / "unet" / HALF, dtype=np.float16)
    whole = put.unet(tmp_path / "unet" / PUBLISHED)
    assert layouts.find(tmp_path).unet == whole


def test_a_file_that_is_whole_goes_before_one_that_is_not(tmp_path, put):
    put.vae(tmp_path / "vae" / HALF)
    cut = put.unet(tmp_path / "unet" / PUBLISHED)
    os.truncate(cut, cut.stat().st_size - 1)
    deeper = put.unet(tmp_path / "copy" / "of" / "unet" / PUBLISHED)
    assert layouts.find(tmp_path).unet == deeper


def test_of_two_downloads_in_the_hubs_cache_the_one_of_main_is_taken(tmp_path, put):
    put.vae(tmp_path / "vae" / HALF)
    model = tmp_path / "models--SammyLim--VideoMaMa"
    for revision in ("aaa", "bbb", "ccc"):
        blob = put.file(model / "blobs" / revision, put.unet_tensors())
        link = model / "snapshots" / revision / "unet" / PUBLISHED
        link.parent.mkdir(parents=True)
        link.symlink_to(blob)
    assert "aaa" in layouts.find(tmp_path).unet.parts
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("bbb")
    assert "bbb" in layouts.find(tmp_path).unet.parts
