import threading
import time

import pytest
from videomama_server.web.picture_cache import PictureCache


def cache(limit=10):
    return PictureCache(limit, len)


def test_what_is_kept_is_not_made_once_more():
    kept, made = cache(), []
    for _ in range(3):
        assert kept.get("a", lambda: made.append(1) or "aaa") == "aaa"
    assert len(made) == 1


def test_the_least_recently_used_goes_first_and_the_bound_holds():
    kept = cache()
    for key in "abc":
        kept.get(key, lambda key=key: key * 3)
    kept.get("a", lambda: pytest.fail("a is kept"))
    kept.get("d", lambda: "dddd")
    assert kept.bytes == 10
    made = []
    kept.get("b", lambda: made.append("b") or "bbb")
    assert made == ["b"]


def test_what_is_larger_than_the_bound_is_given_and_not_kept():
    kept = cache()
    kept.get("a", lambda: "aaa")
    assert kept.get("b", lambda: "b" * 11) == "b" * 11
    assert kept.bytes == 3


def test_two_who_ask_at_once_get_the_same_and_it_is_made_once():
    kept, made, found = cache(), [], []

    def make():
        made.append(1)
        time.sleep(0.1)
        return "aaa"

    threads = [threading.Thread(target=lambda: found.append(kept.get("a", make))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), found) == (1, ["aaa"] * 5)


def test_an_error_reaches_everyone_who_waits_and_is_not_kept():
    kept, errors = cache(), []

    def fail():
        time.sleep(0.1)
        raise ValueError("broken")

    def ask():
        with pytest.raises(ValueError, match="broken"):
            kept.get("a", fail)
        errors.append(1)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 3
    assert kept.get("a", lambda: "aaa") == "aaa"
