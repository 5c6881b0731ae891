"""Networks of edge refiners, got one by one: from a stand-in of the hub, or from a file on this machine."""

from __future__ import annotations

import shutil

import pytest
from videomama_client.errors import NotPermitted, WeightsError
from videomama_server.cli import weights as cli
from videomama_server.engines.videomama.checkpoint import layouts
from videomama_server.weights.additional import NETWORKS, adopt
from videomama_server.weights.digests import silent

VITMATTE = NETWORKS["vitmatte"]


@pytest.fixture
def edge_hub(hub, tiny_edge_networks):
    """A stand-in of the hub that has a tiny ViTMatte, too."""
    hub.files.update({(VITMATTE.repo, name): tiny_edge_networks / VITMATTE.folder / name for name in VITMATTE.names})
    hub.heads[VITMATTE.repo] = "7" * 40
    return hub


def test_a_network_is_fetched_checked_and_found_by_its_engine(edge_hub, bring_network, tmp_path, tiny_edge_networks):
    outcome = bring_network(VITMATTE)
    assert outcome.fetched > 0
    assert "fits the network" in outcome.lines[-1]
    (config, _, tensors) = VITMATTE.find(tmp_path)
    assert config.parent == tmp_path / VITMATTE.folder
    assert tensors.read_bytes() == (tiny_edge_networks / VITMATTE.folder / tensors.name).read_bytes()
    assert bring_network(VITMATTE).fetched == 0


def test_an_additional_network_is_not_folded(edge_hub):
    offer = VITMATTE.offer()
    assert offer.folded_bytes == 0
    assert [(one.repo, [file.file for file in one.wanted]) for one in offer.repositories] == [
        (VITMATTE.repo, list(VITMATTE.names))
    ]


def test_nothing_is_fetched_before_the_licence_is_accepted(edge_hub, bring_network, tmp_path):
    with pytest.raises(NotPermitted, match="licence"):
        bring_network(VITMATTE, accepted=False)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_what_only_its_authors_publish_is_not_fetched_and_the_error_says_where_it_is():
    with pytest.raises(WeightsError, match=r"the hub does not have the weights MEMatte_ViTS_DIM\.pth") as refused:
        NETWORKS["mematte"].offer()
    assert "https://github.com/linyiheng123/MEMatte" in refused.value.hint
    assert "--with mematte --from FILE" in refused.value.hint


@pytest.mark.parametrize("name", ["vitmatte", "mematte"])
def test_a_network_on_this_machine_is_copied_to_its_place(name, tiny_edge_networks, tmp_path):
    network = NETWORKS[name]
    origin = tiny_edge_networks / network.folder
    outcome = adopt(network, origin, tmp_path, silent)
    assert [path.parent for path in network.find(tmp_path)] == [tmp_path / network.folder] * len(network.names)
    assert "fits the network" in outcome.lines[-1]
    adopt(network, tmp_path, tmp_path, silent)
    assert all(
        (tmp_path / network.folder / known).read_bytes() == (origin / known).read_bytes() for known in network.names
    )


def test_a_file_that_does_not_fit_is_refused_before_it_is_copied(tmp_path):
    wrong = tmp_path / "mematte.pth"
    wrong.write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="cannot read"):
        adopt(NETWORKS["mematte"], wrong, tmp_path / "weights", silent)
    assert not (tmp_path / "weights").exists()


def test_each_licence_says_what_the_training_data_forbid():
    for network in (NETWORKS[name] for name in ("vitmatte", "vitmatte-base", "mematte")):
        text = network.licence.read_text()
        assert "Composition-1k" in text
        assert "non-commercial" in text
        assert network.page in text or network.repo in text


def test_the_models_own_weights_are_found_beside_them(tiny_checkpoint, tiny_edge_networks, tmp_path):
    weights = shutil.copytree(tiny_checkpoint, tmp_path / "weights")
    before = layouts.find(weights)
    shutil.copytree(tiny_edge_networks, weights, dirs_exist_ok=True)
    after = layouts.find(weights)
    assert (after.unet, after.vae) == (before.unet, before.vae)


def test_the_command_line_offers_them_all():
    for command in (cli.fetch, cli.import_):
        (option,) = (parameter for parameter in command.params if parameter.name == "additional")
        assert tuple(option.type.choices) == tuple(NETWORKS)
