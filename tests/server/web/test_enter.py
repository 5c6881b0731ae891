"""The way in: a code is exchanged once for a cookie that scripts cannot read."""

import re

from videomama_server.web import session


def post(client, code, origin="null"):
    return client.post("/enter", data={"code": code}, headers={"Origin": origin})


def test_the_opened_entry_file_gets_a_session(site, strangers):
    page = session.make_entry(site.state, site.address).read_text()
    assert f'action="{site.address}/enter"' in page
    code = re.search(r'name="code" value="([^"]+)"', page)[1]
    answer = post(strangers, code)
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(session.cookie_name(site.port))
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert strangers.get("/jobs").status_code == 200
    assert code not in str(answer.url) + answer.text


def test_a_code_that_was_used_gets_none(site, strangers):
    page = session.make_entry(site.state, site.address).read_text()
    code = re.search(r'value="([^"]+)"', page)[1]
    assert post(strangers, code, site.address).status_code == 200
    strangers.cookies.clear()
    assert post(strangers, code).status_code == 403
    assert strangers.get("/jobs").status_code == 401


def test_another_website_cannot_enter(site, strangers):
    page = session.make_entry(site.state, site.address).read_text()
    code = re.search(r'value="([^"]+)"', page)[1]
    assert post(strangers, code, "http://evil.example").status_code == 403


def test_the_code_can_be_pasted(strangers):
    assert 'name="code"' in strangers.get("/enter").text
