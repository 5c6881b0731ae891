"""Importing weights that are there: in every layout, linked or copied, checked before and after."""

import errno
import json
import os
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from videomama_client.errors import NotPermitted, WeightsError
from videomama_server.engines.videomama.checkpoint import layouts, published
from videomama_server.weights import importing as module
from videomama_server.weights import manifest
from videomama_server.weights.digests import silent
from videomama_server.weights.importing import Import, adopt

XT = "stable-video-diffusion-img2vid-xt"
PUBLISHED = "diffusion_pytorch_model.safetensors"
HALF = "diffusion_pytorch_model.fp16.safetensors"
UNET = f"VideoMaMa/unet/{PUBLISHED}"
VAE = f"{XT}/vae/{HALF}"
LAYOUTS = {
    "upstream": (f"VideoMaMa/unet/{PUBLISHED}", f"{XT}/vae/{HALF}"),
    "comfyui": (f"checkpoints/VideoMaMa/unet/{PUBLISHED}", f"checkpoints/stabilityai/{XT}/vae/{HALF}"),
    "corridorkey": (f"checkpoints/unet/{PUBLISHED}", f"checkpoints/{XT}/vae/{HALF}"),
    "ez-flat": (f"checkpoints/VideoMaMa/{PUBLISHED}", f"checkpoints/{XT}/vae/{HALF}"),
    "sammie": (f"checkpoints/videomama/unet/{PUBLISHED}", f"checkpoints/videomama/vae/{HALF}"),
    "shot-gopher": (f"models/VideoMaMa/checkpoints/VideoMaMa/unet/{PUBLISHED}", f"models/VideoMaMa/{XT}/vae/{HALF}"),
    "lab2shot": (f"SammyLim/VideoMaMa/unet/{PUBLISHED}", f"stabilityai/{XT}/vae/{HALF}"),
    "trainer": (f"checkpoint-9000/unet/{PUBLISHED}", f"{XT}/vae/{HALF}"),
    "renamed": ("unet/videomama.safetensors", "vae/svd.safetensors"),
}


@pytest.fixture
def arranged(tiny_checkpoint, tmp_path):
    """Put the tiny checkpoint into a layout: `arranged("sammie")`."""

    def arrange(layout):
        root = tmp_path / "Studio Ümlaut" / layout
        for place, name in zip((UNET, VAE), LAYOUTS[layout], strict=True):
            source, target = tiny_checkpoint / place, root / name
            target.parent.mkdir(parents=True)
            os.link(source, target)
            shutil.copy(source.with_name("config.json"), target.with_name("config.json"))
        return root

    return arrange


@pytest.fixture
def take(weights, tiny_offer, said):
    """Import into `weights`: `take(origin, copy=True)`."""

    def run(origin, **changes):
        return adopt(Import(tiny_offer, origin, **{"weights": weights, **changes}), silent, said.append)

    return run


def listed(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def shown(folder):
    return [name for name in listed(folder) if not name.rsplit("/")[-1].startswith(".")]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("copy", [False, True], ids=["link", "copy"])
def test_every_layout_becomes_the_published_one(arranged, take, weights, layout, copy, tiny_checkpoint):
    origin = arranged(layout)
    before = listed(origin)
    outcome = take(origin, copy=copy)
    configs = ["VideoMaMa/unet/config.json", f"{XT}/vae/config.json"]
    assert shown(weights) == sorted([UNET, VAE, *configs, manifest.NAME])
    for name, place in zip(LAYOUTS[layout], (UNET, VAE), strict=True):
        assert (weights / place).samefile(origin / name) == (not copy)
        assert (weights / place).read_bytes() == (tiny_checkpoint / place).read_bytes()
    assert layouts.find(weights).unet_config == layouts.find(origin).unet_config
    assert all(row.published for row in manifest.read(weights).files.values() if row.path.endswith(".safetensors"))
    assert any("conv_in.weight takes 12 channels" in line for line in outcome.lines)
    assert listed(origin) == before


def test_a_fetch_afterwards_has_nothing_to_do(arranged, take, bring, hub):
    take(arranged("sammie"))
    for verify in (False, True):
        outcome = bring(accepted=False, verify=verify)
        assert "nothing to do" in outcome.lines[0]
        assert "imported from" in outcome.lines[0]
    assert hub.requests == []


def test_a_second_import_changes_nothing(arranged, take, weights):
    origin = arranged("lab2shot")
    take(origin)
    before = {name: (weights / name).stat().st_mtime_ns for name in shown(weights) if name != manifest.NAME}
    outcome = take(origin)
    assert {name: (weights / name).stat().st_mtime_ns for name in before} == before
    assert sum("was there" in line for line in outcome.lines) == 4


def test_what_is_in_the_folder_of_weights_stays_as_it_is(arranged, take):
    origin = arranged("sammie")
    before = listed(origin)
    assert "nothing to do" in take(origin, weights=origin).lines[0]
    assert listed(origin) == before


def test_links_of_a_hub_cache_are_followed(tiny_checkpoint, take, weights, tmp_path):
    """There the names are relative links to blobs."""
    blobs, snapshot = tmp_path / "hub" / "blobs", tmp_path / "hub" / "snapshots" / "abc"
    blobs.mkdir(parents=True)
    for index, place in enumerate((UNET, VAE)):
        for name in (place, place.rsplit("/", 1)[0] + "/config.json"):
            blob = blobs / f"{index}-{name.rsplit('/')[-1]}"
            os.link(tiny_checkpoint / name, blob)
            link = snapshot / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.relpath(blob, link.parent))
    take(snapshot)
    assert not (weights / UNET).is_symlink()
    assert (weights / UNET).samefile(blobs / f"0-{PUBLISHED}")


def test_from_another_disk_it_is_a_symbolic_link(arranged, take, weights, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    origin = arranged("upstream")
    monkeypatch.setattr(module.os, "link", refuse)
    outcome = take(origin)
    assert (weights / UNET).readlink() == (origin / UNET).resolve()
    assert any("symbolic link" in line for line in outcome.lines)
    layouts.find(weights)


def test_where_no_link_can_be_made_copy_is_named(arranged, take, weights, monkeypatch):
    origin = arranged("upstream")

    def refuse(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(module.os, "link", refuse)
    monkeypatch.setattr(module.Path, "symlink_to", refuse)
    with pytest.raises(NotPermitted, match="neither hard nor symbolically") as caught:
        take(origin)
    assert "--copy" in caught.value.hint
    assert not (weights / UNET).exists()


@pytest.fixture
def as_published(tiny_checkpoint, monkeypatch):
    """Let the tiny networks be those that are published, so that files without a config are known."""
    for name, place in (("PUBLISHED_UNET", UNET), ("PUBLISHED_VAE", VAE)):
        config = json.loads((tiny_checkpoint / place).with_name("config.json").read_text())
        monkeypatch.setattr(published, name, {key: value for key, value in config.items() if key[0] != "_"})


@pytest.mark.usefixtures("as_published")
def test_two_files_in_one_folder_without_configs(tiny_checkpoint, take, weights, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(tiny_checkpoint / UNET, bare / "videomama.safetensors")
    shutil.copy(tiny_checkpoint / VAE, bare / "svd_vae.safetensors")
    take(bare)
    assert (weights / UNET).samefile(bare / "videomama.safetensors")
    assert (weights / VAE).samefile(bare / "svd_vae.safetensors")
    written = json.loads((weights / VAE).with_name("config.json").read_text())
    assert written == {**published.PUBLISHED_VAE, "_class_name": published.VAE_CLASS}


@pytest.mark.usefixtures("as_published")
@pytest.mark.parametrize("named", ["folder", "file"])
def test_a_merged_file_stays_one(tiny_checkpoint, take, weights, tmp_path, named):
    merged = tmp_path / "merged" / "videomama_all.safetensors"
    merged.parent.mkdir()
    tensors = {f"unet.{name}": tensor for name, tensor in load_file(tiny_checkpoint / UNET).items()}
    tensors |= {f"vae.{name}": tensor for name, tensor in load_file(tiny_checkpoint / VAE).items()}
    save_file(tensors, merged)
    take(merged if named == "file" else merged.parent)
    assert shown(weights) == ["VideoMaMa/videomama_all.safetensors", manifest.NAME]
    assert layouts.find(weights).vae == weights / "VideoMaMa" / merged.name


def test_a_config_that_is_not_beside_its_file_is_written(own_checkpoint, take, weights):
    """Without its class a config is still taken; what is written says the class too."""
    config = own_checkpoint / UNET.replace(PUBLISHED, "config.json")
    content = json.loads(config.read_text())
    del content["_class_name"]
    config.write_text(json.dumps(content))
    take(own_checkpoint)
    written = json.loads((weights / "VideoMaMa" / "unet" / "config.json").read_text())
    assert written["_class_name"] == "UNetSpatioTemporalConditionModel"
    assert written["block_out_channels"] == content["block_out_channels"]


def test_shards_come_with_their_index(own_checkpoint, take, weights):
    path = own_checkpoint / UNET
    tensors = load_file(path)
    path.unlink()
    names = sorted(tensors)
    halves = {"a.safetensors": names[:100], "b.safetensors": names[100:]}
    for file, part in halves.items():
        save_file({name: tensors[name] for name in part}, path.with_name(file))
    index = path.with_name(f"{PUBLISHED}.index.json")
    index.write_text(json.dumps({"weight_map": {name: file for file, part in halves.items() for name in part}}))
    outcome = take(own_checkpoint)
    assert layouts.find(weights).unet == weights / "VideoMaMa" / "unet" / index.name
    unpublished = [line for line in outcome.lines if "not the published file" in line]
    assert len(unpublished) == 3  # both shards and their index; a config was written, and is nobody's
    assert all(".safetensors" in line for line in unpublished)


def test_a_pickle_keeps_its_name(own_checkpoint, take, weights, bring, hub):
    path = own_checkpoint / UNET
    torch.save(load_file(path), path.with_suffix(".bin"))
    path.unlink()
    take(own_checkpoint)
    assert layouts.find(weights).unet == weights / "VideoMaMa" / "unet" / "diffusion_pytorch_model.bin"
    assert "nothing to do" in bring(accepted=False).lines[0]
    assert hub.requests == []


def test_other_weights_that_are_there_are_not_touched(arranged, take, weights, make_checkpoint, tmp_path):
    take(arranged("upstream"))
    make_checkpoint("tiny", tmp_path / "other", seed=1)
    before = (weights / UNET).read_bytes()
    with pytest.raises(WeightsError, match="is there already and is another one"):
        take(tmp_path / "other")
    assert (weights / UNET).read_bytes() == before


def test_an_import_that_was_killed_is_finished(arranged, take, weights):
    """What it leaves: the first files in place, and one under a hidden name."""
    origin = arranged("upstream")
    take(origin)
    (weights / VAE).unlink()
    (weights / manifest.NAME).unlink()
    (weights / XT / "vae" / ".videomama-0123.safetensors").write_bytes(b"half")
    take(origin)
    assert layouts.find(weights).vae == weights / VAE
    assert not list(weights.rglob(".videomama-0123*"))


@pytest.mark.parametrize("fault", ["cut", "svd", "nothing", "no-folder"])
def test_what_is_not_videomama_is_refused_and_nothing_is_made(own_checkpoint, take, weights, fault, tmp_path):
    if fault == "cut":
        path = own_checkpoint / VAE
        path.write_bytes(path.read_bytes()[:-100])
    elif fault == "svd":
        tensors = load_file(own_checkpoint / UNET)
        tensors["conv_in.weight"] = tensors["conv_in.weight"][:, :8].contiguous()
        save_file(tensors, own_checkpoint / UNET)
    origin = {"nothing": tmp_path, "no-folder": tmp_path / "none"}.get(fault, own_checkpoint)
    if fault == "nothing":
        shutil.rmtree(own_checkpoint)
    with pytest.raises(WeightsError):
        take(origin)
    assert not weights.exists()


def test_a_copy_that_does_not_fit_is_refused_before_it_begins(arranged, take, weights, monkeypatch):
    monkeypatch.setattr(module.disk_space.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**7, 0, 10**7))
    origin = arranged("upstream")
    with pytest.raises(NotPermitted, match=r"has 10\.0 MB free, and"):
        take(origin, copy=True)
    assert not weights.exists()
    take(origin)


def test_a_copy_that_arrives_damaged_is_refused(arranged, take, weights, monkeypatch):
    origin = arranged("upstream")
    monkeypatch.setattr(module.shutil, "copyfile", lambda _, target: target.write_bytes(b"damaged"))
    with pytest.raises(WeightsError, match="changed while it was copied"):
        take(origin, copy=True)
    assert not (weights / UNET).exists()


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Import) == {"copy": False}
