"""What VideoMaMa is trained to do: from noise, plate and mask to the alpha in one step, judged in pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from videomama_server.train import losses
from videomama_server.train.adapters import merged
from videomama_server.train.alignment import Alignment
from videomama_server.train.losses import Weights
from videomama_server.train.networks import UNet, Vae
from videomama_server.train.samples import Batch, noise_of
from videomama_server.train.trainer import Trained

UNET_FILE = "diffusion_pytorch_model.safetensors"
PROJECTION = "dino_projection_mlp.pth"  # as published
TIMESTEP = 1
ADDED_IDS = (7.0, 127.0, 0.0)  # frame rate, motion and noise, as published
_NOISE, _PLATE, _MASK = range(3)  # purposes of draws


class Objective(Trained):
    """The UNet and what its predictions are judged by. Only the UNet and the alignment's projection learn.

    Attributes:
        unet: what is trained.
        vae: frozen; gradients pass through its decoder.
        alignment: None to do without.
    """

    part = "unet."
    kept_as = "unet"

    def __init__(
        self,
        unet: UNet,
        vae: Vae,
        alignment: Alignment | None = None,
        weights: Weights = Weights(),  # noqa: B008 - frozen
    ) -> None:
        """Train `unet`; the VAE's decoder is computed twice rather than kept in memory."""
        super().__init__()
        self.unet, self.vae, self.alignment, self.weights = unet, vae, alignment, weights
        self.learners = [unet, *([alignment.projection] if alignment else [])]
        vae.enable_gradient_checkpointing()
        vae.requires_grad_(False)
        self._features: Tensor | None = None
        if alignment is not None:
            feature_block(unet).register_forward_hook(self._keep)

    def train(self, mode: bool = True) -> Objective:
        """Train the UNet and the projection; the VAE is never in training."""
        super().train(mode)
        self.vae.eval()
        return self

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Return the losses of a batch by name, float32 scalars; `total` is the weighted sum."""
        alpha = self.predict(batch)
        pred, truth = alpha.flatten(0, 1), batch.alpha.flatten(0, 1)
        parts = {"l1": losses.l1(pred, truth), "laplacian": losses.laplacian(pred, truth)}
        if self.alignment is not None:
            assert self._features is not None  # the hook saw the UNet's pass
            parts["alignment"] = self.alignment(self._features, batch.plate.flatten(0, 1) / 2 + 0.5)
            self._features = None
        return {**parts, "total": self.weights.total(parts)}

    def predict(self, batch: Batch) -> Tensor:
        """Return alphas (B, T, 1, H, W), -1..1: the mean of the decoder's channels, each of them cut to that range."""
        frames = batch.plate.shape[1]
        latents = self.unet_pass(self.inputs(batch))
        scaled = latents.flatten(0, 1) / self.vae.config.scaling_factor
        pictures: Tensor = self.vae.decode(scaled.to(self.vae.dtype), num_frames=frames).sample
        grey = pictures.float().clamp(-1, 1).mean(dim=1, keepdim=True)
        return grey.reshape(-1, frames, *grey.shape[1:])

    def export(self, weights: dict[str, Tensor], folder: Path) -> None:
        """Write a UNet in the published layout: config.json and one safetensors file, float32, adapters added."""
        folder.mkdir(parents=True, exist_ok=True)
        self.unet.save_config(folder)
        whole = {name: values.contiguous() for name, values in merged(weights).items()}
        save_file(whole, folder / UNET_FILE, {"format": "pt"})

    def export_beside(self, weights: dict[str, Tensor], folder: Path) -> None:
        """Write the projection of the alignment, as published."""
        prefix = "alignment.projection."
        own = {name.removeprefix(prefix): values for name, values in weights.items() if name.startswith(prefix)}
        if own:
            torch.save(own, folder / PROJECTION)

    def inputs(self, batch: Batch) -> Tensor:
        """Return what the UNet is shown (B, T, 12, H/8, W/8): noise, the plate's latents and the mask's."""
        with torch.no_grad():
            plate = self._encoded(batch.plate, batch.seeds, _PLATE)
            mask = self._encoded(batch.mask.expand(-1, -1, 3, -1, -1), batch.seeds, _MASK)
        noise = noise_of(batch.seeds, _NOISE, plate.shape[1:]).to(plate)
        return torch.cat([noise, plate, mask], dim=2)

    def unet_pass(self, inputs: Tensor) -> Tensor:
        """Return the latents (B, T, 4, h, w) that the UNet makes of its inputs, scaled as the VAE scales them."""
        config = self.unet.config
        batch = inputs.shape[0]
        context = inputs.new_zeros(batch, 1, config.cross_attention_dim)
        ids = inputs.new_tensor(ADDED_IDS).repeat(batch, 1)
        latents: Tensor = self.unet(inputs, TIMESTEP, context, ids, return_dict=False)[0]
        return latents

    def _encoded(self, pictures: Tensor, seeds: tuple[int, ...], purpose: int) -> Tensor:
        """Draw from the encoder's posterior, as published; not scaled."""
        frames = pictures.shape[1]
        posterior = self.vae.encode(pictures.flatten(0, 1).to(self.vae.dtype)).latent_dist
        mean: Tensor
        deviation: Tensor
        mean, deviation = (part.float().unflatten(0, (-1, frames)) for part in (posterior.mean, posterior.std))
        return mean + deviation * noise_of(seeds, purpose, mean.shape[1:]).to(mean)

    def _keep(self, _module: nn.Module, _inputs: Any, output: Tensor) -> None:
        self._features = output


def feature_block(unet: UNet) -> nn.Module:
    """Return the block whose features are aligned: the first res-block of the second level on the way up."""
    block: nn.Module = unet.up_blocks[1].resnets[0]
    return block


def feature_channels(unet: UNet) -> int:
    """Return how many channels `feature_block` has."""
    return int(list(reversed(unet.config.block_out_channels))[1])
