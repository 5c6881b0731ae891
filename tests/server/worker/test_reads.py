import pytest
from videomama_server.worker.reads import Reads


@pytest.fixture
def told():
    return []


@pytest.fixture
def reads(told):
    return Reads(lambda job, files: told.append((job, files)))


def test_every_change_is_told_with_all_that_is_under_way(reads, told):
    with reads.noted("j", "plate 1"), reads.noted("j", "mask 1"), reads.noted("k", "plate 1"):
        pass
    assert told == [
        ("j", ["plate 1"]),
        ("j", ["plate 1", "mask 1"]),
        ("k", ["plate 1"]),
        ("k", []),
        ("j", ["plate 1"]),
        ("j", []),
    ]


def test_a_read_that_fails_is_no_longer_under_way(reads, told):
    with pytest.raises(ValueError, match="damaged"), reads.noted("j", "plate 1"):
        raise ValueError("damaged")
    assert told[-1] == ("j", [])
