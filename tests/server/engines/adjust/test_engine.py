from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput
from videomama_client.settings import MatteSettings
from videomama_server.engines.adjust.edges import feathered, grown, levelled, shifted
from videomama_server.engines.adjust.engine import AdjustEngine
from videomama_server.engines.adjust.specks import despeckled
from videomama_server.engines.base import EngineFrame, WindowShape

ENGINE = AdjustEngine()


def asked(**options):
    return MatteSettings(engine_options=tuple(EngineOption(name, value) for name, value in options.items()))


def never():
    raise AssertionError("the plate is not looked at")


def done(mask, full_size=None, plate=never, **options):
    frame = EngineFrame(1, mask, full_size or mask.shape, plate)
    prepared = [ENGINE.prepare(frame, asked(**options))]
    return ENGINE.complete(list(ENGINE.refine(prepared, asked(**options))), prepared, [0], asked(**options))[0]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 40), st.integers(1, 40))
def test_at_the_defaults_the_alpha_keeps_its_bits_and_no_plate_is_made(seed, height, width):
    mask = np.random.default_rng(seed).random((height, width), np.float32)
    found = done(mask)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, mask)


def test_adjustments_are_made_in_their_order():
    mask = np.random.default_rng(1).random((108, 192), np.float32) ** 6
    options = {"grow": -6.0, "feather": 8.0, "offset_x": 25.0, "offset_y": -4.0}
    found = done(mask, **options, black=0.1, white=0.7, despeckle=4000.0)
    expected = shifted(feathered(grown(mask, -0.6), 0.8), 2.5, -0.4)
    expected = despeckled(levelled(expected, 0.1, 0.7), 40.0)
    np.testing.assert_array_equal(found, expected)


def test_lengths_are_those_of_a_plate_1920_wide():
    mask = np.random.default_rng(1).random((54, 96), np.float32)
    np.testing.assert_array_equal(done(mask, (1080, 1920), grow=2.0), grown(mask, 2.0))
    np.testing.assert_array_equal(done(mask, (1920, 3840), grow=2.0), grown(mask, 4.0))


options_of_one_frame = st.fixed_dictionaries(
    {},
    optional={
        "grow": st.floats(-100, 100),
        "feather": st.floats(0, 50),
        "offset_x": st.floats(-500, 500),
        "offset_y": st.floats(-500, 500),
        "black": st.floats(0, 0.4),
        "white": st.floats(0.5, 1),
        "despeckle": st.floats(0, 100_000),
    },
)


@settings(max_examples=60, deadline=None)
@given(options_of_one_frame, st.integers(1, 30), st.integers(1, 30), st.sampled_from([1, 20, 40]))
def test_whatever_is_asked_the_alpha_is_finite_and_within_0_and_1(options, height, width, larger):
    mask = np.random.default_rng(5).random((height, width), np.float32) ** 3
    found = done(mask, (height * larger, width * larger), **options)
    assert found.shape == mask.shape
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1


def test_a_frame_is_a_window_and_looks_at_neighbours_only_for_deflicker():
    assert AdjustEngine.shape(asked(grow=3.0, deflicker_radius=5)) == WindowShape(1, 0)
    assert AdjustEngine.shape(asked(deflicker=0.1, deflicker_radius=5)) == WindowShape(1, 0, 5)


def test_the_whole_plate_is_adjusted_whatever_region_is_asked_for():
    assert ENGINE.rule(asked()).whole
    assert not ENGINE.rule(asked()).fixed
    assert ENGINE.rule(asked(deflicker=0.5)).fixed


def test_options_that_contradict_each_other_are_refused_before_anything_is_read(raises_with_hint):
    settled = replace(asked(black=0.6, white=0.5), window=1, overlap=0)
    with raises_with_hint(BadInput, "must be above the black point"):
        ENGINE.resolve(settled, (54, 96))


def test_deflicker_asks_for_each_plate_once():
    made = []
    plate = np.random.default_rng(1).random((54, 96, 3), np.float32)
    mask = np.full((54, 96), 0.5, np.float32)
    found = done(mask, plate=lambda: (made.append(1), plate)[1], deflicker=1.0)
    assert made == [1]
    np.testing.assert_array_equal(found, mask)


@pytest.mark.parametrize("name", ["grow", "feather", "deflicker"])
def test_its_options_are_known_without_an_engine(name):
    assert name in [spec.name for spec in AdjustEngine.options()]
