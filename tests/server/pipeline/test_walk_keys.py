from collections import Counter

import pytest
from videomama_client.settings import MatteSettings
from videomama_server.pipeline.entry_key import Identity
from videomama_server.pipeline.walk_keys import WalkKeys
from videomama_server.pipeline.walks import Walks, WalkShape

CLIP = tuple(range(1001, 1011))


@pytest.fixture
def make():
    """Make keys over plates: `make(edited={1004})`; `make.rows` counts how often each was asked for."""

    def keys(*, edited=(), told="prompts", remembers=True, exposure=0.0, engine="e-1", starts=(1003, 1007)):
        walks = Walks(CLIP, WalkShape(1, 0, starts=starts, remembers=remembers))
        keys.rows = rows = Counter()

        def row(frame):
            rows[frame] += 1
            return f"{frame} edited" if frame in edited else f"{frame}"

        identity = Identity(engine, "colour", MatteSettings(exposure=exposure))
        return WalkKeys(identity, lambda: told, walks, remembers, row), walks

    return keys


def entries(made):
    return {frame: made[0].entry(frame) for frame in CLIP}


def changed(one, other):
    return [frame for frame in CLIP if one[frame] != other[frame]]


def test_keys_change_for_what_a_walk_saw_the_edited_plate_in_and_nothing_else(make):
    plain = entries(make())
    assert len(set(plain.values())) == len(CLIP)
    assert changed(plain, entries(make(edited={1009}))) == [1009, 1010]
    assert changed(plain, entries(make(edited={1002}))) == [1001, 1002]
    assert changed(plain, entries(make(edited={1005}))) == [1004, 1005, 1006]
    assert changed(plain, entries(make(edited={1003}))) == [1001, 1002, 1003, 1004, 1005, 1006]


def test_without_a_memory_only_the_frame_itself_counts(make):
    plain = entries(make(remembers=False))
    assert changed(plain, entries(make(remembers=False, edited={1003}))) == [1003]
    assert changed(plain, entries(make(remembers=False, edited={1005}))) == [1005]


@pytest.mark.parametrize("other", [{"told": "others"}, {"exposure": 1.0}, {"engine": "e-2"}, {"starts": (1002, 1007)}])
def test_prompts_settings_engine_and_places_are_in_every_key_that_they_touch(make, other):
    assert set(changed(entries(make()), entries(make(**other)))) >= set(range(1001, 1007))


def test_states_halves_and_entries_have_keys_of_their_own(make):
    keys, walks = make()
    walk = walks.forward[0]
    found = {keys.entry(1004), keys.half(walk, 1004), keys.state(walk, walks.place(walk, 1004))}
    assert len(found) == 3
    assert keys.state(walk, 0) != keys.state(walks.backward[0], 0)


def test_each_row_is_asked_for_once_a_walk_however_long_the_clip_is(make):
    entries(made := make())
    entries(made)
    assert max(make.rows.values()) <= 2  # of the walk forward, and of the one backward
