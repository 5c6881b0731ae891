"""The Run page: said at once, dry run, three frames, start."""

import re

import pytest


@pytest.fixture
def open_page(served, enter):
    return enter(served)


def job_in(answer):
    return re.search(r"/jobs/([0-9a-f]{32})", answer.text)[1]


def test_the_page_has_every_engine_and_setting(open_page):
    text = open_page.get("/run").text
    for name in ("classic", "videomama", "vitmatte", "sam2", "held", 's.exposure"', 'a.deflicker"', 'e.mask_slack"'):
        assert name in text


def test_what_is_found_is_said_at_once(open_page, run_fields):
    fields = run_fields()
    text = open_page.get("/run/found", params={"role": "plate", **fields}).text
    assert "3 frames: 1001-1003" in text
    assert "96x64" in text


def test_fields_follow_the_engine_and_keep_what_was_entered(open_page):
    asked = {"kind": "refiner", "refiner": "vitmatte", "r.tile": "512"}
    text = open_page.get("/run/fields", params=asked).text
    assert 'value="512"' in text
    for number in ("0.90", "0.94", "0.97", "0.99"):
        assert number in text
    assert open_page.get("/run/fields", params={"kind": "nothing"}).status_code == 422


def test_a_dry_run_computes_nothing(open_page, run_fields, served):
    fields = run_fields(**{"a.feather": "1"})
    with served.client() as client:
        before = len(client.jobs())
        text = open_page.post("/run/check", data=fields).text
        assert len(client.jobs()) == before
    assert "passthrough, then adjust" in text
    assert "1001-1003" in text


def test_a_dry_run_warns_of_files_that_are_there(open_page, run_fields, wait_for_end):
    fields = run_fields()
    wait_for_end(job_in(open_page.post("/run/start", data=fields)))
    assert "exist and are replaced: frames 1001-1003" in open_page.post("/run/check", data=fields).text


def test_three_frames_come_first_and_the_cache_has_them_then(open_page, run_fields, home_clip, wait_for_end):
    fields = run_fields(home_clip(count=7))
    preview = wait_for_end(job_in(open_page.post("/run/preview", data=fields)))
    assert (preview.state.done, preview.submitted.frame_ranges) == (3, "1001,1004,1007")
    whole = wait_for_end(job_in(open_page.post("/run/start", data={**fields, "label": "whole"})))
    assert (whole.state.done, whole.state.computed, whole.state.label) == (7, 4, "whole")
    assert whole.submitted.submitter.program == "web"


def test_a_mistake_takes_the_place_of_the_result(open_page, run_fields):
    fields = run_fields(**{"s.exposure": "bright"})
    part = open_page.post("/run/start", data=fields, headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert part.text.lstrip().startswith('<div class="error"')
    assert open_page.post("/run/start", data=fields).status_code == 422


def test_a_job_fills_the_form_again(open_page, run_fields, wait_for_end):
    fields = run_fields(label="<b>hero</b>", **{"a.feather": "1.25"})
    job = job_in(open_page.post("/run/start", data=fields))
    wait_for_end(job)
    text = open_page.get("/run", params={"job": job}).text
    assert fields["plate"] in text
    assert 'value="1.25"' in text
    assert "<b>hero" not in text


def test_kept_defaults_fill_the_form(open_page, served):
    served.state.set_defaults({"a.feather": "4.5", "engine": "classic"})
    assert 'value="4.5"' in open_page.get("/run").text
