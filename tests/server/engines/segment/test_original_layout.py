import re

import pytest
import torch
from videomama_client.errors import WeightsError
from videomama_server.engines.segment import original_layout


def test_every_tensor_has_its_place_and_value(make):
    model = make.with_equal_tables(make.sam2())
    found = original_layout.renamed(make.published(model))
    places = model.state_dict()
    assert set(found) == set(places)
    assert all(torch.equal(found[name], places[name]) for name in places)


def test_no_name_of_the_authors_is_left_out_here(make):
    tensors = make.published(make.sam2())
    patterns = [re.escape(theirs).replace(r"\#", r"\d+").replace("\\*", r"\w+") for theirs, _ in make.pairs]
    assert [pattern for pattern in patterns if not any(re.fullmatch(pattern, name) for name in tensors)] == []


@pytest.mark.parametrize(
    ("width", "stages"),
    [(96, (1, 2, 7, 2)), (96, (1, 2, 11, 2)), (112, (2, 3, 16, 3)), (144, (2, 6, 36, 4))],
    ids=["tiny", "small", "base-plus", "large"],
)
@pytest.mark.parametrize("version", ["2", "2.1"])
def test_the_published_sizes_are_told_by_their_tensors(make, width, stages, version):
    from transformers import Sam2HieraDetConfig, Sam2VideoConfig, Sam2VideoModel

    config = Sam2VideoConfig()
    blank = config.vision_config.backbone_config
    with torch.device("meta"):  # names and shapes alone
        tensors = {
            "image_encoder.trunk.pos_embed": torch.empty(1, width, 7, 7),
            **{f"image_encoder.trunk.blocks.{at}.norm1.weight": torch.empty(1) for at in range(sum(stages))},
        }
        if version == "2.1":
            tensors |= {"obj_ptr_tpos_proj.weight": torch.empty(1), "no_obj_embed_spatial": torch.empty(1)}
    found = original_layout.config_of("a.pt", tensors)
    assert isinstance(blank, Sam2HieraDetConfig)
    assert tuple(found.vision_config.backbone_config.blocks_per_stage) == stages
    assert found.enable_occlusion_spatial_embedding is (version == "2.1")
    with torch.device("meta"):
        model = Sam2VideoModel(found)
    renamed = original_layout.renamed(make.published(model))
    assert {name: tensor.shape for name, tensor in renamed.items()} == {
        name: tensor.shape for name, tensor in model.state_dict().items()
    }


def test_a_size_that_was_not_published_needs_a_config():
    with pytest.raises(WeightsError, match="0 blocks and 8 channels, which is not a published size"):
        original_layout.config_of("a.pt", {"image_encoder.trunk.pos_embed": torch.zeros(1, 8, 7, 7)})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"model": {"weight": torch.zeros(1)}}, "is not SAM 2"),
        ({"model": {"a": 1}}, "something other than a network's tensors"),
        ([1, 2], "something other than a network's tensors"),
    ],
)
def test_other_files_are_refused(tmp_path, content, said):
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(WeightsError, match=said):
        original_layout.read(tmp_path / "a.pt")


def test_code_in_a_file_is_not_run(tmp_path):
    import pickle

    path = tmp_path / "a.pt"
    path.write_bytes(pickle.dumps(print))
    with pytest.raises(WeightsError, match="cannot be opened safely"):
        original_layout.read(path)
