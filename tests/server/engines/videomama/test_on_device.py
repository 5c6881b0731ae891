"""What the device does with pictures is what the host does, within 1e-3; tried on torch's own processor device."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from videomama_server.engines.videomama import on_device
from videomama_server.engines.videomama.canvas import Canvas
from videomama_server.engines.videomama.lift import Guide
from videomama_server.engines.videomama.memory.footprint import peak_of
from videomama_server.engines.videomama.on_device import DeviceGuide, HostPlate
from videomama_server.media.color import LINEAR, display_transform
from videomama_server.media.geometry import Rect
from videomama_server.pipeline.reader import cut

APART = 1e-3
CPU, META = torch.device("cpu"), torch.device("meta")
CASES = [
    ((271, 483), (192, 256)),  # odd
    ((301, 200), (128, 128)),  # upright
    ((108, 512), (64, 256)),  # squeezed, as plates of an anamorphic lens are
    ((256, 384), (128, 192)),  # half, which OpenCV sums in another order
    ((100, 150), (128, 192)),  # grows
    ((128, 192), (128, 192)),  # as it is
    ((3, 5), (64, 64)),
    ((1, 1), (64, 64)),
]
SPACES = [LINEAR, "ACEScg", "sRGB - Texture", "Cineon", "ARRI LogC3 (EI800)"]  # curve, matrix, none, log, OpenColorIO


def noise(size, seed=0):
    return np.random.default_rng(seed).random((*size, 3), dtype=np.float32)


def blurred(size, seed=0):
    return cv2.GaussianBlur(noise(size, seed), (0, 0), 2)


def halves(plate):
    return plate.astype(np.float16).astype(np.float32)


PLATES = {
    "texture": lambda size: halves(2 * blurred(size)),
    "grain that no half float holds": lambda size: np.float32(0.18) + np.float32(0.02) * (noise(size) - 0.5),
    "a faint edge": lambda size: 0.2 + 0.004 * (np.arange(size[1])[:, None] < size[1] / 2) + 1e-4 * noise(size),
    "negative and very bright": lambda size: halves((blurred(size) - 0.45) * 1e5),
    "nearly black": lambda size: halves(noise(size) * 1e-4),
}  # fmt: skip


def plate_of(kind, size):
    return np.ascontiguousarray(PLATES[kind](size), np.float32)


def soft_alpha(size):
    found = cv2.GaussianBlur(noise(size, 1)[..., 0], (0, 0), 3)
    return np.clip((found - found.mean()) * 20 + 0.5, 0, 1).astype(np.float32)


def on_host(plate, transform, canvas, alpha):
    """Return the plate on its canvas, -1..1, and the alpha (H, W) lifted by it, as the host makes them."""
    shown = transform(plate.copy())
    small = canvas.reduced(shown)
    guide = Guide.of(shown, small) if canvas.guides else None
    return 2 * canvas.placed(small) - 1, canvas.lift(alpha, guide)


def waiting(plate, transform):
    """Return a plate for the device: as the engine sends it."""
    if transform.lookup is None:
        return HostPlate.of(transform(plate.copy()), None)
    return HostPlate.of(plate, transform.lookup)


def there(plate, transform, canvas, alpha):
    """Return what `on_host` does, made by the device's operations."""
    laid, guide = on_device.placed(waiting(plate, transform), canvas, CPU)
    return laid, on_device.lifted(torch.from_numpy(alpha), canvas, guide).numpy()


def check(plate, space, canvas, exposure=0.0):
    transform, alpha = display_transform(space, exposure), soft_alpha(canvas.size)
    laid, lifted = there(plate, transform, canvas, alpha)
    expected_laid, expected = on_host(plate, transform, canvas, alpha)
    assert laid.shape == expected_laid.shape
    assert (laid - expected_laid).abs().max() <= 2e-4
    assert lifted.shape == expected.shape == canvas.region
    assert np.abs(lifted - expected).max() <= APART
    return expected


@pytest.mark.parametrize(("region", "size"), CASES, ids=str)
@pytest.mark.parametrize("space", SPACES)
def test_a_frame_of_any_size_and_colour_is_placed_and_lifted_as_on_the_host(region, size, space):
    check(plate_of("texture", region), space, Canvas(region, size), exposure=0.5 if space == "ACEScg" else 0.0)


@pytest.mark.parametrize("kind", PLATES)
@pytest.mark.parametrize("space", SPACES)
def test_any_range_of_values_is_placed_and_lifted_as_on_the_host(kind, space):
    canvas = Canvas((271, 483), (192, 256))
    expected = check(plate_of(kind, canvas.region), space, canvas)
    if kind == "texture":  # and colours count
        assert np.abs(canvas.lift(soft_alpha(canvas.size), None) - expected).max() > 0.01


@pytest.mark.parametrize("region", [Rect(0, 0, 301, 217), Rect(37, 11, 201, 203), Rect(-16, 50, 333, 190)], ids=str)
def test_a_region_anywhere_in_the_plate_is_placed_and_lifted_as_on_the_host(region):
    plate = cut(plate_of("texture", (240, 360)), Rect(0, 0, 360, 240), region)
    check(plate, LINEAR, Canvas((region.h, region.w), (128, 128)))


@pytest.mark.parametrize("space", [LINEAR, "ACEScg"])
def test_a_uhd_plate_is_placed_and_lifted_as_on_the_host(space):
    canvas = Canvas((2160, 3840), (576, 1024))
    small = cv2.resize(blurred((270, 480)), (3840, 2160), interpolation=cv2.INTER_LINEAR)
    check(halves(2 * small), space, canvas)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1.0, 65504.0, 1e30])
@pytest.mark.parametrize("space", [LINEAR, "sRGB - Texture", "ACEScg"])
def test_odd_values_become_what_the_host_makes_of_them(value, space):
    plate, canvas = plate_of("texture", (64, 64)), Canvas((64, 64), (64, 64))
    plate[3, 5] = value
    check(plate, space, canvas)


@pytest.mark.parametrize("space", [LINEAR, "ACEScg"])
def test_neither_strips_nor_threads_change_a_bit(space, monkeypatch):
    canvas, transform = Canvas((271, 483), (192, 256)), display_transform(space, 0.0)
    plate, alpha = plate_of("texture", canvas.region), soft_alpha(canvas.size)
    expected = there(plate, transform, canvas, alpha)
    threads = torch.get_num_threads()
    for pixels, count in ((483 * 40, threads), (1, threads), (1 << 21, 1), (1 << 21, 3)):
        monkeypatch.setattr(on_device, "_STRIP", pixels)
        torch.set_num_threads(count)
        try:
            laid, lifted = there(plate, transform, canvas, alpha)
        finally:
            torch.set_num_threads(threads)
        assert torch.equal(laid, expected[0])
        np.testing.assert_array_equal(lifted, expected[1])


def test_a_plate_travels_as_half_floats_only_where_they_hold_it_exactly():
    plate = halves(blurred((8, 8)))
    assert HostPlate.of(plate, None).pixels.dtype == torch.float16
    assert HostPlate.of(plate + np.float32(1e-5), None).pixels.dtype == torch.float32
    plate[0, 0] = 1e6
    assert HostPlate.of(plate, None).pixels.dtype == torch.float32


def test_half_floats_that_round_would_cost_more_than_a_thousandth():
    canvas, transform = Canvas((271, 483), (192, 256)), display_transform("ACEScg", 0.0)
    plate, alpha = (blurred(canvas.region) - np.float32(0.45)) * np.float32(400), soft_alpha(canvas.size)
    rounded = HostPlate(torch.from_numpy(plate).half(), transform.lookup)
    laid, _ = on_device.placed(rounded, canvas, CPU)
    assert (laid - on_host(plate, transform, canvas, alpha)[0]).abs().max() > APART


@pytest.mark.parametrize(
    ("region", "size"),
    [
        ((1080, 1920), (576, 1024)),
        ((1080, 1920), (1088, 1792)),
        ((2160, 3840), (1024, 1856)),
        ((4320, 8192), (576, 1088)),
    ],
    ids=str,
)
def test_what_work_on_a_picture_takes_is_counted(region, size):
    canvas, transform = Canvas(region, size), display_transform("ACEScg", 0.0)
    plate = HostPlate(torch.empty((*region, 3), device=META), transform.lookup)
    whole, small = (torch.empty((3, *of), dtype=torch.float16, device=META) for of in (region, canvas.inner))
    guide, alpha = DeviceGuide(whole, small), torch.empty(size, device=META)
    counted = on_device.working_bytes(region, size)
    kept = whole.nbytes + small.nbytes + 12 * size[0] * size[1]
    placing = peak_of(lambda: on_device.placed(plate, canvas, META)) - kept
    lifting = peak_of(lambda: on_device.lifted(alpha, canvas, guide))
    assert max(placing, lifting) <= counted <= 1.5 * max(placing, lifting)
    held = on_device.held_bytes(region, size, 16) - counted
    assert held >= 32 * (whole.nbytes + small.nbytes) + 16 * 12 * size[0] * size[1]
