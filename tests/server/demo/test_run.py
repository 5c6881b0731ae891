"""The demo from end to end, small: a server of its own, two runs, figures, and the pictures to look at."""

import json
import os

import pytest
from videomama_client import connection
from videomama_server.cache.entries import Cache
from videomama_server.cli.follow import follow
from videomama_server.demo.run import DemoReport, run
from videomama_server.media import frames
from videomama_server.metrics import MetricsResult
from videomama_server.synthetic.demo_clip import ClipShape

SHAPE = ClipShape(160, 90, 2)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Run it in a folder that holds an entry already; return folder, report, what was refined and what it said."""
    folder, refined, said = tmp_path_factory.mktemp("demo"), [], []
    Cache(folder / "cache").close()
    (folder / "cache" / "entries" / "ab").mkdir(parents=True)
    (folder / "cache" / "entries" / "ab" / "abc.exr").write_bytes(b"of an earlier run")

    def refine(client, order):
        refined.append(follow(client, order))
        return refined[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDEOMAMA_CONFIG", os.devnull)
        patch.setenv("VIDEOMAMA_WEIGHTS", str(folder / "none"))
        report = run(folder, SHAPE, refine, said.append)
    return folder, report, refined, said


def test_the_first_run_computes_and_the_second_is_from_the_cache(demo):
    folder, report, refined, _ = demo
    assert [(done.computed, done.cached) for done in refined] == [(2, 0), (0, 2)]
    assert (report.frames, report.engine, report.second_run["cached"]) == (2, "classic", 2)
    assert report.seconds_per_frame == refined[0].seconds / 2
    assert report.second_run["seconds"] == refined[1].seconds
    assert not (folder / "cache" / "entries" / "ab" / "abc.exr").exists()


def test_the_alpha_is_nearer_to_the_truth_than_the_mask(demo):
    _, report, *_ = demo
    assert 0 < report.ratio("mad") < 1
    assert report.mask.frames == report.alpha.frames == 2


def test_it_says_what_it_is_doing(demo):
    folder, *_, said = demo
    assert said == [f"Making 2 frames of 160x90 in {folder}", "Refining", "Refining again", "Measuring"]


def test_the_report_and_the_sheet_are_files(demo):
    folder, report, *_ = demo
    written = json.loads((folder / "report.json").read_text())
    assert written["alpha"]["mad"] == report.alpha.mad
    assert written["roi"] == list(report.roi)
    sheet = frames.read_plate(folder / "contact_sheet.png").pixels
    assert sheet.shape[0] > 2 * 270
    assert sheet.std() > 0.1


def test_its_server_has_ended(demo):
    file = demo[0] / "server" / "connection.json"
    assert not file.exists() or not connection.read(file).listening()


@pytest.mark.parametrize(("before", "after", "ratio"), [(4.0, 1.0, 0.25), (0.0, 1.0, None), (None, None, None)])
def test_a_ratio_needs_two_figures_and_an_error_to_begin_with(before, after, ratio):
    mask, alpha = (MetricsResult(mad=0.0, mse=0.0, grad=0.0, dtssd=value, frames=1) for value in (before, after))
    assert DemoReport(1, "classic", [], mask, alpha, 1.0, {}).ratio("dtssd") == ratio
