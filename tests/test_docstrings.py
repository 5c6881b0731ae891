"""The examples of docstrings run, and say what they say."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = (ROOT / "server", ROOT / "nuke_plugin")
MODULES = [
    ".".join(file.relative_to(source).with_suffix("").parts)
    for source in SOURCES
    for package in ("videomama_server", "videomama_client")
    for file in sorted((source / package).rglob("*.py"))
    if ">>> " in file.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name):
    module = import_module(name)
    known = {"np": import_module("numpy"), **vars(module)}
    failed, tried = doctest.testmod(module, globs=known, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert tried
    assert failed == 0


def test_there_are_modules_with_examples():
    assert len(MODULES) > 10
