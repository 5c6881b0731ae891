"""Alphas of several kinds to measure, and an independent implementation of the measures."""

import ast
import hashlib
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

_ORACLE = "mmedit==0.16.1"
_WHEEL = "mmedit-0.16.1-py2.py3-none-any.whl"
_DIGEST = "ab3ef35415dd538df8359b7e0dfa5fa612a5d452df641a3853f463bf2872725c"
_WAIT_S = 90
_PURE = {
    "mmedit/core/evaluation/metric_utils.py": {"gaussian", "dgaussian", "gauss_filter", "gauss_gradient"},
    "mmedit/core/evaluation/metrics.py": {"sad", "mse", "gradient_error", "connectivity"},
}


def soft_blob(seed, shape=(120, 160)):
    """An alpha with an edge that is soft and ragged, a hole, and flat parts."""
    rng = np.random.default_rng(seed)
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    grain = cv2.GaussianBlur(rng.random(shape, dtype=np.float32) - 0.5, (0, 0), 2)
    away = np.hypot(x - width / 2 - seed % 5, y - height / 2) / height
    return np.clip(8 * np.minimum(0.35 - away, away - 0.06) + 6 * grain + 0.5, 0, 1).astype(np.float32)


def noise(seed, shape=(23, 31)):
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def flat(value, shape=(6, 8)):
    return np.full(shape, value, np.float32)


def eight_bit(alpha):
    """The nearest alpha that 8 bits can hold, as numbers 0..255."""
    return np.rint(alpha * 255).astype(np.uint8)


@pytest.fixture
def blob():
    """Make alphas with ragged soft edges: `blob(seed, shape)`."""
    return soft_blob


@pytest.fixture(scope="session")
def oracle(request):
    """Four pure functions of mmedit, run without installing it; skips where it cannot be had."""
    folder = request.config.cache.mkdir("metrics-oracle")
    wheel = folder / _WHEEL
    if not wheel.exists():
        _download(folder)
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != _DIGEST:
        pytest.fail(f"{wheel} is not the published {_ORACLE}")
    source = folder / "oracle.py"
    source.write_text(_pure_functions(wheel), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("metrics_oracle", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _download(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", _ORACLE]
    try:
        subprocess.run([*command, "--dest", str(folder)], check=True, capture_output=True, timeout=_WAIT_S)
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"{_ORACLE} cannot be had: {error}")


def _pure_functions(wheel: Path) -> str:
    parts = ["import cv2", "import numpy as np"]
    with zipfile.ZipFile(wheel) as packed:
        for path, names in _PURE.items():
            tree = ast.parse(packed.read(path))
            found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in names]
            assert {node.name for node in found} == names
            parts.extend(map(ast.unparse, found))
    return "\n\n".join(parts)


@pytest.fixture
def of_kind():
    """Make pairs of alphas that 8 bits can hold, to judge and exact: `of_kind("blob")`."""

    def make(kind):
        if kind == "blob":
            return eight_bit(soft_blob(1)), eight_bit(soft_blob(2))
        if kind == "noise":
            return eight_bit(noise(1, (90, 110))), eight_bit(noise(2, (90, 110)))
        if kind == "levels":  # fifths: exactly at thresholds
            return eight_bit(np.rint(soft_blob(5) * 5) / 5), eight_bit(np.rint(soft_blob(6) * 5) / 5)
        return eight_bit(flat(0.0, (40, 50))), eight_bit(soft_blob(4, (40, 50)))

    return make
