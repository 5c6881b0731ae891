"""The report of a batch: whole in its file after every shot, and a table for people."""

import json

import pytest
from videomama_client.errors import VideoMaMaError
from videomama_server.batch.report import CANCELLED, DONE, FAILED, KEPT, Report, ShotResult, table

ERROR = {"code": "bad-input", "message": "missing: mask frames 1003\nmore", "hint": "Render them."}


def test_the_file_holds_all_results_so_far(tmp_path):
    report = Report(tmp_path / "new" / "shots.report.json")
    report.add(ShotResult("a", DONE, "a.####.exr", 3, 2, 1, 1.5, ["w"], ["hole"]))
    report.add(ShotResult("b", FAILED, error=ERROR))
    said = json.loads(report.path.read_text())
    assert said == json.loads(json.dumps(report.as_dict()))
    assert said["counts"] == {"done": 1, "kept": 0, "failed": 1, "cancelled": 0}
    assert said["shots"][1]["error"] == ERROR
    report.add(ShotResult("b", DONE))
    assert [one["state"] for one in json.loads(report.path.read_text())["shots"]] == ["done", "done"]


def test_the_table_has_a_line_a_shot_and_a_sum():
    report = Report()
    for result in (ShotResult("a", DONE, "", 24, 20, 4, 61.25), ShotResult("longer", KEPT, "", 4)):
        report.add(result)
    report.add(ShotResult("c", FAILED, error=ERROR))
    assert report.lines() == [
        "shot    state   frames  computed  cached  seconds  flags",
        "a       done        24        20       4     61.2",
        "longer  kept         4",
        "c       failed                                            missing: mask frames 1003",
        "3 shots: 1 done, 1 kept, 1 failed",
    ]


@pytest.mark.parametrize(("state", "failed"), [(DONE, False), (KEPT, False), (FAILED, True), (CANCELLED, True)])
def test_a_batch_has_failed_where_a_shot_lacks_frames(state, failed):
    report = Report()
    report.add(ShotResult("a", state))
    assert report.has_failed is failed


def test_a_report_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(VideoMaMaError, match="file"):
        Report(tmp_path / "file" / "report.json").add(ShotResult("a", DONE))


def test_columns_of_numbers_end_alike():
    assert table(("a", "n"), [("x", "10"), ("yy", "5")], (1,)) == ["a    n", "x   10", "yy   5"]


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(ShotResult) == {"frames": 0, "computed": 0, "cached": 0, "seconds": 0.0}
