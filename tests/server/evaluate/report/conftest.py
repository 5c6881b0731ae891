"""One evaluation for the tests of all reports: they only look at it."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from videomama_client import launch
from videomama_server.config import Config
from videomama_server.datasets.layouts import read_data
from videomama_server.evaluate.asked import MeasureChoice, parse_engine, parse_masks
from videomama_server.evaluate.plan import EvaluationPlan, Failure
from videomama_server.evaluate.report.write import write
from videomama_server.evaluate.run import Runner
from videomama_server.evaluate.summary import summed_up
from videomama_server.many_jobs import OneByOne

STRANGE = 'fur <&"ü> | *x*'
QUIET = SimpleNamespace(begin=lambda _: None, unit=lambda _: None, step=lambda _=1: None, say=lambda _: None)


@pytest.fixture(scope="session")
def done(server, makers, tmp_path_factory):
    """An evaluation of two clips by two engines with two kinds of masks, one name strange, and a clip that failed."""
    folder = tmp_path_factory.mktemp("reports")
    make = makers(folder)
    make.plain("hair_wall")
    clips = read_data(make.plain("fur_sky", kind="fur")).clips
    clips[0] = replace(clips[0], name=STRANGE)
    asked = [parse_engine(name, Config()) for name in ("passthrough", "classic:fast")]
    kinds = [parse_masks(name) for name in ("given", "down8")]
    plan = EvaluationPlan(clips, asked, kinds, MeasureChoice(shape=True), folder / "out")
    outcome = Runner(plan, OneByOne(lambda: launch.connect(server.connection_file, start=False)), QUIET).run()
    assert outcome.failures == []
    outcome.failures.append(Failure("<b>gone</b>", "given", "mask", "cannot read <i>", "mend & go"))
    evaluation = summed_up(outcome)
    files = write(folder / "out", evaluation, outcome.units)
    return SimpleNamespace(evaluation=evaluation, units=outcome.units, files=files)


@pytest.fixture(scope="session")
def strange():
    """Name of a clip, which every report must show as it is."""
    return STRANGE
