import json

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from videomama_server.train.logs import FILE, RunLog


def lines(folder):
    return [json.loads(line) for line in (folder / FILE).read_text().splitlines()]


def test_every_step_is_a_line_and_a_point_of_a_curve(tmp_path):
    with RunLog(tmp_path) as log:
        log.step(1, {"l1": 0.5, "total": 2.0})
        log.step(2, {"l1": 0.25, "total": 1.0})
    assert [(line["step"], line["kind"], line["total"]) for line in lines(tmp_path)] == [
        (1, "train", 2),
        (2, "train", 1),
    ]
    assert all(line["seconds"] >= 0 for line in lines(tmp_path))
    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(event.step, event.value) for event in board.Scalars("train/l1")] == [(1, 0.5), (2, 0.25)]


def test_scores_come_with_a_picture(tmp_path):
    with RunLog(tmp_path) as log:
        log.scores(7, {"mad": 3.0}, np.full((4, 6, 3), 0.5, np.float32))
    assert lines(tmp_path) == [{"step": 7, "kind": "validation", "mad": 3.0}]
    picture = EventAccumulator(str(tmp_path / "tensorboard")).Reload().Images("validation")[0]
    assert (picture.step, picture.height, picture.width) == (7, 4, 6)


def test_a_run_that_is_resumed_adds_to_its_log(tmp_path):
    for step in (1, 2):
        with RunLog(tmp_path) as log:
            log.step(step, {"total": 1.0})
    assert [line["step"] for line in lines(tmp_path)] == [1, 2]
