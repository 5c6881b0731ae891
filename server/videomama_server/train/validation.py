"""Looks at what a network makes of samples that it was not trained on: our measures, and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

import numpy as np
import torch

from videomama_server.arrays import FloatArray
from videomama_server.media import contact_sheet as sheets
from videomama_server.metrics.scorer import Scorer
from videomama_server.train.samples import Batch, Sample, stacked
from videomama_server.train.trainer import Trained, Trainer

_SHOWN = 4  # samples in the picture


def validate(trainer: Trainer, samples: Sequence[Sample]) -> tuple[dict[str, float], FloatArray]:
    """Return mean scores of the alphas of `samples`, and a sheet of plate, mask, alpha and truth.

    The averaged weights are judged where there are some. The mask's own scores stand beside, as `mask_mad` and so on.
    """
    figures: dict[str, list[float]] = {}
    only = trainer.objective.measures
    rows = []
    with _judged(trainer) as objective:
        for sample in samples:
            batch = stacked([sample])
            alpha = _alpha(objective, batch.to(trainer.processes.device))
            truth, mask = (_grey(part) for part in (batch.alpha, batch.mask))
            own = _scores("", alpha, truth, only) | _scores("mask_", mask, truth, only)
            for name, value in own.items():
                figures.setdefault(name, []).append(value)
            rows.append((sample, mask[0], alpha[0], truth[0]))
    return {name: float(np.mean(values)) for name, values in figures.items()}, _sheet(rows[:_SHOWN])


@contextmanager
def _judged(trainer: Trainer) -> Iterator[Trained]:
    """Lend the network with its averaged weights."""
    objective = trainer.objective
    learning = trainer.learning()
    if trainer.averaged is not None:
        trainer.averaged.store(learning)
        trainer.averaged.copy_to(learning)
    objective.eval()
    try:
        yield objective
    finally:
        objective.train()
        if trainer.averaged is not None:
            trainer.averaged.restore(learning)


@torch.no_grad()
def _alpha(objective: Trained, batch: Batch) -> FloatArray:
    return _grey(objective.predict(batch).cpu())


def _grey(pictures: torch.Tensor) -> FloatArray:
    """Return the frames (T, H, W), 0..1, of one sample's (1, T, 1, H, W), -1..1."""
    return np.asarray(pictures[0, :, 0].float().numpy() / 2 + 0.5, np.float32)


def _scores(prefix: str, pred: FloatArray, truth: FloatArray, only: Sequence[str]) -> dict[str, float]:
    scorer = Scorer(only=only)
    for one, other in zip(pred, truth, strict=True):
        scorer.add(np.clip(one, 0, 1), other)
    return {prefix + name: value for name, value in asdict(scorer.mean()).items() if value is not None}


def _sheet(rows: Sequence[tuple[Sample, FloatArray, FloatArray, FloatArray]]) -> FloatArray:
    return np.concatenate([_row(*row) for row in rows])


def _row(sample: Sample, *greys: FloatArray) -> FloatArray:
    plate = np.moveaxis(sample.plate[0].numpy() / 2 + 0.5, 0, -1)
    return np.concatenate([plate, *map(sheets.grey, greys)], axis=1)
