import os
import time

import pytest
from videomama_client.errors import BadInput
from videomama_server.files import settling
from videomama_server.media.movies import index, index_store


@pytest.fixture
def movie(make_movie, numbered):
    made = make_movie("plate.mkv", numbered(6), options={"g": "3"})
    os.utime(made, (made.stat().st_mtime - 10,) * 2)
    return made


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Return the folder that indices are kept in; nothing is known in memory."""
    monkeypatch.setattr(index_store, "_known", {})
    index_store.keep_in(tmp_path / "memo")
    yield tmp_path / "memo"
    index_store.keep_in(None)


def refuse(_):
    raise AssertionError("the movie was read again")


def test_an_index_is_kept_on_disk_as_it_was(movie, kept, monkeypatch):
    _, first = index_store.index_of(movie)
    index_store._known.clear()
    monkeypatch.setattr(index, "build", refuse)
    assert index_store.index_of(movie)[1] == first


def test_an_index_in_memory_holds_under_any_name_of_the_file(movie, kept, monkeypatch, tmp_path):
    _, first = index_store.index_of(movie)
    monkeypatch.setattr(index, "build", refuse)
    link = tmp_path / "link.mkv"
    link.symlink_to(movie)
    assert index_store.index_of(link)[1] is first


def test_a_movie_that_changed_is_read_again(movie, kept, make_movie, numbered):
    _, first = index_store.index_of(movie)
    other = make_movie("other.mkv", numbered(4))
    other.replace(movie)
    stamp, second = index_store.index_of(movie)
    assert (first.count, second.count) == (6, 4)
    assert stamp == index_store.stamp_of(movie)


def test_a_young_movie_is_not_kept_on_disk_however_long_it_takes_to_read(movie, kept, monkeypatch):
    real = index.build

    def slow(path):
        time.sleep(settling.SETTLED_S + 0.1)
        return real(path)

    monkeypatch.setattr(index, "build", slow)
    os.utime(movie)
    index_store.index_of(movie)
    assert not list(kept.glob("*.movie"))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1}', '{"version": 1, "look": [1], "count": "x"}'])
def test_a_damaged_index_is_made_again(movie, kept, text):
    _, first = index_store.index_of(movie)
    (file,) = kept.glob("*.movie")
    file.write_text(text)
    index_store._known.clear()
    assert index_store.index_of(movie)[1] == first


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(movie, kept):
    kept.write_text("a file in its place")
    assert index_store.index_of(movie)[1].count == 6


def test_a_missing_or_empty_movie_is_refused_by_name(tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        index_store.index_of(tmp_path / "plate.mov")
    (tmp_path / "plate.mov").touch()
    with pytest.raises(BadInput, match="the file is empty"):
        index_store.index_of(tmp_path / "plate.mov")
