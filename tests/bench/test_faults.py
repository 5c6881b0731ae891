import shutil
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def faults(load_bench, monkeypatch):
    """The script; it imports its neighbours."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "bench")
    return load_bench("faults")


@pytest.fixture
def rig(faults, tmp_path):
    if not shutil.which("cc"):
        pytest.skip("there is no C compiler for the faulty disk")
    try:
        made = faults.Rig(tmp_path / "rig")
    except (OSError, faults.fault_rig.subprocess.CalledProcessError) as error:
        pytest.skip(f"no disk of a chosen size can be mounted here: {error}")
    yield made
    made.close()


def test_every_kind_has_its_turn(faults):
    names = faults.schedule(np.random.default_rng(1), 200)
    assert len(names) == 200
    kinds = {name for name in faults.KINDS if name != "clock jumps back" or faults.fault_rig.clock_can_be_moved()}
    assert set(names) == set(names[: len(kinds)]) == kinds


@pytest.mark.slow
def test_a_round_with_a_chain_is_survived(faults, rig):
    report = faults.play_all(rig, seed=5, rounds=1, only="kill -9 of the worker", stages=3)
    assert report.failures == []
    assert sum(report.survived.values()) == 1


@pytest.mark.slow
def test_a_round_with_objects_is_survived(faults, rig):
    report = faults.play_all(rig, seed=5, rounds=1, only="kill -9 of the worker", stages=2, objects=2)
    assert report.failures == []
    assert sum(report.survived.values()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["kill -9 of the worker", "rename fails", "ENOSPC on the cache", "answer lost"])
def test_a_round_is_survived(faults, rig, kind):
    report = faults.play_all(rig, seed=3, rounds=1, only=kind)
    assert report.failures == []
    assert sum(report.survived.values()) == 1


def test_what_is_lost_is_seen(faults, rig, monkeypatch):
    """The checks themselves: a job whose alphas are not those of an undisturbed run."""
    monkeypatch.setattr(faults.fault_kinds, "expect", lambda _, case: case.expected.update(dict.fromkeys(case.numbers)))
    report = faults.play_all(rig, seed=3, rounds=1, only="SIGTERM of the worker")
    assert report.lost_frames > 0
    assert sum(report.survived.values()) == 0
