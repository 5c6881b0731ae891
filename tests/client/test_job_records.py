import getpass
import os
import socket

import pytest
from videomama_client import job_records
from videomama_client.job_records import JobState, Submitter, this_submitter


def test_a_process_tells_its_user_machine_program_and_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert this_submitter("batch") == Submitter(getpass.getuser(), socket.gethostname(), "batch", str(tmp_path))
    assert this_submitter().program == "script"


def test_a_user_without_a_name_and_a_folder_that_is_gone_are_left_empty(monkeypatch):
    def fails(*_):
        raise OSError("there is none")

    monkeypatch.setattr(getpass, "getuser", fails)
    monkeypatch.setattr(os, "getcwd", fails)
    found = this_submitter()
    assert (found.user, found.folder) == ("", "")
    assert found.host


@pytest.mark.parametrize(
    ("state", "left"),
    [("waiting", True), ("running", True), ("done", False), ("failed", False), ("interrupted", False)],
)
def test_a_job_that_waits_or_runs_is_left(state, left):
    assert JobState("j", "", "/p", "batch", state, None, None, 0, 0, 0.0).left is left
    assert (state in job_records.LEFT) is left


@pytest.mark.parametrize(
    ("label", "plate", "title"),
    [
        ("hero", "/shots/sh010/plate.####.exr", "hero"),
        ("", "/shots/sh010/plate.####.exr", "sh010/plate.####.exr"),
        ("", r"C:\shots\sh020\p.%04d.exr", "sh020/p.%04d.exr"),
        ("", "/p.exr", "p.exr"),
    ],
)
def test_a_job_is_called_by_its_label_else_by_its_plate(label, plate, title):
    assert JobState("j", label, plate, "batch", "done", None, None, 0, 0, 0.0).title == title


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(job_records.Phase) == {"done": 0}
    assert numbers_left_out(JobState) == {
        "submitted_at": 0.0,
        "stage_index": 0,
        "stage_count": 1,
        "inline": False,
        "resumable": False,
    }
