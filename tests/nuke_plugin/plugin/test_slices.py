"""Work in slices: one piece at least, no more than the time allows, and the result at the end."""

from videomama_nuke import slices


def counting(count: int, done: list[int]):
    for number in range(count):
        done.append(number)
        yield
    return "all"


def test_without_time_there_is_one_piece_a_slice():
    done: list[int] = []
    steps = counting(2, done)
    assert slices.advance(steps, 0.0) is None
    assert done == [0]
    assert slices.advance(steps, 0.0) is None
    assert done == [0, 1]
    assert slices.advance(steps, 0.0).result == "all"


def test_with_time_all_is_done_in_one_slice():
    done: list[int] = []
    assert slices.advance(counting(1000, done), 60.0).result == "all"
    assert len(done) == 1000


def test_finish_returns_the_result():
    assert slices.finish(counting(3, [])) == "all"
