"""`videomama demo`: what it asks of the run, and what it prints of the report."""

import pytest
from videomama_server.cli.follow import follow
from videomama_server.demo.run import DemoReport
from videomama_server.metrics import MetricsResult
from videomama_server.synthetic.demo_clip import ClipShape


@pytest.fixture
def asked(monkeypatch):
    """Stand in for the run, which demo/test_run.py does for real: takes what it is asked for, and reports at once."""
    seen = []

    def run(folder, shape, by, say):
        seen.append((folder, shape, by))
        say("Refining")
        mask = MetricsResult(mad=18.0, mse=9.0, grad=24.0, dtssd=None, frames=shape.frames)
        alpha = MetricsResult(mad=4.5, mse=3.0, grad=6.0, dtssd=None, frames=shape.frames)
        second = {"cached": 2, "seconds": 0.25}
        return DemoReport(shape.frames, "classic", [0, 0, 96, 64], mask, alpha, 1.234, second)

    monkeypatch.setattr("videomama_server.cli.demo.run", run)
    return seen


def test_it_prints_errors_times_and_where_to_look(videomama, asked, tmp_path):
    said = videomama("demo", "--out", tmp_path / "d", "--frames", "3", "--seed", "5")
    assert said.code == 0
    assert said.err == "Refining\n"
    (measured,) = [line.strip("│ \n") for line in said.out.splitlines() if "GRAD" in line]
    assert [len(cell) - len(cell.rstrip()) for cell in measured.split("│")[1:-1]] == [
        1,
        1,
    ]  # figures stand at the right
    assert measured.startswith("GRAD /1e3 ")
    rows = {line.strip("│ ").split("│")[0].strip(): line.strip("│ ").split("│")[1:] for line in said.out.splitlines()}
    assert [cell.strip() for cell in rows["MAD x1e3"]] == ["18.00", "4.50", "0.25"]
    assert [cell.strip() for cell in rows["dtSSD x1e2"]] == ["-", "-", "-"]
    assert said.out.splitlines()[-3:] == [
        "1.23 s per frame by classic.",
        "The second run took 0.25 s, 2 of 3 frames from the cache.",
        f"Look at {tmp_path / 'd' / 'contact_sheet.png'}; the figures are in {tmp_path / 'd' / 'report.json'}.",
    ]
    assert asked == [(tmp_path / "d", ClipShape(frames=3, seed=5), follow)]


def test_a_relative_folder_is_below_the_working_folder(videomama, asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert videomama("demo").code == 0
    assert asked == [(tmp_path / "videomama_demo", ClipShape(), follow)]


@pytest.mark.parametrize("frames", ["0", "241", "few"])
def test_frames_out_of_range_are_a_usage_error(videomama, asked, frames):
    assert videomama("demo", "--frames", frames).code == 2
    assert asked == []


def test_both_ends_of_the_range_of_frames_are_taken(videomama, asked, tmp_path):
    for frames in ("1", "240"):
        assert videomama("demo", "--out", tmp_path, "--frames", frames).code == 0
    assert [shape.frames for _, shape, _ in asked] == [1, 240]
