import pytest
import torch
from videomama_client.errors import WeightsError
from videomama_server.engines.segment import families
from videomama_server.engines.segment.checks import load_once
from videomama_server.engines.segment.families import DETECTOR, SAM2, SAM3


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make):
    root = tmp_path_factory.mktemp("weights")
    make.sam2().save_pretrained(root / "sam2")
    make.sam3().save_pretrained(root / "sam3")
    make.words(root / "sam3")
    make.detector().save_pretrained(root / "person")
    return root


@pytest.mark.parametrize(("engine", "family"), [("sam2", SAM2), ("sam3", SAM3), ("person", DETECTOR)])
def test_a_whole_network_loads(folder, engine, family):
    assert load_once(families.find(folder, engine, family), engine)


def test_a_part_of_a_network_is_refused(tmp_path, make):
    tensors = make.published(make.sam2())
    torch.save({"model": tensors}, tmp_path / "a.pt")
    with pytest.raises(WeightsError, match="is not a published size"):
        load_once(families.find(tmp_path, "sam2", SAM2), "sam2")
