"""Who may use the page: entry files that count once, and signed cookies."""

import os
import re
import time

from videomama_server.web import session
from videomama_server.web.state import State


def code_in(entry):
    return re.search(r'value="([^"]+)"', entry.read_text())[1]


def test_an_entry_file_lets_in_once(site):
    entry = session.make_entry(site.state, site.address)
    code = code_in(entry)
    assert session.take_entry(site.state, code)
    assert not entry.exists()
    assert not session.take_entry(site.state, code)


def test_the_name_of_an_entry_file_says_nothing_of_its_code(site):
    entry = session.make_entry(site.state, site.address)
    assert code_in(entry) not in entry.name


def test_an_entry_file_that_is_too_old_lets_nobody_in(site):
    entry = session.make_entry(site.state, site.address)
    old = time.time() - session.ENTRY_S - 1
    os.utime(entry, (old, old))
    assert not session.take_entry(site.state, code_in(entry))


def test_old_entry_files_are_removed_with_the_next_one(site):
    entry = session.make_entry(site.state, site.address)
    old = time.time() - session.ENTRY_S - 1
    os.utime(entry, (old, old))
    later = session.make_entry(site.state, site.address)
    assert list(site.state.entries.iterdir()) == [later]


def test_what_is_no_code_leads_to_no_file(site):
    for code in ("", "../key", "x" * 43, "é" * 43, "\0"):
        assert not session.take_entry(site.state, code)


def test_a_cookie_of_another_page_or_a_changed_one_is_no_session(site, tmp_path):
    other = State(tmp_path / "other")
    other.make()
    cookie = session.new_cookie(site.state)
    assert session.is_session(site.state, cookie)
    assert not session.is_session(site.state, session.new_cookie(other))
    issued, rest = cookie.split(".", 1)
    assert not session.is_session(site.state, f"{int(issued) + 1}.{rest}")
    assert not session.is_session(site.state, "")


def test_sessions_survive_a_restart_and_end_with_the_key(site):
    cookie = session.new_cookie(site.state)
    assert session.is_session(State(site.state.folder), cookie)
    site.state.forget_sessions()
    assert not session.is_session(State(site.state.folder), cookie)


def test_several_browsers_are_in_at_once(site, enter):
    one, other = enter(site), enter(site)
    assert one.cookies != other.cookies
    assert [client.get("/jobs").status_code for client in (one, other, one)] == [200, 200, 200]


def test_the_cookie_is_named_by_port_and_user(monkeypatch):
    names = {session.cookie_name(8600), session.cookie_name(8601)}
    monkeypatch.setattr(session.getpass, "getuser", lambda: "somebody else")
    assert len(names | {session.cookie_name(8600)}) == 3
