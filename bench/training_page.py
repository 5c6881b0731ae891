"""Counts what trainings at full size need, without weights or a card, and writes the tables of docs/training.md.

python bench/training_page.py
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel
from transformers import DINOv3ViTConfig, DINOv3ViTModel, Sam2VideoModel
from videomama_server.engines.segment.original_layout import config_of
from videomama_server.engines.segment.pictures import IMAGENET_MEAN, IMAGENET_STD, Normalisation
from videomama_server.train import networks
from videomama_server.train.alignment import Alignment, Teacher
from videomama_server.train.estimate import BUSY, CARDS, Estimate, estimate
from videomama_server.train.follower import Follower
from videomama_server.train.losses import Weights
from videomama_server.train.matte_objective import MatteObjective
from videomama_server.train.objective import Objective, feature_channels
from videomama_server.train.recipe import Recipe, matte_recipe, recipe_of

PAGE = Path(__file__).resolve().parents[1] / "docs" / "training.md"
END = "<!-- end -->"
COLOURS = Normalisation(IMAGENET_MEAN, IMAGENET_STD)
SIZES = {"SAM 2.1 base+": (112, 24), "SAM 2.1 large": (144, 48)}  # channels and blocks
SHOWN = ("B200", "H100", "A100", "RTX 4090")


def main() -> None:
    """Write both tables; what is written around them stays."""
    tables = {"videomama": "\n".join(videomama()), "sam2matte": "\n".join(sam2matte())}
    text = PAGE.read_text(encoding="utf-8")  # not before: counting takes minutes, and somebody may write on the page
    for name, table in tables.items():
        text = with_table(text, name, table)
    PAGE.write_text(text, encoding="utf-8")


def with_table(text: str, name: str, table: str) -> str:
    """Return a page with a table in the place that its comment keeps for it."""
    begin = f"<!-- made by bench/training_page.py: {name} -->"
    before, rest = text.split(begin)
    return f"{before}{begin}\n{table}\n{END}{rest.split(END, 1)[1]}"


def videomama() -> Iterator[str]:
    """Yield the lines of VideoMaMa's table, for both stages by their recipes."""
    yield from _head("training")
    for stage in ("spatial", "temporal"):
        recipe = recipe_of(stage)
        shape = f"`{stage}`, {recipe.frames} x {recipe.size}x{recipe.size}"
        for twice in (False, True):
            objective = full_videomama(recipe, twice)
            yield shown(f"{shape}{', `--checkpointing`' * twice}", estimate(objective, recipe), recipe)


def sam2matte() -> Iterator[str]:
    """Yield the lines of SAM2-Matte's table."""
    yield from _head("network")
    for name, size in SIZES.items():
        for twice in (False, True):
            recipe = replace(matte_recipe(), checkpointing=twice)
            objective = MatteObjective(full_follower(*size, twice), Weights(), recipe.every)
            yield shown(f"{name}{', `--checkpointing`' * twice}", estimate(objective, recipe), recipe)


def full_videomama(recipe: Recipe, checkpointing: bool) -> Objective:
    """Return the networks at their published sizes, without values."""
    with torch.device("meta"):
        unet: Any = UNetSpatioTemporalConditionModel(
            in_channels=networks.INPUTS
        )  # the rest is Stable Video Diffusion's
        vae: Any = AutoencoderKLTemporalDecoder(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            layers_per_block=2,
        )
        teacher = DINOv3ViTModel(
            DINOv3ViTConfig(
                hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096,
                num_register_tokens=4,
            )
        )  # fmt: skip
        alignment = Alignment(Teacher(teacher, COLOURS), feature_channels(unet))
    networks.choose_trained(unet, recipe.stage)
    objective = Objective(unet, vae, alignment).train()
    if checkpointing:
        unet.enable_gradient_checkpointing()
    return objective


def full_follower(channels: int, blocks: int, checkpointing: bool) -> Follower:
    """Return a SAM 2.1 of a published size, without values."""
    names = {f"image_encoder.trunk.blocks.{block}.": torch.empty(0) for block in range(blocks)}
    names |= {"obj_ptr_tpos_proj.weight": torch.empty(0), "no_obj_embed_spatial": torch.empty(0)}
    position = {"image_encoder.trunk.pos_embed": torch.empty(1, channels, 1, 1)}
    with torch.device("meta"):
        model = Sam2VideoModel(config_of(Path("sam2.1"), {**position, **names}))
    return Follower(model, COLOURS, checkpointing)


def _head(what: str) -> Iterator[str]:
    cards = [f"{name}, {CARDS[name]} TFLOP/s" for name in SHOWN]
    yield f"Hours of 10,000 steps on one card at {BUSY:.0%} of its peak in bf16; eight cards take an eighth.\n"
    heads = [what, "weights", "optimiser", "activations, at most", "TFLOP a step", "s a step, H100", *cards]
    yield f"| {' | '.join(heads)} |"
    yield "|---|" + "---:|" * (len(heads) - 1)


def shown(name: str, needed: Estimate, recipe: Recipe) -> str:
    """Return a line of a table."""
    hours = [f"{needed.hours(recipe.steps, 1, CARDS[card]):.1f} h" for card in SHOWN]
    memory = [f"{part:.1f} GB" for part in (needed.weights_gb, needed.learning_gb, needed.activations_gb)]
    seconds = needed.hours(1, 1, CARDS["H100"]) * 3600
    return f"| {' | '.join([name, *memory, f'{needed.step_tflop:,.0f}', f'{seconds:.1f}', *hours])} |"


if __name__ == "__main__":
    main()
