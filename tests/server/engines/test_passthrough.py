import numpy as np
from videomama_client.settings import MatteSettings
from videomama_server.engines.base import EngineFrame
from videomama_server.engines.passthrough import PassthroughEngine


def never():
    raise AssertionError("passthrough looks at no plate")


def test_alpha_is_the_mask_and_the_plate_is_never_made():
    engine, settings = PassthroughEngine(), MatteSettings()
    masks = np.random.default_rng(1).random((3, 48, 64), dtype=np.float32)
    prepared = [engine.prepare(EngineFrame(n, mask, (48, 64), never), settings) for n, mask in enumerate(masks)]
    alphas = engine.refine(prepared, settings)
    assert alphas.dtype == np.float32
    np.testing.assert_array_equal(alphas, masks)
    assert not np.shares_memory(alphas, masks)


def test_the_mask_of_a_window_of_one_frame_is_not_copied():
    engine, mask = PassthroughEngine(), np.ones((48, 64), np.float32)
    alphas = engine.refine([mask], MatteSettings())
    assert alphas.shape == (1, 48, 64)
    assert np.shares_memory(alphas, mask)


def test_a_frame_makes_its_plate_once():
    made = []
    frame = EngineFrame(
        1, np.zeros((4, 4), np.float32), (4, 4), lambda: made.append(1) or np.ones((4, 4, 3), np.float32)
    )
    assert frame.plate is frame.plate
    assert made == [1]
