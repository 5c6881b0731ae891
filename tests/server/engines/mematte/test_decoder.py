from __future__ import annotations

import pytest
import torch
from videomama_server.engines.mematte.decoder import Decoder


@pytest.fixture
def decoder(monkeypatch):
    """A decoder of few channels per feature whose pieces are small, so that there are many."""
    monkeypatch.setattr(Decoder, "SIDE", 128)
    torch.manual_seed(0)
    return Decoder(8).eval()


def test_pieces_give_the_alpha_of_the_whole(decoder, monkeypatch):
    features, seen = torch.randn(1, 8, 16, 16), torch.randn(1, 4, 256, 256)
    with torch.inference_mode():
        pieces = decoder(features, seen)
        monkeypatch.setattr(Decoder, "SIDE", 256)
        whole = decoder(features, seen)
    assert pieces.shape == (1, 1, 256, 256)
    assert float((pieces - whole).abs().max()) < 1e-5


def test_a_picture_that_is_not_of_whole_pieces_keeps_its_size(decoder):
    with torch.inference_mode():
        found = decoder(torch.randn(1, 8, 6, 10), torch.randn(1, 4, 96, 160))
    assert found.shape == (1, 1, 96, 160)
    assert ((found >= 0) & (found <= 1)).all()
