"""Packs messages into bytes and back; the only code that touches msgpack, and the only judge of what is well-formed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgpack

from videomama_client.errors import ProtocolError

MAX_PACKED_BYTES = 16 * 1024 * 1024
MAX_TEXT_BYTES = 64 * 1024
MAX_ITEMS = 200_000
MAX_VALUES = 1_000_000  # in a whole message: an empty list is one byte there and a hundred in memory
_KIND = "kind"


def encode(message: Any) -> bytes:
    """Pack a message: one map of its fields and its kind; raises `ProtocolError` for what cannot be packed."""
    content = {_KIND: type(message).__name__, **_as_map(message)}
    try:
        packed = msgpack.packb(content, use_bin_type=True, unicode_errors="surrogateescape")
    except (ValueError, TypeError, OverflowError) as error:
        raise ProtocolError(f"a {type(message).__name__} that cannot be packed: {error}"[:300]) from error
    if len(packed) > MAX_PACKED_BYTES:
        raise ProtocolError(f"a {type(message).__name__} of {len(packed)} bytes is too large", "Ask for fewer frames.")
    return bytes(packed)


def decode(packed: bytes, kinds: Mapping[str, type]) -> Any:
    """Unpack a message of one of `kinds`.

    Raises:
        ProtocolError: too large, not a map, unknown kind, unknown or missing field, or a wrong type.
    """
    if len(packed) > MAX_PACKED_BYTES:
        raise ProtocolError(f"a message of {len(packed)} bytes is too large", "Ask for fewer frames.")
    content = _unpack(packed)
    if not isinstance(content, dict):
        raise ProtocolError("a message must be a map")
    kind = content.pop(_KIND, None)
    if not isinstance(kind, str) or kind not in kinds:
        named = kind[:80] if isinstance(kind, str) else type(kind).__name__
        raise ProtocolError(f"unknown message kind {named!r}", "Update the older side.")
    return _build(kinds[kind], content)


class _Count:
    """Counts the values of one message while they are made; raises ValueError when they are more than `MAX_VALUES`."""

    def __init__(self) -> None:
        self._values = 0

    def list_made(self, made: list[Any]) -> list[Any]:
        """Take in a list that was just made."""
        self._values += 1 + len(made)
        if self._values > MAX_VALUES:
            raise ValueError(f"it holds more than {MAX_VALUES} values")
        return made

    def map_made(self, pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
        """Take in a map that was just made; raises ValueError when it names a field twice."""
        made = dict(self.list_made(pairs))
        if len(made) < len(pairs):
            raise ValueError("it names a field twice")
        return made


def _unpack(packed: bytes) -> Any:
    count = _Count()
    try:
        return msgpack.unpackb(
            packed,
            raw=False,
            strict_map_key=True,
            unicode_errors="surrogateescape",
            max_str_len=MAX_TEXT_BYTES,
            max_bin_len=0,
            max_ext_len=0,
            max_array_len=MAX_ITEMS,
            max_map_len=256,
            list_hook=count.list_made,
            object_pairs_hook=count.map_made,
        )
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise ProtocolError(f"a message that cannot be unpacked: {error}"[:300]) from error


def _as_map(message: Any) -> dict[str, Any]:
    return {field.name: _as_plain(getattr(message, field.name)) for field in fields(message)}


def _as_plain(value: Any) -> Any:
    if is_dataclass(value):
        return _as_map(value)
    return [_as_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _build(kind: type, content: dict[str, Any]) -> Any:
    hints = _hints(kind)
    unknown = [str(name)[:80] for name in content if name not in hints]
    if unknown:
        raise ProtocolError(f"{kind.__name__} has no field {', '.join(unknown[:5])}", "Update the older side.")
    missing = [name for name in _required(kind) if name not in content]
    if missing:
        raise ProtocolError(f"{kind.__name__} lacks {', '.join(missing)}", "Update the older side.")
    return kind(**{name: _checked(kind, name, value, hints[name]) for name, value in content.items()})


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _required(kind: Any) -> Sequence[str]:
    return [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]


def _checked(kind: type, name: str, value: Any, hint: Any) -> Any:
    if is_dataclass(hint) and isinstance(value, dict):
        return _build(hint, value)  # type: ignore[arg-type]
    if get_origin(hint) in (list, tuple) and isinstance(value, list):
        items = [_checked(kind, name, item, get_args(hint)[0]) for item in value]
        return get_origin(hint)(items)
    if get_origin(hint) is Union:
        return _checked_choice(kind, name, value, get_args(hint))
    if hint is float and type(value) is int:
        return float(value)
    if isinstance(hint, type) and type(value) is hint:
        return value
    wanted = getattr(hint, "__name__", str(hint))
    raise ProtocolError(f"{kind.__name__}.{name} must be {wanted}, not {type(value).__name__}")


def _checked_choice(kind: type, name: str, value: Any, hints: Sequence[Any]) -> Any:
    """Return a value that may be of one of several types: plain ones, or one of any kind and None."""
    if type(value) in hints:
        return value
    given = [hint for hint in hints if hint is not type(None)]
    if len(given) == 1:
        return _checked(kind, name, value, given[0])
    wanted = " or ".join(hint.__name__ for hint in given)
    raise ProtocolError(f"{kind.__name__}.{name} must be {wanted}, not {type(value).__name__}")
