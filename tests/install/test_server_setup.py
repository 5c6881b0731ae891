"""The verb `server`: the project, then torch, then what needs it."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest
import server_setup
import torch_build
from environment import Environment
from job import Job
from source import INDEX, Source


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was asked for, in order."""
    seen: list[object] = []
    monkeypatch.setattr(server_setup, "prepare", lambda request: seen.append(request.extras))
    monkeypatch.setattr(torch_build, "ensure", lambda root, environment, build, source: seen.append(build.flavours))
    monkeypatch.setattr(torch_build, "find_gpu", lambda: torch_build.Gpu("NVIDIA L4", "580.65", (8, 9), 23034))
    return seen


def job(folder: Path, source: Source = INDEX, *, cpu: bool = False) -> Job:
    options = Namespace(cpu=cpu, python=None)
    return Job(folder, Environment(folder / "env"), options, [], source, source)


def test_torch_comes_before_what_would_bring_another(order, tmp_path):
    assert server_setup.run(job(tmp_path)) == 0
    assert order == [("web",), ("cu130", "cu128", "cu126"), ("videomama", "web")]


def test_cpu_takes_the_build_for_the_processor_also_beside_a_gpu(order, tmp_path):
    server_setup.run(job(tmp_path, cpu=True))
    assert order[1] == ("cpu",)


def test_a_bundle_without_the_model_sets_up_the_server_alone(order, tmp_path, capsys):
    source = Source(tmp_path / "wheels", ("web",))
    assert server_setup.run(job(tmp_path, source)) == 0
    assert order == [("web",)]
    assert "without the model" in capsys.readouterr().out


def test_the_plan_names_build_size_and_reason(order, tmp_path):
    (tmp_path / "install").mkdir()
    (tmp_path / "install" / "constraints.txt").write_text("torch==2.13.0\n")
    (tmp_path / "pyproject.toml").write_text("")
    lines = server_setup.plan_lines(job(tmp_path))
    assert lines[0].endswith("env will be created, about 0.7 GB")
    assert lines[1] == "torch: 2.13.0 for the GPU (NVIDIA L4, driver 580.65), about 3 GB"
    assert not (tmp_path / "env").exists()


def test_others_cannot_run_a_python_of_ones_own_home_and_the_plan_warns(tmp_path, monkeypatch):
    found = server_setup.find(None)
    monkeypatch.setattr(server_setup, "find", lambda _: replace(found, executable=str(tmp_path / "home" / "python3")))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (warning,) = server_setup.home_warnings(job(tmp_path / "studio"))
    assert warning.startswith("warning: ")
    assert "--python PATH" in warning
    monkeypatch.setenv("HOME", str(tmp_path))  # the project lies there too: nobody else is meant to run it
    assert server_setup.home_warnings(job(tmp_path / "studio")) == []
