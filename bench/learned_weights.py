"""Learns how the estimates of `classic` are weighed (`engines/classic/weighing.py`), and says how well on unseen clips.

python bench/learned_weights.py FOLDER [--out weighing.npz] [--json FILE] [--steps 900]

FOLDER keeps what the engine finds of each clip, so that a run that was stopped goes on where it was. Needs torch. The
clips come from `learned_clips.py`. Five times a fifth of the clips is left out, learned without, and judged: figures
are errors in the band, over those of the pool by rule, on clips that were left out. Then all clips are learned from.
"""

from __future__ import annotations

import argparse
import itertools
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import learned_clips
import numpy as np
import torch
from videomama_client.engine_settings import ClassicSettings
from videomama_client.mask_presets import ROUGH, with_outline
from videomama_client.settings import MatteSettings
from videomama_server.engines.base import EngineFrame
from videomama_server.engines.classic import matte
from videomama_server.engines.classic.engine import ClassicEngine
from videomama_server.engines.classic.trimap import Trimap
from videomama_server.engines.classic.weighing import Estimated, Known, clues
from videomama_server.pipeline import mask_fit
from videomama_server.synthetic.degrade import QUALITIES, parse

MASK_SEED, SEED = 7, 1
FOLDS = 5
HIDDEN = 16
BATCH, RATE, DECAY = 4096, 8e-3, 0.02
SQUARES = 4.0  # weight of squared errors: alone they leave haze, absolute ones alone spoil single strands
MOST_PIXELS = 2500  # of a frame
LEAST_SUBJECT, LEAST_BAND = 200, 50  # pixels
HEAVIEST = 5.0  # times the mean, that a pixel counts at most
BESIDE, DOUBT = 0.3, 0.02  # as in `weighing.py`
SHARES = (0.4, 0.5, 0.6, 0.8, 1.0)  # of what was learned beside the pool
PLANES = ("plate", "mask", "left_over", "clear", "enough")
ESTIMATES = ("sampled", "spread", "firm", "pooled")


class Recorder:
    """Stands in for `weighed`: keeps what it is given, and leaves the pool as it is."""

    seen: tuple[Known, Estimated, np.ndarray] | None = None

    def __call__(self, known: Known, found: Estimated, safe: np.ndarray, _: np.ndarray) -> np.ndarray:
        self.seen = known, found, safe
        return found.pooled


def qualities(name: str, seed: int) -> tuple[str, ...]:
    """Return the qualities of masks that a clip is learned under."""
    return ("network" if seed % 2 else "exact", "small", "rough" if zlib.crc32(name.encode()) % 2 else "large")


def record(folder: Path) -> None:
    """Keep what the engine finds of the middle frame of every clip under its masks, unless that is kept already."""
    for kind, seed in learned_clips.clips():
        name = learned_clips.name(kind, seed)
        missing = [quality for quality in qualities(name, seed) if not (folder / f"{name}.{quality}.npz").exists()]
        if not missing:
            continue
        plates, alphas = learned_clips.pictures(kind, seed)
        for quality in missing:
            of = parse(QUALITIES[quality], zlib.crc32(name.encode()) % 65_536 + 65_536 * MASK_SEED).of(len(plates))
            masks = [of.mask(index, alpha) for index, alpha in enumerate(alphas)]
            found = seen(plates, masks)
            kept = arrays(*found, masks[1], alphas[1]) if found else {}
            np.savez(folder / f"{name}.{quality}.npz", **kept)
        print(f"recorded {name}", flush=True)


def seen(plates: list[np.ndarray], masks: list[np.ndarray]) -> tuple[Known, Estimated, np.ndarray] | None:
    """Return what the engine finds of the second of three frames; None where it has nothing to find."""
    if min(mask.sum() for mask in masks) < LEAST_SUBJECT:
        return None
    fits = [mask_fit.fit_of(plate, mask >= 0.5) for plate, mask in zip(plates, masks, strict=True)]
    quality = mask_fit.judged([fit for fit in fits if fit]).quality
    settings = with_outline(MatteSettings(), ROUGH if quality == mask_fit.UNSURE else quality)
    engine, recorder = ClassicEngine(), Recorder()
    given = zip(plates, masks, strict=True)
    frames = [EngineFrame(n, mask, mask.shape, lambda plate=plate: plate) for n, (plate, mask) in enumerate(given)]
    prepared = [engine.prepare(frame, settings) for frame in frames]
    likely = engine.refine(prepared, settings)
    with mock.patch.object(matte, "weighed", recorder):
        prepared[1].solved(likely[1], ClassicSettings.of(settings))
    return recorder.seen


def arrays(known: Known, found: Estimated, safe: np.ndarray, mask: np.ndarray, alpha: np.ndarray) -> dict[str, object]:
    """Return what is kept of a frame, by name."""
    half = {name: getattr(known, name).astype(np.float16) for name in PLANES}
    half |= {name: getattr(found, name).astype(np.float16) for name in ESTIMATES}
    error = float(np.abs(mask - alpha).sum())
    rest = {"foreground": known.trimap.foreground, "background": known.trimap.background, "slack": known.slack}
    return {**half, **rest, "safe": safe.astype(np.float16), "alpha": alpha.astype(np.float16), "error": error}


@dataclass(frozen=True)
class Sample:
    """Some pixels of one frame's band: clues (C, N), estimates (4, N), exact alphas (N,), and how much each counts."""

    name: str
    clues: np.ndarray
    estimates: np.ndarray
    alpha: np.ndarray
    weight: float


def sampled(path: Path) -> Sample | None:
    """Return the sample of a frame that was kept; None where it has no band."""
    with np.load(path) as kept:
        if "plate" not in kept.files:
            return None
        own = {name: kept[name] for name in kept.files}
    planes = {name: own[name].astype(np.float32) for name in (*PLANES, *ESTIMATES, "safe", "alpha")}
    trimap = Trimap(own["foreground"], own["background"])
    scale = max(trimap.foreground.shape) / 1920
    known = Known(*(planes[name] for name in PLANES[:2]), trimap, *(planes[name] for name in PLANES[2:]), scale,
                  float(own["slack"]))  # fmt: skip
    found = Estimated(*(planes[name] for name in ESTIMATES))
    count = int(trimap.unknown.sum())
    if count < LEAST_BAND:
        return None
    rng = np.random.default_rng(zlib.crc32(path.name.encode()))
    some = rng.permutation(count)[:MOST_PIXELS]
    weight = count / some.size / max(float(own["error"]), 100.0)
    given, estimates = clues(known, found, planes["safe"]), found.inside(trimap.unknown)
    return Sample(path.stem, given[:, some], estimates[:, some], planes["alpha"][trimap.unknown][some], weight)


class Net(torch.nn.Module):
    """The network of `weighing.py`; begins as the pool."""

    def __init__(self, clues: int) -> None:
        super().__init__()
        sizes = (clues, HIDDEN, HIDDEN, len(ESTIMATES) + 1)
        self.layers = torch.nn.ModuleList(torch.nn.Linear(*pair) for pair in itertools.pairwise(sizes))
        torch.nn.init.zeros_(self.layers[-1].weight)
        self.layers[-1].bias.data = torch.tensor([0, 0, 0, 2.0, 0])

    def forward(self, given: torch.Tensor, estimates: torch.Tensor) -> torch.Tensor:
        """Return alphas (N,), not yet cut to 0..1."""
        for layer in self.layers[:-1]:
            given = torch.relu(layer(given))
        answer = self.layers[-1](given)
        mixed = (torch.softmax(answer[:, :-1], 1) * estimates).sum(1) + BESIDE * torch.tanh(answer[:, -1])
        return (mixed - DOUBT) / (1 - 2 * DOUBT)


@dataclass(frozen=True)
class Learned:
    """A network, and the mean and spread of its clues."""

    net: Net
    mean: torch.Tensor
    spread: torch.Tensor

    def of(self, given: torch.Tensor, estimates: torch.Tensor) -> torch.Tensor:
        """Return alphas (N,), not yet cut to 0..1."""
        return self.net(((given - self.mean) / self.spread).clamp(-4, 4), estimates)


def learn(samples: list[Sample], steps: int) -> Learned:
    """Learn from samples: absolute and squared error, in which each frame counts the more the less its mask errs."""
    torch.manual_seed(SEED)
    given = torch.tensor(np.concatenate([one.clues for one in samples], axis=1).T)
    estimates = torch.tensor(np.concatenate([one.estimates for one in samples], axis=1).T)
    alpha = torch.tensor(np.concatenate([one.alpha for one in samples]))
    heavy = torch.tensor(np.concatenate([np.full(one.alpha.size, one.weight, np.float32) for one in samples]))
    heavy = (heavy / heavy.mean()).clamp(max=HEAVIEST)
    learned = Learned(Net(given.shape[1]), given.mean(0), given.std(0) + 1e-3)
    optimizer = torch.optim.AdamW(learned.net.parameters(), lr=RATE / 2, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for step in range(steps):
        some = torch.randint(len(alpha), (BATCH,))
        rest = learned.of(given[some], estimates[some]) - alpha[some]
        is_cut = ((rest < 0) & (alpha[some] <= 0)) | ((rest > 0) & (alpha[some] >= 1))
        rest = torch.where(is_cut, 0.05 * rest, rest)
        loss = (heavy[some] * (rest.abs() + SQUARES * rest * rest)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % max(1, steps // 6) == 0:
            print(f"step {step + 1} loss {float(loss.detach()):.4f}", flush=True)
    return learned


def judged(learned: Learned, sample: Sample) -> np.ndarray:
    """Return MAD and MSE (2, S) of a sample for each share of what was learned, over those of the pool."""
    with torch.no_grad():
        found = learned.of(torch.tensor(sample.clues.T), torch.tensor(sample.estimates.T)).clamp(0, 1).numpy()
    pool = sample.estimates[-1]
    rest = np.abs(np.stack([pool + share * (found - pool) for share in (0.0, *SHARES)]) - sample.alpha)
    both = np.stack([rest.mean(axis=1), (rest * rest).mean(axis=1)]) + 1e-6
    return np.asarray(both[:, 1:] / both[:, :1])


def held_out(samples: list[Sample], steps: int) -> dict[str, dict[str, object]]:
    """Return the figures on clips that were left out, by quality of masks and share of what was learned."""
    of: dict[str, list[np.ndarray]] = {}
    for fold in range(FOLDS):

        def is_out(sample: Sample, fold: int = fold) -> bool:
            return zlib.crc32(sample.name.split(".")[0].encode()) % FOLDS == fold

        print(f"without fold {fold}", flush=True)
        learned = learn([sample for sample in samples if not is_out(sample)], steps)
        for sample in filter(is_out, samples):
            of.setdefault(sample.name.split(".")[1], []).append(judged(learned, sample))
    return {quality: _figures(np.stack(found)) for quality, found in of.items()}


def _figures(ratios: np.ndarray) -> dict[str, object]:
    """Return geometric means, the worst, and how many are over 1.05, of ratios (F, 2, S)."""
    ratios = ratios.astype(np.float64)
    mean = np.exp(np.log(ratios).mean(axis=0)).round(3)
    mads = ratios[:, 0]
    return {
        "frames": len(ratios),
        "mad": dict(zip(map(str, SHARES), mean[0].tolist(), strict=True)),
        "mse": dict(zip(map(str, SHARES), mean[1].tolist(), strict=True)),
        "worst_mad": dict(zip(map(str, SHARES), mads.max(axis=0).round(2).tolist(), strict=True)),
        "over_1.05": dict(zip(map(str, SHARES), (mads > 1.05).sum(axis=0).tolist(), strict=True)),
    }


def write(learned: Learned, out: Path) -> None:
    """Write what was learned, as `weighing.py` reads it."""
    named = {"mean": learned.mean, "spread": learned.spread}
    for number, layer in enumerate(learned.net.layers):
        named |= {f"weight{number}": layer.weight.detach().T, f"offset{number}": layer.bias.detach()}
    np.savez(out, **{name: np.ascontiguousarray(values.numpy(), np.float32) for name, values in named.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description="Learn how estimates of an alpha are weighed.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="keeps what the engine finds")
    parser.add_argument("--out", type=Path, default=Path("weighing.npz"), help="file for what was learned")
    parser.add_argument("--json", type=Path, help="file for the figures on clips that were left out")
    parser.add_argument("--steps", type=int, default=900)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.folder.mkdir(parents=True, exist_ok=True)
    record(args.folder)
    samples = [sample for path in sorted(args.folder.glob("*.npz")) if (sample := sampled(path))]
    if args.json:
        result = {"frames": len(samples), "steps": args.steps, "held_out": held_out(samples, args.steps)}
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"all {len(samples)} frames", flush=True)
    write(learn(samples, args.steps), args.out)


if __name__ == "__main__":
    main()
