"""What the page keeps between two runs."""

from pathlib import Path

import pytest
from videomama_client.errors import BadInput
from videomama_server.web.state import State


def test_each_connection_file_has_a_page_of_its_own(tmp_path):
    assert State.beside(tmp_path / "one.json").folder != State.beside(tmp_path / "two.json").folder


def test_port_and_folders_are_kept(site):
    assert (site.state.port(), site.state.added_folders()) == (0, ())
    site.state.set_port(8600)
    site.state.set_added_folders([Path("/mnt/ä")])
    again = State(site.state.folder)
    assert (again.port(), again.added_folders()) == (8600, (Path("/mnt/ä"),))


def test_damaged_folders_are_an_error_that_names_the_file(site):
    (site.state.folder / "folders.json").write_text("[")
    with pytest.raises(BadInput, match=r"folders\.json"):
        site.state.added_folders()


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(site, tmp_path):
    target = tmp_path / "target"
    target.write_text("mine")
    (site.state.folder / "port").symlink_to(target)
    site.state.set_port(8600)
    assert target.read_text() == "mine"
    assert not (site.state.folder / "port").is_symlink()
