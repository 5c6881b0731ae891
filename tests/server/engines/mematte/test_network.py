from __future__ import annotations

import pytest
import straight
import torch
from videomama_server.engines.mematte.network import MEMatte


@pytest.fixture(scope="module")
def network(mematte_state):
    made = MEMatte().eval()
    made.load_state_dict(mematte_state)
    return made


def picture(height, width):
    draw = torch.Generator().manual_seed(height)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    away = ((x - width / 2) ** 2 + (y - height / 2) ** 2).sqrt() - min(height, width) / 3
    trimap = torch.where(away < -12, 1.0, torch.where(away > 12, 0.0, 128 / 255))[None]
    return torch.rand(3, height, width, generator=draw), trimap


@pytest.mark.parametrize("size", [(160, 224), (90, 96), (64, 560)])
def test_the_network_is_what_its_description_says(network, mematte_state, size):
    """Whole patches; a side that needs no padding and gets some; two pieces of the decoder."""
    plate, trimap = picture(*size)
    with torch.inference_mode():
        found = network(plate[None], trimap[None])[0, 0]
        expected, kept = straight.alpha(mematte_state, plate, trimap)
    assert len(kept) == 4
    assert any(0.05 < share < 0.95 for share in kept)
    assert float((found - expected).abs().max()) <= 1e-5
    unknown = (trimap[0] > 0) & (trimap[0] < 1)
    assert float(found[unknown].std()) > 0.01
    assert (found[trimap[0] == 1] == 1).all()
    assert (found[trimap[0] == 0] == 0).all()


def test_a_router_that_keeps_nothing_leaves_the_light_block_alone(mematte_state):
    state = dict(mematte_state)
    for index in range(4):
        state[f"backbone.routers.{index}.out_conv.4.bias"] = torch.tensor([-50.0, 50.0])
    network = MEMatte().eval()
    network.load_state_dict(state)
    seen = torch.cat(picture(64, 96))
    with torch.inference_mode():
        found = network.backbone(seen[None])[0]
        expected, kept = straight.backbone(state, seen)
    assert kept == [0, 0, 0, 0]
    assert float((found - expected).abs().max()) <= 1e-5 * float(expected.abs().max())


def test_the_network_has_the_published_entries():
    state = MEMatte().state_dict()
    assert len(state) == 318
    assert sum(tensor.numel() for tensor in MEMatte().parameters()) == pytest.approx(29.19e6, abs=5e3)
    for name in (
        "backbone.pos_embed",
        "backbone.patch_embed.proj.weight",
        "backbone.blocks.11.efficient_block.eca.conv.weight",
        "backbone.blocks.2.residual.norm3.bias",
        "backbone.blocks.0.attn.rel_pos_h",
        "backbone.routers.3.out_conv.4.bias",
        "decoder.convstream.convs.2.bn.running_var",
        "decoder.fusion_blks.3.conv.conv.weight",
        "decoder.matting_head.matting_convs.3.weight",
    ):
        assert name in state
    assert "backbone.blocks.2.attn.rel_pos_h" not in state
