"""The samples of a training: which clip, which frames and how bad a mask, all by seed, epoch and index alone.

So a sample is different in every epoch, and the same for any number of workers, of devices and of resumed runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch.utils.data import Dataset
from videomama_client.errors import BadInput

from videomama_server.arrays import FloatArray
from videomama_server.synthetic import degrade
from videomama_server.synthetic.degrade import Degradation
from videomama_server.train.data.drawn import Drawn, Request, Source
from videomama_server.train.samples import Sample

Place = tuple[int, int]  # epoch and index
_PIXELS, _MASK, _NOISE, _ORDER = range(4)  # keys of the random streams


@dataclass(frozen=True)
class MaskMix:
    """What masks samples get: names of `Degradation` with the share of samples that have them."""

    shares: tuple[tuple[str, float], ...]

    def __post_init__(self) -> None:
        if not self.shares or any(share < 0 for _, share in self.shares) or self._total <= 0:
            raise BadInput("the shares of the masks must not be negative, and one must be above 0", "Write mixed=1.")

    def draw(self, rng: np.random.Generator) -> Degradation:
        """Draw a degradation, with a seed of its own."""
        names, shares = zip(*self.shares, strict=True)
        name = names[int(rng.choice(len(names), p=np.array(shares) / self._total))]
        return degrade.parse(name, int(rng.integers(2**31)))

    @property
    def _total(self) -> float:
        return sum(share for _, share in self.shares)


class TrainingSet(Dataset[Sample]):
    """The samples of all sources, by epoch and index."""

    def __init__(self, sources: Sequence[Source], wanted: Request, masks: MaskMix, seed: int) -> None:
        """Make samples of `sources`, one after the other.

        Raises:
            BadInput: there is nothing in them.
        """
        self.sources, self.wanted, self.masks, self.seed = sources, wanted, masks, seed
        if not len(self):
            raise BadInput("there are no clips to train on", "Name folders with --data or --foregrounds.")

    def __len__(self) -> int:
        """Return how many samples an epoch has."""
        return sum(map(len, self.sources))

    def __getitem__(self, place: Place) -> Sample:
        """Return the sample at an epoch and an index."""
        epoch, index = place
        shown = self._drawn(index, self._rng(_PIXELS, *place))
        clip = self.masks.draw(self._rng(_MASK, *place)).of(len(shown.alpha))
        masks = np.stack([clip.mask(frame, alpha) for frame, alpha in enumerate(shown.alpha)])
        seed = int(self._rng(_NOISE, *place).integers(2**60))
        plate = _tensor(np.moveaxis(shown.plate, -1, 1))
        return Sample(
            f"{shown.name}, epoch {epoch}", seed, plate, _tensor(shown.alpha[:, None]), _tensor(masks[:, None])
        )

    def order(self, epoch: int) -> list[int]:
        """Return the indices of an epoch, shuffled."""
        return [int(index) for index in self._rng(_ORDER, epoch).permutation(len(self))]

    def _drawn(self, index: int, rng: np.random.Generator) -> Drawn:
        for source in self.sources:
            if index < len(source):
                return source.draw(index, self.wanted, rng)
            index -= len(source)
        raise IndexError(index)

    def _rng(self, *keys: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([self.seed, *keys]))


@dataclass(frozen=True)
class Turns:
    """Which samples each step computes, in which process: micro-batches of places.

    Attributes:
        samples: of the training.
        batch: samples of a step, in all processes.
        micro: samples that are computed at once.
        rank: number of this process.
        world: number of processes.
    """

    samples: TrainingSet
    batch: int
    micro: int
    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if self.batch % (self.micro * self.world):
            raise BadInput(
                f"a batch of {self.batch} cannot be divided among {self.world} processes by {self.micro} samples",
                "Choose a batch that is a multiple of both.",
            )

    @property
    def passes(self) -> int:
        """How many micro-batches this process computes in a step."""
        return self.batch // (self.micro * self.world)

    def of_steps(self, begin: int, end: int) -> Iterator[list[Place]]:
        """Yield the micro-batches of this process from one step up to another."""
        for step in range(begin, end):
            first = step * self.batch
            for turn in range(self.rank, self.passes * self.world, self.world):
                at = first + turn * self.micro
                yield [self._place(position) for position in range(at, at + self.micro)]

    def _place(self, position: int) -> Place:
        epoch, turn = divmod(position, len(self.samples))
        return epoch, _order(self.samples, epoch)[turn]


@lru_cache(maxsize=2)
def _order(samples: TrainingSet, epoch: int) -> list[int]:
    return samples.order(epoch)


def _tensor(values: FloatArray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32)) * 2 - 1
