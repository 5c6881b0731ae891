"""A training from its folders to a result that the engine loads."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from videomama_client.errors import BadInput, NotPermitted

from videomama_server.datasets.clip import GroundTruthClip
from videomama_server.datasets.layouts import read_data
from videomama_server.train import checkpoints, networks
from videomama_server.train.adapters import adapt
from videomama_server.train.alignment import Alignment, Teacher
from videomama_server.train.data.composites import Composites
from videomama_server.train.data.drawn import Request, Source
from videomama_server.train.data.finished import FinishedClips
from videomama_server.train.data.foregrounds import find_backgrounds, find_foregrounds
from videomama_server.train.data.shard_clips import clips_in, places
from videomama_server.train.data.shards import ShardPath
from videomama_server.train.data.training_set import MaskMix, TrainingSet, Turns
from videomama_server.train.estimate import estimate
from videomama_server.train.follower import Follower
from videomama_server.train.logs import RunLog
from videomama_server.train.losses import Weights
from videomama_server.train.matte_objective import MatteObjective
from videomama_server.train.objective import Objective, feature_channels
from videomama_server.train.pace import Pace
from videomama_server.train.processes import Processes
from videomama_server.train.recipe import FILE, SAM2MATTE, Recipe
from videomama_server.train.samples import Sample
from videomama_server.train.trainer import Losses, Means, Trained, Trainer
from videomama_server.train.validation import validate

RESULT = "result"
_UNET, _VAE = Path("VideoMaMa", "unet"), Path("stable-video-diffusion-img2vid-xt", "vae")
_ASPECT = 16 / 9
_VALIDATED = 8  # samples
_VALIDATION_SEED = 7

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Clips:
    """Where the clips of a training are: folders, or shards as `shard_clips.places` takes them.

    Attributes:
        finished: folders of clips with exact alphas, in a layout that `evaluate` reads.
        foregrounds: folders of foregrounds with alphas.
        backgrounds: folders of what they are composited over.
        validation: folders of clips with exact alphas that are not trained on.
    """

    finished: tuple[Path, ...] = ()
    foregrounds: tuple[Path, ...] = ()
    backgrounds: tuple[Path, ...] = ()
    validation: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Inputs(Clips):
    """Where the networks and the clips of a training of VideoMaMa are.

    Attributes:
        unet: folder of the UNet to begin with.
        vae: folder of the VAE.
        teacher: folder of DINOv3; None where the alignment counts for nothing.
    """

    unet: Path
    vae: Path
    teacher: Path | None = None

    def objective(self, recipe: Recipe) -> Trained:
        """Load the networks; see `make_objective`."""
        return make_objective(self, recipe)

    def lay_out(self, result: Path, network: Path) -> None:
        """Lay out what was trained; see `lay_out`."""
        lay_out(result, network, self.vae)


@dataclass(frozen=True)
class MatteInputs(Clips):
    """Where the network and the clips of a training of SAM2-Matte are.

    Attributes:
        sam2: the SAM 2 or 2.1 to begin with; see `Follower.load`.
    """

    sam2: Path

    def objective(self, recipe: Recipe) -> Trained:
        """Load the network; raises `WeightsError` where it cannot be loaded."""
        follower = Follower.load(self.sam2, recipe.checkpointing)
        return MatteObjective(follower, Weights(recipe.l1, recipe.laplacian), recipe.every)

    def lay_out(self, result: Path, network: Path) -> None:
        """Copy what was trained to where the engine looks for it in a folder of weights."""
        shutil.rmtree(result, ignore_errors=True)
        shutil.copytree(network, result / SAM2MATTE)


def train(
    run: Path, inputs: Inputs | MatteInputs, recipe: Recipe, processes: Processes, means: Means, say: Say
) -> Path:
    """Train, from the newest checkpoint of a run where there is one, and return the folder of the result.

    Raises:
        BadInput: the clips cannot be used, a loss is not a number, or the run had another recipe.
        WeightsError: a network cannot be loaded.
        NotPermitted: the run's folder cannot be written.
    """
    objective = inputs.objective(recipe)
    request = request_of(recipe)
    samples = TrainingSet(_sources(inputs), request, MaskMix(recipe.masks), recipe.seed)
    if processes.leads:
        tell_needs(objective, recipe, processes, say)
    turns = Turns(samples, recipe.batch, recipe.micro, processes.rank, processes.world)
    trainer = Trainer(objective, recipe, turns, processes, means)
    _prepare(run, recipe, processes)
    before = checkpoints.latest(run)
    if before is not None:
        checkpoints.resume(before, trainer)
        say(f"Resumed at step {trainer.step}, from {before}.")
    judged = validation_samples(inputs, recipe, request)
    with RunLog(run) if processes.leads else nullcontext() as log:
        _run(run, trainer, judged, log, say)
    return _finish(run, inputs, trainer)


def tell_needs(objective: Trained, recipe: Recipe, processes: Processes, say: Say) -> None:
    """Say how much memory a run needs and how many hours it takes, as far as that can be counted before it starts."""
    needed, device = estimate(objective, recipe), processes.device
    say(needed.memory_told(processes.world))
    if device.type == "cuda":
        card = torch.cuda.get_device_properties(device)
        say(f"This card is {card.name} with {card.total_memory / 1e9:.1f} GB.")
        say(needed.hours_told(recipe, processes.world, card.name))
    else:
        say(needed.hours_told(recipe, processes.world, ""))


def request_of(recipe: Recipe) -> Request:
    """Return what a recipe's samples are: squares, or plates of 16:9 where the network makes squares of them."""
    width = round(recipe.size * _ASPECT) if recipe.network == SAM2MATTE else recipe.size
    return Request(recipe.frames, width, recipe.size)


def make_objective(inputs: Inputs, recipe: Recipe) -> Objective:
    """Load the networks, and freeze what the recipe's stage does not train; see `train` for errors."""
    unet, vae = networks.load_unet(inputs.unet), networks.load_vae(inputs.vae)
    if recipe.lora:
        adapt(unet, recipe.stage, recipe.lora)
    else:
        networks.choose_trained(unet, recipe.stage)
    if recipe.checkpointing:
        unet.enable_gradient_checkpointing()
    alignment = None
    if recipe.alignment:
        if inputs.teacher is None:
            raise BadInput(
                "the alignment needs a teacher", "Name DINOv3's folder with --teacher, or write --alignment 0."
            )
        alignment = Alignment(Teacher.load(inputs.teacher), feature_channels(unet))
    return Objective(unet, vae, alignment, Weights(recipe.l1, recipe.laplacian, recipe.alignment))


def validation_samples(inputs: Clips, recipe: Recipe, request: Request) -> list[Sample]:
    """Return the samples that every validation of a run looks at, or none."""
    if not inputs.validation:
        return []
    clips = FinishedClips(_clips(inputs.validation))
    samples = TrainingSet([clips], request, MaskMix(recipe.masks), _VALIDATION_SEED)
    return [samples[0, index] for index in range(min(_VALIDATED, len(samples)))]


def _sources(inputs: Clips) -> list[Source]:
    sources: list[Source] = []
    if inputs.finished:
        sources.append(FinishedClips(_clips(inputs.finished)))
    if inputs.foregrounds:
        if not inputs.backgrounds:
            raise BadInput("foregrounds need backgrounds", "Name a folder of pictures or clips with --backgrounds.")
        foregrounds = [one for folder in places(inputs.foregrounds) for one in find_foregrounds(folder)]
        backgrounds = [one for folder in places(inputs.backgrounds) for one in find_backgrounds(folder)]
        sources.append(Composites(foregrounds, backgrounds))
    return sources


def _clips(folders: Sequence[Path]) -> list[GroundTruthClip]:
    clips: list[GroundTruthClip] = []
    for folder in places(folders):
        if isinstance(folder, ShardPath):
            clips += clips_in(folder)
            continue
        data = read_data(folder)
        for broken in data.broken:
            raise broken.error
        clips += data.clips
    return clips


def _prepare(run: Path, recipe: Recipe, processes: Processes) -> None:
    if not processes.leads:
        return
    try:
        run.mkdir(parents=True, exist_ok=True)
        if not (run / FILE).is_file():
            recipe.write(run)
    except OSError as error:
        raise NotPermitted(f"cannot write in {run}: {error.strerror}", "Choose a folder you may write.") from error


def _run(run: Path, trainer: Trainer, judged: Sequence[Sample], log: RunLog | None, say: Say) -> None:
    recipe = trainer.recipe
    pace = Pace(trainer.step, recipe.steps)

    def after(step: int, losses: Losses) -> None:
        if log is not None:
            log.step(step, losses)
            say(f"step {step}: {_figures(losses, 4)}")
            if told := pace.after(step):
                say(told)
        if judged and (step % recipe.validate_every == 0 or step == recipe.steps):
            scores, sheet = validate(trainer, judged)
            if log is not None:
                log.scores(step, scores, sheet)
                say(f"validation at step {step}: {_figures(scores, 3)}")
        if step % recipe.save_every == 0 or step == recipe.steps:
            checkpoints.save(run, trainer)

    trainer.run(recipe.steps, after)


def _figures(named: Mapping[str, float], digits: int) -> str:
    return ", ".join(f"{name} {value:.{digits}f}" for name, value in named.items())


def lay_out(result: Path, unet: Path, vae: Path) -> Path:
    """Copy UNet and VAE into a folder as they are published, so that it can be given to the engine as its weights.

    Args:
        result: the folder; what is there is replaced.
        unet: folder of the UNet's files.
        vae: folder of the VAE's files, or one that has it as `vae`.
    """
    shutil.rmtree(result, ignore_errors=True)
    shutil.copytree(unet, result / _UNET)
    shutil.copytree(vae / "vae" if (vae / "vae").is_dir() else vae, result / _VAE)
    return result


def _finish(run: Path, inputs: Inputs | MatteInputs, trainer: Trainer) -> Path:
    """Lay out the newest checkpoint's averaged weights, or its own where there are none."""
    if trainer.processes.leads:
        newest = checkpoints.latest(run)
        assert newest is not None  # the last step saved one
        inputs.lay_out(run / RESULT, checkpoints.network_in(newest, trainer.objective))
    trainer.processes.wait()
    return run / RESULT
