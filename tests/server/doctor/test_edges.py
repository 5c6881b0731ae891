from __future__ import annotations

from dataclasses import replace

import pytest
from videomama_server.config import Config
from videomama_server.doctor import edges
from videomama_server.doctor.edges import examine


@pytest.fixture
def config(tiny_edge_networks):
    return replace(Config(), weights=tiny_edge_networks)


def said(lines):
    return {line.name: line for line in lines}


def test_refiners_whose_weights_are_there_are_named_with_their_folders(config):
    found = said(examine(config))
    assert found.keys() == {"engine vitmatte", "engine mematte"}
    assert "vitmatte-small-composition-1k" in found["engine vitmatte"].what
    assert all(line.state == "ok" for line in found.values())


def test_who_uses_none_of_them_hears_nothing(tmp_path):
    assert examine(replace(Config(), weights=tmp_path)) == []
    assert examine(replace(Config(), weights=tmp_path / "gone")) == []


def test_weights_of_which_a_part_is_missing_are_a_warning(tmp_path):
    folder = tmp_path / "vitmatte-small-composition-1k"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (line,) = examine(replace(Config(), weights=tmp_path))
    assert line.state == "warning"
    assert "--with vitmatte" in line.fix


def test_packages_that_are_missing_are_a_warning(config, monkeypatch):
    monkeypatch.setattr(
        "videomama_server.engines.runtime.packages.find_spec", lambda name: None if name == "transformers" else object()
    )
    found = said(edges.examine(config))
    assert found["engine vitmatte"].state == "warning"
    assert "transformers" in found["engine vitmatte"].what
    assert found["engine mematte"].state == "ok"
