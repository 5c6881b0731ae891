from __future__ import annotations

import pytest
from videomama_client.errors import WeightsError
from videomama_server.engines.mematte import files


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


@pytest.mark.parametrize(
    "place", ["mematte/MEMatte_ViTS_DIM.pth", "MEMatte_ViTS_DIM.pth", "mematte/mematte.safetensors"]
)
def test_the_file_is_found_in_its_folder_or_beside_other_weights(tmp_path, place):
    path = put(tmp_path / place)
    assert files.find(tmp_path) == path
    assert files.find(path.parent) == path
    assert files.find(path) == path


def test_a_file_of_another_model_is_not_taken_for_it(tmp_path):
    unet = put(tmp_path / "unet.pth")
    for weights in (tmp_path, unet):
        with pytest.raises(WeightsError, match="the engine mematte has no weights") as refused:
            files.find(weights)
        assert "install weights --with mematte" in refused.value.hint
