"""What a training is told; all of it lies in the run's folder, so that a run can be repeated and resumed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videomama_client.errors import BadInput

if TYPE_CHECKING:
    from videomama_server.train.networks import Stage

FILE = "recipe.json"
VIDEOMAMA, SAM2MATTE = "videomama", "sam2matte"
PRECISIONS = ("bf16", "fp32")
_MULTIPLE = 64  # pixels; the VAE reduces by 8 and the UNet three times by 2


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        network: `videomama` or `sam2matte`.
        stage: what of VideoMaMa's UNet is trained: see `networks.trained_names`.
        size: pixels of a side; of SAM2-Matte, the height of plates of 16:9, which its network sees as squares.
        frames: of a sample.
        steps: of the optimiser.
        batch: samples of a step.
        micro: samples that one device computes at once.
        masks: degradations and their shares, as `--masks` takes them.
        learning_rate, weight_decay: of AdamW.
        encoder_learning_rate: of SAM2-Matte's image encoder.
        every: share of SAM2-Matte's samples with a mask on each frame, and not on the first alone.
        clip_norm: that gradients are cut to.
        ema: decay of the averaged weights; 0 for none.
        precision: of products, `bf16` or `fp32`; weights are kept in float32.
        lora: rank of adapters that learn in the place of the weights; 0 for the weights themselves.
        checkpointing: whether the UNet's activations are computed twice rather than kept.
        l1, laplacian, alignment: weights of the losses; alignment 0 needs no teacher.
        seed: of all that is random.
        save_every: steps between checkpoints.
        validate_every: steps between validations.
        keep: checkpoints that stay.
        inputs: folders by what they are for, for people and for the next run.
    """

    network: str = VIDEOMAMA
    stage: Stage = "spatial"
    size: int = 1024
    frames: int = 1
    steps: int = 10_000
    batch: int = 64
    micro: int = 1
    masks: tuple[tuple[str, float], ...] = (("mixed", 1.0),)
    learning_rate: float = 5e-5
    encoder_learning_rate: float = 0.0
    every: float = 0.0
    weight_decay: float = 1e-2
    clip_norm: float = 3.0
    ema: float = 0.9999
    precision: str = "bf16"
    lora: int = 0
    checkpointing: bool = False
    l1: float = 1.0
    laplacian: float = 15.0
    alignment: float = 1.0
    seed: int = 42
    save_every: int = 500
    validate_every: int = 500
    keep: int = 3
    inputs: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.size % _MULTIPLE or self.size <= 0:
            raise BadInput(f"a size of {self.size} pixels cannot be trained", f"Choose a multiple of {_MULTIPLE}.")
        if self.precision not in PRECISIONS:
            raise BadInput(f"unknown precision {self.precision!r}", f"Choose {' or '.join(PRECISIONS)}.")

    def write(self, folder: Path) -> None:
        """Write the recipe into a run's folder."""
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def recipe_of(stage: Stage) -> Recipe:
    """Return the published recipe of a stage, with three frames in the second as its authors say."""
    if stage == "spatial":
        return Recipe()
    return replace(Recipe(), stage=stage, size=704, frames=3, masks=(("mixed", 0.5), ("mixed+temporal", 0.5)))


def matte_recipe() -> Recipe:
    """Return a recipe for SAM2-Matte: the optimiser as SAM 2's authors fine-tune it, and masks as ours fail."""
    return Recipe(
        network=SAM2MATTE,
        frames=8,
        batch=8,
        masks=(("mixed", 0.5), ("mixed+temporal", 0.5)),
        learning_rate=5e-6,
        encoder_learning_rate=3e-6,
        every=0.5,
        weight_decay=0.1,
        clip_norm=0.1,
        alignment=0.0,
    )


def read_recipe(folder: Path) -> Recipe:
    """Return the recipe of a run or of a checkpoint.

    Raises:
        BadInput: there is none, or another version wrote it.
    """
    try:
        values: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
        unknown = sorted(values.keys() - {field.name for field in fields(Recipe)})
        if unknown:
            raise BadInput(f"{folder / FILE} has an unknown value {unknown[0]!r}", "Use the version that wrote it.")
        for name in ("masks", "inputs"):
            values[name] = tuple(tuple(pair) for pair in values[name])
        return Recipe(**values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{folder} holds no training: {error}", "Name the folder of a run.") from error


def differing(one: Recipe, other: Recipe) -> list[str]:
    """Return the names of values that differ and would change what a resumed run computes."""
    free = {"steps", "save_every", "validate_every", "keep", "inputs"}
    names = [field.name for field in fields(Recipe) if field.name not in free]
    return [name for name in names if getattr(one, name) != getattr(other, name)]
