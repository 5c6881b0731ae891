import os
import shlex
import sys
from pathlib import Path

import pytest
from videomama_client.errors import BadInput
from videomama_server.media.movies import library


def test_without_pyav_the_error_has_the_line_that_extracts_the_frames(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BadInput, match="PyAV, which reads movies, is not installed") as raised:
        library.opened(tmp_path / "my plate.mov")
    words = shlex.split(raised.value.hint.partition("first: ")[2])
    assert words[:3] == ["ffmpeg", "-i", str(tmp_path / "my plate.mov")]
    assert words[-1] == str(tmp_path / "my plate.%04d.png")
    assert "python install movies" in raised.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="names are Unicode there")
def test_a_movie_whose_name_is_not_utf8_is_refused_by_name(make_movie, numbered):
    movie = make_movie("plate.mov", numbered(2))
    odd = movie.rename(Path(os.fsdecode(os.fsencode(movie.parent) + b"/caf\xe9.mov")))
    with pytest.raises(BadInput, match=r"caf\\xe9\.mov is not UTF-8"):
        library.opened(odd)


def test_a_file_of_another_format_under_the_name_of_a_movie_is_not_opened_as_that_format(
    tmp_path, make_movie, numbered
):
    real = make_movie("real.mkv", numbered(2))
    listed = tmp_path / "plate.mp4"
    listed.write_text(f"ffconcat version 1.0\nfile {real.name}\n")
    with pytest.raises(BadInput, match=r"plate\.mp4"):
        library.opened(listed)
    renamed = real.rename(tmp_path / "plate.mov")
    with pytest.raises(BadInput, match=r"plate\.mov"):
        library.opened(renamed)


def test_pictures_of_a_decoder_that_is_not_listed_are_refused(make_movie, numbered):
    movie = make_movie("plate.avi", numbered(2), codec="msvideo1", layout="rgb555le")
    with pytest.raises(BadInput, match="coded as msvideo1 are not read"):
        library.opened(movie)


def test_a_movie_of_sound_alone_is_refused(tmp_path, make_movie):
    import av

    with av.open(str(tmp_path / "sound.mov"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48000)
        frame = av.AudioFrame(format="s16", layout="stereo", samples=1024)
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
    with pytest.raises(BadInput, match="it has no pictures"):
        library.opened(tmp_path / "sound.mov")


def test_one_decoder_thread_is_used_where_more_would_lose_errors(make_movie, numbered):
    container, stream = library.opened(make_movie("plate.mp4", numbered(2)))
    with container:
        assert stream.thread_type.name == "NONE"
        assert library.one_a_packet(stream)
