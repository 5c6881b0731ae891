"""The Settings page."""

import pytest
from videomama_client import launch
from videomama_server.web import live, session
from videomama_server.web.fetching import Fetches


@pytest.fixture
def open_page(served, enter):
    return enter(served)


def test_without_a_server_the_page_says_so(page):
    text = page.get("/settings").text
    assert "No server is running" in text
    assert "threads" in text
    assert page.get("/settings/cache").status_code == 503


def test_the_server_its_config_and_cache_are_shown(open_page, server):
    text = open_page.get("/settings").text
    assert str(server.cache_dir) in text
    assert "running, " in text
    assert str(server.cache_dir) in open_page.get("/settings/cache").text


def test_the_source_of_a_value_is_shown(page, monkeypatch):
    monkeypatch.setenv("VIDEOMAMA_THREADS", "7")
    assert "$VIDEOMAMA_THREADS" in page.get("/settings").text


def test_a_server_is_started_unloaded_and_stopped(site, page, eventually, monkeypatch, tmp_path):
    monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", str(tmp_path / "cache"))
    try:
        assert "running, " in page.post("/settings/server/start").text
        assert "entries" in page.get("/settings/cache").text
        assert "Removed" not in page.post("/settings/cache/prune", data={"limit_gb": "0"}).text
        assert page.post("/settings/cache/prune", data={"limit_gb": "nan"}).status_code == 422
        assert page.post("/settings/cache/clear").status_code == 200
        assert page.post("/settings/server/unload").status_code == 200
    finally:
        assert "stopping" in page.post("/settings/server/stop").text
    eventually(lambda: page.post("/settings/server/stop").status_code == 503, "no server answers")
    eventually(lambda: not launch.started(), "the server has ended")


def test_a_folder_is_added_and_removed(page, site, tmp_path):
    folder = tmp_path / "mnt <b>"
    folder.mkdir()
    text = page.post("/settings/folders/add", data={"folder": str(folder)}).text
    assert "<b>" not in text
    assert page.get("/browse", params={"folder": str(folder)}).status_code == 200
    page.post("/settings/folders/add", data={"folder": str(folder)})
    assert site.state.added_folders() == (folder,)
    page.post("/settings/folders/remove", data={"folder": str(folder)})
    assert page.get("/browse", params={"folder": str(folder)}).status_code == 403


@pytest.mark.parametrize(("folder", "status"), [("", 422), ("/proc", 403), ("relative", 403), ("/nowhere/at/all", 422)])
def test_what_is_no_folder_is_not_added(page, site, folder, status):
    assert page.post("/settings/folders/add", data={"folder": folder}).status_code == status
    assert site.state.added_folders() == ()


def test_folders_of_the_config_cannot_be_changed_here(make_site, enter, tmp_path, monkeypatch):
    monkeypatch.setenv("VIDEOMAMA_ROOTS", str(tmp_path))
    page = enter(make_site())
    assert page.post("/settings/folders/add", data={"folder": str(tmp_path)}).status_code == 403
    assert "Set by" in page.get("/settings").text


def test_weights_are_fetched_only_when_their_licence_is_accepted(page, monkeypatch):
    started = []
    monkeypatch.setattr(Fetches, "start", lambda self, name, *where: started.append(name))
    assert page.post("/settings/weights/fetch", data={"name": "sam2"}).status_code == 403
    assert page.post("/settings/weights/fetch", data={"name": "other", "accepted": "yes"}).status_code == 422
    assert started == []
    assert page.post("/settings/weights/fetch", data={"name": "sam2", "accepted": "yes"}).status_code == 200
    assert started == ["sam2"]


def test_licences_stand_on_the_page(page):
    text = page.get("/settings").text
    assert text.count("I accept this licence") > 5


async def once(make):
    yield make()


def test_the_list_of_weights_is_live(page, monkeypatch):
    monkeypatch.setattr(live, "_events", once)
    assert "sam2" in page.get("/settings/weights/live").text


def test_ending_all_sessions_ends_this_one(page, site):
    cookie = session.new_cookie(site.state)
    assert "ended" in page.post("/settings/sessions/end").text
    assert not session.is_session(site.state, cookie)
    assert page.get("/settings").status_code == 401


@pytest.mark.slow
def test_the_doctor_examines_this_machine(page):
    text = page.get("/settings/doctor").text
    assert "cache folder" in text
    assert "This machine can" in text
