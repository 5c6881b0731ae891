"""Every layout that the weights are met in, every mistake with them, and that SVD's own UNet is never taken."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file
from videomama_client.errors import WeightsError
from videomama_server.engines.videomama.checkpoint import headers, layouts, published

PUBLISHED = "diffusion_pytorch_model.safetensors"
HALF = "diffusion_pytorch_model.fp16.safetensors"
XT = "stable-video-diffusion-img2vid-xt"
UNET_CONFIG = {"_class_name": published.UNET_CLASS, "in_channels": 12, "num_frames": 25}
VAE_CONFIG = {"_class_name": published.VAE_CLASS, "scaling_factor": 0.18215}


def unet_tensors(channels=12, prefix="", dtype=np.float32):
    return {
        f"{prefix}conv_in.weight": np.zeros((32, channels, 3, 3), dtype),
        f"{prefix}add_embedding.linear_1.weight": np.zeros((128, 768), dtype),
    }


def vae_tensors(temporal=True, prefix="", dtype=np.float16):
    tensors = {
        f"{prefix}encoder.conv_in.weight": np.zeros((32, 3, 3, 3), dtype),
        f"{prefix}decoder.conv_in.weight": np.zeros((32, 4, 3, 3), dtype),
    }
    if temporal:
        tensors[f"{prefix}decoder.time_conv_out.weight"] = np.zeros((3, 3, 3, 1, 1), dtype)
    return tensors


def put(path, tensors, config=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    if config is not None:
        (path.parent / "config.json").write_text(json.dumps(config))
    return path


def put_unet(path, channels=12, dtype=np.float32):
    return put(path, unet_tensors(channels, dtype=dtype), {**UNET_CONFIG, "in_channels": channels})


def put_vae(path):
    return put(path, vae_tensors(), VAE_CONFIG)


def put_svd(folder):
    """Write what comes with Stable Video Diffusion, its VAE left out; all of it must be passed over."""
    put_unet(folder / "unet" / HALF, channels=8)
    put(folder / "image_encoder" / "model.fp16.safetensors", {"vision_model.weight": np.zeros(3, np.float16)})
    put(folder / "svd_xt.safetensors", {"model.diffusion_model.input_blocks.0.0.weight": np.zeros((32, 8, 3, 3))})
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
def test_every_layout(tmp_path, layout, with_svd):
    unet, vae = (tmp_path / name for name in LAYOUTS[layout])
    put_unet(unet)
    put_vae(vae)
    if with_svd:
        put_svd(vae.parent.parent if XT in vae.parts else tmp_path / XT)
    found = layouts.find(tmp_path)
    assert (found.unet, found.vae) == (unet, vae)
    assert found.unet_config["in_channels"] == 12
    assert found.vae_config["scaling_factor"] == 0.18215


def test_a_file_without_config_has_the_published_one(tmp_path):
    put(tmp_path / "videomama.safetensors", unet_tensors())
    put(tmp_path / "vae" / PUBLISHED, vae_tensors(), {"_class_name": "AutoencoderKLTemporalDecoder", "sample_size": 1})
    found = layouts.find(tmp_path)
    assert found.unet_config == published.PUBLISHED_UNET
    assert found.vae_config == {**published.PUBLISHED_VAE, "_class_name": published.VAE_CLASS, "sample_size": 1}


def test_both_files_in_one_folder_do_not_share_a_config(tmp_path):
    put_unet(tmp_path / "unet.safetensors")
    put(tmp_path / "vae.safetensors", vae_tensors())
    found = layouts.find(tmp_path)
    assert found.unet_config["_class_name"] == published.UNET_CLASS
    assert found.vae_config == published.PUBLISHED_VAE


@pytest.mark.parametrize(
    ("of_unet", "of_vae"), [("model.diffusion_model.", "first_stage_model."), ("unet.", "vae."), ("", "vae.")]
)
@pytest.mark.parametrize("named", ["folder", "file"])
def test_a_merged_file(tmp_path, of_unet, of_vae, named):
    path = put(tmp_path / "merged.safetensors", unet_tensors(prefix=of_unet) | vae_tensors(prefix=of_vae))
    found = layouts.find(tmp_path if named == "folder" else path)
    assert (found.unet, found.vae) == (path, path)


def test_a_merged_file_without_its_vae_takes_one_beside_it(tmp_path):
    path = put(tmp_path / "unet.safetensors", unet_tensors(prefix="model.diffusion_model."))
    vae = put_vae(tmp_path / "vae" / PUBLISHED)
    assert layouts.find(tmp_path) == layouts.find(path)
    assert layouts.find(path).vae == vae


@pytest.mark.parametrize("layout", ["upstream", "sammie", "ez-flat", "bare"])
def test_a_unet_file_finds_the_vae_near_it(tmp_path, layout):
    unet, vae = (tmp_path / "root" / "in" / name for name in LAYOUTS[layout])
    put_unet(unet)
    put_vae(vae)
    assert layouts.find(unet) == layouts.find(tmp_path)


def test_a_trainers_last_checkpoint_is_taken_and_its_average_only_when_alone(tmp_path):
    put_vae(tmp_path / "svd" / "vae" / HALF)
    for step in (500, 1000, 9500, 10000):
        put_unet(tmp_path / f"checkpoint-{step}" / "unet_ema" / PUBLISHED)
    assert layouts.find(tmp_path).unet == tmp_path / "checkpoint-10000" / "unet_ema" / PUBLISHED
    for step in (500, 9500):
        put_unet(tmp_path / f"checkpoint-{step}" / "unet" / PUBLISHED)
    assert layouts.find(tmp_path).unet == tmp_path / "checkpoint-9500" / "unet" / PUBLISHED
    last = put_unet(tmp_path / "unet" / PUBLISHED)
    assert layouts.find(tmp_path).unet == last


def test_of_two_precisions_the_higher_is_taken(tmp_path):
    put_vae(tmp_path / "vae" / HALF)
    put_unet(tmp_path / "unet" / HALF, dtype=np.float16)
    whole = put_unet(tmp_path / "unet" / PUBLISHED)
    assert layouts.find(tmp_path).unet == whole


def test_a_file_that_is_whole_goes_before_one_that_is_not(tmp_path):
    put_vae(tmp_path / "vae" / HALF)
    cut = put_unet(tmp_path / "unet" / PUBLISHED)
    os.truncate(cut, cut.stat().st_size - 1)
    deeper = put_unet(tmp_path / "copy" / "of" / "unet" / PUBLISHED)
    assert layouts.find(tmp_path).unet == deeper


def test_of_two_downloads_in_the_hubs_cache_the_one_of_main_is_taken(tmp_path):
    put_vae(tmp_path / "vae" / HALF)
    model = tmp_path / "models--SammyLim--VideoMaMa"
    for revision in ("aaa", "bbb", "ccc"):
        blob = put(model / "blobs" / revision, unet_tensors())
        link = model / "snapshots" / revision / "unet" / PUBLISHED
        link.parent.mkdir(parents=True)
        link.symlink_to(blob)
    assert "aaa" in layouts.find(tmp_path).unet.parts
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("bbb")
    assert "bbb" in layouts.find(tmp_path).unet.parts


def test_links_are_followed_without_going_round(tmp_path):
    away, root = tmp_path / "away", tmp_path / "root"
    put_unet(away / "unet" / PUBLISHED)
    put_vae(away / "vae" / HALF)
    root.mkdir()
    (root / "linked").symlink_to(away, target_is_directory=True)
    (away / "back").symlink_to(root, target_is_directory=True)
    (root / "nowhere.safetensors").symlink_to(tmp_path / "none")
    assert layouts.find(root).unet == root / "linked" / "unet" / PUBLISHED


def test_hidden_and_very_deep_folders_are_not_searched(tmp_path, raises_with_hint):
    put_unet(tmp_path / ".trash" / "unet" / PUBLISHED)
    put_unet(tmp_path.joinpath(*"abcdefgh") / PUBLISHED)
    put_vae(tmp_path / "vae" / HALF)
    with raises_with_hint(WeightsError, tmp_path, "no UNet"):
        layouts.find(tmp_path)


def test_the_search_ends_in_a_huge_tree(tmp_path, monkeypatch, caplog, raises_with_hint):
    monkeypatch.setattr(layouts, "_MOST_FOLDERS", 5)
    for number in range(9):
        (tmp_path / f"{number}").mkdir()
    put_unet(tmp_path / "9" / PUBLISHED)
    with raises_with_hint(WeightsError, tmp_path):
        layouts.find(tmp_path)
    assert "too many folders" in caplog.text


def test_shards_count_as_one_network(tmp_path):
    tensors = unet_tensors()
    names = {}
    for number, (name, tensor) in enumerate(tensors.items()):
        names[name] = put(tmp_path / "unet" / f"part-{number}.safetensors", {name: tensor}).name
    index = tmp_path / "unet" / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": names}))
    put_vae(tmp_path / "vae" / HALF)
    assert layouts.find(tmp_path).unet == index
    assert headers.read(index).tensors.keys() == tensors.keys()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"weight_map": {"conv_in.weight": "none.safetensors"}}', "none.safetensors"),
        ('{"weight_map": {"conv_in.weight": "../../secret"}}', "not beside it"),
        ('{"weight_map": {}}', "not beside it"),
        ('{"weight_map": 3}', "no index"),
        ("[1", "no index"),
    ],
)
def test_an_index_that_leads_nowhere(tmp_path, raises_with_hint, text, named):
    (tmp_path / "secret").write_text("no weights")
    index = tmp_path / "ck" / "unet" / "diffusion_pytorch_model.safetensors.index.json"
    index.parent.mkdir(parents=True)
    index.write_text(text)
    with raises_with_hint(WeightsError, index, named):
        layouts.find(tmp_path / "ck")


def test_a_pickle_is_known_by_its_config_and_goes_after_safetensors(tmp_path):
    put_vae(tmp_path / "vae" / HALF)
    pickle = tmp_path / "unet" / "diffusion_pytorch_model.bin"
    pickle.parent.mkdir()
    pickle.write_bytes(b"\x80never opened here")
    (tmp_path / "unet" / "config.json").write_text(json.dumps(UNET_CONFIG))
    (tmp_path / "unet" / "dino_projection_mlp.pth").write_bytes(b"\x80of training")
    assert layouts.find(tmp_path).unet == pickle
    assert layouts.find(pickle).unet == pickle
    better = put_unet(tmp_path / "deeper" / "unet" / PUBLISHED)
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


def test_the_hint_says_where_the_files_go_and_which_command_looks(tmp_path):
    with pytest.raises(WeightsError) as caught:
        layouts.find(tmp_path)
    assert str(tmp_path / "VideoMaMa" / "unet") in caught.value.hint
    assert "videomama weights check" in caught.value.hint
    put_unet(tmp_path / "VideoMaMa" / "unet" / PUBLISHED)
    with pytest.raises(WeightsError) as caught:
        layouts.find(tmp_path)
    assert str(tmp_path / XT / "vae") in caught.value.hint


def test_only_svds_own_unet(tmp_path, raises_with_hint):
    put_svd(tmp_path / XT)
    put_vae(tmp_path / XT / "vae" / HALF)
    with raises_with_hint(WeightsError, tmp_path / XT / "unet" / HALF, "8 channels", "Stable Video Diffusion's own"):
        layouts.find(tmp_path)
    with raises_with_hint(WeightsError, "8 channels"):
        layouts.find(tmp_path / XT / "unet" / HALF)


def test_a_pickle_of_svds_own_unet(tmp_path, raises_with_hint):
    (tmp_path / "diffusion_pytorch_model.bin").write_bytes(b"\x80")
    (tmp_path / "config.json").write_text(json.dumps({"_class_name": published.UNET_CLASS}))
    with raises_with_hint(WeightsError, "8 channels"):
        layouts.find(tmp_path)


def test_another_number_of_channels(tmp_path, raises_with_hint):
    put_unet(tmp_path / PUBLISHED, channels=11)
    with raises_with_hint(WeightsError, "11 channels", tmp_path / PUBLISHED):
        layouts.find(tmp_path)


def test_no_unet(tmp_path, raises_with_hint):
    put_vae(tmp_path / "vae" / HALF)
    with raises_with_hint(WeightsError, "no UNet", tmp_path):
        layouts.find(tmp_path)


def test_no_vae(tmp_path, raises_with_hint):
    unet = put_unet(tmp_path / "unet" / PUBLISHED)
    put_svd(tmp_path / XT)
    with raises_with_hint(WeightsError, "no VAE", unet, tmp_path):
        layouts.find(tmp_path)


def test_a_vae_of_still_pictures(tmp_path, raises_with_hint):
    put_unet(tmp_path / "unet" / PUBLISHED)
    vae = put(tmp_path / "vae" / PUBLISHED, vae_tensors(temporal=False))
    with raises_with_hint(WeightsError, vae, "no temporal decoder"):
        layouts.find(tmp_path)


ORIGINAL = "model.diffusion_model."


def test_a_unet_in_the_names_of_the_original_code(tmp_path, raises_with_hint):
    tensors = {f"{ORIGINAL}input_blocks.0.0.weight": np.zeros((32, 12, 3, 3), np.float16)}
    path = put(tmp_path / "merged.safetensors", tensors)
    with raises_with_hint(WeightsError, path, "original SVD code"):
        layouts.find(tmp_path)


def test_svd_as_one_file(tmp_path, raises_with_hint):
    tensors = vae_tensors(temporal=False, prefix="first_stage_model.")
    tensors["first_stage_model.decoder.conv_out.time_mix_conv.weight"] = np.zeros((3, 3, 3, 1, 1), np.float16)
    tensors[f"{ORIGINAL}input_blocks.0.0.weight"] = np.zeros((32, 8, 3, 3), np.float16)
    tensors[f"{ORIGINAL}label_emb.0.0.weight"] = np.zeros((128, 768), np.float16)
    path = put(tmp_path / "svd_xt.safetensors", tensors)
    with raises_with_hint(WeightsError, path, "8 channels", "Stable Video Diffusion's own"):
        layouts.find(tmp_path)
    put_unet(tmp_path / "unet" / PUBLISHED)
    with raises_with_hint(WeightsError, path, "VAE", "original SVD code"):
        layouts.find(tmp_path)
    vae = put_vae(tmp_path / "vae" / HALF)
    assert layouts.find(tmp_path).vae == vae


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "cut short"),
        (b"\x10\0\0", "cut short"),
        (b"\x40\0\0\0\0\0\0\0{", "cut short inside its header"),
        (b"\xff" * 64, "no safetensors file"),
        (b"\0" * 64, "no safetensors file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 6100000000\n", "Git LFS pointer"),
        (b"<!DOCTYPE html><html><body>not found</body></html>", "web page"),
        (b"PK\x03\x04" + b"\0" * 60, "no safetensors file"),
        (b"\x04\0\0\0\0\0\0\0{oh}", "header makes no sense"),
        (b"\x02\0\0\0\0\0\0\0[]", "header makes no sense"),
        (b'\x0f\0\0\0\0\0\0\0{"a":[1,2,"x"]}', "header makes no sense"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("broken", ["unet", "vae"])
def test_files_that_are_no_safetensors(tmp_path, raises_with_hint, content, named, broken):
    put_unet(tmp_path / "unet" / PUBLISHED)
    put_vae(tmp_path / "vae" / PUBLISHED)
    path = tmp_path / broken / PUBLISHED
    path.write_bytes(content)
    with raises_with_hint(WeightsError, path, named):
        layouts.find(tmp_path)


@pytest.mark.parametrize(
    "row",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]},
        {"dtype": "F32", "shape": 1, "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1]},
        {"dtype": "F32", "shape": [float("inf")], "data_offsets": [0, 4]},
    ],
)
def test_rows_of_a_header_that_make_no_sense(tmp_path, raises_with_hint, row):
    content = json.dumps({"conv_in.weight": row}).encode()
    path = tmp_path / PUBLISHED
    path.write_bytes(len(content).to_bytes(8, "little") + content + bytes(4))
    with raises_with_hint(WeightsError, path, "makes no sense"):
        headers.read(path)


def test_bytes_too_many_are_noticed(tmp_path, raises_with_hint):
    path = put_unet(tmp_path / PUBLISHED)
    with path.open("ab") as file:
        file.write(b"more")
    with raises_with_hint(WeightsError, path, "too many"):
        headers.read(path)


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000])
def test_a_config_that_cannot_be_read(tmp_path, raises_with_hint, text):
    put_unet(tmp_path / "unet" / PUBLISHED)
    put_vae(tmp_path / "vae" / HALF)
    config = tmp_path / "unet" / "config.json"
    config.write_text(text)
    with raises_with_hint(WeightsError, config):
        layouts.find(tmp_path)


def test_finding_needs_no_torch():
    code = "import sys; from videomama_server.engines.videomama.checkpoint import layouts\n"
    code += "sys.exit('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
