"""Run lengths against texts that COCO's own encoder wrote, and what is damaged."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from videomama_client.errors import BadInput
from videomama_server.datasets.rle import decode

spec = importlib.util.spec_from_file_location("annotated_sets", Path(__file__).with_name("annotated.py"))
sets = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sets)

SMALL = [[0, 0, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 1, 1, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]]
LARGE = (
    "Si0R16000000000000000000UO4:LF4:LF4:LF4:LF4:LF4:LF4:LF4:LF4:LF4:LF4:LF4:LF4:LF4:LF4:LF4:LF4:LF4:LF4:LF4:La0"
    "000000000000000000000000000000000000000000000000000000000000000000000000000000]<"
)


def test_texts_of_cocos_encoder():
    np.testing.assert_array_equal(decode({"size": [6, 5], "counts": "5172L05"}), np.array(SMALL, bool))
    mask = np.zeros((40, 100), bool)
    mask[3:37, 20:90] = True
    mask[10:20, 30:50] = False
    np.testing.assert_array_equal(decode({"size": [40, 100], "counts": LARGE}), mask)


def test_runs_in_a_list():
    np.testing.assert_array_equal(decode({"size": [6, 5], "counts": [5, 1, 7, 3, 3, 3, 8]}), np.array(SMALL, bool))


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40))), st.booleans())
def test_any_mask_comes_back(mask, is_text):
    np.testing.assert_array_equal(decode(sets.coco(mask, is_text)), mask)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (None, "no size or no counts"),
        ({"size": [6], "counts": "5172L05"}, "no size or no counts"),
        ({"size": [6, 6], "counts": "5172L05"}, "cover 30 pixels"),
        ({"size": [-6, -5], "counts": "5172L05"}, "says that it is"),
        ({"size": [0, 5], "counts": ""}, "says that it is"),
        ({"size": [10**6, 10**6], "counts": "5"}, "says that it is"),
        ({"size": [6, 5], "counts": "51\u00e9"}, "cover"),
        ({"size": [6, 5], "counts": "5 1"}, "damaged"),
        ({"size": [6, 5], "counts": "oooooooo0"}, "damaged"),
        ({"size": [6, 5], "counts": "o"}, "in the middle of a number"),
        ({"size": [6, 5], "counts": [31, -1]}, "not whole numbers"),
        ({"size": [6, 5], "counts": [30.0]}, "not whole numbers"),
        ({"size": [6, 5], "counts": 30}, "not whole numbers"),
        ({"size": [6, 5], "counts": "@"}, "not whole numbers"),
    ],
)
def test_what_is_damaged_is_told(found, told):
    with pytest.raises(BadInput, match=told):
        decode(found)
