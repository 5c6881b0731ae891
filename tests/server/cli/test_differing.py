"""What the command line says where the running server's config is another than the caller's."""

import pytest
from videomama_client.server_config import HINT, Difference, Setting
from videomama_server.cli.differing import tell_differing

FOLDER = Difference("cache_dir", "/big", Setting("/mine", "$VIDEOMAMA_CACHE_DIR"))
PORT = Difference("port", "", Setting("9", "/home/config.toml"))


@pytest.mark.parametrize(
    ("names", "told"),
    [((), [FOLDER, PORT]), (("port", "device"), [PORT]), (("cache_dir", "port"), [FOLDER, PORT])],
    ids=["all", "one", "two"],
)
def test_each_difference_is_a_warning_and_the_hint_stands_once_below_them(capsys, names, told):
    tell_differing([FOLDER, PORT], *names)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [*(f"Warning: {known}." for known in told), HINT]


@pytest.mark.parametrize(("found", "names"), [([], ()), ([FOLDER], ("port",))], ids=["none", "none of these"])
def test_without_a_difference_nothing_is_said(capsys, found, names):
    tell_differing(found, *names)
    assert capsys.readouterr() == ("", "")


def test_a_warning_names_both_values_and_where_the_caller_s_is_set(capsys):
    tell_differing([FOLDER, PORT])
    first, second, _ = capsys.readouterr().err.splitlines()
    assert "/big" in first
    assert "$VIDEOMAMA_CACHE_DIR sets /mine" in first
    assert "uses none" in second
