"""What is refused before anything is measured, and what stays as it is."""

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.metrics import grad, mad, mse, sad
from videomama_server.metrics.inputs import as_float, checked


def flat(value, shape=(6, 8)):
    return np.full(shape, value, np.float32)


@pytest.mark.parametrize("measure", [mad, mse, sad, grad])
def test_shape_mismatch_is_bad_input(measure):
    with pytest.raises(BadInput, match=r"\(6, 8\).*\(6, 9\)"):
        measure(flat(0), flat(0, (6, 9)))


@pytest.mark.parametrize("pixels", [np.zeros((6, 8), np.uint8), np.zeros((6, 8, 1), np.float32)])
def test_integers_and_extra_channels_are_bad_input(pixels):
    with pytest.raises(BadInput):
        mad(pixels, pixels)


def test_float_of_any_width_becomes_float32_and_float32_is_not_copied():
    half = flat(0.5).astype(np.float16)
    assert [one.dtype for one in checked(half, half)] == [np.float32] * 2
    single = flat(0.5)
    assert as_float(single) is single


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (4,), (2, 2, 1)])
def test_what_is_no_picture_is_refused(shape):
    with pytest.raises(BadInput, match="must be"):
        checked(np.zeros(shape, np.float32), np.zeros(shape, np.float32))
