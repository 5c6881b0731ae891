import json

import pytest
from videomama_client.errors import WeightsError
from videomama_server.engines.segment.families import DETECTOR, SAM2, SAM3, find


def hub(folder, model_type):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    (folder / "model.safetensors").write_bytes(b"")
    return folder


def test_the_folder_of_the_engine_comes_first_then_all_of_the_weights(tmp_path):
    beside = hub(tmp_path / "sam2.1-hiera-tiny", "sam2_video")
    assert find(tmp_path, "sam2", SAM2).path == beside
    own = hub(tmp_path / "sam2", "sam2_video")
    assert find(tmp_path, "sam2", SAM2).path == own
    assert find(own, "sam2", SAM2).path == own  # named itself


def test_a_folder_within_the_folder_of_the_engine_is_found(tmp_path):
    path = hub(tmp_path / "sam3" / "facebook-sam3", "sam3_video")
    assert find(tmp_path, "sam3", SAM3).path == path


@pytest.mark.parametrize("suffix", [".pt", ".pth"])
def test_a_file_of_the_authors_is_sam_2(tmp_path, suffix):
    (tmp_path / "sam2").mkdir()
    path = tmp_path / "sam2" / f"sam2.1_hiera_large{suffix}"
    path.write_bytes(b"")
    found = find(tmp_path, "sam2", SAM2)
    assert (found.path, found.is_original, dict(found.config)) == (path, True, {})
    assert find(path, "sam2", SAM2) == found


@pytest.mark.parametrize("model_type", ["detr", "rt_detr_v2", "d_fine"])
def test_detectors_are_told_by_their_type(tmp_path, model_type):
    hub(tmp_path / "person", model_type)
    assert find(tmp_path, "person", DETECTOR).family == DETECTOR


def test_a_checkpoint_of_another_family_is_named(tmp_path):
    path = hub(tmp_path / "sam2", "sam3_video")
    with pytest.raises(WeightsError, match=rf"{path} is SAM 3 by its config, not SAM 2"):
        find(tmp_path, "sam2", SAM2)
    path = hub(tmp_path / "person", "llama")
    with pytest.raises(WeightsError, match="a network of the type llama by its config, not a detector"):
        find(tmp_path, "person", DETECTOR)


def test_nothing_there_says_how_to_get_it(tmp_path):
    with pytest.raises(WeightsError, match="there is no network of SAM 2 in") as caught:
        find(tmp_path / "weights", "sam2", SAM2)
    assert "install weights --with sam2" in caught.value.hint


def test_a_config_that_is_not_json_is_named(tmp_path):
    folder = hub(tmp_path / "sam2", "sam2_video")
    (folder / "config.json").write_text("{")
    with pytest.raises(WeightsError, match=r"cannot read .*config\.json"):
        find(tmp_path, "sam2", SAM2)
