"""The peak of live tensor bytes of a call, measured by following every storage that it makes.

The call runs on meta tensors, which have shapes, strides and storages and no bytes: the network's own code is measured
at any size in seconds, without a card and without the memory. Where torch's meta kernels take another path than those
of a device do, `stand_ins` does what the device does: convolutions keep channels last, attention holds no matrix, and
torch's group norm goes through a contiguous copy on cards and not on CPUs. Where the network itself asks which device
it is on, meta tensors go the way of cards; the CPU's own ways take about as much. What kernels take inside themselves
besides, such as the workspaces of convolutions, is not seen; the planner allows for it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode


class Ledger(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types there
    """While it is entered, follows the storages that operations make, until each is freed.

    Views and in-place operations make none. What was there before is not counted, nor are the views of it.

    Attributes:
        live: bytes of the storages alive now.
        peak: the most that `live` ever was.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live = 0
        self.peak = 0
        self._followed: dict[int, int] = {}  # bytes by the storage's address, which is not reused while it lives
        self._known: dict[Any, Any] = {}  # layouts of results, which meta tensors take long to find

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operation and follow the storages that only its results have."""
        kwargs = kwargs or {}
        if func._schema.name.endswith("_") and _is_meta(args[0]):
            return args[0]  # in place, and there are no bytes
        if _is_meta(kwargs.get("out")):
            return kwargs["out"]
        key = (func, _layouts(args), _layouts(tuple(kwargs.items())))
        layouts = self._known.get(key)
        if layouts is not None:
            return self._repeated(layouts)
        result = func(*args, **kwargs)
        given = {_address(tensor) for tensor in _tensors((args, kwargs))}
        made = list(_tensors(result))
        new = [tensor for tensor in made if _address(tensor) not in given]
        for tensor in new:
            self._follow(tensor.untyped_storage())
        if new and len(new) == len(made) and all(map(_is_meta, new)):
            layouts = [(tensor.shape, tensor.stride(), tensor.dtype) for tensor in new]
            self._known[key] = layouts if isinstance(result, (tuple, list)) else layouts[0]
        return result

    def _repeated(self, layouts: Any) -> Any:
        """Return tensors like those that the same operation on meta tensors of the same layouts made before."""
        if isinstance(layouts, list):
            return tuple(self._repeated(layout) for layout in layouts)
        size, stride, dtype = layouts
        tensor = torch.empty_strided(size, stride, dtype=dtype, device="meta")
        self._follow(tensor.untyped_storage())
        return tensor

    def _follow(self, storage: torch.UntypedStorage) -> None:
        address = storage._cdata
        if address in self._followed:
            return
        self._followed[address] = storage.nbytes()
        self.live += storage.nbytes()
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._drop, address).atexit = False

    def _drop(self, address: int) -> None:
        self.live -= self._followed.pop(address)


@contextmanager
def stand_ins(*, card: bool) -> Iterator[None]:
    """Make every tensor that is created inside a meta tensor, and operations take what they take on a card or a CPU."""
    with torch.device("meta"), _Kernels(card=card):
        yield


class _Kernels(TorchFunctionMode):
    """Results of the operations whose meta kernels are not like those of a device."""

    def __init__(self, *, card: bool) -> None:
        super().__init__()
        norm = _card_group_norm if card else _cpu_group_norm
        self._instead: dict[Any, Callable[..., torch.Tensor]] = {
            torch.conv2d: _convolution,
            functional.scaled_dot_product_attention: _attention,
            functional.group_norm: norm,
            torch.group_norm: norm,
        }

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operation, or what stands for it here."""
        return self._instead.get(func, func)(*args, **(kwargs or {}))


def _convolution(
    x: torch.Tensor, weight: torch.Tensor, _bias: Any = None, stride: Any = 1, padding: Any = 0, *rest: Any
) -> torch.Tensor:
    """A 2-D convolution; a card, like oneDNN, first brings an input of another order into channels last."""
    if rest and _of_axis(rest[0], 0) != 1:
        raise ValueError("a dilated convolution cannot be measured")
    ordered = x.contiguous(memory_format=torch.channels_last)
    sides = [
        (x.shape[2 + axis] + 2 * _of_axis(padding, axis) - weight.shape[2 + axis]) // _of_axis(stride, axis) + 1
        for axis in range(2)
    ]
    result = torch.empty(
        (len(x), len(weight), *sides), dtype=x.dtype, device=x.device, memory_format=torch.channels_last
    )
    del ordered
    return result


def _of_axis(value: int | Sequence[int], axis: int) -> int:
    return value if isinstance(value, int) else value[axis]


def _attention(query: torch.Tensor, _key: torch.Tensor, value: torch.Tensor, **_options: Any) -> torch.Tensor:
    """A fused kernel: the result, laid out (N, L, heads, d), and a float32 sum per row."""
    sums = query.new_empty(query.shape[:-1], dtype=torch.float32)
    count, heads, length = query.shape[:3]
    result = query.new_empty((count, length, heads, value.shape[-1])).transpose(1, 2)
    del sums
    return result


def _cpu_group_norm(x: torch.Tensor, *_args: Any, **_options: Any) -> torch.Tensor:
    return torch.empty_like(x)


def _card_group_norm(x: torch.Tensor, *_args: Any, **_options: Any) -> torch.Tensor:
    ordered = x.contiguous()
    result = torch.empty_like(ordered)
    del ordered
    return result


def peak_of(call: Callable[[], Any]) -> int:
    """Return the most bytes of tensors, made by the call, that are alive at once; its inputs count if it makes them.

    The tensors may be stand-ins (call it inside `stand_ins`, where the module was built too) or real.
    """
    # Only outside inference mode are composite operations taken apart, so that what they make on the way is seen.
    with torch.inference_mode(False), torch.no_grad(), Ledger() as ledger:
        call()
    return int(ledger.peak)


def _is_meta(item: Any) -> bool:
    return isinstance(item, torch.Tensor) and item.is_meta


def _layouts(tree: Any) -> Any:
    """Return what decides about the layout of an operation's results."""
    if isinstance(tree, torch.Tensor):
        return tree.shape, tree.stride(), tree.dtype, tree.device.type
    if isinstance(tree, (tuple, list)):
        return tuple(_layouts(item) for item in tree)
    return type(tree), tree


def _address(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _tensors(tree: Any) -> Iterator[torch.Tensor]:
    if isinstance(tree, torch.Tensor):
        yield tree
    elif isinstance(tree, (tuple, list)):
        for item in tree:
            yield from _tensors(item)
    elif isinstance(tree, dict):
        yield from _tensors(tuple(tree.values()))
