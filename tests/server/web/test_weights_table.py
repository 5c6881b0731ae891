"""Which weights are here."""

import pytest
from videomama_client.errors import BadInput
from videomama_server.web import weights_table
from videomama_server.weights.additional import NETWORKS


def test_without_weights_every_network_is_listed_with_its_licence(tmp_path):
    found = weights_table.rows(tmp_path)
    assert found[0].name == weights_table.MODEL
    assert len({one.name for one in found}) == len(found) > 5
    assert all(one.licence and not one.files and one.problem for one in found)


def test_weights_that_are_here_are_found_with_their_size(tmp_path):
    network = NETWORKS["mematte"]
    (tmp_path / network.folder).mkdir()
    for name in network.names:
        (tmp_path / network.folder / name).write_bytes(b"{}")
    found = {one.name: one for one in weights_table.rows(tmp_path)}
    assert found["mematte"].size == 2 * len(network.names)
    assert not found["mematte"].problem


def test_only_what_is_published_can_be_fetched():
    weights_table.check_name("sam2")
    for name in ("mematte", "nothing", "../sam2", ""):
        with pytest.raises(BadInput):
            weights_table.check_name(name)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(weights_table.NetworkRow) == {"by_hand": False}
