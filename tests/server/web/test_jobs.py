"""The Jobs page: all clients' jobs, one job, history, and what changes a job."""

import re
from urllib.parse import quote

import pytest
from videomama_server.web import live

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def open_page(served, enter):
    return enter(served)


@pytest.fixture
def start(open_page, run_fields):
    def submit(**changes):
        return re.search(r"/jobs/([0-9a-f]{32})", open_page.post("/run/start", data=run_fields(**changes)).text)[1]

    return submit


def test_jobs_of_all_clients_are_listed_and_escaped(open_page, server, make_clip, wait_for_end):
    with server.client() as client:
        wait_for_end(client.submit(make_clip(count=1).order(label=HOSTILE)))
    text = open_page.get("/jobs").text
    assert "&lt;img src=x" in text
    assert HOSTILE not in text


def test_a_job_that_is_done_shows_its_results_and_its_log(open_page, start, wait_for_end, monkeypatch):
    job = start()
    wait_for_end(job)
    text = open_page.get(f"/jobs/{job}").text
    assert text.count('alt="Alpha of frame') == 3
    assert f"/run?job={job}" in text
    monkeypatch.setattr(live, "_events", once)
    assert "submitted by" in open_page.get(f"/jobs/{job}/log/live").text


async def once(make):
    yield make()


def test_a_failed_job_tells_its_remedy_and_leads_to_the_frame(open_page, run_fields, home_clip, wait_for_end):
    folder = home_clip()
    whole = (folder / "plate.1002.exr").read_bytes()
    (folder / "plate.1002.exr").write_bytes(whole[: len(whole) // 2])
    answer = open_page.post("/run/start", data=run_fields(folder))
    job = re.search(r"/jobs/([0-9a-f]{32})", answer.text)[1]
    described = wait_for_end(job)
    assert described.state.frame == 1002
    text = open_page.get(f"/jobs/{job}").text
    assert described.state.hint in text.replace("&#39;", "'")
    assert f"/judge?job={job}&amp;frame=1002" in text


def test_a_job_can_be_cancelled_and_given_another_priority(open_page, run_fields, server, make_long_clip, wait_for_end):
    clip = make_long_clip(count=120)
    with server.client() as client:
        job = client.submit(clip.order(engine="classic"))
    assert "batch" in open_page.post(f"/jobs/{job}/priority", data={"priority": "batch"}).text
    assert open_page.post(f"/jobs/{job}/priority", data={"priority": "first"}).status_code == 422
    assert open_page.post(f"/jobs/{job}/cancel").status_code == 200
    assert wait_for_end(job).state.state == "cancelled"


def test_the_history_is_searched_page_by_page(open_page, start, wait_for_end):
    job = start(label="unmistakable")
    wait_for_end(job)
    assert job in open_page.get("/jobs/history", params={"search": "unmistakable"}).text
    assert job not in open_page.get("/jobs/history", params={"search": "unmistakable", "state": "failed"}).text
    assert "No job matches" in open_page.get("/jobs/history", params={"search": "nothing has this"}).text
    for wrong in ({"state": "lost"}, {"before": "x"}, {"search": "x" * 501}):
        assert open_page.get("/jobs/history", params=wrong).status_code == 422


def test_running_again_leads_to_the_new_job(open_page, start, wait_for_end):
    job = start()
    wait_for_end(job)
    answer = open_page.post(f"/jobs/{job}/again")
    assert answer.status_code == 204
    assert re.fullmatch(r"/jobs/[0-9a-f]{32}", answer.headers["hx-redirect"])
    wait_for_end(answer.headers["hx-redirect"].rsplit("/", 1)[1])


def test_what_is_not_the_id_of_a_job_is_an_error(open_page):
    for job in ("x", "f" * 32, "<b>", "0" * 500):
        answer = open_page.get(f"/jobs/{quote(job, safe='')}")
        assert answer.status_code == 422, job
        assert "<b>" not in answer.text


def test_a_page_that_stays_open_starts_no_server(page, monkeypatch):
    monkeypatch.setattr(live, "_events", once)
    assert "No server is running" in page.get("/jobs/live").text
    assert "no server runs here" in page.get("/jobs/ffff/live").text
