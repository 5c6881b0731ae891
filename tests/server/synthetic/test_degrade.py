import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from videomama_client.errors import BadInput
from videomama_server.synthetic import degrade

H, W = 120, 200


def ring():
    """An alpha with a soft edge, a hole, and an island in the hole."""
    y, x = np.mgrid[:H, :W].astype(np.float32)
    radius = np.hypot(x - 100, y - 60)
    soft = np.clip(50.5 - radius, 0, 1) - np.clip(30.5 - radius, 0, 1) + np.clip(12.5 - radius, 0, 1)
    return soft.astype(np.float32)


def iou(one, other):
    one, other = one > 0.5, other > 0.5
    return (one & other).sum() / (one | other).sum()


def test_hard_is_the_eight_bit_rule_above_127():
    codes = np.arange(256, dtype=np.float32)[None] / 255
    np.testing.assert_array_equal(degrade.hard(codes)[0], np.arange(256) > 127)


def test_polygon_keeps_a_hole_and_the_island_in_it_and_drops_specks():
    mask = degrade.hard(ring())
    mask[3, 3] = 1
    drawn = degrade.polygon(mask)
    assert drawn[60, 100] == 1  # island
    assert drawn[60, 120] == 0  # hole
    assert drawn[60, 140] == 1  # ring
    assert drawn[3, 3] == 0
    assert 0.85 < iou(drawn, mask) < 1


@pytest.mark.parametrize(("height", "width", "kept"), [(2, 2, 0), (2, 4, 0), (3, 3, 9), (3, 4, 12)])
def test_polygon_drops_outlines_round_less_than_four_pixels(height, width, kept):
    """OpenCV's outline runs through the middles of pixels: round 3 x 3 of them it holds four."""
    mask = np.zeros((20, 20), np.uint8)
    mask[5 : 5 + height, 5 : 5 + width] = 1
    assert degrade.polygon(mask).sum() == kept


def test_polygon_keeps_a_triangle():
    mask = np.tril(np.ones((40, 40), np.uint8))
    assert 0.9 < iou(degrade.polygon(mask), mask) <= 1


def test_polygon_has_few_corners():
    disc = degrade.hard(np.clip(50.5 - np.hypot(*np.mgrid[-60:60, -100:100]), 0, 1).astype(np.float32))
    rows = [np.flatnonzero(row)[0] for row in degrade.polygon(disc) if row.any()]
    bends = np.abs(np.diff(rows, 2)) > 1
    assert 0 < bends.sum() < 20


@pytest.mark.parametrize("factor", degrade.FACTORS)
def test_down_up_loses_what_is_thinner_than_the_factor(factor):
    mask = np.zeros((256, 256), np.uint8)
    mask[64:192, 64:192] = 1
    mask[32, :] = 1
    coarse = degrade.down_up(mask, factor)
    assert coarse[:50].sum() == 0
    assert coarse[128, 128] == 1
    assert 0.6 < iou(coarse, mask[:, :]) <= 1


def test_coarser_factors_are_farther_off():
    mask = degrade.hard(ring())
    fits = [iou(degrade.down_up(mask, factor), mask) for factor in degrade.FACTORS]
    assert fits == sorted(fits, reverse=True)


def test_box_is_the_smallest_round_everything():
    mask = np.zeros((H, W), np.uint8)
    mask[10, 20] = mask[50, 90] = 1
    filled = degrade.box(mask)
    assert filled.sum() == 41 * 71
    assert filled[10, 20] == filled[50, 90] == filled[30, 50] == 1


@pytest.mark.parametrize("shape", degrade.SHAPES)
@pytest.mark.parametrize("alpha", [np.zeros((H, W), np.float32), np.ones((H, W), np.float32)])
def test_flat_alphas_stay_flat(shape, alpha):
    clip = degrade.parse(f"{shape}+erode+dilate").of(1)
    np.testing.assert_array_equal(clip.mask(0, alpha), alpha)


def test_occlusion_erases_a_part_of_the_box_and_nothing_else():
    solid = np.zeros((H, W), np.float32)
    solid[20:100, 40:160] = 1
    shares, kinds = [], set()
    for seed in range(40):
        mask = degrade.parse("exact+occlusion", seed=seed).of(1).mask(0, solid)
        gone = (solid - mask).astype(np.uint8)
        assert mask.max() <= 1
        assert (solid - mask).min() == 0
        filled = degrade.box(gone).sum()
        shares.append(filled / (80 * 120))
        kinds.add(bool(gone.sum() == filled))
    assert min(shares) > 0.08
    assert max(shares) < 0.38
    assert kinds == {True, False}  # rectangles, and ellipses


@pytest.mark.parametrize(("hit", "value"), [("missing", 0), ("full", 1)])
def test_a_hit_changes_one_frame_only(hit, value):
    clip = degrade.parse(f"exact+{hit}", seed=3).of(10)
    flat = [index for index in range(10) if (clip.mask(index, ring()) == value).all()]
    assert flat == [clip.plan[0][0]]


def test_erode_and_dilate_move_the_edge_by_two_pixels():
    solid = np.zeros((H, W), np.float32)
    solid[40:80, 40:80] = 1
    assert degrade.parse("exact+erode").of(1).mask(0, solid).sum() == 36 * 36
    assert degrade.parse("exact+dilate").of(1).mask(0, solid).sum() == 44 * 44


def test_temporal_draws_all_kinds_and_all_frames():
    plans = [degrade.parse("mixed+temporal", seed=seed).of(6).plan for seed in range(100)]
    assert all(len(plan) == 1 for plan in plans)
    assert {plan[0][1] for plan in plans} == set(degrade.HITS) - {"temporal"}
    assert {plan[0][0] for plan in plans} == set(range(6))
    assert len(degrade.parse("mixed+temporal", times=4).of(6).plan) == 4


def test_mixed_draws_steps_per_frame_and_one_factor_per_clip():
    clip = degrade.parse("mixed", seed=1).of(200)
    steps = {tuple(clip._steps(index)) for index in range(200)}
    assert steps == {("polygon",), ("down",), ("polygon", "down"), ("down", "polygon")}
    assert clip.factor in degrade.FACTORS
    factors = {degrade.parse("mixed", seed=seed).of(5).factor for seed in range(40)}
    assert factors == set(degrade.FACTORS)


@given(st.integers(0, 2**32), st.sampled_from(degrade.SHAPES), st.sampled_from(degrade.HITS))
def test_same_seed_same_masks_in_any_order(seed, shape, hit):
    one, other = (degrade.parse(f"{shape}+{hit}", seed=seed).of(3) for _ in range(2))
    forward = [one.mask(index, ring()) for index in range(3)]
    backward = [other.mask(index, ring()) for index in (2, 1, 0)][::-1]
    for first, second in zip(forward, backward, strict=True):
        np.testing.assert_array_equal(first, second)
        assert first.dtype == np.float32
        assert set(np.unique(first)) <= {0, 1}


def test_another_seed_gives_other_masks():
    masks = [degrade.parse("mixed+occlusion", seed=seed).of(1).mask(0, ring()) for seed in range(8)]
    assert len({mask.tobytes() for mask in masks}) > 4


@pytest.mark.parametrize("text", ["", "blur", "polygon+blur", "occlusion", "mixed+", "down64"])
def test_unknown_names_are_refused(text):
    with pytest.raises(BadInput) as raised:
        degrade.parse(text)
    assert "polygon" in raised.value.hint


@pytest.mark.parametrize("text", ["mixed", "down16+occlusion", "box+missing+full"])
def test_a_name_reads_back(text):
    assert degrade.parse(text, 4).name == text
    assert degrade.parse(degrade.parse(text, 4).name, 4) == degrade.parse(text, 4)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(degrade.Degradation) == {"times": 1, "seed": 0}


@pytest.mark.parametrize(
    ("shape", "known"),
    [
        ("exact", [-773629, 802251, -407429]),
        ("polygon", [-726328, 751821, -694702]),
        ("down", [-921046, 181087, -593345]),
        ("down8", [-598391, 663886, -508805]),
        ("box", [-817171, 223122, -553701]),
        ("mixed", [-621212, 322346, -694702]),
    ],
)
def test_details_of_what_goes_wrong_are_what_they_always_were(unchanged, shape, known):
    """Three frames: as they come, with much of them hidden, and with hits drawn at random."""
    plans = [
        degrade.Degradation(shape, hits, times, seed=3)
        for hits, times in [((), 1), (degrade.HITS[:1], 9), (("temporal",), 2)]
    ]
    alphas = [np.kron(np.roll(ring(), 7 * index, axis=1), np.ones((2, 2), np.float32)) for index in range(3)]
    masks = [plan.of(3).mask(index, alphas[index]) for index, plan in enumerate(plans)]
    unchanged(np.dstack(masks), known)
