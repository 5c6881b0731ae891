import errno
import os

import pytest
from videomama_client import whole_files
from videomama_client.whole_files import replacing


def test_what_was_written_takes_the_place_of_the_file(tmp_path):
    path = tmp_path / "a.exr"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.name.startswith(".")
        assert temporary.suffix == ".exr"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path):
    path = tmp_path / "a.exr"
    path.write_text("old")

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_durable_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    path, synced = tmp_path / "a.exr", []
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(path.exists()))
    with replacing(path, durable=True) as temporary:
        temporary.write_text("new")
    assert synced == [False]


@pytest.mark.parametrize("filename", [True, False], ids=["named", "not named"])
def test_an_error_of_the_hidden_file_is_told_of_the_file_that_it_was_to_become(tmp_path, filename):
    path = tmp_path / "a.exr"

    def fail():
        with replacing(path) as outer, replacing(outer) as temporary:
            raise OSError(errno.ENOSPC, f"cannot write {temporary}", *[str(temporary)] * filename)

    with pytest.raises(OSError, match=r"a\.exr") as caught:
        fail()
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    assert caught.value.strerror == f"cannot write {path}"


def test_an_error_of_another_file_keeps_its_name(tmp_path):
    def fail():
        with replacing(tmp_path / "a.exr"):
            (tmp_path / "gone").read_bytes()

    with pytest.raises(FileNotFoundError) as caught:
        fail()
    assert caught.value.filename == str(tmp_path / "gone")


def test_a_copy_that_fails_is_told_of_where_it_was_to_go(tmp_path):
    def fail():
        with replacing(tmp_path / "a.exr") as temporary:
            raise OSError(errno.ENOSPC, "full", "/cache/entry.exr", None, str(temporary))

    with pytest.raises(OSError, match="full") as caught:
        fail()
    assert caught.value.filename == str(tmp_path / "a.exr")


@pytest.mark.parametrize("make", ["folder", "long"])
def test_a_name_that_cannot_be_taken_is_told_by_itself(tmp_path, make):
    path = tmp_path / ("a.exr" if make == "folder" else f"{'a' * 300}.exr")
    if make == "folder":
        path.mkdir()

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("new")

    with pytest.raises(OSError, match=r"a\.exr") as caught:
        fail()
    assert caught.value.filename == str(path)
    assert [left for left in tmp_path.iterdir() if left != path] == []


def test_hidden_names_are_hidden_say_whose_they_are_and_differ():
    one, other = whole_files.hidden_name(), whole_files.hidden_name()
    assert one != other
    assert one.startswith(f"{whole_files.PREFIX}{whole_files.mark()}")
    assert one.startswith(".")


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(replacing) == {"durable": False}
