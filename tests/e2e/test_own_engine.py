"""The engine of docs/examples, installed as a studio would install it, in an environment of its own."""

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "own_engine.py"
PROJECT = tomllib.loads((EXAMPLE.parent / "pyproject.toml").read_text())["project"]
POINTS = PROJECT["entry-points"]["videomama.engines"]
OLD = """
from own_engine import Feather

class Old(Feather):
    name = "old"
    protocol = 0
"""


@pytest.fixture
def studio(tmp_path, packages, run_server, make_environment):
    """A server in an environment that has all that this one has, the example, and packages that cannot be used."""
    python, _ = make_environment(tmp_path / "environment")
    points = {name: point.partition(":")[2] for name, point in POINTS.items()}
    packages.put(PROJECT["name"], EXAMPLE.read_text(), points, PROJECT["version"], EXAMPLE.stem)
    packages.put("studio-broken", "import no_such_package", {"broken": "Broken"}, "3.1")
    packages.put("studio-old", OLD, {"old": "Old"})
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--no-deps"]
    done = subprocess.run([*pip, *packages.wheels()], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "server").mkdir()
    server = run_server(tmp_path / "server", (), str(python))
    yield server
    server.end()


def refined(server, clip, *options: EngineOption):
    """Return the alphas of a job with the engine's own options, and how many of them the cache had."""
    done = server.refine(clip, engine="feather", engine_options=options).done
    assert done.engine == "feather"
    return np.stack([clip.read_alpha(frame) for frame in clip.numbers]), done.cached


def test_the_example_is_a_whole_engine_in_60_lines():
    assert len(EXAMPLE.read_text().splitlines()) <= 60
    assert dict(POINTS) == {"feather": f"{EXAMPLE.stem}:Feather"}


def test_a_studios_engine_refines_and_its_option_changes_pixels_and_keys(studio, make_clip):
    clip = make_clip(count=3)
    narrow, cached = refined(studio, clip)
    assert cached == 0
    masks = np.stack([clip.read_mask(frame) for frame in clip.numbers])
    assert not np.array_equal(narrow, masks)
    assert ((narrow > 0.1) & (narrow < 0.9)).any()
    wide, cached = refined(studio, clip, EngineOption("width", 90.0))
    assert cached == 0
    assert np.abs(wide - narrow).max() > 0.05
    assert len(studio.entries()) == 6
    for options, known in (
        ((), narrow),
        ((EngineOption("width", 12.0),), narrow),
        ((EngineOption("width", 90),), wide),
    ):
        again, cached = refined(studio, clip, *options)
        assert cached == 3  # its default is the same as nothing, and 90 the same as 90.0
        np.testing.assert_array_equal(again, known)
    check_faulty_packages(studio, clip)


def check_faulty_packages(studio, clip):
    """See that each faulty engine is refused by name, and that nothing else suffers from it."""
    for name, package, reason in (
        ("broken", "studio-broken 3.1", "no_such_package"),
        ("old", "studio-old 1.0", "Protocol 0"),
    ):
        with pytest.raises(BadInput) as refused:
            studio.refine(clip, engine=name)
        assert package in refused.value.message
        assert reason in refused.value.message
        assert refused.value.hint
    assert studio.status().worker_restarts == 0
    with pytest.raises(BadInput, match="width 1000"):
        refined(studio, clip, EngineOption("width", 1000.0))
    with studio.client() as client:
        told = {state.name: state for state in client.engines().engines}
    assert [spec.name for spec in told["feather"].options] == ["width", "mask_threshold"]
    assert "studio-broken 3.1" in told["broken"].message
    assert not told["classic"].message
    assert refined(studio, clip)[1] == 3
