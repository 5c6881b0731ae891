"""Named ways to evaluate as published tables do: which data, masks, guidance and measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from videomama_client.errors import BadInput

from videomama_server.config import Config
from videomama_server.datasets.clip import Broken, Data, GroundTruthClip
from videomama_server.evaluate.asked import EVERY, GIVEN, JF, SHAPE, AskedMasks, MeasureChoice, parse_masks


@dataclass(frozen=True)
class EvaluationProtocol:
    """What is measured on which masks; all measures are in the convention of the RobustVideoMatting evaluation.

    Attributes:
        name: for people.
        layout: of the data.
        masks: kinds, in order; `given` is added where all clips have masks of their own.
        measures: to take.
        group: part of the data set; empty for all.
    """

    name: str
    layout: str
    masks: tuple[str, ...]
    measures: MeasureChoice
    group: str = ""

    def kinds(self, clips: Sequence[GroundTruthClip], asked: Sequence[str], config: Config) -> list[AskedMasks]:
        """Return the kinds of masks, with every mask as guidance where that is not the first one alone.

        Args:
            clips: to evaluate.
            asked: kinds in place of the protocol's; empty for its own.
            config: says where weights are.

        Raises:
            BadInput: a kind is unknown.
        """
        own = (*self.masks, *([GIVEN] if all(clip.mask is not None for clip in clips) else []))
        kinds = [parse_masks(text, config=config) for text in asked or own]
        return [replace(kind, guidance=kind.guidance or EVERY) for kind in kinds]

    def part(self, data: Data) -> Data:
        """Return the clips of the protocol's part of a data set, and what cannot be read.

        Raises:
            BadInput: there is none.
        """
        if not self.group:
            return data
        clips = [clip for clip in data.clips if clip.group == self.group]
        broken = [one for one in data.broken if self._is_mine(data, one)]
        if not clips and not broken:
            raise BadInput(
                f"{data.folder} has no clips of {self.group}, which {self.name} measures", "Name its folder."
            )
        return replace(data, clips=clips, broken=broken)

    def _is_mine(self, data: Data, broken: Broken) -> bool:
        return data.folder.name == self.group or broken.name.startswith(f"{self.group}/")


_PAPER = ("down8", "down32", "polygon", "sam2", "sam2+first")  # tables 2 and 3 of VideoMaMa's paper
_SOFT = MeasureChoice(only=("mad", "mse", "grad", "conn", "dtssd", "mad_t"))
_SHAPES = MeasureChoice(only=("mad", JF, *SHAPE), inner=True)  # a report finds its worst frames by MAD

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        EvaluationProtocol("v-him60-hard", "v-him60", _PAPER, _SOFT, "comp_hard"),
        EvaluationProtocol("youtubematte", "youtubematte", _PAPER, _SOFT),
        EvaluationProtocol("videomatte", "videomatte", _PAPER, _SOFT),
        EvaluationProtocol("davis", "davis", ("sam2+first",), _SHAPES),
    )
}
