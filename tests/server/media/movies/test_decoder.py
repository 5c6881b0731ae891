import random

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.media.movies import index_store
from videomama_server.media.movies.decoder import FAR, Decoder

COUNT = 24
GOPS = [
    ("plate.mp4", {"options": {"g": "6", "bf": "2"}}),
    ("plate.mov", {"options": {"g": "8", "bf": "3", "x264-params": "open-gop=1"}}),
    ("plate.mkv", {"options": {"g": "6", "bf": "2"}}),
    ("plate.mkv", {"codec": "libx265", "options": {"x265-params": "open-gop=1:keyint=8:log-level=0"}}),
    ("plate.avi", {"codec": "mpeg4", "options": {"g": "6", "bf": "2"}}),
    ("plate.webm", {"codec": "libvpx-vp9", "options": {"g": "8"}}),
    ("plate.mxf", {"codec": "mpeg2video", "options": {"g": "6", "bf": "2"}}),
]


def opened(movie):
    stamp, index = index_store.index_of(movie)
    return Decoder(stamp, index)


def level(frame):
    return float(np.frombuffer(memoryview(frame.planes[0]), np.uint8).mean())


@pytest.mark.parametrize(("name", "how"), GOPS)
def test_any_order_gives_the_pictures_that_the_order_of_the_movie_gives(make_movie, numbered, name, how):
    movie = make_movie(name, numbered(COUNT), **how)
    in_order, anyhow = opened(movie), opened(movie)
    expected = [in_order.read(movie, place).to_ndarray() for place in range(COUNT)]
    levels = [level(in_order.read(movie, place)) for place in range(COUNT)]
    assert levels == sorted(levels)
    places = list(range(COUNT)) * 2
    random.Random(1).shuffle(places)
    for place in places:
        assert np.array_equal(anyhow.read(movie, place).to_ndarray(), expected[place])
    in_order.close()
    anyhow.close()


def test_the_order_of_the_movie_needs_no_seeking(make_movie, numbered, monkeypatch):
    movie = make_movie("plate.mp4", numbered(COUNT), options={"g": "6", "bf": "2"})
    decoder = opened(movie)
    decoder.read(movie, 0)
    monkeypatch.setattr(decoder, "_go_to", lambda *_: pytest.fail("it began elsewhere"))
    for place in range(1, COUNT):
        decoder.read(movie, place)
    decoder.close()


def test_a_picture_that_is_near_is_nearer_than_one_behind(make_movie, numbered):
    movie = make_movie("plate.mp4", numbered(COUNT), options={"g": "6", "bf": "0"})
    decoder = opened(movie)
    assert decoder.distance(0) == FAR
    decoder.read(movie, 20)
    assert decoder.distance(20) == 0
    assert decoder.distance(21) < FAR
    assert decoder.distance(1) == FAR
    decoder.close()
    assert decoder.distance(20) == FAR


@pytest.mark.parametrize(
    ("how", "also"),
    [
        ({"codec": "prores_ks", "layout": "yuv422p10le"}, set()),
        ({"options": {"g": "6", "bf": "0", "sc_threshold": "0"}}, {10, 11}),
    ],
)
def test_a_broken_packet_costs_the_pictures_that_build_on_it_and_no_other(make_movie, numbered, how, also):
    import av

    movie = make_movie("plate.mov", numbered(COUNT, (160, 120)), **how)
    with av.open(str(movie)) as container:
        packet = list(container.demux(video=0))[9]
    content = bytearray(movie.read_bytes())
    content[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    movie.write_bytes(content)
    decoder, broken = opened(movie), set()
    for place in range(COUNT):
        try:
            decoder.read(movie, place)
        except BadInput:
            broken.add(place)
    decoder.close()
    assert broken == {9} | also
