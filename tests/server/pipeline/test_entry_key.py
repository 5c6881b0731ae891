from dataclasses import fields, replace

import pytest
from videomama_client.engine_options import EngineOption
from videomama_client.settings import MatteSettings
from videomama_server.pipeline.entry_key import Identity, side_key
from videomama_server.pipeline.window_grid import Window

SETTINGS = MatteSettings.of(
    engine="e",
    window=4,
    overlap=2,
    roi="0,0,64,48",
    colorspace="lin_rec709",
    mask_slack=32.0,
    trimap_erode=10.0,
    trimap_dilate=40.0,
)
IDENTITY = Identity("engine-1", "color-1", SETTINGS)
WINDOWS = [(Window(1, 2), ["p1", "m1", "p2", "m2"])]


def test_a_key_is_the_same_for_the_same_work():
    key = IDENTITY.key(1, WINDOWS)
    assert key == Identity("engine-1", "color-1", replace(SETTINGS)).key(1, list(WINDOWS))
    assert len(key) == 40
    assert set(key) <= set("0123456789abcdef")


def test_the_key_of_known_work_is_the_one_that_caches_already_hold():
    """Another key here means that every cache is computed again: raise KEY_VERSION for that, on purpose only."""
    assert IDENTITY.key(1, WINDOWS) == "5e17e3a073c42cd2e9777411bc98b46257532b6d"


@pytest.mark.parametrize(
    ("frame", "windows"),
    [
        (2, WINDOWS),
        (1, [(Window(1, 2), ["p1", "m1", "p2", "other"])]),
        (1, [(Window(1, 2), ["p2", "m2", "p1", "m1"])]),
        (1, [(Window(0, 1), ["p1", "m1", "p2", "m2"])]),
        (1, [*WINDOWS, (Window(2, 3), ["p2", "m2", "p3", "m3"])]),
    ],
)
def test_a_key_changes_with_the_frame_and_everything_its_windows_see(frame, windows):
    assert IDENTITY.key(frame, windows) != IDENTITY.key(1, WINDOWS)


CHANGES = {
    "engine": "f",
    "window": 5,
    "overlap": 1,
    "roi": "off",
    "plate_layer": "beauty",
    "mask_channel": "roto",
    "view": "left",
    "mask_colour": "#800000",
    "colorspace": "ACEScg",
    "exposure": 1.0,
    "mask_grow": 2.0,
    "mask_close_holes": 2.0,
    "engine_options": (EngineOption("strength", 0.25),),
}


def test_every_setting_is_tried_below():
    assert set(CHANGES) == {known.name for known in fields(MatteSettings)}


@pytest.mark.parametrize("name", CHANGES)
def test_a_key_changes_with_every_setting_but_those_that_others_stand_for(name):
    changed = Identity("engine-1", "color-1", replace(SETTINGS, **{name: CHANGES[name]})).key(1, WINDOWS)
    assert (changed == IDENTITY.key(1, WINDOWS)) == (name in ("plate_layer", "mask_channel", "view", "mask_colour"))


def test_a_key_changes_with_every_value_of_an_engines_own_options():
    told = [(), (EngineOption("a", 1),), (EngineOption("b", 1),), (EngineOption("a", 2),), (EngineOption("a", "1"),)]
    keys = {Identity("e", "c", replace(SETTINGS, engine_options=options)).key(1, WINDOWS) for options in told}
    assert len(keys) == len(told)


def test_a_key_changes_with_engine_and_colour():
    keys = {Identity(engine, color, SETTINGS).key(1, WINDOWS) for engine in "ab" for color in "ab"}
    assert len(keys) == 4


SIDE = {"kind": "foreground", "alpha": "a", "plate": "p", "dtype": "half", "made_by": {"version": 1, "space": "s"}}


def test_the_key_of_a_known_side_result_is_the_one_that_caches_already_hold():
    assert side_key(**SIDE) == "f67b51e4f3dcaf6e8b66d6f4680bc500c7ec22e3"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"alpha": "b"},
        {"plate": "q"},
        {"dtype": "float"},
        {"made_by": {"version": 2, "space": "s"}},
    ],
)
def test_the_key_of_a_side_result_changes_with_all_that_it_depends_on(change):
    assert side_key(**{**SIDE, **change}) != side_key(**SIDE)
