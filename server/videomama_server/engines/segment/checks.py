"""Loads a network once, on the processor, to find out whether it is whole; for those who put its files into place."""

from __future__ import annotations

from pathlib import Path

from videomama_server.engines.base import EngineConfig
from videomama_server.engines.segment import loading
from videomama_server.engines.segment.detector import PersonDetector
from videomama_server.engines.segment.families import DETECTOR, SAM3, NetworkFiles
from videomama_server.engines.segment.words import tokenizer_of


def load_once(files: NetworkFiles, engine: str) -> object:
    """Return what an engine makes of a network.

    Args:
        files: of the network.
        engine: what errors name.

    Raises:
        WeightsError: something is missing, has another shape, or has no place.
    """
    config = EngineConfig(weights=files.path, folded_dir=Path(), device="cpu")
    if files.family == DETECTOR:
        return PersonDetector(config)
    if files.family == SAM3:
        return loading.load_model(files, config, engine, "Sam3VideoModel"), tokenizer_of(files)
    return loading.load_tracker(files, config, engine)
