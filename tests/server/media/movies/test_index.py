from fractions import Fraction

import pytest
from videomama_client.errors import BadInput
from videomama_server.media.movies import index

PRORES = {"codec": "prores_ks", "layout": "yuv422p10le"}
FFV1 = {"codec": "ffv1", "layout": "yuv420p"}
KINDS = [
    ("plate.mov", {"options": {"g": "5", "bf": "2"}}),
    ("plate.mp4", {"options": {"g": "4"}, "times": [0, 1, 3, 4, 7, 8, 9, 11, 12, 15]}),
    ("plate.m4v", {"codec": "mpeg4"}),
    ("plate.mkv", {"options": {"g": "3", "bf": "2"}}),
    ("plate.avi", {"codec": "mpeg4", "options": {"bf": "2"}}),
    ("plate.avi", {"options": {"bf": "2"}}),
    ("plate.mxf", {"codec": "mpeg2video", "options": {"bf": "2"}}),
    ("plate.webm", {"codec": "libvpx-vp9"}),
    ("plate.webm", {"codec": "libvpx"}),
    ("plate.mov", PRORES),
]


@pytest.mark.parametrize(("name", "how"), KINDS)
def test_a_movie_has_as_many_pictures_as_were_put_in(make_movie, numbered, name, how):
    found = index.build(make_movie(name, numbered(10), **how))
    assert (found.count, found.there, found.lost) == (10, 10, 0)


def test_times_ascend_and_keys_say_where_decoding_may_begin(make_movie, numbered):
    found = index.build(make_movie("plate.mp4", numbered(10), options={"g": "5", "bf": "0", "sc_threshold": "0"}))
    assert list(found.times) == sorted(set(found.times))
    assert [position for position, _, _ in found.keys] == [0, 5]


def test_timecode_gives_the_number_of_the_first_frame(make_movie, numbered):
    found = index.build(make_movie("plate.mov", numbered(2), timecode="00:00:41:17", **PRORES))
    assert found.first == 1001
    assert found.rate == Fraction(24)
    assert index.build(make_movie("other.mov", numbered(2), **PRORES)).first == 1


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("plate.mkv", FFV1),
        ("plate.avi", {"codec": "mjpeg", "layout": "yuvj420p"}),
        ("plate.mov", {"options": {"movflags": "faststart"}}),
    ],
)
def test_a_movie_that_ends_early_says_how_much_is_lost(make_movie, numbered, name, how):
    options = how.pop("options", {}) if name == "plate.mov" else {}
    movie = make_movie(name, numbered(10, (320, 240)), **how)
    if options:
        movie = with_table_first(movie)
    content = movie.read_bytes()
    movie.write_bytes(content[: int(len(content) * 0.7)])
    found = index.build(movie)
    assert found.count == 10
    assert 0 < found.lost < 10


def with_table_first(movie):
    """Return the movie with the table of its packets before them, so that it can be opened when its end is cut off."""
    import av

    target = movie.with_name("first.mov")
    with av.open(str(movie)) as source, av.open(str(target), "w", options={"movflags": "faststart"}) as result:
        stream = result.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                result.mux(packet)
    return target


def test_what_is_not_a_movie_is_refused(tmp_path):
    pytest.importorskip("av", reason="movies are read with PyAV, which is not installed")
    (tmp_path / "plate.mov").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(BadInput, match=r"cannot read .*plate\.mov"):
        index.build(tmp_path / "plate.mov")


def test_a_long_movie_is_looked_through_with_a_sign_of_life_every_so_many_packets(make_movie, numbered, monkeypatch):
    movie, beats = make_movie("plate.mkv", numbered(10), **FFV1), []
    monkeypatch.setattr(index.heartbeat, "beat", lambda: beats.append(1))
    monkeypatch.setattr(index, "_BEAT_PACKETS", 100)
    index.build(movie)
    without = len(beats)
    monkeypatch.setattr(index, "_BEAT_PACKETS", 3)
    index.build(movie)
    assert len(beats) == 2 * without + 3
