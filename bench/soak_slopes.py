"""Slopes of what was sampled over time, with how far they can be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SETTLING_S = 30.0


@dataclass(frozen=True)
class Series:
    """Values over time.

    Attributes:
        name: of what was sampled.
        rows: (seconds, process id of the worker, value).
    """

    name: str
    rows: list[tuple[float, int, float]]


def slopes(series: list[Series]) -> dict[str, dict[str, float]]:
    """Return slope per hour with its 95 % band, r squared and the mean, by name.

    A worker that was started anew begins at another level, so its series have a level for each worker and one slope in
    common. The band takes samples for independent, which they are not quite: it is somewhat too narrow.
    """
    return {one.name: _slope(_settled(one.rows), one.name.startswith("worker")) for one in series}


def _settled(rows: list[tuple[float, int, float]]) -> list[tuple[float, int, float]]:
    """Leave out the time after a worker's start, where allocators fill up and libraries are imported."""
    begun: dict[int, float] = {}
    for at, pid, _ in rows:
        begun.setdefault(pid, at)
    return [row for row in rows if row[0] - begun[row[1]] >= SETTLING_S] or rows


def _slope(rows: list[tuple[float, int, float]], by_worker: bool) -> dict[str, float]:
    hours = np.array([at for at, _, _ in rows]) / 3600
    values = np.array([value for _, _, value in rows], float)
    groups = np.array([pid if by_worker else 0 for _, pid, _ in rows])
    inside_t, inside_v, levels = np.zeros_like(hours), np.zeros_like(values), 0
    for group in np.unique(groups):
        chosen = groups == group
        inside_t[chosen] = hours[chosen] - hours[chosen].mean()
        inside_v[chosen] = values[chosen] - values[chosen].mean()
        levels += 1
    spread = float((inside_t**2).sum())
    slope = float((inside_t * inside_v).sum()) / spread if spread else 0.0
    left = inside_v - slope * inside_t
    free = max(1, len(values) - levels - 1)
    band = 1.96 * float(np.sqrt((left**2).sum() / free / spread)) if spread else 0.0
    total = float((inside_v**2).sum())
    fit = 1 - float((left**2).sum()) / total if total else 0.0
    told = {"per_hour": slope, "band": band, "r2": fit, "mean": float(values.mean()), "most": float(values.max())}
    return {name: round(value, 3) for name, value in told.items()}
