import os

import numpy as np
import pytest
from videomama_client.errors import InternalError
from videomama_server.cache import layout, upkeep
from videomama_server.cache.states import KeptStates

STATE = {
    "memory": np.random.default_rng(1).random((4, 8, 8)).astype(np.float16),
    "frames": np.array([1001, 1002]),
    "file": np.array([np.nan, -0.0, np.inf], np.float32),
}


def size_of_one(folder):
    KeptStates(folder).keep("aa", STATE)
    (path,) = folder.glob("states/*/*.state")
    size = path.stat().st_size
    path.unlink()
    return size


def names(folder):
    return sorted(path.stem for path in folder.glob("states/*/*.state"))


def test_a_state_comes_back_to_the_bit(tmp_path):
    states = KeptStates(tmp_path)
    assert not states.has("abc1")
    assert states.load("abc1") is None
    states.keep("abc1", STATE)
    assert states.has("abc1")
    found = states.load("abc1")
    assert {name: (array.dtype, array.tobytes()) for name, array in found.items()} == {
        name: (array.dtype, array.tobytes()) for name, array in STATE.items()
    }


def test_a_state_under_another_key_or_with_one_bit_changed_is_none_and_goes(tmp_path):
    states = KeptStates(tmp_path)
    states.keep("abc1", STATE)
    path = layout.state(tmp_path, "abc1")
    path.rename(layout.state(tmp_path, "abc2"))
    assert states.load("abc2") is None
    assert names(tmp_path) == []
    states.keep("abc1", STATE)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    assert states.load("abc1") is None
    assert not states.has("abc1")


def test_objects_are_never_kept_nor_read(tmp_path):
    with pytest.raises(InternalError, match="objects"):
        KeptStates(tmp_path).keep("abc1", {"any": np.array([{}], object)})
    assert names(tmp_path) == []


def test_of_too_many_states_those_used_longest_ago_go(tmp_path):
    size = size_of_one(tmp_path)
    states = KeptStates(tmp_path, 3 * size)
    for age, key in enumerate(("cc01", "cc02", "cc03")):
        states.keep(key, STATE)
        os.utime(layout.state(tmp_path, key), (1000 + age, 1000 + age))
    states.load("cc01")
    states.keep("cc04", STATE)
    assert names(tmp_path) == ["cc01", "cc03", "cc04"]


def test_a_state_that_is_larger_than_all_may_be_is_not_kept(tmp_path):
    KeptStates(tmp_path, size_of_one(tmp_path) - 1).keep("abc1", STATE)
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_written_costs_no_job_anything(tmp_path, caplog):
    (tmp_path / layout.STATES).write_text("in the way")
    KeptStates(tmp_path).keep("abc1", STATE)
    assert "cannot be kept" in caplog.text


def test_upkeep_counts_checks_prunes_and_clears_states(tmp_path):
    states = KeptStates(tmp_path)
    for key in ("aa01", "bb01"):
        states.keep(key, STATE)
    report = upkeep.stat(tmp_path)
    assert report.entries == 0
    assert report.bytes == sum(path.stat().st_size for path in tmp_path.glob("states/*/*"))
    layout.state(tmp_path, "aa01").write_bytes(b"damaged")
    upkeep.verify(tmp_path)
    assert names(tmp_path) == ["bb01"]
    os.utime(layout.state(tmp_path, "bb01"), (1000, 1000))
    upkeep.prune(tmp_path, 0)
    assert names(tmp_path) == []
    states.keep("cc01", STATE)
    upkeep.clear(tmp_path)
    assert names(tmp_path) == []
