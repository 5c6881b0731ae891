import pytest
import torch
from videomama_server.train.processes import joined


def test_a_process_that_was_started_by_hand_is_alone(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined("cpu") as processes:
        assert (processes.rank, processes.world, processes.leads) == (0, 1, True)
        assert processes.device == torch.device("cpu")
        assert processes.mean(torch.tensor(3.0)).item() == 3
        processes.wait()


def test_a_group_is_joined_and_left(monkeypatch, tmp_path):
    monkeypatch.setenv("WORLD_SIZE", "1")
    with joined("cpu"):
        assert not torch.distributed.is_initialized()
    with pytest.raises(ZeroDivisionError), joined("cpu"):
        raise ZeroDivisionError
    assert not torch.distributed.is_initialized()
