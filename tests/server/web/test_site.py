"""What every route is given."""

import os

import pytest
from videomama_client.errors import NotPermitted, ServerUnreachable


def test_without_roots_the_home_and_added_folders_may_be_browsed(site, home, tmp_path):
    added = tmp_path / "mnt"
    added.mkdir()
    with pytest.raises(NotPermitted):
        site.permit(added / "plate.1001.exr")
    site.state.set_added_folders([added])
    assert site.permit(added / "plate.1001.exr") == added / "plate.1001.exr"
    assert site.permit(home / "shot") == home / "shot"


def test_a_client_starts_no_server_by_itself(site):
    with pytest.raises(ServerUnreachable), site.client():
        pass


def test_the_running_servers_roots_count(start_server, make_site, home, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    site = make_site(start_server("--roots", str(root)).connection_file)
    assert site.roots() == (root.resolve(),)
    with pytest.raises(NotPermitted):
        site.permit(home)


def test_templates_escape_every_value(site):
    assert "&lt;b&gt;" in site.text("_error.html", {"error": NotPermitted("<b>")})


def test_names_that_are_not_utf8_are_shown_with_their_bytes(site):
    said = site.text("_error.html", {"error": NotPermitted(os.fsdecode(b"caf\xe9.exr"))})
    assert "caf\\udce9.exr" in said
    said.encode()
