"""The three files of a report."""

import json

import pytest
from videomama_client.errors import NotPermitted
from videomama_server.evaluate.report.write import write
from videomama_server.evaluate.summary import read


def test_the_json_reads_back(done):
    assert read(done.files[0]).per_clip == done.evaluation.per_clip
    content = json.loads(done.files[0].read_text(encoding="utf-8"))
    frames = content["frames"][0]
    assert len(frames["scores"]["mad"]) == len(frames["frames"]) == 3


def test_a_folder_that_cannot_be_written_is_told(done, tmp_path):
    with pytest.raises(NotPermitted):
        write(tmp_path / "none", done.evaluation, done.units)


def test_the_json_is_read_by_people_too(done):
    lines = done.files[0].read_text(encoding="utf-8").split("\n")
    assert lines[0] == "{"
    assert lines[1].startswith(' "')
    assert lines[-2:] == ["}", ""]
