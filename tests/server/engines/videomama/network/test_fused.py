"""The fused steps: the same numbers from torch's own kernels and from Triton's, and which of them are run."""

from __future__ import annotations

import logging
import os
import sys
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional
from videomama_client.errors import BadInput
from videomama_server.engines.videomama import network as network_package
from videomama_server.engines.videomama.network import eager, fused
from videomama_server.engines.videomama.network.fused import TORCH, TRITON, Kernels

CPU, CARD = torch.device("cpu"), torch.device("cuda:0")
pytestmark = pytest.mark.usefixtures("inference")


@pytest.fixture
def as_on_a_card(monkeypatch):
    monkeypatch.setattr(fused.kernels, "name", TRITON)


@pytest.fixture
def interpreted():
    """Triton's kernels by its interpreter, which has to be asked for before torch is imported: TRITON_INTERPRET=1."""
    pytest.importorskip("triton")
    if os.environ.get("TRITON_INTERPRET") != "1":
        pytest.skip("TRITON_INTERPRET is not 1")
    from videomama_server.engines.videomama.network import triton_kernels

    return triton_kernels


def normed(x, weight, bias, frames):
    """Return silu of the group norm, float64, of each run of so many frames (N, P, C)."""
    runs = x.double().unflatten(0, (-1, frames)).permute(0, 3, 1, 2)
    found = functional.silu(functional.group_norm(runs, 32, weight.double(), bias.double(), 1e-5))
    return found.permute(0, 2, 3, 1).flatten(0, 1)


def by(kernels, x, weight, bias, reach):
    lines = kernels.norm_lines(kernels.channel_moments(x), x.shape[1], weight, bias, 1e-5, reach)
    onto = torch.empty_like(x)
    kernels.apply_lines(x, lines, onto, silu=True)
    return onto


SIZES = [(3, 300, 64, 0), (4, 1030, 96, None), (2, 257, 320, 0), (2, 20_000, 32, None)]


@pytest.mark.parametrize(("frames", "pixels", "channels", "reach"), SIZES)
@pytest.mark.parametrize("who", ["eager", "triton"])
def test_three_steps_make_a_group_norm_and_silu(noise, request, who, frames, pixels, channels, reach):
    kernels = eager if who == "eager" else request.getfixturevalue("interpreted")
    x, weight, bias = noise(frames, pixels, channels) * 2 + 5, noise(channels, seed=2), noise(channels, seed=3)
    expected = normed(x, weight, bias, 1 if reach == 0 else frames)
    torch.testing.assert_close(by(kernels, x, weight, bias, reach).double(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("reach", [0, 1, None])
def test_triton_and_torch_agree_with_a_reach_and_on_part_of_the_pixels(noise, interpreted, reach):
    x = noise(5, 400, 64)[:, 20:300]
    weight, bias = noise(64, seed=2), noise(64, seed=3)
    one, other = by(interpreted, x, weight, bias, reach), by(eager, x, weight, bias, reach)
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_triton_gates_and_adds_as_torch_does(noise, interpreted):
    x, added = noise(9, 320), noise(9, 320, seed=2)
    torch.testing.assert_close(interpreted.gated(x), eager.gated(x), rtol=1e-5, atol=1e-6)
    mine, theirs = x.clone(), x.clone()
    weight, bias = noise(320, seed=3), noise(320, seed=4)
    one, other = interpreted.added_norm(mine, added, weight, bias), eager.added_norm(theirs, added, weight, bias)
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
    assert torch.equal(mine, theirs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("pixels", [64, 3000])
def test_a_frames_moments_are_the_same_bits_whatever_frames_are_beside_it(noise, dtype, pixels):
    x = noise(16, pixels, 128).to(dtype)
    together = eager.channel_moments(x)
    for size in (1, 3, 8):
        assert torch.equal(torch.cat([eager.channel_moments(part) for part in x.split(size)]), together)


def test_triton_gives_a_frame_the_same_bits_whatever_frames_are_beside_it(noise, interpreted):
    x = noise(4, 3000, 64)
    assert torch.equal(interpreted.channel_moments(x)[2:3], interpreted.channel_moments(x[2:3]))


@pytest.mark.parametrize("silu", [True, False])
def test_half_formats_are_rounded_once(noise, silu):
    x, lines = noise(2, 100, 32).bfloat16(), noise(2, 2, 32, seed=2)
    onto = fused.apply_lines(x, lines, torch.empty_like(x), silu=silu)
    exact = x.float() * lines[0][:, None] + lines[1][:, None]
    assert torch.equal(onto, (functional.silu(exact) if silu else exact).bfloat16())


def test_gelu_gates_the_other_half(noise):
    x = noise(2, 3, 8)
    torch.testing.assert_close(fused.gated(x), x[..., :4] * functional.gelu(x[..., 4:]))


def test_what_is_added_stays_added(noise):
    x, added, weight, bias = noise(2, 3, 8), noise(2, 3, 8, seed=2), noise(8, seed=3), noise(8, seed=4)
    summed = x + added
    torch.testing.assert_close(
        fused.added_norm(x, added, weight, bias), functional.layer_norm(summed, (8,), weight, bias)
    )
    assert torch.equal(x, summed)


def test_a_reach_below_zero_is_refused(noise):
    with pytest.raises(ValueError, match="negative"):
        fused.norm_lines(eager.channel_moments(noise(2, 9, 32)), 9, noise(32), noise(32), 1e-5, -1)


def test_meta_tensors_stand_for_those_of_a_card(as_on_a_card, noise):
    x, weight = torch.empty((3, 5000, 64), device="meta", dtype=torch.float16), torch.empty(64, device="meta")
    moments = fused.channel_moments(x)
    assert moments.shape == (3, fused.slice_count(5000), 2, 64)
    assert fused.norm_lines(moments, 5000, weight, weight, 1e-5, 4).shape == (2, 3, 64)
    assert fused.gated(x).shape == (3, 5000, 32)
    assert fused.added_norm(x, x, weight, weight).dtype == torch.float16
    assert not fused.channel_moments(noise(3, 50, 64)).is_meta


@pytest.mark.parametrize(("pixels", "slices"), [(1, 1), (256, 1), (257, 2), (64 * 256, 64), (576 * 1024, 64)])
def test_a_frame_has_so_many_slices_by_its_size_alone(pixels, slices):
    assert fused.slice_count(pixels) == slices
    assert (slices - 1) * fused.slice_pixels(pixels) < pixels <= slices * fused.slice_pixels(pixels)


@pytest.mark.parametrize(
    ("mode", "device", "works", "name"),
    [
        ("auto", CPU, True, TORCH),
        ("auto", CARD, True, TRITON),
        ("auto", CARD, False, TORCH),
        ("on", CARD, True, TRITON),
        ("off", CARD, True, TORCH),
    ],
)
def test_tritons_kernels_are_run_on_a_card_where_they_work(mode, device, works, name, monkeypatch):
    monkeypatch.setattr(fused, "_triton_works", lambda _: works)
    kernels = Kernels()
    kernels.choose(mode, device)
    assert kernels.name == name


def test_what_was_asked_for_and_does_not_work_is_said(monkeypatch, caplog):
    monkeypatch.setattr(fused, "_triton_works", lambda _: False)
    with caplog.at_level(logging.WARNING):
        Kernels().choose("on", CARD)
    assert "torch's own kernels" in caplog.text


def test_a_triton_that_fails_is_not_used_and_says_why(monkeypatch, caplog):
    monkeypatch.setattr(fused, "find_spec", lambda _: object())
    monkeypatch.setattr(torch, "ones", lambda *_, **__: (_ for _ in ()).throw(OSError("a folder that is read-only")))
    monkeypatch.setitem(__import__("sys").modules, fused.__name__.replace("fused", "triton_kernels"), object())
    with caplog.at_level(logging.WARNING):
        assert not fused._triton_works(CARD)
    assert "read-only" in caplog.text


def test_an_unknown_mode_is_an_error(raises_with_hint):
    with raises_with_hint(BadInput, "'perhaps'"):
        Kernels().choose("perhaps", CPU)


@pytest.mark.slow
def test_nothing_is_compiled_for_a_canvas(network, noise, monkeypatch):
    def refused(*_, **__):
        raise AssertionError("compiled")

    monkeypatch.setattr(torch, "compile", refused)
    for index in range(20):
        height, width = 8 * (1 + index % 3), 8 * (1 + index // 3)
        assert network.unet(noise(1, 12, height, width)).shape == (1, 4, height, width)
    assert not any(torch._dynamo.utils.counters["frames"].values())


def test_twenty_canvases_take_the_variants_of_one(interpreted, monkeypatch, as_on_a_card):
    """What is compiled for is in capitals; all else is a number that a variant is run with."""
    variants = set()

    class Recording:
        def __init__(self, kernel):
            self.kernel = kernel

        def __getitem__(self, grid):
            return lambda *_, **named: variants.add((self.kernel, *sorted(named.items())))

    for name in ("_moments_kernel", "_lines_kernel", "_apply_kernel"):
        monkeypatch.setattr(interpreted, name, Recording(name))
    counts = []
    for index in range(20):
        for channels in (128, 320):
            by(interpreted, torch.empty((2, 64 * (index + 1) + index, channels)), torch.empty(channels), None, 0)
        counts.append(len(variants))
    assert counts[0] == counts[-1]


STEPS = ("channel_moments", "norm_lines", "apply_lines", "gated", "added_norm")


@pytest.mark.parametrize("broken", [*STEPS, None])
def test_triton_works_where_each_of_its_kernels_does(monkeypatch, broken):
    def step(name):
        def run(*_, **__):
            if name == broken:
                raise RuntimeError("no compiler")
            return torch.ones(1)

        return run

    ones = torch.ones
    monkeypatch.setattr(fused, "find_spec", lambda _: object())
    monkeypatch.setattr(torch, "ones", lambda size, **_: ones(size))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda _: None)
    kernels = SimpleNamespace(**{name: step(name) for name in STEPS})
    monkeypatch.setitem(sys.modules, fused.__name__.replace("fused", "triton_kernels"), kernels)
    monkeypatch.setattr(network_package, "triton_kernels", kernels, raising=False)
    assert fused._triton_works(CARD) is (broken is None)
