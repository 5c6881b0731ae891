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


STAGES_THAT_FAIL = """
import argparse, json, os, sys, time
sys.path.insert(0, sys.argv[1])
import gpu_check, gpu_stages
gpu_stages.ALL |= {"hangs": lambda bench: time.sleep(600), "dies": lambda bench: os.abort()}
asked = argparse.Namespace(device="cpu", tiny=True)
limits = {"hangs": 0.5, "dies": 60, "unheard": 60, "machine": 60}
print(json.dumps({name: gpu_check.run_stage(name, limit, asked) for name, limit in limits.items()}))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the stages are put into a process that is forked")
def test_a_stage_that_hangs_or_dies_costs_its_own_figures_alone():
    done = subprocess.run(
        [sys.executable, "-c", STAGES_THAT_FAIL, str(SCRIPT.parent)], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["hangs"] == {"failed": "it did not end within 0 s"}
    assert found["dies"]["failed"].startswith("it ended with -6")
    assert found["unheard"] == {"failed": "it ended with 1: KeyError: 'unheard'"}
    assert found["machine"]["device"] == "cpu"


def test_an_unknown_stage_is_refused(tmp_path):
    done, record = run(tmp_path, "--stages", "machine,unheard")
    assert done.returncode == 2
    assert "unheard" in done.stderr
    assert record is None
