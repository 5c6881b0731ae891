"""Follows one object through a clip, frame by frame, with the memory of SAM 2 or of the tracker of SAM 3.

transformers keeps every frame of a clip and all that was computed of it. Here a frame is given when its turn comes, and
only what later frames can look at is kept: the masks of the last few frames, pointers of some more, and what was made
of the prompts. The results are the same, bit for bit. They do not depend on how long the clip is, either: as in
transformers' own streaming mode, pointers count as those of a long clip.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from videomama_client.errors import OutOfMemory

from videomama_server.arrays import FloatArray
from videomama_server.engines.segment.pictures import Normalisation, mask_of, pixel_values, points_of
from videomama_server.engines.sequential import FramePrompts

_FIRST = 1 << 24  # the network stops looking back at frame 0, and clips may have frames below
_OBJECT = 1  # each object has a session of its own, and this number there
_BOX_LABELS = (2, 3)  # of its upper left and its lower right corner, which stand before all clicks
_FEATURES, _POSITIONS, _POINTER = "maskmem_features", "maskmem_pos_enc", "object_pointer"
_FOLLOWED, _CONDITIONED = "non_cond_frame_outputs", "cond_frame_outputs"
_KEPT_PREFIX = {_FOLLOWED: "followed", _CONDITIONED: "prompted"}


@dataclass(frozen=True)
class Encoded:
    """What the network's image encoder says of one frame, for all objects.

    Attributes:
        size: (height, width) of the plate.
        levels: feature maps (h * w, 1, channels), the finest first.
        positions: of the coarsest level.
    """

    size: tuple[int, int]
    levels: tuple[Tensor, ...]
    positions: Tensor


@dataclass(frozen=True)
class Sighting:
    """What the network says of an object in one frame.

    Attributes:
        logits: (h, w) of the network's mask, float32, on the CPU.
        score: above 0 where the object is there.
    """

    logits: Tensor
    score: float


@contextmanager
def within_memory() -> Iterator[None]:
    """Raise `OutOfMemory`, which the pipeline knows, where the device has no room for what is computed meanwhile."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(
            "the device ran out of memory while a subject was followed",
            "Close other programs that use it, use a smaller network, or run it with device cpu.",
        ) from error


class Network:
    """The network of SAM 2, or the tracker of SAM 3, and how it sees pictures.

    Args:
        model: `Sam2VideoModel`, or another of its construction.
        normalisation: of its pictures.
        device: that it is on; it computes in float32.
        reload: returns the model again after `release`; tracks go on with it.
    """

    def __init__(
        self,
        model: Any,
        normalisation: Normalisation,
        device: torch.device,
        reload: Callable[[], Any] | None = None,
    ) -> None:
        self.device = device
        self._model, self._reload = model, reload
        side = model.prompt_encoder.input_image_size
        self.side = int(side if isinstance(side, int) else side[0])
        self.normalisation = normalisation
        self._positions: Tensor | None = None

    @property
    def model(self) -> Any:
        """The model of transformers; loaded again where it was released."""
        if self._model is None:
            assert self._reload is not None
            self._model = self._reload()
        return self._model

    @property
    def is_loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._model is not None

    def release(self) -> None:
        """Free the model; the next picture or frame loads it again."""
        if self._reload is not None:
            self._model = None

    def values(self, plate: FloatArray) -> Tensor:
        """Return the network's input (1, 3, side, side) for a plate (H, W, 3), 0..1."""
        return pixel_values(plate, (self.side, self.side), self.normalisation)[None].to(self.device)

    def encode(self, plate: FloatArray) -> Encoded:
        """Return what the image encoder says of a plate (H, W, 3), 0..1."""
        with torch.inference_mode(), within_memory():
            found = self.model.get_image_features(self.values(plate), return_dict=True)
            return self.encoded(plate.shape[:2], found.fpn_hidden_states, found.fpn_position_encoding)

    def encoded(self, size: tuple[int, int], levels: list[Tensor], positions: list[Tensor]) -> Encoded:
        """Return feature maps with the plate's size; positions are the same for all frames, and kept once."""
        if self._positions is None:
            self._positions = positions[-1]
        return Encoded(size, tuple(levels), self._positions)

    def answer(self, encoded: Encoded, mask: FloatArray) -> Tensor:
        """Return the mask logits (h, w), on the CPU, that the network itself gives where it is shown a mask.

        A track returns a mask as it was painted. This is what the decoder makes of it.

        Args:
            encoded: the frame.
            mask: (H, W), 0..1.
        """
        with torch.inference_mode(), within_memory():
            return self.decoded(encoded, mask_of(mask, self.side).to(self.device)).float().cpu()

    def decoded(self, encoded: Encoded, square: Tensor) -> Tensor:
        """Return the mask logits (h, w) that the decoder makes of a mask (1, 1, side, side) of 0 and 1."""
        model, sizes = self.model, self.model.backbone_feature_sizes
        maps = [level.permute(1, 2, 0).view(1, -1, *size) for level, size in zip(encoded.levels, sizes, strict=True)]
        shown = model.mask_downsample(square)
        found = model._single_frame_forward(input_masks=shown, image_embeddings=maps, multimask_output=False)
        return found.pred_masks[0, 0]  # type: ignore[no-any-return]

    def look(self, session: Any, index: int, reverse: bool) -> Any:
        """Return what the model says of a frame of a session; it computes no gradients."""
        return self.model(session, frame_idx=index, reverse=reverse)


class Track:
    """One object: what the network remembers of it.

    First `prompt`, for each frame with prompts. Then `follow`, frame by frame in one direction; `rewind` goes back to
    what is known of the prompts alone.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._config = network.model.config
        self._session = _session(network)
        self._current = self._session.cache = _Current()
        self._session.processed_frames = _Endless()
        self._index = self._session.obj_id_to_idx(_OBJECT)
        self._positions: Tensor | None = None

    def prompt(self, encoded: Encoded, prompts: FramePrompts) -> Sighting:
        """Return the object in a frame of which something is said, and remember it for all frames.

        A mask stands in place of clicks and box: the network does not take both.
        """
        side = self._network.side
        if prompts.load_mask is not None:
            return _sighting(self.remember(prompts.frame, encoded, mask_of(prompts.load_mask(), side)))
        points = _point_inputs(prompts, encoded.size, side)
        self._session.add_point_inputs(self._index, _FIRST + prompts.frame, points)
        return _sighting(self._run_prompted(prompts.frame, encoded))

    def remember(self, number: int, encoded: Encoded, square: Tensor) -> Any:
        """Remember, for all frames, the object that a mask (1, 1, side, side) of 0 and 1 shows; return as `look`."""
        self._session.add_mask_inputs(self._index, _FIRST + number, square)
        return self._run_prompted(number, encoded)

    def follow(self, number: int, encoded: Encoded, reverse: bool = False) -> Sighting:
        """Return the object in the next frame of a pass; at a frame with prompts, what `prompt` returned.

        Args:
            number: of the frame, which lies after the one before it, or before it where `reverse`.
            encoded: the frame.
            reverse: whether the pass runs backward.
        """
        return _sighting(self.look(number, encoded, reverse))

    def rewind(self) -> None:
        """Forget all frames but those with prompts."""
        self._outputs[_FOLLOWED].clear()

    def trust(self, number: int) -> None:
        """Remember a frame that was followed a moment ago as if something had been said of it, and rewind."""
        output = self._outputs[_FOLLOWED].get(_FIRST + number)
        if output is not None:  # else it has prompts
            self._outputs[_CONDITIONED][_FIRST + number] = output
        self.rewind()

    @property
    def is_prompted(self) -> bool:
        """Whether anything was said of the object."""
        return bool(self._outputs[_CONDITIONED])

    def export(self, prompted: tuple[int, ...] = ()) -> dict[str, NDArray[Any]]:
        """Return what is remembered of the frames that were followed, and of the prompts on the frames `prompted`.

        The arrays are on the host; their names say what they are of.
        """
        kept = {}
        for index, output in self._outputs[_FOLLOWED].items():
            kept.update(_named_arrays(f"{_KEPT_PREFIX[_FOLLOWED]}.{index - _FIRST}", output))
        for number in prompted:
            output = self._outputs[_CONDITIONED][_FIRST + number]
            kept.update(_named_arrays(f"{_KEPT_PREFIX[_CONDITIONED]}.{number}", output))
        if self._positions is not None:
            kept[_POSITIONS] = _array(_POSITIONS, self._positions)
        return kept

    def restore(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Remember what `export` returned, beside what was prompted here before."""
        kinds = {prefix: kind for kind, prefix in _KEPT_PREFIX.items()}
        if _POSITIONS in kept:
            self._positions = _tensor(_POSITIONS, kept[_POSITIONS]).to(self._network.device)
        for key, array in kept.items():
            prefix, number, name = key.split(".") if key.count(".") == 2 else ("", "0", "")
            if prefix not in kinds:
                continue
            output = self._outputs[kinds[prefix]].setdefault(_FIRST + int(number), {})
            output[name] = _tensor(name, array).to(self._network.device)
            if name == _FEATURES and self._positions is not None:
                output[_POSITIONS] = self._positions

    def held_bytes(self) -> int:
        """Return the bytes of all that is remembered."""
        held = [] if self._positions is None else [self._positions]
        for outputs in self._outputs.values():
            held += [tensor for output in outputs.values() for name, tensor in output.items() if name != _POSITIONS]
        return sum(tensor.numel() * tensor.element_size() for tensor in held)

    @property
    def _outputs(self) -> dict[str, dict[int, dict[str, Tensor]]]:
        outputs: dict[str, dict[int, dict[str, Tensor]]] = self._session.output_dict_per_obj[self._index]
        return outputs

    def _run_prompted(self, number: int, encoded: Encoded) -> Any:
        self._session.obj_with_new_inputs = [_OBJECT]
        return self.look(number, encoded)

    def look(self, number: int, encoded: Encoded, reverse: bool = False) -> Any:
        """Return what `follow` does as the model says it: `pred_masks` (1, 1, h, w) are logits on its device."""
        self._current.encoded = encoded
        try:
            with within_memory():
                found = self._network.look(self._session, _FIRST + number, reverse)
        finally:
            self._current.encoded = None
            self._session.obj_with_new_inputs = []
        self._prune(_FIRST + number)
        return found

    def _prune(self, index: int) -> None:
        """Keep only what the next frames of a pass look at, and what is the same for all frames once."""
        for outputs in self._outputs.values():
            for output in outputs.values():
                output.pop("high_res_masks", None)
                self._share_positions(output)
        followed = self._outputs[_FOLLOWED]
        for earlier in list(followed):
            distance = abs(earlier - index)
            if distance >= self._config.max_object_pointers_in_encoder - 1:
                del followed[earlier]
            elif distance >= self._config.num_maskmem - 1:
                followed[earlier] = {_POINTER: followed[earlier][_POINTER]}
            else:
                followed[earlier].pop("pred_masks", None)
        self._session.frames_tracked_per_obj[self._index].clear()
        self._session.point_inputs_per_obj[self._index].clear()
        self._session.mask_inputs_per_obj[self._index].clear()

    def _share_positions(self, output: dict[str, Tensor]) -> None:
        if _POSITIONS not in output:
            return
        if self._positions is None:
            self._positions = output[_POSITIONS].clone()  # the network's own is part of something larger
        output[_POSITIONS] = self._positions


class _Endless(Mapping[int, Tensor]):
    """Stands for the frames of an endless clip, whose features are all there: no picture is ever asked for."""

    def __getitem__(self, index: int) -> Tensor:
        raise KeyError(index)

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return sys.maxsize


class _Current:
    """What a session takes for its cache of features: it has those of the frame that is looked at."""

    def __init__(self) -> None:
        self.encoded: Encoded | None = None

    def get_vision_features(self, frame_idx: int) -> dict[str, Any]:  # noqa: ARG002  (the current one)
        """Return the features of the current frame, as the network takes them."""
        assert self.encoded is not None
        return {"vision_feats": list(self.encoded.levels), "vision_pos_embeds": [self.encoded.positions]}


def _session(network: Network) -> Any:
    """Return an empty session of the model's own kind."""
    module = sys.modules[type(network.model).__module__]
    kind = getattr(module, type(network.model).__name__.replace("Model", "InferenceSession"))
    return kind(inference_device=network.device, inference_state_device=network.device, dtype=torch.float32)


def _sighting(found: Any) -> Sighting:
    return Sighting(found.pred_masks[0, 0].float().cpu(), float(found.object_score_logits.flatten()[0]))


def _point_inputs(prompts: FramePrompts, plate: tuple[int, int], side: int) -> dict[str, Tensor]:
    corners = np.zeros((0, 2), np.float32) if prompts.box is None else np.reshape(prompts.box, (2, 2))
    points = np.concatenate([corners, prompts.points])
    labels = [*_BOX_LABELS[: len(corners)], *(int(label) for label in prompts.labels)]
    return {
        "point_coords": points_of(points, plate, side)[None, None],
        "point_labels": torch.tensor(labels, dtype=torch.int32)[None, None],
    }


def _named_arrays(prefix: str, output: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    return {f"{prefix}.{name}": _array(name, tensor) for name, tensor in output.items() if name != _POSITIONS}


def _array(name: str, tensor: Tensor) -> NDArray[Any]:
    """Return a tensor as an array of its own; features are bf16 whatever is computed in, which NumPy does not have."""
    plain = tensor.view(torch.int16) if name == _FEATURES else tensor
    return np.array(plain.cpu().numpy(), order="C")


def _tensor(name: str, array: NDArray[Any]) -> Tensor:
    tensor = torch.from_numpy(np.array(array, order="C"))
    return tensor.view(torch.bfloat16) if name == _FEATURES else tensor
