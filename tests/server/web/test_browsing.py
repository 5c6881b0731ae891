"""Browsing: sequences as sequences, and nothing outside the folders that may be browsed."""

import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.web import browsing

HOSTILE = "<img src=x onerror=alert(1)>"


def test_a_sequence_is_one_line_with_its_range(site, home_clip):
    found = {one.name: one for one in browsing.look(site, home_clip(count=4)).found}
    assert (found["plate.####.exr"].frames, found["plate.####.exr"].count) == ("1001-1004", 4)


def test_missing_frames_show_in_the_range(site, home_clip):
    folder = home_clip(count=4)
    (folder / "plate.1002.exr").unlink()
    found = {one.name: one for one in browsing.look(site, folder).found}
    assert found["plate.####.exr"].frames == "1001, 1003-1004"


def test_a_folder_with_a_hostile_name_is_escaped(page, home):
    (home / HOSTILE).mkdir()
    (home / f"{HOSTILE}.1001.exr").write_bytes(b"")
    answer = page.get("/browse", params={"folder": str(home)})
    assert answer.status_code == 200
    assert "<img src=x" not in answer.text
    assert "&lt;img src=x onerror=alert(1)&gt;" in answer.text
    inside = page.get("/browse", params={"folder": str(home / HOSTILE)})
    assert inside.status_code == 200
    assert "<img src=x" not in inside.text


@pytest.mark.parametrize("where", ["/", "/etc", "/proc/self", "{home}/..", "{home}/../other", "relative"])
def test_nothing_outside_the_home_is_shown(page, home, where):
    (home.parent / "other").mkdir()
    answer = page.get("/browse", params={"folder": where.format(home=home)})
    assert answer.status_code == 403
    assert "plate" not in answer.text


def test_a_link_that_leads_outside_is_neither_shown_nor_opened(site, home, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (home / "way").symlink_to(outside)
    assert [one.name for one in browsing.look(site, home).folders] == []
    with pytest.raises(NotPermitted):
        browsing.look(site, home / "way")


def test_hidden_folders_and_files_are_left_out(site, home):
    (home / ".ssh").mkdir()
    (home / ".hidden.1001.exr").write_bytes(b"")
    content = browsing.look(site, home)
    assert (list(content.folders), list(content.found)) == ([], [])


def test_roots_of_the_config_come_before_the_home(make_site, home, tmp_path, monkeypatch):
    root = tmp_path / "root"
    (root / "shots").mkdir(parents=True)
    monkeypatch.setenv("VIDEOMAMA_ROOTS", str(root))
    site = make_site()
    assert [one.name for one in browsing.look(site, root).folders] == ["shots"]
    with pytest.raises(NotPermitted):
        browsing.look(site, home)


def test_a_file_stands_for_its_folder(site, home_clip):
    folder = home_clip()
    assert browsing.look(site, folder / "plate.####.exr").folder == folder.resolve()
    with pytest.raises(BadInput):
        browsing.look(site, folder / "nowhere" / "else")


def test_more_than_can_be_shown_is_said(site, home, monkeypatch):
    monkeypatch.setattr(browsing, "MOST_SHOWN", 2)
    for name in "abc":
        (home / name).mkdir()
    content = browsing.look(site, home)
    assert (len(content.folders), content.hidden) == (2, 1)


def test_an_unknown_field_is_an_error(page):
    assert page.get("/browse", params={"field": "nothing"}).status_code == 422
