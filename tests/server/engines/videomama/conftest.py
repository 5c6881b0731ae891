"""Networks of the published construction, tiny, with random weights: on disk, as diffusers modules, and folded."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import diffusers
import pytest
import torch
from videomama_server.engines.base import EngineConfig
from videomama_server.engines.videomama.checkpoint.folding import fold
from videomama_server.engines.videomama.model import Model
from videomama_server.engines.videomama.network.network import Network
from videomama_server.engines.videomama.network.shape import shape_of

LEVELS = 4


@dataclass(frozen=True)
class StockNetwork:
    """The published network as diffusers builds it, at the constants that the published inference gives it."""

    unet: diffusers.UNetSpatioTemporalConditionModel
    vae: diffusers.AutoencoderKLTemporalDecoder

    def alpha_latents(self, x):
        dtype = x.dtype
        ids, context = torch.tensor([[7, 127, 0]], dtype=dtype), torch.zeros(1, 1, 1024, dtype=dtype)
        return self.unet(x[None], 1, context, ids).sample[0]

    def moments(self, pictures):
        return self.vae.encode(pictures).latent_dist.parameters

    def pictures(self, latents):
        return self.vae.decode(latents, num_frames=len(latents)).sample

    def tensors(self, dtype=torch.float32):
        """Return what `fold` takes."""
        return (
            self.unet.state_dict(),
            self.vae.state_dict(),
            dict(self.unet.config),
            dict(self.vae.config),
            dtype,
        )


def make_stock(seed=0, channels=(32, 64, 64, 64), heads=(1, 2, 2, 2), vae_channels=(32, 32, 64, 64), layers=2):
    """Return stock networks whose every parameter is random, those that diffusers leaves at constants included."""
    torch.manual_seed(seed)
    unet = diffusers.UNetSpatioTemporalConditionModel(
        in_channels=12,
        out_channels=4,
        block_out_channels=channels,
        num_attention_heads=heads,
        layers_per_block=layers,
    )
    vae = diffusers.AutoencoderKLTemporalDecoder(
        block_out_channels=vae_channels, down_block_types=("DownEncoderBlock2D",) * LEVELS, layers_per_block=layers
    )
    for net in (unet, vae):
        net.eval()
        for name, values in net.named_parameters():
            with torch.no_grad():
                _randomise(name, values)
    return StockNetwork(unet, vae)


def _randomise(name, values):
    if values.ndim > 1:
        values.normal_(0, values[0].numel() ** -0.5)
    elif "mix_factor" in name:
        values.normal_()
    else:
        values.normal_(0, 0.3)
        values += 1.0 if "norm" in name and name.endswith("weight") else 0.0


def make_network(stock, dtype=torch.float32):
    """Return the folded network of a stock one."""
    tensors = stock.tensors(dtype)
    with torch.device("meta"):
        network = Network(shape_of(*tensors[2:4]))
    network.load_state_dict(fold(*tensors), assign=True, strict=True)
    return network


@pytest.fixture(scope="module")
def config(tiny_checkpoint, tmp_path_factory):
    """Of the engine: the tiny checkpoint, folded once for a module, in float32 on the processor."""
    return EngineConfig(tiny_checkpoint, tmp_path_factory.mktemp("folded"), device="cpu", dtype="fp32")


@pytest.fixture
def model(config):
    return Model(config)


@pytest.fixture(scope="session")
def stock():
    return make_stock()


@pytest.fixture(scope="session")
def network(stock):
    return make_network(stock)


@pytest.fixture(scope="session")
def make():
    """Make other networks: `make.stock(layers=1)`, `make.network(stock, torch.bfloat16)`."""
    return SimpleNamespace(stock=make_stock, network=make_network)


@pytest.fixture
def inference():
    with torch.inference_mode():
        yield


@pytest.fixture
def noise():
    """Make normal noise of a size, the same each time: `noise(4, 12, 16, 8)`."""

    def make_noise(*size, seed=1):
        return torch.randn(size, generator=torch.Generator().manual_seed(seed))

    return make_noise
