"""The check for a card, small and on a CPU: every stage runs or says why it does not, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "bench" / "gpu_check.py"
NEED_A_CARD = {"graph", "lost_context"}


def run(tmp_path, *words):
    out = tmp_path / "found.json"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--device", "cpu", "--tiny", "--out", str(out), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    return done, json.loads(out.read_text()) if out.exists() else None


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_all_of_it_runs_small_on_a_cpu(load_bench, tmp_path):
    done, record = run(tmp_path)
    assert done.returncode == 0, done.stdout
    found = record["result"]
    assert set(found) == set(load_bench("gpu_check").STAGES)
    assert {name for name, result in found.items() if "skipped" in result} == NEED_A_CARD
    assert found["norms"]["repeats"]
    assert found["offload"]["same_bits"]
    assert found["out_of_memory"]["inside"]["known"]
    assert found["formats"]["unet float16"]["mean"] < 0.05
    assert found["weights_in_8_bits"]["int8"]["gb"] < found["weights_in_8_bits"]["as they are"]["gb"]
    assert found["overlap"]["frames"] > 0
    assert found["pictures"]["agrees"]
    assert found["pictures"]["tiny, matrix"]["lifted_apart"] <= 1e-3


@pytest.mark.slow
def test_a_stage_that_does_not_end_costs_its_own_figures_alone(load_bench, tmp_path, monkeypatch):
    check = load_bench("gpu_check")
    asked = check.argparse.Namespace(device="cpu", tiny=True)
    assert check.run_stage("machine", 0.1, asked) == {"failed": "it did not end within 0 s"}
    assert "failed" in check.run_stage("unheard", 60, asked)


def test_an_unknown_stage_is_refused(tmp_path):
    done, record = run(tmp_path, "--stages", "machine,unheard")
    assert done.returncode == 2
    assert "unheard" in done.stderr
    assert record is None
