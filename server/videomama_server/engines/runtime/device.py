"""Which device the network runs on, in which number formats, and how much memory there is.

A card is one of NVIDIA or AMD, both of which torch calls `cuda`, or the graphics part of an Apple processor, `mps`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import torch
from torch import nn
from videomama_client.errors import BadInput

from videomama_server.engines.base import DeviceLost

_NO_MEMORY = (  # what errors say that are no `torch.OutOfMemoryError`
    "can't allocate memory",
    "out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUSOLVER_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
)
_DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}
_SHORT = {dtype: name for name, dtype in _DTYPES.items()}
_CARDS = ("cuda", "mps")
_MPS_BF16 = (14, 0)  # macOS from which on Metal calculates in it
_CPU_BF16 = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")  # every processor with AMX tiles has AMX-BF16


@dataclass(frozen=True)
class Device:
    """Where the network runs.

    Attributes:
        device: with its index when it is a card.
        storage: the format that weights are kept in.
        arithmetic: the format of the activations; layers cast their weights to it when it is not `storage`.
    """

    device: torch.device
    storage: torch.dtype
    arithmetic: torch.dtype

    def describe(self) -> str:
        """Return for example "cuda:0 NVIDIA H200, fp16" or "cpu, fp32 from bf16 weights"."""
        name = str(self.device)
        if self.device.type == "cuda" and torch.cuda.is_available():
            name = f"{name} {torch.cuda.get_device_name(self.device)}{' (ROCm)' if torch.version.hip else ''}"
        arithmetic, storage = _SHORT[self.arithmetic], _SHORT[self.storage]
        return f"{name}, {arithmetic}" if arithmetic == storage else f"{name}, {arithmetic} from {storage} weights"


def has_card() -> bool:
    """Whether there is a card that torch can use."""
    return bool(_cards())


def is_card(device: torch.device) -> bool:
    """Whether a device is a card, and not the CPU."""
    return device.type in _CARDS


def choose(device: str = "auto", dtype: str = "auto") -> Device:
    """Return the device and the formats for what the config says.

    Args:
        device: "auto" (the first card, else the CPU), "cpu", "cuda" or "cuda:N", "mps". No other device is taken in
            the place of one that is named.
        dtype: "auto" (fp16 on a card, bf16 weights on a CPU), "fp16", "bf16" or "fp32". On a CPU it is the format of
            the weights; arithmetic is float32 unless the processor calculates in bf16.

    Raises:
        BadInput: there is no such device or format, or the card does not calculate in bf16.
    """
    if dtype != "auto" and dtype not in _DTYPES:
        raise BadInput(f"unknown number format {dtype!r}", f"There are: auto, {', '.join(_DTYPES)}.")
    chosen = _device(device)
    if is_card(chosen):
        storage = _DTYPES["fp16" if dtype == "auto" else dtype]
        if storage == torch.bfloat16 and not _card_has_bf16(chosen):
            raise BadInput(f"{chosen} does not calculate in bf16", "Use fp16 there, or fp32.")
        return Device(chosen, storage, storage)
    storage = _DTYPES["bf16" if dtype == "auto" else dtype]
    fast_bf16 = storage == torch.bfloat16 and cpu_has_bf16()
    return Device(chosen, storage, torch.bfloat16 if fast_bf16 else torch.float32)


def cpu_has_bf16() -> bool:
    """Whether this processor multiplies bf16 in hardware (AMX-BF16 or AVX512-BF16).

    Without it torch emulates: a convolution in bf16 is then hundreds of times slower than in float32.
    """
    return any(getattr(torch.cpu, probe, bool)() for probe in _CPU_BF16)


def _card_has_bf16(card: torch.device) -> bool:
    """Whether a card multiplies bf16 in hardware."""
    if card.type == "mps":
        return bool(torch.backends.mps.is_macos_or_newer(*_MPS_BF16))
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def card_bytes(asked: str, most_gb: float = 0.0) -> int:
    """Return the memory of the card that the config asks for, at most `most_gb` where that is above 0; 0 for no card.

    Apple's memory is the system's, so that `mps` counts as no card here.
    """
    chosen = next((name for name in _cards() if asked in ("auto", name, name.partition(":")[0])), "")
    if not chosen.startswith("cuda"):
        return 0
    total = int(torch.cuda.get_device_properties(torch.device(chosen)).total_memory)
    return min(total, int(most_gb * 1e9)) if most_gb else total


def free_bytes(device: torch.device) -> int:
    """Return the bytes that this process may still take on the device.

    On a card: what the driver calls free, and what torch holds in reserve and does not use. On a CPU: what the system
    could give without swapping; so on Apple's, whose memory is the system's, up to what Metal recommends.
    """
    if device.type == "mps":
        unused = torch.mps.driver_allocated_memory() - torch.mps.current_allocated_memory()
        room = torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()
        return max(0, min(room, psutil.virtual_memory().available + unused))
    if device.type != "cuda":
        return int(psutil.virtual_memory().available)
    free, _ = torch.cuda.mem_get_info(device)
    return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))


def limit(device: torch.device, asked: int) -> None:
    """Have torch refuse to hold more than `asked` bytes of a card; nothing for 0 bytes, or on a CPU."""
    if device.type == "mps" and asked:
        torch.mps.set_per_process_memory_fraction(min(1.0, asked / torch.mps.recommended_max_memory()))
    if device.type == "cuda" and asked:
        _, total = torch.cuda.mem_get_info(device)
        torch.cuda.set_per_process_memory_fraction(min(1.0, asked / total), device)


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory ran out: torch's own, the driver's, a library's on a card, or a CPU's."""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in _NO_MEMORY)


@contextmanager
def faults() -> Iterator[None]:
    """Tell apart what goes wrong on a device while a network computes; other errors pass.

    Raises:
        torch.OutOfMemoryError: memory ran out, whoever says so.
        DeviceLost: a fault on the card, after which this process cannot use it any more.
    """
    try:
        yield
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise torch.OutOfMemoryError(str(error)) from error
        if isinstance(error, torch.AcceleratorError):
            raise DeviceLost(str(error)) from error
        raise


def give_back(device: torch.device) -> None:
    """Return what torch holds in reserve and does not use: to a card's driver, and pinned memory to the system.

    Nothing on a CPU.
    """
    if device.type == "cuda":
        torch.cuda.empty_cache()
        unpin = getattr(torch.accelerator, "empty_host_cache", None)  # torch 2.8 keeps it
        if unpin is not None:
            unpin()
    elif device.type == "mps":
        torch.mps.empty_cache()


def resident_bytes(module: nn.Module) -> int:
    """Return the bytes of a module's weights and buffers, each counted once."""
    return sum(tensor.numel() * tensor.element_size() for tensor in (*module.parameters(), *module.buffers()))


def peak_bytes(device: torch.device) -> int | None:
    """Return the most bytes held at once: by tensors since `reset_peak` on a card, by the whole process on a CPU.

    None for `mps`, whose torch does not say.
    """
    if device.type == "mps":
        return None
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return _process_peak()


def reset_peak(device: torch.device) -> None:
    """Reset the peak that `peak_bytes` returns. On a CPU it stays the peak of the process."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def _process_peak() -> int:
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _device(name: str) -> torch.device:
    present = ["cpu", *_cards()]
    if name == "auto":
        return torch.device([*present[1:], "cpu"][0])
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in present:
        raise BadInput(f"there is no device {name!r} here", f"There are: auto, {', '.join(present)}.")
    return torch.device(wanted)


def _cards() -> list[str]:
    """Return the cards that torch can use, the one that "auto" takes first."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [*(f"cuda:{index}" for index in range(count)), *(["mps"] if torch.backends.mps.is_available() else [])]
