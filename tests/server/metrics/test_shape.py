import math

import numpy as np
import pytest
from videomama_server.metrics import boundary_f, iou, jaccard


def box(top, left, bottom, right, shape=(90, 120)):
    alpha = np.zeros(shape, np.float32)
    alpha[top:bottom, left:right] = 1
    return alpha


def naive_f(pred, truth):
    """The definition by the distance between every two outline pixels."""

    def outline(region):
        height, width = region.shape
        found = []
        for y, x in np.ndindex(region.shape):
            below, right = min(y + 1, height - 1), min(x + 1, width - 1)
            if any(region[y, x] != other for other in (region[y, right], region[below, x], region[below, right])):
                found.append((y, x))
        return np.array(found)

    one, other = outline(pred >= 0.5), outline(truth >= 0.5)
    apart = ((one[:, None] - other[None]) ** 2).sum(-1)
    reach = math.ceil(0.008 * math.hypot(*pred.shape)) ** 2
    precision, recall = (apart.min(1) <= reach).mean(), (apart.min(0) <= reach).mean()
    return 2 * precision * recall / (precision + recall)


def test_j_is_intersection_over_union():
    assert jaccard(box(0, 0, 10, 10), box(0, 5, 10, 15)) == pytest.approx(50 / 150)


def test_j_cuts_at_one_half():
    assert jaccard(box(0, 0, 10, 10) * np.float32(0.5), box(0, 0, 10, 10)) == 1
    assert jaccard(box(0, 0, 10, 10) * np.float32(0.49), box(0, 0, 10, 10)) == 0


def test_nothing_where_nothing_is_is_perfect():
    assert jaccard(box(0, 0, 0, 0), box(0, 0, 0, 0)) == 1
    assert boundary_f(box(0, 0, 0, 0), box(0, 0, 0, 0)) == 1


def test_nothing_where_something_is_is_worth_nothing():
    assert boundary_f(box(0, 0, 0, 0), box(20, 20, 40, 40)) == 0
    assert boundary_f(box(20, 20, 40, 40), box(0, 0, 0, 0)) == 0


def test_f_forgives_what_is_within_its_reach():
    reach = math.ceil(0.008 * math.hypot(90, 120))
    truth = box(20, 20, 60, 80)
    assert boundary_f(box(20, 20 + reach, 60, 80 + reach), truth) == 1
    assert boundary_f(box(20, 20 + reach + 1, 60, 80 + reach + 1), truth) < 1


def test_f_agrees_with_the_naive_definition(blob):
    pred, truth = blob(1, (60, 80)), blob(3, (60, 80))
    expected = naive_f(pred, truth)
    assert 0.1 < expected < 0.99
    assert boundary_f(pred, truth) == pytest.approx(expected)


def test_f_of_outlines_far_apart_is_zero():
    assert boundary_f(box(5, 5, 10, 10), box(60, 90, 70, 100)) == 0


def test_regions_are_compared_as_alphas_cut_at_a_half_are():
    one, other = box(0, 0, 10, 10), box(0, 5, 10, 15)
    assert iou(one >= 0.5, other >= 0.5) == jaccard(one, other)
    assert iou(np.zeros((2, 2), bool), np.zeros((2, 2), bool)) == 1
