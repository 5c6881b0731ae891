"""Where a walk is resumed: what is walked again, what is kept, and what is passed over because it is damaged."""

import numpy as np
import pytest
from videomama_client.settings import MatteSettings, Resolved
from videomama_server.cache import layout
from videomama_server.cache.states import KeptStates
from videomama_server.pipeline.walk_states import WalkStates
from videomama_server.pipeline.walks import Walk

WALK = Walk(1001, False, tuple(range(1001, 1021)))
BACK = Walk(1001, True, (1001,))


class Counting:
    """An engine whose state is a count; `exported` and `begun` say how often it was asked."""

    remembers = True
    exported = begun = 0

    def begin(self, told, settings):
        self.begun += 1
        return {"count": np.array(0)}

    def export(self, state):
        self.exported += 1
        return state

    def restore(self, kept, told, settings):
        return dict(kept, told=told)


class Keys:
    """Keys of states, one for each walk and place."""

    def state(self, walk, place):
        return f"{int(walk.backward)}{place:039x}"


@pytest.fixture
def engine():
    return Counting()


@pytest.fixture
def states(engine, tmp_path):
    return WalkStates(engine, Resolved(MatteSettings()), Keys(), KeptStates(tmp_path))


def keep(states, *places):
    for place in places:
        states.keep(WALK, place, {"count": np.array(place)})


@pytest.mark.parametrize(
    ("kept", "needed", "legs"),
    [
        ((), [0], [(-1, 0)]),
        ((), [3, 4, 9], [(-1, 9)]),
        ((3,), [4], [(3, 4)]),
        ((3,), [3], [(-1, 3)]),  # the state after a step does not give its mask
        ((3, 7), [9], [(7, 9)]),
        ((3, 7), [4, 9], [(3, 4), (7, 9)]),
        ((3, 7), [4, 7], [(3, 7)]),
        ((3,), [4, 9], [(3, 9)]),
        ((0,), [1], [(0, 1)]),
    ],
)
def test_what_lies_before_a_kept_state_is_not_walked_again(states, kept, needed, legs):
    keep(states, *kept)
    assert states.legs(WALK, needed) == legs


def test_states_of_another_walk_do_not_count(states):
    keep(states, 0)
    assert states.resumed(BACK, "told", 0)[1] == -1


def test_an_engine_without_a_memory_walks_over_nothing_else(states, engine):
    engine.remembers = False
    assert states.legs(WALK, [2, 3, 7]) == [(1, 3), (6, 7)]
    keep(states, 3)
    assert engine.exported == 0
    assert states.resumed(WALK, "told", 6) == ({"count": np.array(0)}, 6)


def test_a_state_is_exported_once(states, engine):
    keep(states, 3, 3, 7)
    assert engine.exported == 2


@pytest.mark.parametrize(("damaged", "expected"), [((), 7), ((7,), 3), ((7, 3), 0), ((7, 3, 0), -1)])
def test_a_walk_is_resumed_at_the_nearest_state_that_is_whole(states, engine, tmp_path, damaged, expected):
    keep(states, 0, 3, 7)
    for place in damaged:
        layout.state(tmp_path, Keys().state(WALK, place)).write_bytes(b"damaged")
    state, place = states.resumed(WALK, "told", 7)
    assert place == expected
    assert int(state["count"]) == max(0, expected)
    assert engine.begun == (expected < 0)
    assert ("told" in state) == (expected >= 0)
