"""What stands before every route: a test for each rule of the way in."""

import os
import stat
import time

import pytest
from videomama_server.web import session

HEADERS = {"Accept": "text/html"}


def test_without_a_session_every_page_asks_to_enter(strangers):
    for path in ("/jobs", "/run", "/settings", "/browse", "/nowhere"):
        answer = strangers.get(path, headers=HEADERS)
        assert answer.status_code == 401
        assert "videomama web" in answer.text


def test_another_host_name_is_refused(page):
    for host in ("evil.example", "evil.example:8600", "127.0.0.1", "127.0.0.1:8601", "[::1]:8600", ""):
        answer = page.get("/jobs", headers={"Host": host})
        assert answer.status_code == 421, host


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:8601", "https://127.0.0.1:8600"])
def test_a_post_of_another_origin_is_refused(page, origin):
    assert page.post("/settings/sessions/end", headers={"Origin": origin}).status_code == 403


def test_a_post_without_an_origin_is_refused(page):
    del page.headers["Origin"]
    assert page.post("/settings/sessions/end").status_code == 403


@pytest.mark.parametrize("fetched", ["cross-site", "same-site"])
def test_what_another_site_embeds_is_refused(page, fetched):
    del page.headers["Origin"]
    headers = {"Sec-Fetch-Site": fetched, "Sec-Fetch-Mode": "no-cors"}
    assert page.get("/jobs", headers=headers).status_code == 403


def test_a_link_may_lead_here(page):
    del page.headers["Origin"]
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert page.get("/jobs", headers=headers).status_code == 200


def test_no_answer_lets_other_origins_read_it(page):
    for path in ("/jobs", "/static/page.js", "/nowhere"):
        headers = page.get(path).headers
        assert not [name for name in headers if name.startswith("access-control")]
        assert headers["cross-origin-resource-policy"] == "same-origin"
    assert page.options("/jobs", headers={"Access-Control-Request-Method": "GET"}).status_code in {403, 405}


def test_the_policy_allows_no_inline_script_and_nothing_from_elsewhere(page, strangers):
    for answer in (page.get("/jobs"), page.get("/nowhere"), strangers.get("/jobs", headers=HEADERS)):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy


def test_a_body_that_is_too_long_is_refused(page):
    assert page.post("/run/check", content=b"x" * (1 << 20 + 1)).status_code == 413

    def endless():
        for _ in range(40):
            yield b"x" * (1 << 16)

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert page.post("/run/check", content=endless(), headers=form).status_code == 411


@pytest.mark.parametrize("length", ["many", "-1", "", "9" * 5000])
def test_a_length_that_is_no_number_is_refused(page, length):
    assert page.post("/run/check", headers={"Content-Length": length}).status_code == 413


def test_an_error_page_has_the_same_headers(site, page, monkeypatch):
    def fail():
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(site, "roots", fail)
    answer = page.get("/browse")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "ZeroDivisionError" not in answer.text
    assert "content-security-policy" in answer.headers


def test_files_of_the_page_are_for_this_user_alone(site):
    site.state.key()
    session.make_entry(site.state, site.address)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in site.state.folder.rglob("*") if path.is_file()}
    assert modes
    if os.name == "posix":
        assert set(modes.values()) == {0o600}
        assert stat.S_IMODE(site.state.folder.stat().st_mode) == 0o700


def test_an_old_session_has_ended(site, page, monkeypatch):
    assert page.get("/jobs").status_code == 200
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + session.SESSION_S + 1)
    assert page.get("/jobs").status_code == 401
