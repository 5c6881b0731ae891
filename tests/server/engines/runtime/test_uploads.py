"""What goes to a card is pinned, and where that cannot be it goes all the same."""

import pytest
import torch
from videomama_server.engines.runtime import uploads
from videomama_server.engines.runtime.uploads import pinned, sent

CARD, CPU, META = (torch.device(name) for name in ("cuda:0", "cpu", "meta"))


@pytest.fixture
def driver(monkeypatch):
    """Stands for a driver that pins: the tensors that it did."""
    done = []

    def pin(tensor):
        done.append(tensor.clone())
        return done[-1]

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    monkeypatch.setattr(torch.Tensor, "is_pinned", lambda tensor: any(tensor is one for one in done))
    return done


def test_what_goes_to_a_card_is_pinned_once(driver):
    picture = torch.rand(4, 5)
    held = pinned(picture, CARD)
    assert held is driver[0]
    assert torch.equal(held, picture)
    assert pinned(held, CARD) is held
    assert len(driver) == 1


@pytest.mark.parametrize("device", [CPU, META, torch.device("mps")])
def test_what_goes_elsewhere_is_not(driver, device):
    picture = torch.rand(4, 5)
    assert pinned(picture, device) is picture
    assert driver == []


def test_what_is_on_a_device_already_is_not(driver):
    there = torch.empty(4, 5, device="meta")
    assert pinned(there, CARD) is there
    assert driver == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card here that pins")
def test_where_nothing_can_be_pinned_plain_memory_goes():
    picture = torch.rand(4, 5)
    assert pinned(picture, CARD) is picture  # torch itself refuses, without a card


@pytest.mark.parametrize("error", [RuntimeError("CUDA error: out of memory"), NotImplementedError("no backend")])
def test_a_system_that_pins_no_more_is_no_error(monkeypatch, caplog, error):
    def refuse(_tensor):
        raise error

    monkeypatch.setattr(torch.Tensor, "pin_memory", refuse)
    picture = torch.rand(4, 5)
    with caplog.at_level("INFO", logger=uploads.__name__):
        assert pinned(picture, CARD) is picture
    assert "80 bytes for cuda:0 could not be pinned" in caplog.text


def test_what_is_sent_arrives():
    picture = torch.rand(4, 5)
    assert torch.equal(sent(picture, CPU), picture)
    assert sent(picture.half(), META).dtype == torch.float16
