"""Networks that find subjects, got one by one: from a stand-in of the hub, or from files on this machine."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from videomama_client.errors import NotPermitted, WeightsError
from videomama_server.cli.weights import ADDITIONAL
from videomama_server.engines.segment import families
from videomama_server.weights.additional import NETWORKS, adopt
from videomama_server.weights.digests import silent

TINY = NETWORKS["sam2-tiny"]


@pytest.fixture(scope="module")
def networks():
    """Return what makes the tiny networks that the engines' own tests run."""
    path = Path(__file__).parents[1] / "engines" / "segment" / "conftest.py"
    spec = importlib.util.spec_from_file_location("tiny_segmenters", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def stored(networks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored")
    model = networks.with_equal_tables(networks.make_sam2())
    model.save_pretrained(folder / "hub")
    (folder / "original").mkdir()
    torch.save({"model": networks.published(model)}, folder / "original" / "mine.pt")
    (folder / "original" / "config.json").write_text((folder / "hub" / "config.json").read_text())
    return folder


def test_a_network_is_fetched_checked_and_found_by_its_engine(hub, bring_network, stored, tmp_path):
    hub.files.update({(TINY.repo, name): stored / "hub" / name for name in TINY.names})
    hub.heads[TINY.repo] = "7" * 40
    with pytest.raises(NotPermitted, match="licence"):
        bring_network(TINY, accepted=False)
    outcome = bring_network(TINY)
    assert outcome.fetched > 0
    assert "fits the network" in outcome.lines[-1]
    assert families.find(tmp_path, "sam2", families.SAM2).path == tmp_path / "sam2"
    assert bring_network(TINY).fetched == 0


@pytest.mark.parametrize("layout", ["hub", "original", "original/mine.pt"])
def test_a_network_in_either_layout_is_taken_over(stored, tmp_path, layout):
    outcome = adopt(TINY, stored / layout, tmp_path, silent)
    assert "fits the network" in outcome.lines[-1]
    assert families.find(tmp_path, "sam2", families.SAM2).is_original is layout.startswith("original")


def test_a_network_of_another_family_is_refused_before_it_is_copied(stored, tmp_path):
    with pytest.raises(WeightsError, match="is SAM 2 by its config, not SAM 3"):
        adopt(NETWORKS["sam3"], stored / "hub", tmp_path, silent)
    assert not (tmp_path / "sam3").exists()


@pytest.mark.parametrize(("name", "said"), [("sam2", "Apache"), ("sam3", "SAM License"), ("person", "Apache")])
def test_each_licence_is_named_with_its_page_and_size(name, said):
    text = NETWORKS[name].licence.read_text()
    assert said in text
    assert NETWORKS[name].repo in text
    assert "GB" in text


def test_the_command_knows_all_of_them():
    assert tuple(NETWORKS) == ADDITIONAL
