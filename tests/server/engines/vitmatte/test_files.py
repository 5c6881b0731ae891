from __future__ import annotations

import json

import pytest
from videomama_client.errors import WeightsError
from videomama_server.engines.vitmatte import files


def put(folder, architectures=("VitMatteForImageMatting",)):
    folder.mkdir(parents=True)
    (folder / files.CONFIG).write_text(json.dumps({"architectures": list(architectures)}))
    for name in (files.PREPROCESSOR, files.TENSORS):
        (folder / name).write_bytes(b"x")
    return folder


def test_a_network_is_found_in_the_folder_of_its_repository(tmp_path):
    small = put(tmp_path / "vitmatte-small-composition-1k")
    assert files.find(tmp_path, "small") == tuple(
        small / name for name in ("config.json", "preprocessor_config.json", "model.safetensors")
    )
    assert files.found(tmp_path) == files.find(tmp_path, "small")


def test_a_folder_that_is_one_itself_is_taken(tmp_path):
    own = put(tmp_path / "mine")
    assert files.find(own, "base")[0] == own / "config.json"


def test_weights_of_another_model_beside_it_do_not_matter(tmp_path):
    put(tmp_path / "vitmatte-base-composition-1k")
    other = tmp_path / "unet.safetensors"
    other.write_bytes(b"x")
    assert files.find(other, "base")[2].parent.name == "vitmatte-base-composition-1k"


@pytest.mark.parametrize("model", ["small", "base"])
def test_missing_weights_are_an_error_that_says_how_to_get_them(tmp_path, model):
    (tmp_path / files.folder_name(model)).mkdir()
    with pytest.raises(WeightsError, match="the engine vitmatte has no weights") as refused:
        files.find(tmp_path, model)
    assert "install weights --with vitmatte" in refused.value.hint
    assert ("network base" in refused.value.message) == (model == "base")
    with pytest.raises(WeightsError):
        files.found(tmp_path)


def test_a_config_of_something_else_or_of_nothing_does_not_make_a_folder_one(tmp_path):
    put(tmp_path / "other", ("BertModel",))
    with pytest.raises(WeightsError):
        files.find(tmp_path / "other", "small")
    (tmp_path / "other" / files.CONFIG).write_text("[")
    with pytest.raises(WeightsError):
        files.find(tmp_path / "other", "small")
