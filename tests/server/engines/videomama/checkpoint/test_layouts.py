"""Every layout that the weights are met in, every mistake with them, and that SVD's own UNet is never taken."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from videomama_client.errors import WeightsError
from videomama_server.engines.videomama.checkpoint import layouts, published

PUBLISHED = "diffusion_pytorch_model.safetensors"
HALF = "diffusion_pytorch_model.fp16.safetensors"
XT = "stable-video-diffusion-img2vid-xt"


def put_svd(put, folder):
    """Write what comes with Stable Video Diffusion, its VAE left out; all of it must be passed over."""
    put.unet(folder / "unet" / HALF, channels=8)
    put.file(folder / "image_encoder" / "model.fp16.safetensors", {"vision_model.weight": np.zeros(3, np.float16)})
    put.file(folder / "svd_xt.safetensors", {"model.diffusion_model.input_blocks.0.0.weight": np.zeros((32, 8, 3, 3))})
    (folder / "model_index.json").write_text("{}")


LAYOUTS = {
    "upstream": (f"VideoMaMa/unet/{PUBLISHED}", f"{XT}/vae/{HALF}"),
    "upstream-demo": (f"videomama/unet/{PUBLISHED}", f"{XT}/vae/{PUBLISHED}"),
    "upstream-cli": (f"VideoMaMa/unet/{PUBLISHED}", f"stabilityai/{XT}/vae/{HALF}"),
    "comfyui": (f"checkpoints/VideoMaMa/unet/{PUBLISHED}", f"checkpoints/stabilityai/{XT}/vae/{HALF}"),
    "corridorkey": (f"checkpoints/unet/{PUBLISHED}", f"checkpoints/{XT}/vae/{HALF}"),
    "ez-flat": (f"checkpoints/VideoMaMa/{PUBLISHED}", f"checkpoints/{XT}/vae/{HALF}"),
    "sammie": (f"checkpoints/videomama/unet/{PUBLISHED}", f"checkpoints/videomama/vae/{HALF}"),
    "shot-gopher": (f"models/VideoMaMa/checkpoints/VideoMaMa/unet/{PUBLISHED}", f"models/VideoMaMa/{XT}/vae/{HALF}"),
    "splaz": (f"checkpoints/videomama_unet/{PUBLISHED}", f"models/videomama/{XT}/vae/{HALF}"),
    "mec": (f"models/VideoMaMa/videomama/{PUBLISHED}", f"models/VideoMaMa/{XT}/vae/{HALF}"),
    "lab2shot": (f"SammyLim/VideoMaMa/unet/{PUBLISHED}", f"stabilityai/{XT}/vae/{HALF}"),
    "trainer": (f"checkpoint-9000/unet/{PUBLISHED}", f"{XT}/vae/{HALF}"),
    "fp16": (f"VideoMaMa/unet/{HALF}", f"{XT}/vae/{HALF}"),
    "hub": (
        f"models--SammyLim--VideoMaMa/snapshots/abc/unet/{PUBLISHED}",
        f"models--stabilityai--{XT}/snapshots/def/vae/{HALF}",
    ),
    "bare": ("videomama.safetensors", "vae.safetensors"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("with_svd", [False, True], ids=["alone", "with-svd"])
def test_every_layout(tmp_path, layout, with_svd, put):
    unet, vae = (tmp_path / name for name in LAYOUTS[layout])
    put.unet(unet)
    put.vae(vae)
    if with_svd:
        put_svd(put, vae.parent.parent if XT in vae.parts else tmp_path / XT)
    found = layouts.find(tmp_path)
    assert (found.unet, found.vae) == (unet, vae)
    assert found.unet_config["in_channels"] == 12
    assert found.vae_config["scaling_factor"] == 0.18215


@pytest.mark.parametrize(
    ("of_unet", "of_vae"), [("model.diffusion_model.", "first_stage_model."), ("unet.", "vae."), ("", "vae.")]
)
@pytest.mark.parametrize("named", ["folder", "file"])
def test_a_merged_file(tmp_path, of_unet, of_vae, named, put):
    path = put.file(tmp_path / "merged.safetensors", put.unet_tensors(prefix=of_unet) | put.vae_tensors(prefix=of_vae))
    found = layouts.find(tmp_path if named == "folder" else path)
    assert (found.unet, found.vae) == (path, path)


def test_a_merged_file_without_its_vae_takes_one_beside_it(tmp_path, put):
    path = put.file(tmp_path / "unet.safetensors", put.unet_tensors(prefix="model.diffusion_model."))
    vae = put.vae(tmp_path / "vae" / PUBLISHED)
    assert layouts.find(tmp_path) == layouts.find(path)
    assert layouts.find(path).vae == vae


@pytest.mark.parametrize("layout", ["upstream", "sammie", "ez-flat", "bare"])
def test_a_unet_file_finds_the_vae_near_it(tmp_path, layout, put):
    unet, vae = (tmp_path / "root" / "in" / name for name in LAYOUTS[layout])
    put.unet(unet)
    put.vae(vae)
    assert layouts.find(unet) == layouts.find(tmp_path)


def test_links_are_followed_without_going_round(tmp_path, put):
    away, root = tmp_path / "away", tmp_path / "root"
    put.unet(away / "unet" / PUBLISHED)
    put.vae(away / "vae" / HALF)
    root.mkdir()
    (root / "linked").symlink_to(away, target_is_directory=True)
    (away / "back").symlink_to(root, target_is_directory=True)
    (root / "nowhere.safetensors").symlink_to(tmp_path / "none")
    assert layouts.find(root).unet == root / "linked" / "unet" / PUBLISHED


def test_hidden_and_very_deep_folders_are_not_searched(tmp_path, raises_with_hint, put):
    put.unet(tmp_path / ".trash" / "unet" / PUBLISHED)
    put.unet(tmp_path.joinpath(*"abcdefgh") / PUBLISHED)
    put.vae(tmp_path / "vae" / HALF)
    with raises_with_hint(WeightsError, tmp_path, "no UNet"):
        layouts.find(tmp_path)


def test_the_search_ends_in_a_huge_tree(tmp_path, monkeypatch, caplog, raises_with_hint, put):
    monkeypatch.setattr(layouts, "_MOST_FOLDERS", 5)
    for number in range(9):
        (tmp_path / f"{number}").mkdir()
    put.unet(tmp_path / "9" / PUBLISHED)
    with raises_with_hint(WeightsError, tmp_path):
        layouts.find(tmp_path)
    assert "too many folders" in caplog.text


def test_a_pickle_is_known_by_its_config_and_goes_after_safetensors(tmp_path, put):
    put.vae(tmp_path / "vae" / HALF)
    pickle = tmp_path / "unet" / "diffusion_pytorch_model.bin"
    pickle.parent.mkdir()
    pickle.write_bytes(b"\x80never opened here")
    (tmp_path / "unet" / "config.json").write_text(json.dumps({"_class_name": published.UNET_CLASS, "in_channels": 12}))
    (tmp_path / "unet" / "dino_projection_mlp.pth").write_bytes(b"\x80of training")
    assert layouts.find(tmp_path).unet == pickle
    assert layouts.find(pickle).unet == pickle
    better = put.unet(tmp_path / "deeper" / "unet" / PUBLISHED)
    assert layouts.find(tmp_path).unet == better


def test_no_folder(tmp_path, raises_with_hint):
    with raises_with_hint(WeightsError, "no folder", tmp_path / "none"):
        layouts.find(tmp_path / "none")


@pytest.mark.parametrize("name", ["x" * 5000, "nul\0", "file/below"])
def test_a_name_that_no_folder_has(tmp_path, raises_with_hint, name):
    (tmp_path / "file").write_text("in the way")
    with raises_with_hint(WeightsError, "no folder"):
        layouts.find(tmp_path / name)


def test_an_empty_folder(tmp_path, raises_with_hint):
    with raises_with_hint(WeightsError, "is empty", tmp_path):
        layouts.find(tmp_path)


def test_the_hint_says_where_the_files_go_and_which_command_looks(tmp_path, put):
    with pytest.raises(WeightsError) as caught:
        layouts.find(tmp_path)
    assert str(tmp_path / "VideoMaMa" / "unet") in caught.value.hint
    assert "videomama weights check" in caught.value.hint
    put.unet(tmp_path / "VideoMaMa" / "unet" / PUBLISHED)
    with pytest.raises(WeightsError) as caught:
        layouts.find(tmp_path)
    assert str(tmp_path / XT / "vae") in caught.value.hint


def test_only_svds_own_unet(tmp_path, raises_with_hint, put):
    put_svd(put, tmp_path / XT)
    put.vae(tmp_path / XT / "vae" / HALF)
    with raises_with_hint(WeightsError, tmp_path / XT / "unet" / HALF, "8 channels", "Stable Video Diffusion's own"):
        layouts.find(tmp_path)
    with raises_with_hint(WeightsError, "8 channels"):
        layouts.find(tmp_path / XT / "unet" / HALF)


def test_a_pickle_of_svds_own_unet(tmp_path, raises_with_hint):
    (tmp_path / "diffusion_pytorch_model.bin").write_bytes(b"\x80")
    (tmp_path / "config.json").write_text(json.dumps({"_class_name": published.UNET_CLASS}))
    with raises_with_hint(WeightsError, "8 channels"):
        layouts.find(tmp_path)


def test_another_number_of_channels(tmp_path, raises_with_hint, put):
    put.unet(tmp_path / PUBLISHED, channels=11)
    with raises_with_hint(WeightsError, "11 channels", tmp_path / PUBLISHED):
        layouts.find(tmp_path)


def test_no_unet(tmp_path, raises_with_hint, put):
    put.vae(tmp_path / "vae" / HALF)
    with raises_with_hint(WeightsError, "no UNet", tmp_path):
        layouts.find(tmp_path)


def test_no_vae(tmp_path, raises_with_hint, put):
    unet = put.unet(tmp_path / "unet" / PUBLISHED)
    put_svd(put, tmp_path / XT)
    with raises_with_hint(WeightsError, "no VAE", unet, tmp_path):
        layouts.find(tmp_path)


def test_a_vae_of_still_pictures(tmp_path, raises_with_hint, put):
    put.unet(tmp_path / "unet" / PUBLISHED)
    vae = put.file(tmp_path / "vae" / PUBLISHED, put.vae_tensors(temporal=False))
    with raises_with_hint(WeightsError, vae, "no temporal decoder"):
        layouts.find(tmp_path)


ORIGINAL = "model.diffusion_model."


def test_a_unet_in_the_names_of_the_original_code(tmp_path, raises_with_hint, put):
    tensors = {f"{ORIGINAL}input_blocks.0.0.weight": np.zeros((32, 12, 3, 3), np.float16)}
    path = put.file(tmp_path / "merged.safetensors", tensors)
    with raises_with_hint(WeightsError, path, "original SVD code"):
        layouts.find(tmp_path)


def test_svd_as_one_file(tmp_path, raises_with_hint, put):
    tensors = put.vae_tensors(temporal=False, prefix="first_stage_model.")
    tensors["first_stage_model.decoder.conv_out.time_mix_conv.weight"] = np.zeros((3, 3, 3, 1, 1), np.float16)
    tensors[f"{ORIGINAL}input_blocks.0.0.weight"] = np.zeros((32, 8, 3, 3), np.float16)
    tensors[f"{ORIGINAL}label_emb.0.0.weight"] = np.zeros((128, 768), np.float16)
    path = put.file(tmp_path / "svd_xt.safetensors", tensors)
    with raises_with_hint(WeightsError, path, "8 channels", "Stable Video Diffusion's own"):
        layouts.find(tmp_path)
    put.unet(tmp_path / "unet" / PUBLISHED)
    with raises_with_hint(WeightsError, path, "VAE", "original SVD code"):
        layouts.find(tmp_path)
    vae = put.vae(tmp_path / "vae" / HALF)
    assert layouts.find(tmp_path).vae == vae


def test_finding_needs_no_torch():
    code = "import sys; from videomama_server.engines.videomama.checkpoint import layouts\n"
    code += "sys.exit('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_a_folder_that_may_not_be_looked_into_is_passed_over(tmp_path, put, monkeypatch):
    put.vae(tmp_path / "vae" / HALF)
    unet = put.unet(tmp_path / "unet" / PUBLISHED)
    put.unet(tmp_path / "a_secret" / PUBLISHED)
    iterdir = Path.iterdir

    def refused(folder):
        if folder.name == "a_secret":
            raise PermissionError(13, "Permission denied", str(folder))
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", refused)
    assert layouts.find(tmp_path).unet == unet
