"""A cache with an entry, and with a note."""

import sys
from pathlib import Path

import pytest
from videomama_server.cache.entries import Cache

HERE = str(Path(__file__).parent)
if HERE not in sys.path:  # cache_cases lies beside this file
    sys.path.insert(0, HERE)

from cache_cases import FULL, KEY, alpha  # noqa: E402


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


@pytest.fixture
def entry(cache):
    return cache.publish(KEY, alpha(), FULL)


@pytest.fixture
def noted(cache):
    """An entry with a note: its file, and the note's."""
    entry = cache.publish(KEY, alpha(), FULL)
    cache.keep_note(entry, "what was measured: é")
    return entry, entry.with_suffix(".json")
