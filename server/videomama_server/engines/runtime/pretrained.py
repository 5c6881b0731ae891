"""Reads networks as transformers publishes them: their JSON files, and their tensors, all of which must have a place.

torch and transformers are imported inside functions: what only looks at files needs neither.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging import ERROR
from pathlib import Path
from typing import Any

from videomama_client.errors import WeightsError


def read_config(path: Path, hint: str) -> dict[str, Any]:
    """Return the values of a JSON file by name; empty where it holds something else.

    Raises:
        WeightsError: it is not there, or cannot be read; `hint` says what to do.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"cannot read {path}: {error}", hint) from error
    return content if isinstance(content, dict) else {}


def load(kind: str, folder: Path, refused: Callable[[str], WeightsError]) -> tuple[Any, dict[str, Any]]:
    """Return a network on the processor, in float32, and what transformers reports of tensors without a place.

    Args:
        kind: the name of its class in transformers.
        folder: of its files.
        refused: makes the error of files that cannot be loaded, of the reason in one line.
    """
    import torch
    import transformers
    from safetensors import SafetensorError

    failures = (SafetensorError, ImportError, OSError, ValueError, RuntimeError, KeyError, TypeError)
    with _quiet():
        try:
            return getattr(transformers, kind).from_pretrained(  # type: ignore[no-any-return]
                folder, local_files_only=True, dtype=torch.float32, output_loading_info=True
            )
        except failures as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            raise refused(reason_of(error)) from error


def reason_of(error: Exception) -> str:
    """Return what a library says of a failure, in one line."""
    return (str(error) or type(error).__name__).splitlines()[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from drawing bars and from warning of what is judged by its report."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(ERROR)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
