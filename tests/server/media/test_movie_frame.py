from pathlib import Path

from videomama_server.media.movie_frame import MovieFrame, in_movie, is_movie, like


def test_a_picture_of_a_movie_is_the_movie_to_whatever_looks_at_its_file(tmp_path):
    movie = tmp_path / "plate.mov"
    movie.write_bytes(b"x")
    picture = MovieFrame.of(movie, 3, 1004)
    assert (picture.place, picture.number) == (3, 1004)
    assert picture.is_file()
    assert str(picture) == str(movie)
    assert picture.stat().st_size == 1
    assert in_movie(picture) is picture


def test_what_is_derived_from_a_picture_is_none(tmp_path):
    picture = MovieFrame.of(tmp_path / "plate.mov", 3, 1004)
    assert in_movie(picture.parent) is None
    assert in_movie(Path(str(picture))) is None


def test_another_path_to_a_picture_keeps_its_place(tmp_path):
    picture = MovieFrame.of(tmp_path / "plate.mov", 3, 1004)
    other = in_movie(like(picture, tmp_path / "link.mov"))
    assert other is not None
    assert (other.place, other.number, other.name) == (3, 1004, "link.mov")
    assert like(tmp_path / "a.exr", tmp_path / "b.exr") == tmp_path / "b.exr"


def test_endings_of_movies_are_known_in_any_case():
    assert is_movie(".MOV")
    assert is_movie(".mxf")
    assert not is_movie(".exr")
