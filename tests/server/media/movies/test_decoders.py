from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from videomama_server.media import frames
from videomama_server.media.movies import decoders, index_store
from videomama_server.media.movies.numbering import frames_of


@pytest.fixture(autouse=True)
def none_open():
    decoders.close_unused()
    yield
    decoders.close_unused()
    assert decoders._open == []


def read(movie, place):
    return decoders.read(movie, *index_store.index_of(movie), place)


def level(frame):
    return float(np.frombuffer(memoryview(frame.planes[0]), np.uint8).mean())


def test_threads_share_decoders_and_get_the_right_pictures(make_movie, numbered):
    movie = make_movie("plate.mp4", numbered(24), options={"g": "6", "bf": "2"})
    expected = [level(read(movie, place)) for place in range(24)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda place: level(read(movie, place)), [*range(24), *range(23, -1, -1)]))
    assert found == [*expected, *reversed(expected)]
    assert len(decoders._open) <= 2


def test_threads_may_turn_one_picture_into_values_at_a_time(make_movie, numbered):
    path = frames_of(make_movie("plate.mp4", numbered(2), options={"crf": "1"}), 1)[2]
    expected = frames.read_plate(path).pixels
    with ThreadPoolExecutor(4) as threads:
        for pixels in threads.map(lambda _: frames.read_plate(path).pixels, range(40)):
            assert np.array_equal(pixels, expected)


def test_two_places_of_one_movie_are_read_side_by_side(make_movie, numbered):
    movie = make_movie("plate.mp4", numbered(48), options={"g": "6"})
    for place in range(20):
        read(movie, place)
        read(movie, place + 27)
    assert len(decoders._open) == 2


def test_only_so_many_movies_are_open(make_movie, numbered):
    for number in range(8):
        read(make_movie(f"plate{number}.mp4", numbered(2)), 1)
    assert len(decoders._open) == 6
