"""Tests for reading some items ahead."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from videomama_server.media.read_ahead import read_ahead


@pytest.fixture
def readers():
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.mark.parametrize("length", [0, 1, 2, 3, 9])
@pytest.mark.parametrize("count", [1, 2, 20])
def test_everything_is_read_once_and_given_in_order(readers, length, count):
    with read_ahead(range(length), lambda item: item * item, readers, count) as coming:
        found = [(item, reading.result()) for item, reading in coming]
    assert found == [(item, item * item) for item in range(length)]


def test_no_more_is_begun_than_the_bound_allows(readers):
    begun = []

    def items():
        for item in range(10):
            begun.append(item)
            yield item

    with read_ahead(items(), str, readers, 2) as coming:
        for item, _ in coming:
            assert begun == list(range(min(item + 3, 10)))


def test_what_is_not_begun_when_the_block_ends_is_never_begun():
    gate, read = threading.Event(), []

    def slow(item):
        gate.wait(60)
        read.append(item)

    with ThreadPoolExecutor(1) as one:
        with read_ahead(range(9), slow, one, 4) as coming:
            next(coming)
        gate.set()
    assert read == [0]


def test_an_error_reaches_who_asks_for_that_item_alone(readers):
    with read_ahead([1, 0, 2], lambda item: 6 // item, readers, 2) as coming:
        readings = [reading for _, reading in coming]
    assert [readings[0].result(), readings[2].result()] == [6, 3]
    with pytest.raises(ZeroDivisionError):
        readings[1].result()
