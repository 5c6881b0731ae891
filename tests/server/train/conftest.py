"""Tiny networks to train, and clips to train them on."""

import copy
import sys
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch

sys.path.append(str(Path(__file__).parents[1] / "datasets"))  # for miniature.py

from miniature import draw, makers  # noqa: F401 - fixtures
from miniature import make as make_data  # noqa: F401
from videomama_server.engines.segment.pictures import IMAGENET_MEAN, IMAGENET_STD, Normalisation
from videomama_server.train import networks
from videomama_server.train.alignment import Alignment, Teacher
from videomama_server.train.data.drawn import Drawn, Request
from videomama_server.train.data.training_set import MaskMix, TrainingSet, Turns
from videomama_server.train.follower import Follower
from videomama_server.train.losses import Weights
from videomama_server.train.matte_objective import MatteObjective
from videomama_server.train.objective import Objective, feature_channels
from videomama_server.train.processes import Processes
from videomama_server.train.recipe import Recipe
from videomama_server.train.samples import Batch
from videomama_server.train.trainer import Means, Trainer

SIZE = 64
ALONE = Processes(0, 1, torch.device("cpu"))


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tests of several processes share two cores, and sums must not depend on threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _unet():
    torch.manual_seed(1)
    return diffusers.UNetSpatioTemporalConditionModel(
        in_channels=8,
        down_block_types=("CrossAttnDownBlockSpatioTemporal",) * 2 + ("DownBlockSpatioTemporal",),
        up_block_types=("UpBlockSpatioTemporal",) + ("CrossAttnUpBlockSpatioTemporal",) * 2,
        block_out_channels=(32, 32, 32),
        num_attention_heads=(1, 1, 1),
        layers_per_block=1,
        cross_attention_dim=16,
    )


def _vae():
    torch.manual_seed(2)
    return diffusers.AutoencoderKLTemporalDecoder(
        block_out_channels=(32, 32, 32, 32), down_block_types=("DownEncoderBlock2D",) * 4, layers_per_block=1
    )


@pytest.fixture(scope="session")
def _published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("svd")
    _unet().save_pretrained(folder / "unet")
    _vae().save_pretrained(folder / "vae", variant="fp16")
    return folder


@pytest.fixture
def svd(_published):
    """The folder of a tiny Stable Video Diffusion: a UNet of 8 channels and a VAE, not to be changed."""
    return _published


@pytest.fixture(scope="session")
def _dino(tmp_path_factory):
    from transformers import DINOv3ViTConfig, DINOv3ViTModel

    torch.manual_seed(3)
    config = DINOv3ViTConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    folder = tmp_path_factory.mktemp("dino")
    DINOv3ViTModel(config).save_pretrained(folder)
    return folder


@pytest.fixture
def dino(_dino):
    """The folder of a tiny DINOv3."""
    return _dino


@pytest.fixture(scope="session")
def _objectives():
    unet = _unet()
    networks.widen(unet)
    networks.choose_trained(unet, "spatial")
    return Objective(unet, _vae())


@pytest.fixture
def make_objective(_objectives, _dino):
    """`make(stage="spatial", aligned=False)`: an objective with the same random weights every time."""

    def make(stage="spatial", aligned=False):
        objective = copy.deepcopy(_objectives)
        networks.choose_trained(objective.unet, stage)
        if not aligned:
            return objective
        torch.manual_seed(4)
        return Objective(
            objective.unet, objective.vae, Alignment(Teacher.load(_dino), feature_channels(objective.unet))
        )

    return make


@pytest.fixture
def make_batch():
    """`make(count=1, frames=1, size=64)`: random pictures, each sample with a name and a seed of its own."""

    def make(count=1, frames=1, size=SIZE):
        generator = torch.Generator().manual_seed(5)
        plate = torch.rand(count, frames, 3, size, size, generator=generator) * 2 - 1
        soft = torch.rand(count, frames, 1, size, size, generator=generator) * 2 - 1
        return Batch(tuple(f"clip {n}" for n in range(count)), tuple(range(count)), plate, soft, soft.sign())

    return make


class Discs:
    """A source of discs that move over noise, drawn without files."""

    def __init__(self, count: int = 4) -> None:
        self.count = count

    def __len__(self):
        return self.count

    def draw(self, index: int, wanted: Request, rng: np.random.Generator) -> Drawn:
        y, x = np.mgrid[: wanted.height, : wanted.width].astype(np.float32)
        at = wanted.width * (0.3 + 0.4 * rng.random())
        alphas = [np.clip(wanted.width / 4 - np.hypot(x - at - t, y - at) + 0.5, 0, 1) for t in range(wanted.frames)]
        alpha = np.stack(alphas).astype(np.float32)
        plate = rng.random((*alpha.shape, 3), dtype=np.float32) * 0.4 + alpha[..., None] * np.float32(0.6)
        return Drawn(f"disc {index}", plate, alpha)


@pytest.fixture
def discs():
    """The class of a source that needs no files."""
    return Discs


@pytest.fixture
def make_recipe():
    """`make(**values)`: a recipe of tiny samples."""

    def make(**values):
        return Recipe(**{"size": SIZE, "batch": 2, "precision": "fp32", "alignment": 0.0, "steps": 4, **values})

    return make


@pytest.fixture
def make_trainer(make_objective, make_recipe):
    """`make(objective=None, processes=ALONE, source=None, **values of the recipe)`: a training, by default on discs."""

    def make(objective=None, processes=ALONE, means=Means(), source=None, **values):  # noqa: B008 - frozen
        recipe = make_recipe(**values)
        request = Request(recipe.frames, recipe.size, recipe.size)
        samples = TrainingSet([source or Discs()], request, MaskMix(recipe.masks), recipe.seed)
        turns = Turns(samples, recipe.batch, recipe.micro, processes.rank, processes.world)
        return Trainer(objective or make_objective(recipe.stage), recipe, turns, processes, means)

    return make


@pytest.fixture
def alone():
    """The only process of a training, on the processor."""
    return ALONE


@pytest.fixture(scope="session")
def _sam2_module():
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("tiny_sam2", Path(__file__).parents[1] / "engines" / "segment" / "conftest.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def _followers(_sam2_module):
    return Follower(_sam2_module.make_sam2(), Normalisation(IMAGENET_MEAN, IMAGENET_STD))


@pytest.fixture
def make_follower(_followers):
    """`make()`: a tiny SAM 2 with the same random weights every time."""
    return lambda: copy.deepcopy(_followers)


@pytest.fixture
def matte(make_trainer, make_follower):
    """`matte(**values of the recipe)`: a training of a tiny SAM2-Matte on discs."""

    def make(**values):
        recipe = {"network": "sam2matte", "frames": 3, "every": 0.5, "encoder_learning_rate": 1e-4, **values}
        return make_trainer(MatteObjective(make_follower(), Weights(), recipe["every"]), **recipe)

    return make
