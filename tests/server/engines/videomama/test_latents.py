from concurrent.futures import ThreadPoolExecutor

import torch
from videomama_server.engines.videomama.latents import LatentStore

ONE = torch.zeros(8, 4, 4)


def test_what_was_kept_is_found():
    store = LatentStore(10 * ONE.nbytes)
    store.keep("a", ONE)
    assert store.find("a") is ONE
    assert store.find("b") is None


def test_the_least_recently_used_is_forgotten():
    store = LatentStore(2 * ONE.nbytes)
    store.keep("a", ONE)
    store.keep("b", ONE)
    store.find("a")
    store.keep("c", ONE)
    assert [store.find(key) is not None for key in "abc"] == [True, False, True]


def test_what_nobody_knows_is_not_kept():
    store = LatentStore(10 * ONE.nbytes)
    store.keep("", ONE)
    assert store.find("") is None


def test_clear_forgets_all():
    store = LatentStore(ONE.nbytes)
    store.keep("a", ONE)
    store.clear()
    assert store.find("a") is None
    store.keep("b", ONE)
    assert store.find("b") is ONE


def test_many_threads_may_find_and_keep_at_once():
    store = LatentStore(3 * ONE.nbytes)

    def work(turn):
        store.keep(f"{turn % 7}", ONE)
        store.find(f"{(turn + 3) % 7}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(4000)))
    assert sum(store.find(f"{key}") is not None for key in range(7)) == 3
    assert store._held == 3 * ONE.nbytes
