"""The sizes of the network, read from the published configs."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from videomama_server.engines.videomama.checkpoint.published import PUBLISHED_UNET, PUBLISHED_VAE
from videomama_server.engines.videomama.network.shape import NetworkShape, shape_of

PUBLISHED = NetworkShape(
    channels=(320, 640, 1280, 1280),
    layers=(2, 2, 2, 2),
    heads=(5, 10, 20, 20),
    down_attention=(True, True, True, False),
    up_attention=(False, True, True, True),
    inputs=12,
    outputs=4,
    vae_channels=(128, 256, 512, 512),
    vae_layers=2,
    latents=4,
)


def test_a_shape_goes_through_json():
    assert NetworkShape(**json.loads(json.dumps(asdict(PUBLISHED)))) == PUBLISHED


def test_the_shape_is_read_from_the_published_configs(stock):
    assert shape_of(dict(stock.unet.config), dict(stock.vae.config)).channels == (32, 64, 64, 64)
    assert shape_of(PUBLISHED_UNET, PUBLISHED_VAE) == PUBLISHED
    of_older_files = {"block_out_channels": [128, 256, 512, 512], "layers_per_block": 2, "latent_channels": 4}
    assert shape_of(PUBLISHED_UNET, of_older_files) == PUBLISHED


def test_one_number_for_all_levels_stands_for_each(stock):
    one = shape_of({**stock.unet.config, "layers_per_block": 3, "num_attention_heads": 2}, stock.vae.config)
    assert (one.layers, one.heads) == ((3, 3, 3, 3), (2, 2, 2, 2))


@pytest.mark.parametrize(
    ("of_unet", "of_vae"),
    [({"transformer_layers_per_block": 2}, {}), ({}, {"out_channels": 1}), ({}, {"in_channels": 4})],
)
def test_another_construction_is_refused(stock, of_unet, of_vae):
    with pytest.raises(ValueError, match=r"transformer_layers_per_block|three channels"):
        shape_of({**stock.unet.config, **of_unet}, {**stock.vae.config, **of_vae})
