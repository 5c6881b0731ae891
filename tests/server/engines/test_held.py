import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_client.settings import MatteSettings
from videomama_server.engines.base import EngineFrame
from videomama_server.engines.held import HeldEngine
from videomama_server.engines.sequential import Brief, FramePrompts, is_sequential, prompts_of

SETTINGS = MatteSettings(engine="held")


def never(*_):
    raise AssertionError("held looks at no plate")


def brief(*painted, start):
    prompts = tuple(FramePrompts(frame, load_mask=lambda mask=mask: mask) for frame, mask in painted)
    return Brief(prompts, "", start, backward=False, encoded=never)


def test_every_frame_has_the_key_mask_that_the_walk_begins_on():
    engine = HeldEngine()
    first, other = np.random.default_rng(1).random((2, 4, 6), np.float32)
    told = brief((1001, first), (1005, other), start=1005)
    state = engine.begin(told, SETTINGS)
    for number in (1005, 1006):
        encoded = engine.encode(EngineFrame(number, np.zeros((4, 6), np.float32), (4, 6), never), SETTINGS)
        np.testing.assert_array_equal(engine.step(state, number, encoded, SETTINGS), other)
    np.testing.assert_array_equal(engine.restore(engine.export(state), told, SETTINGS), other)


def test_a_walk_without_a_key_mask_says_so():
    with pytest.raises(BadInput, match="no key mask on frame 7") as refused:
        HeldEngine().begin(brief(start=7), SETTINGS)
    assert "--key-mask" in refused.value.hint


def test_it_is_an_engine_that_walks_takes_key_masks_and_remembers_nothing():
    assert is_sequential(HeldEngine)
    assert is_sequential(HeldEngine())
    assert prompts_of(HeldEngine) == ("mask",)
    assert not HeldEngine.remembers
