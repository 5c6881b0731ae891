from types import SimpleNamespace

import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.datasets.detection import detect, folders


def layout(name, *clips):
    return SimpleNamespace(name=name, expects=f"{name}: its files", find=lambda _: {clip: clip.upper for clip in clips})


LAYOUTS = {one.name: one for one in (layout("empty"), layout("first", "a"), layout("second", "b", "c"))}


def test_the_first_layout_with_clips_is_taken_or_the_one_that_is_named(tmp_path):
    name, found = detect(tmp_path, LAYOUTS)
    assert (name, list(found)) == ("first", ["a"])
    name, found = detect(tmp_path, LAYOUTS, "second")
    assert (name, list(found)) == ("second", ["b", "c"])


def test_where_nothing_fits_it_is_said_what_is_expected_of_all_or_of_the_one_that_is_named(tmp_path):
    layouts = {name: layout(name) for name in ("one", "other")}
    for named, expected in (("", "  one: its files\n  other: its files"), ("other", "  other: its files")):
        with pytest.raises(BadInput, match="no sheep were found in") as caught:
            detect(tmp_path, layouts, named, "sheep")
        assert caught.value.hint == f"Expected is one of:\n{expected}"


def test_a_folder_that_may_not_be_listed_is_named(tmp_path):
    def find(folder):
        raise PermissionError(13, "Permission denied", str(folder / "kept"))

    with pytest.raises(NotPermitted, match=r"kept may not be listed"):
        detect(tmp_path, {"one": SimpleNamespace(name="one", expects="one", find=find)})


def test_folders_are_in_order_without_files_and_hidden_ones(tmp_path):
    for name in ("b", "a", ".git"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    assert folders(tmp_path) == [tmp_path / "a", tmp_path / "b"]
    assert folders(tmp_path / "file") == folders(tmp_path / "none") == []
