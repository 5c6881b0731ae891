"""Miniature data sets with masks, and labellers on the shared server."""

import importlib.util
import sys
from pathlib import Path

import pytest
from videomama_client import launch
from videomama_client.settings import MatteSettings
from videomama_server.datasets.annotated_layouts import find_clips
from videomama_server.label.plan import Chain, LabelPlan
from videomama_server.label.run import Labeller
from videomama_server.many_jobs import OneByOne

sys.path.append(str(Path(__file__).parents[1] / "datasets"))  # for annotated.py

import annotated as sets


class Heard:
    """What a labeller told of its progress."""

    def __init__(self):
        self.clips, self.frames, self.finished, self.said = [], 0, 0, []

    def begin(self, clips):
        self.count = clips

    def unit(self, name):
        self.clips.append(name)

    def step(self, count=1):
        self.frames += count

    def done(self):
        self.finished += 1

    def say(self, text):
        self.said.append(text)


@pytest.fixture(scope="session")
def data():
    """The writers of data sets: `data.small_sav(folder)`."""
    return sets


@pytest.fixture
def plan_of(tmp_path):
    """Return plans: `plan_of(folder, engine="passthrough", maker=None, tolerate=1)`."""

    def plan(folder, engine="passthrough", maker=None, tolerate=1.0):
        chain = Chain(MatteSettings.of(engine=engine, roi="off"), (), maker)
        return LabelPlan(find_clips(folder), chain, tolerate, "CC0", tmp_path / "out")

    return plan


@pytest.fixture
def label(server, plan_of):
    """Label a data set: `label(folder, maker=...)` returns outcome and progress."""

    def run(folder, connect=None, **how):
        plan, heard = plan_of(folder, **how), Heard()
        plan.folder.mkdir(exist_ok=True)
        own = connect or (lambda: launch.connect(server.connection_file, start=False))
        return Labeller(plan, OneByOne(own), heard).run(), heard

    return run


@pytest.fixture(scope="session")
def sam2_server(run_server, tmp_path_factory):
    """A server with a tiny SAM 2 of random weights."""
    pytest.importorskip("transformers")
    networks = Path(__file__).parents[1] / "engines" / "segment" / "conftest.py"
    spec = importlib.util.spec_from_file_location("segment_networks", networks)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("sam2")
    module.make_sam2().save_pretrained(folder / "weights" / "sam2")
    running = run_server(folder, ("--weights", str(folder / "weights"), "--device", "cpu"))
    yield running
    running.end()
