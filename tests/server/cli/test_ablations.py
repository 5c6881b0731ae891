import json
import subprocess
from types import SimpleNamespace

import pytest
from videomama_server.evaluate.summary import Evaluation, SummaryRow, to_json

PLAN = "common: {unet: SVD, vae: SVD}\nruns: {long: {steps: 9}, short: {steps: 2}}\nevaluate: {data: clips}\n"


@pytest.fixture
def started(monkeypatch):
    """The commands that were started; each leaves a result, or figures. `fail` names one that fails."""
    seen = SimpleNamespace(commands=[], fail="")

    def start(command, **_):
        from pathlib import Path

        out = Path(command[command.index("--out") + 1])
        name = "evaluate" if "evaluate" in command else out.name
        seen.commands.append(command)
        if name == seen.fail:
            return SimpleNamespace(returncode=1)
        (out / "result").mkdir(parents=True, exist_ok=True)
        if name == "evaluate":
            engines = ["mask", *(command[place + 1] for place, word in enumerate(command) if word == "--engine")]
            rows = [SummaryRow("d", "d", "given", engine, 1, {"mad": len(engine) / 100}, {}) for engine in engines]
            made = Evaluation("1", "now", ["mad"], {}, [], rows, [], [], [], [], [], [], [])
            (out / "evaluation.json").write_text(json.dumps(to_json(made)))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", start)
    return seen


@pytest.fixture
def ablate(videomama, tmp_path):
    (tmp_path / "plan.yaml").write_text(PLAN)
    return lambda *words: videomama("train", "ablations", tmp_path / "plan.yaml", "--out", tmp_path / "out", *words)


def test_trainings_run_in_order_then_all_are_measured_and_one_table_is_written(ablate, started, tmp_path):
    said = ablate("--launch", "torchrun --nproc-per-node 8")
    assert said.code == 0, said.err
    first, second, last = started.commands
    assert first[:6] == ["torchrun", "--nproc-per-node", "8", "-m", "videomama_server", "train"]
    assert (first[-1], second[-1]) == (str(tmp_path / "out" / "long"), str(tmp_path / "out" / "short"))
    assert last[1:5] == ["-m", "videomama_server", "evaluate", "clips"]
    assert "| d | given | short | - | 1 |" in said.out
    assert (tmp_path / "out" / "ablations.csv").read_text().startswith("group,data,masks,training,window,clips,mad\n")
    assert len(json.loads((tmp_path / "out" / "ablations.json").read_text())) == 3


def test_a_training_that_ended_is_kept_and_one_that_failed_is_done_again(ablate, started):
    started.fail = "short"
    said = ablate()
    assert said.code == 1
    assert "short ended with code 1" in said.err
    assert len(started.commands) == 2
    started.fail = ""
    said = ablate()
    assert "long: kept from an earlier run" in said.err
    assert [command[-1].rpartition("/")[2] for command in started.commands[2:]] == ["short", "evaluation"]


def test_a_starter_that_is_not_there_is_named(videomama, tmp_path):
    (tmp_path / "plan.yaml").write_text(PLAN)
    said = videomama("train", "ablations", tmp_path / "plan.yaml", "--out", tmp_path, "--launch", "no-such-starter")
    assert said.code == 1
    assert "no-such-starter cannot be started" in said.err
