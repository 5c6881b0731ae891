"""The person of a clip, found by the command in a process of its own."""

import json

import pytest
from videomama_server import asking

FOUND = {
    "frame": 1002,
    "box": [1.0, 2.0, 30.0, 40.0],
    "coverage": 0.75,
    "requested_start": 1001,
    "effective_start": 1002,
}


@pytest.fixture
def said(monkeypatch):
    """Stand in for the command, which needs weights that nobody has here."""
    asked = []

    def answer(found):
        monkeypatch.setattr(
            asking, "ask", lambda command, seconds: asked.append(command) or asking.Answer(0, found, "")
        )
        return asked

    return answer


def test_the_box_is_told_with_the_black_frames(page, run_fields, said):
    asked = said(json.dumps(FOUND))
    fields = run_fields()
    text = page.post("/run/person", data=fields).text
    assert 'data-box="[1.0, 2.0, 30.0, 40.0]"' in text
    assert 'data-absent="1001-1001"' in text
    assert f"--plate={fields['plate']}" in asked[0]


def test_an_error_of_the_command_is_told_with_its_hint(page, run_fields, said):
    said(json.dumps({"code": "weights", "message": "no detector", "hint": "Fetch it."}))
    answer = page.post("/run/person", data=run_fields())
    assert answer.status_code == 409
    assert "Fetch it." in answer.text


def test_a_command_that_breaks_is_an_error(page, run_fields, said):
    said("")
    assert page.post("/run/person", data=run_fields()).status_code == 502


@pytest.mark.slow
def test_the_real_command_says_that_there_is_no_detector(page, run_fields):
    answer = page.post("/run/person", data=run_fields())
    assert answer.status_code in {409, 422}
    assert "Traceback" not in answer.text


def test_a_plate_outside_is_not_looked_at(page, run_fields, said):
    asked = said(json.dumps(FOUND))
    assert page.post("/run/person", data=run_fields(plate="/etc/x.####.exr")).status_code == 403
    assert asked == []
