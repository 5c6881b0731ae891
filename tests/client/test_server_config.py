"""Where the server's config and its caller's differ."""

from pathlib import Path

import pytest
from videomama_client.messages import ConfigValue
from videomama_client.server_config import Setting, differences, from_environment


def differing(server: str, caller: str, name: str = "cache_dir") -> list[str]:
    found = differences([ConfigValue(name, server)], {name: Setting(caller, "$VIDEOMAMA_X")})
    return [difference.name for difference in found]


@pytest.mark.parametrize(
    ("server", "caller"),
    [("100.0", "100"), ("auto", "auto"), ("", ""), ("/a/b", "/a/b/"), ("/a:/b", "/a:/b/"), ("0", "0.0")],
)
def test_one_value_written_in_two_ways_does_not_differ(server, caller):
    assert differing(server, caller) == []


def test_a_relative_path_a_home_and_a_link_are_the_place_that_they_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "cache").mkdir()
    (tmp_path / "link").symlink_to("cache")
    for caller in ("cache", "~/cache", "link"):
        assert differing(str(tmp_path / "cache"), caller) == []
    assert differing(str(tmp_path / "cache"), "other") == ["cache_dir"]


@pytest.mark.parametrize(
    ("server", "caller"), [("100.0", "99"), ("cpu", "cuda:0"), ("/a", "/b"), ("/a:/b", "/a"), ("", "/a")]
)
def test_another_value_differs(server, caller):
    assert differing(server, caller) == ["cache_dir"]


def test_a_difference_names_the_key_both_values_and_the_place():
    found = differences([ConfigValue("cache_dir", "/big")], {"cache_dir": Setting("/small", "$VIDEOMAMA_CACHE_DIR")})
    assert str(found[0]) == "cache_dir: the running server uses /big, but $VIDEOMAMA_CACHE_DIR sets /small"


def test_what_the_caller_did_not_set_does_not_differ_nor_does_the_file_that_names_the_server():
    assert differences([ConfigValue("port", "1")], {}) == []
    assert differing("/a.json", "/b.json", "connection_file") == []


def test_variables_are_read_by_the_keys_of_the_config():
    given = {"VIDEOMAMA_CACHE_DIR": "/c", "VIDEOMAMA_PORT": "", "HOME": str(Path.home())}
    assert from_environment(given) == {"cache_dir": Setting("/c", "$VIDEOMAMA_CACHE_DIR")}
