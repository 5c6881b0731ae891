"""`python -m nuke_standin dump FILE...`: one JSON object per file with its nodes, inputs and raw knobs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from nuke_standin import script
from nuke_standin.words import TclError, decoded


def described(text: str, name: str) -> dict:
    """Return the object for the text of a file."""
    parsed = script.parse(text)
    return {"file": name, "nodes": [_node(record, parsed.records) for record in parsed.records]}


def _node(record: script.Record, records: list) -> dict:
    knobs = _knobs(record, records)
    return {
        "class": record.cls,
        "name": knobs.get("name"),
        "inputs": record.inputs,
        "knobs": knobs,
        "group": record.group,
    }


def _knobs(record: script.Record, records: list) -> dict:
    """A clone has its original's knobs, and its own place."""
    knobs = {} if record.clone_of is None else _knobs(records[record.clone_of], records)
    knobs.update((item.name, item.word.text) for item in record.items if item.name != "addUserKnob")
    return knobs


def main(files: list[str]) -> int:
    """Print the objects; a file that cannot be read is named on stderr, and nothing is printed for it."""
    failed = not files
    if failed:
        print("usage: python -m nuke_standin dump FILE...", file=sys.stderr)  # noqa: T201 - a command
    for name in files:
        try:
            line = json.dumps(described(decoded(Path(name).read_bytes()), name), ensure_ascii=False)
        except (OSError, TclError) as error:
            print(f"{name}: {error}", file=sys.stderr)  # noqa: T201 - a command
            failed = True
            continue
        sys.stdout.buffer.write(line.encode("utf-8") + b"\n")
        sys.stdout.buffer.flush()
    return 1 if failed else 0
