from __future__ import annotations

import numpy as np
from videomama_server.media.srgb import to_display, to_light


def test_black_and_white_stay_and_middle_grey_is_where_the_standard_puts_it():
    assert to_light(np.float32([0, 1])).tolist() == [0, 1]
    np.testing.assert_allclose(to_light(np.float32([0.5])), 0.2140411, rtol=1e-5)


def test_there_and_back():
    values = np.linspace(0, 1, 1001, dtype=np.float32)
    np.testing.assert_allclose(to_display(to_light(values)), values, atol=1e-6)
    assert to_display(values).dtype == to_light(values).dtype == np.float32
