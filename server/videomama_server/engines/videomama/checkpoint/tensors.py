"""The tensors of one network's file, read one by one as they are asked for; what each kind of file needs is here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError, safe_open
from videomama_client.errors import WeightsError

from videomama_server import heartbeat
from videomama_server.engines.runtime.pretrained import reason_of
from videomama_server.engines.videomama.checkpoint import headers, layouts
from videomama_server.engines.videomama.checkpoint.headers import TensorInfo

_SPELLING = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
_CONVERT = (
    "Convert it to safetensors with safetensors.torch.save_file, and name that; `videomama weights check` looks again."
)


def tensor_infos(path: Path, part: str) -> dict[str, TensorInfo]:
    """Return dtype and shape of the tensors of `part` ("unet" or "vae") by diffusers' names, without reading them.

    Raises:
        WeightsError: the file cannot be read, is cut short, or has nothing of that part.
    """
    if headers.is_pickle(path):
        return {name: _tensor_info(tensor) for name, tensor in _unpickled(path, part).items()}
    header = headers.read_whole(path)
    prefix = _prefix(path, header.tensors, part)
    return {name[len(prefix) :]: info for name, info in header.tensors.items() if name.startswith(prefix)}


class Tensors(Mapping[str, torch.Tensor]):
    """A network's tensors by diffusers' names, memory-mapped; reading one that is not finite raises WeightsError."""

    def __init__(self, path: Path, part: str) -> None:
        self._path = path
        self._pickled = _unpickled(path, part) if headers.is_pickle(path) else None
        self._names = list(tensor_infos(path, part) if self._pickled is None else self._pickled)
        self._files: dict[str, safe_open] = {}
        self._stack = ExitStack()
        self._prefix = ""
        if self._pickled is None:
            self._prefix = _prefix(path, headers.read(path).tensors, part)
            for shard in headers.shards(path):
                file = self._stack.enter_context(_opened(shard))
                self._files.update(dict.fromkeys(file.keys(), file))

    def __getitem__(self, name: str) -> torch.Tensor:
        if self._pickled is not None:
            tensor = self._pickled[name]
        else:
            tensor = self._files[self._prefix + name].get_tensor(self._prefix + name)  # type: ignore[no-untyped-call]
        heartbeat.beat()
        if not is_finite(tensor):
            raise WeightsError(
                f"{self._path} holds NaN or infinity in {name}",
                "The file is damaged or its training diverged: download it again, or take an earlier checkpoint.",
            )
        return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __enter__(self) -> Tensors:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.clear()
        self._stack.close()


def is_finite(tensor: torch.Tensor) -> bool:
    """Whether no value is NaN or infinite; a hundred times faster than `torch.isfinite`, which says it of each."""
    return not tensor.numel() or all(bool(torch.isfinite(end)) for end in torch.aminmax(tensor))


def _opened(path: Path) -> safe_open:
    try:
        return safe_open(path, framework="pt", device="cpu")
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"cannot read {path}: {error}", "Download or copy the file again.") from error


def _prefix(path: Path, tensors: Mapping[str, object], part: str) -> str:
    prefix = layouts.prefix_of(tensors, part)
    if prefix is None:
        raise WeightsError(f"{path} holds no {'UNet' if part == 'unet' else 'VAE'}", "Name the folder of the weights.")
    return prefix


def _unpickled(path: Path, part: str) -> dict[str, torch.Tensor]:
    """Return the tensors of a pickle that holds nothing else; no code in it is run."""
    try:
        content = _torch_load(path)
    except (UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError, TypeError, OSError) as error:
        raise WeightsError(f"{path} is a pickle that cannot be opened safely ({reason_of(error)})", _CONVERT) from error
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise WeightsError(f"{path} is a pickle of something other than a network's tensors", _CONVERT)
    prefix = _prefix(path, content, part)
    return {str(name)[len(prefix) :]: value for name, value in content.items() if str(name).startswith(prefix)}


def _torch_load(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except RuntimeError as error:
        if "mmap" not in str(error):
            raise
        return torch.load(path, map_location="cpu", weights_only=True)  # the old format cannot be mapped


def _tensor_info(tensor: torch.Tensor) -> TensorInfo:
    return TensorInfo(_SPELLING.get(tensor.dtype, str(tensor.dtype).removeprefix("torch.")), tuple(tensor.shape))
