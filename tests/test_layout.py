"""Tests lie where a reader and bench/mutate.py look for them: a file for each module, in the folder of its room."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MIRRORED = {
    "server/videomama_server": "tests/server",
    "nuke_plugin/videomama_client": "tests/client",
    "nuke_plugin/videomama_nuke": "tests/nuke_plugin/plugin",
    "nuke_plugin/videomama_nuke/panel": "tests/nuke_plugin/panel",
    "install": "tests/install",
}
WITHOUT = {
    "server/videomama_server/engines/videomama/network/triton_kernels.py": "test_fused.py runs it",
    "server/videomama_server/pipeline/services.py": "a dataclass without methods",
    "server/videomama_server/worker/__main__.py": "one call; tests/server/worker/test_worker.py starts it",
    "nuke_plugin/videomama_nuke/__init__.py": "what the gizmo's knobs and Nuke's hooks call; the tests press the knobs",
    "install/__main__.py": "two calls; tests/install/test_program.py starts it",
    "install/job.py": "a dataclass; each verb's tests make one",
}


def has_code(module):
    return any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in ast.walk(ast.parse(module.read_bytes())))


def mirrored(module, source, tests):
    """Return where the tests of a module lie: `x.py` in `test_x.py`, `room/__init__.py` in `room/test_room.py`."""
    below = module.relative_to(ROOT / source)
    name = module.parent.name if module.name == "__init__.py" else module.stem.strip("_")
    return ROOT / tests / below.parent / f"test_{name}.py"


def modules(source):
    inner = [ROOT / other for other in MIRRORED if other.startswith(f"{source}/")]
    for module in sorted((ROOT / source).rglob("*.py")):
        if any(module.is_relative_to(folder) for folder in inner):
            continue
        if module.name != "__init__.py" or has_code(module):
            yield module


@pytest.mark.parametrize(("source", "tests"), MIRRORED.items())
def test_every_module_has_a_test_file_of_its_name(source, tests):
    lacking = [module for module in modules(source) if not mirrored(module, source, tests).exists()]
    known = [ROOT / name for name in WITHOUT if ROOT / name in modules(source)]
    assert lacking == sorted(known)


def test_folders_of_tests_are_folders_of_modules():
    strangers = [
        folder
        for source, tests in MIRRORED.items()
        for folder in sorted((ROOT / tests).rglob("*"))
        if folder.is_dir()
        and any(folder.glob("test_*.py"))
        and not (ROOT / source / folder.relative_to(ROOT / tests)).is_dir()
    ]
    assert strangers == []
