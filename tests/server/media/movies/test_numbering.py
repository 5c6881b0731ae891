from videomama_server.media.movie_frame import in_movie
from videomama_server.media.movies import index_store, numbering


def test_frames_are_numbered_from_the_timecode_or_from_what_is_asked_for(make_movie, numbered):
    movie = make_movie("plate.mov", numbered(3), timecode="00:00:41:17")
    assert list(numbering.frames_of(movie, None)) == [1001, 1002, 1003]
    found = numbering.frames_of(movie, -1)
    assert list(found) == [-1, 0, 1]
    assert [in_movie(path).place for path in found.values()] == [0, 1, 2]
    assert index_store.index_of(movie)[1].rate == 24


def test_frames_that_are_not_in_the_file_are_known(make_movie, numbered):
    movie = make_movie("plate.mkv", numbered(10, (320, 240)), codec="ffv1")
    content = movie.read_bytes()
    movie.write_bytes(content[: int(len(content) * 0.6)])
    found = numbering.frames_of(movie, 1)
    lost = numbering.lost_of(found)
    assert len(found) == 10
    assert lost == list(range(lost[0], 11))


def test_pictures_in_files_are_never_lost(tmp_path):
    assert numbering.lost_of({1: tmp_path / "plate.0001.exr"}) == []
