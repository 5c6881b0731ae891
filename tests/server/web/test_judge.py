import html
import json
import re
import time
import uuid
from dataclasses import replace
from urllib.parse import parse_qs

import pytest
from videomama_client.client import Client
from videomama_client.messages import QcFlag, SubmitMatte
from videomama_client.objects import MaskObject
from videomama_client.settings import MatteSettings
from videomama_server.qc.flags import as_dict

NASTY = "<img src=x onerror=alert(1)>"


@pytest.fixture
def shot(home_clip):
    return home_clip()


@pytest.fixture
def named(shot):
    return {"plate": str(shot / "plate.####.exr"), "mask": str(shot / "mask.####.exr")}


def test_the_page_of_a_clip_has_every_view_and_no_script_or_style_in_it(page, named):
    answer = page.get("/judge", params=named)
    assert answer.status_code == 200
    assert 'value="comp_checker"' in answer.text
    assert not re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=", answer.text)


def test_without_files_the_page_asks_for_them(page):
    answer = page.get("/judge")
    assert answer.status_code == 200
    assert 'name="plate"' in answer.text
    assert 'id="canvas"' not in answer.text


def test_names_are_escaped(page, shot):
    answer = page.get("/judge", params={"plate": f"{shot}/{NASTY}\"'.####.exr", "mask_channel": NASTY, "frames": NASTY})
    assert NASTY not in answer.text
    assert html.escape(NASTY) in answer.text


def test_frames_of_a_clip_are_listed_and_new_ones_appear(page, named, shot):
    before = page.get("/judge/frames", params=named).json()
    (shot / "plate.1004.exr").write_bytes((shot / "plate.1001.exr").read_bytes())
    after = page.get("/judge/frames", params=named).json()
    assert before["frames"] == [1001, 1002, 1003]
    assert after["frames"] == [1001, 1002, 1003, 1004]
    assert (after["width"], after["height"]) == (96, 64)


def test_a_range_that_is_none_is_an_error_of_the_person(page, named):
    assert page.get("/judge/frames", params={**named, "frames": "all of it"}).status_code == 422


def test_files_outside_of_the_roots_are_not_listed(page, tmp_path):
    found = page.get("/judge/frames", params={"plate": str(tmp_path / "plate.####.exr")}).json()
    assert found["frames"] == []
    assert "lies outside" in found["said"]["plate"]


def test_scores_come_for_plate_mask_and_alpha(page, named):
    found = page.get("/judge/scores", params={**named, "alpha": named["mask"]}).json()
    assert found["total"] == 3
    assert [curve["title"] for curve in found["curves"]][:1] == ["IoU of mask and alpha"]
    assert page.get("/judge/scores", params=named).json()["said"]


@pytest.fixture
def job(served, shot):
    """Run a job on the server behind the page: `job(out="alpha.####.exr")` returns its id once it is done."""
    settings = MatteSettings.of(engine="passthrough")
    plate, mask = str(shot / "plate.####.exr"), str(shot / "mask.####.exr")

    def run(out="alpha.####.exr", objects=()):
        asked = SubmitMatte(
            uuid.uuid4().hex, plate, "" if objects else mask, str(shot / out), settings, label="my <shot>"
        )
        with served.client() as client:
            known = client.submit(replace(asked, objects=objects))
            end = time.monotonic() + 60
            while (state := client.describe_job(known).state).left:
                assert time.monotonic() < end
                time.sleep(0.05)
        assert state.state == "done", state.message
        return known

    return run


def query_of(text):
    return parse_qs(html.unescape(re.search(r'data-query="([^"]*)"', text)[1]))


def test_a_job_is_shown_with_its_files_and_its_name(served, enter, job, shot):
    answer = enter(served).get("/judge", params={"job": job(), "frame": 1002})
    assert answer.status_code == 200
    assert query_of(answer.text)["alpha"] == [str(shot / "alpha.####.exr")]
    assert "my &lt;shot&gt;" in answer.text


def test_a_job_is_compared_with_another_one(served, enter, job, shot):
    first, second = job("one.####.exr"), job("two.####.exr")
    answer = enter(served).get("/judge", params={"job": first, "with": second})
    assert query_of(answer.text)["other"] == [str(shot / "two.####.exr")]
    files = {"plate": str(shot / "plate.####.exr"), "alpha": str(shot / "one.####.exr"), "with": second}
    assert query_of(enter(served).get("/judge", params=files).text)["other"] == [str(shot / "two.####.exr")]
    assert f"with={first}" in answer.text or f"job={first}" in answer.text


def test_of_a_job_of_several_objects_each_can_be_looked_at(served, enter, job, shot):
    mask = str(shot / "mask.####.exr")
    known = job(objects=(MaskObject("hero", mask), MaskObject("dog", mask)))
    client = enter(served)
    answer = client.get("/judge", params={"job": known, "object": "dog"})
    query = query_of(answer.text)
    assert query["alpha_channel"] == ["dog.A"]
    assert "object=hero" in answer.text
    asked = {**{name: values[0] for name, values in query.items()}, "frame": 1001, "size": 64}
    assert client.get("/pictures/alpha", params=asked).headers["content-type"] == "image/png"


def test_what_a_job_flagged_is_told_before_anything_is_measured(served, enter, job, shot, monkeypatch):
    known = job()
    drift = QcFlag("drift", [1002], 1002, "the mask <leaves> the subject")
    described = Client.describe_job

    def flagged(self, asked):
        found = described(self, asked)
        return replace(found, result=replace(found.result, flags=[drift]))

    monkeypatch.setattr(Client, "describe_job", flagged)
    text = enter(served).get("/judge", params={"job": known}).text
    assert json.loads(html.unescape(re.search(r'data-flags="([^"]*)"', text)[1])) == [as_dict(drift)]


def test_a_job_that_nobody_knows_is_an_error_and_no_fault(served, enter):
    assert enter(served).get("/judge", params={"job": "nothing"}).status_code == 422


def test_a_job_without_a_server_says_so(page):
    assert page.get("/judge", params={"job": "nothing"}).status_code == 503
