"""Reads a file of options, .yaml, .json or .csv, into texts, lists and maps, and knows the line of each key.

Scalars stay the text that the person wrote: `version: 003` is `003`, and `say: no` is `no`. Nothing is ever made of a
tag, so that no file runs code. A text of `null` in YAML or JSON, or nothing, is None.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videomama_client.disk_errors import disk_error
from videomama_client.errors import BadInput
from videomama_client.wording import choices, counted

if TYPE_CHECKING:
    import yaml

SHOTS = "shots"
_MOST_BYTES = 8_000_000
_MOST_VALUES = 200_000  # a few lines of aliases stand for billions
_DEEPEST = 12
_SUFFIXES = (".yaml", ".yml", ".json", ".csv")
_PLAIN_TAGS = frozenset({"str", "int", "float", "bool", "timestamp"})
_TAG = "tag:yaml.org,2002:"
_SIMPLER = "Write it with texts, numbers, lists and maps alone."
Keys = tuple[str, ...]


@dataclass(frozen=True)
class OptionFile:
    """What a file says.

    Attributes:
        path: of the file.
        content: by key: None, a text, a list or a map of the same.
        lines: of keys, by the keys on the way to them; places in lists count from 0. None are known of JSON.
    """

    path: Path
    content: dict[str, Any]
    lines: Mapping[Keys, int] = field(default_factory=dict)

    def where(self, *keys: str) -> str:
        """Return what errors call the place of a key: the file, with the line where it is known."""
        for count in range(len(keys), 0, -1):
            if keys[:count] in self.lines:
                return f"{self.path}, line {self.lines[keys[:count]]}"
        return str(self.path)


def read(path: Path) -> OptionFile:
    """Read a file.

    Raises:
        BadInput: it is not there, too large, of another kind, or not well-formed; the error names the line.
        NotPermitted: it cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        reason = f"{path} is not a file of options"
        raise BadInput(reason, choices(suffix, _SUFFIXES), file=str(path))
    text = _text(path)
    if suffix == ".csv":
        return _of_csv(path, text)
    return _of_json(path, text) if suffix == ".json" else _Yaml(path).read(text)


def _text(path: Path) -> str:
    try:
        if path.is_file() and path.stat().st_size > _MOST_BYTES:
            raise BadInput(f"{path} has more than {_MOST_BYTES // 1_000_000} MB", "Split it into several files.")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise BadInput(f"{path} is not there", "Check the name of the file.", file=str(path)) from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not text in UTF-8", "Save it as UTF-8.", file=str(path)) from error
    except OSError as error:
        raise disk_error(error) from error


def _not_valid(path: Path, kind: str, line: int | None, problem: str) -> BadInput:
    at = f", line {line}" if line else ""
    return BadInput(f"{path}{at}: not valid {kind}: {problem}", "Correct that line.", file=str(path))


def _twice(where: str, key: str) -> BadInput:
    return BadInput(f"{where}: the key {key!r} is there twice", "Leave one of them.")


def _of_json(path: Path, text: str) -> OptionFile:
    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise _twice(str(path), key)
            found[key] = value
        return found

    try:
        content = json.loads(text, object_pairs_hook=made, parse_int=str, parse_float=str, parse_constant=str)
        plain = _plain(content)
    except json.JSONDecodeError as error:
        raise _not_valid(path, "JSON", error.lineno, error.msg) from error
    except RecursionError as error:
        raise BadInput(f"{path} is nested too deeply", _SIMPLER) from error
    return OptionFile(path, _mapping(path, plain))


def _plain(value: Any) -> Any:
    """Return a value with yes/no as text, and all else as it is: numbers are texts already."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return ("true" if value else "false") if isinstance(value, bool) else value


def _mapping(path: Path, content: Any) -> dict[str, Any]:
    if not content:
        raise BadInput(f"{path} holds nothing", "Write options into it, such as plate: plate.####.exr.")
    if not isinstance(content, dict):
        raise BadInput(f"{path} must be a map of options", "Write one key a line, such as plate: plate.####.exr.")
    return content


def _of_csv(path: Path, text: str) -> OptionFile:
    lines = text.splitlines()
    header = next((line for line in lines if line.strip()), "")
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[dict[str, Any]] = []
    places: dict[Keys, int] = {}
    names: list[str] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not names:
                names = _columns(path, cells)
                continue
            places[SHOTS, str(len(rows))] = reader.line_num
            rows.append(_row(f"{path}, line {reader.line_num}", names, cells))
    except csv.Error as error:
        raise _not_valid(path, "CSV", reader.line_num, str(error)) from error
    if not rows:
        raise BadInput(f"{path} holds no shots", "Write the names of options into the first line, and a shot a line.")
    return OptionFile(path, {SHOTS: rows}, places)


def _columns(path: Path, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    for place, name in enumerate(names):
        if not name:
            raise BadInput(f"{path}: column {place + 1} has no name", "Write the name of an option above each column.")
        if name in names[:place]:
            raise _twice(str(path), name)
    return names


def _row(where: str, names: list[str], cells: list[str]) -> dict[str, Any]:
    if len(cells) > len(names):
        raise BadInput(
            f"{where}: {counted(len(cells), 'cell')}, and there are {counted(len(names), 'column')}",
            "Put quotes around a cell with a separator in it.",
        )
    return {name: cell.strip() for name, cell in zip(names, cells, strict=False) if cell.strip()}


class _Yaml:
    """Reads one YAML file by its nodes, which are neither expanded nor turned into objects."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[Keys, int] = {}
        self._count = 0

    def read(self, text: str) -> OptionFile:
        """Return what the file says; raises `BadInput`."""
        import yaml  # not before a file needs it

        try:
            node = yaml.compose(text, yaml.SafeLoader)
            content = None if node is None else self._value(node, ())
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else None
            raise _not_valid(self._path, "YAML", line, error.problem or "not YAML") from error
        except yaml.YAMLError as error:
            raise _not_valid(self._path, "YAML", None, str(error).splitlines()[0]) from error
        except RecursionError as error:
            raise BadInput(f"{self._path} is nested too deeply", _SIMPLER) from error
        return OptionFile(self._path, _mapping(self._path, content), self._lines)

    def _value(self, node: yaml.Node, keys: Keys) -> Any:
        where = f"{self._path}, line {node.start_mark.line + 1}"
        self._lines.setdefault(keys, node.start_mark.line + 1)
        self._count += 1
        if self._count > _MOST_VALUES:
            raise BadInput(f"{where}: the aliases stand for more than {_MOST_VALUES:,} values", _SIMPLER)
        if len(keys) > _DEEPEST:
            raise BadInput(f"{where}: maps and lists are nested too deeply", _SIMPLER)
        kind = node.tag.removeprefix(_TAG)
        if kind == "map":
            return self._map(node, keys)
        if kind == "seq":
            return [self._value(inner, (*keys, str(place))) for place, inner in enumerate(node.value)]
        if kind == "null":
            return None
        if kind not in _PLAIN_TAGS:
            raise BadInput(f"{where}: values of the type {node.tag} are not supported", _SIMPLER)
        return str(node.value)

    def _map(self, node: yaml.Node, keys: Keys) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            where = f"{self._path}, line {line}"
            if key.tag == f"{_TAG}merge":
                raise BadInput(
                    f"{where}: merge keys (<<) are not supported", "Put what several shots share under defaults."
                )
            if key.tag.removeprefix(_TAG) not in _PLAIN_TAGS:
                raise BadInput(f"{where}: a key must be text", "Write the name of an option.")
            if key.value in found:
                raise _twice(where, key.value)
            self._lines[*keys, key.value] = line
            found[key.value] = self._value(value, (*keys, key.value))
        return found
