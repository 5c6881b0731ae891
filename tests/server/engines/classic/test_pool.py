from __future__ import annotations

import numpy as np
import pytest
from videomama_server.engines.classic.pool import pooled


def pool(one, other, share=0.5):
    both = ((one, 1 - share), (other, share))
    return pooled([(np.float32([[alpha]]), np.float32([[weight]])) for alpha, weight in both]).item()


@pytest.mark.parametrize("value", [0.0, 0.1, 0.5, 0.8, 1.0])
def test_agreement_stands(value):
    assert pool(value, value) == pytest.approx(value, abs=0.03)


def test_nothing_and_all_stay_exact():
    assert pool(0, 0) == 0
    assert pool(1, 1) == 1


def test_the_surer_estimate_counts_more_than_in_a_mean():
    assert pool(0.0, 0.3) < 0.1
    assert pool(1.0, 0.7) > 0.9


def test_neither_side_is_preferred():
    assert pool(0.2, 0.6) == pytest.approx(pool(0.6, 0.2))
    assert pool(0.2, 0.6) + pool(0.8, 0.4) == pytest.approx(1, abs=1e-5)
    assert pool(0, 1) == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_an_estimate_counts_by_its_share(share):
    assert pool(0.3, 0.8, share) == pytest.approx(pool(0.8, 0.3, 1 - share), abs=1e-5)
    assert pool(0.3, 0.8, share) <= pool(0.3, 0.8, share + 0.1)
    assert pool(0.3, 0.8, 0.0) == pytest.approx(0.3, abs=0.03)
