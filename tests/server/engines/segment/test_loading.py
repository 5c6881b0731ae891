import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from videomama_client.errors import BadInput, OutOfMemory, WeightsError
from videomama_server.engines.base import EngineConfig
from videomama_server.engines.segment import loading
from videomama_server.engines.segment.families import DETECTOR, SAM2, NetworkFiles, find
from videomama_server.engines.segment.loading import load_tracker

CONFIG = EngineConfig(weights=Path("weights"), folded_dir=Path("folded"), device="cpu")


@pytest.fixture(scope="module")
def stored(tmp_path_factory, make):
    """Return one network with its folder in the layout of the hub and its file in that of the authors."""
    model = make.with_equal_tables(make.sam2())
    hub, original = tmp_path_factory.mktemp("hub"), tmp_path_factory.mktemp("original")
    model.save_pretrained(hub / "sam2")
    torch.save({"model": make.published(model)}, original / "tiny.pt")
    (original / "config.json").write_text((hub / "sam2" / "config.json").read_text())
    return model, hub, original


@pytest.mark.parametrize("layout", [1, 2], ids=["hub", "authors"])
def test_both_layouts_give_the_same_network(stored, layout):
    network = load_tracker(find(stored[layout], "sam2", SAM2), CONFIG, "sam2")
    expected = stored[0].state_dict()
    found = network.model.state_dict()
    assert set(found) == set(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert network.device == torch.device("cpu")
    assert network.side == 64
    assert not network.model.training
    assert not any(one.requires_grad for one in network.model.parameters())


def test_a_tensor_too_few_or_too_many_is_named(make, stored, tmp_path):
    tensors = make.published(stored[0])
    (tmp_path / "config.json").write_text((stored[2] / "config.json").read_text())
    files = replace(find(stored[2], "sam2", SAM2), path=tmp_path / "a.pt")
    torch.save({"model": {k: v for k, v in tensors.items() if k != "no_obj_ptr"}}, files.path)
    with pytest.raises(WeightsError, match="not a whole SAM 2: no_object_pointer are missing"):
        load_tracker(files, CONFIG, "sam2")
    torch.save({"model": tensors | {"matte_head.weight": torch.zeros(1)}}, files.path)
    with pytest.raises(WeightsError, match=r"holds matte_head\.weight, for which SAM 2 has no place"):
        load_tracker(files, CONFIG, "sam2")


def test_a_network_of_the_hub_that_is_not_whole_is_named(stored, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "sam2"
    folder.mkdir()
    (folder / "config.json").write_text((stored[1] / "sam2" / "config.json").read_text())
    tensors = load_file(stored[1] / "sam2" / "model.safetensors")
    save_file({k: v for k, v in tensors.items() if k != "no_object_pointer"}, folder / "model.safetensors")
    with pytest.raises(WeightsError, match="not a whole SAM 2: no_object_pointer are missing"):
        load_tracker(find(folder, "sam2", SAM2), CONFIG, "sam2")
    (folder / "model.safetensors").write_bytes(b"cut short")
    with pytest.raises(WeightsError, match="cannot be loaded as SAM 2"):
        load_tracker(find(folder, "sam2", SAM2), CONFIG, "sam2")


def test_a_network_that_cannot_follow_is_refused(tmp_path):
    files = NetworkFiles(DETECTOR, tmp_path, {})
    with pytest.raises(WeightsError, match="a detector of the DETR family, which cannot follow objects"):
        load_tracker(files, CONFIG, "sam2")


def test_too_little_memory_asks_others_for_room_first(stored, monkeypatch):
    free = [10**6]
    monkeypatch.setattr(loading.device, "free_bytes", lambda device: free[0])
    files = find(stored[1], "sam2", SAM2)
    with pytest.raises(OutOfMemory, match=r"sam2: .* does not fit: 1\.6 GB are needed and 0\.0 GB are free on cpu"):
        load_tracker(files, CONFIG, "sam2")

    def make_room():
        free[0] = 10**10
        return True

    assert load_tracker(files, replace(CONFIG, make_room=make_room), "sam2")


def test_a_device_that_is_not_there_is_an_error(stored):
    with pytest.raises(BadInput, match="there is no device 'cuda:7' here"):
        load_tracker(find(stored[1], "sam2", SAM2), replace(CONFIG, device="cuda:7"), "sam2")


def test_the_config_on_disk_says_the_type_that_is_looked_for(stored):
    assert json.loads((stored[1] / "sam2" / "config.json").read_text())["model_type"] == "sam2_video"


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(loading.needed_bytes) == {"is_loaded": False}
