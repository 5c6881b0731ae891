from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch
from videomama_client.errors import OutOfMemory
from videomama_server.engines.runtime.device import Device, resident_bytes
from videomama_server.engines.videomama.checkpoint.published import PUBLISHED_UNET, PUBLISHED_VAE
from videomama_server.engines.videomama.memory import planner
from videomama_server.engines.videomama.memory.footprint import peak_of
from videomama_server.engines.videomama.memory.known_peaks import KnownPeaks
from videomama_server.engines.videomama.memory.planner import Workload, plan, tighter
from videomama_server.engines.videomama.network.fused import TORCH, TRITON, kernels
from videomama_server.engines.videomama.network.network import Network
from videomama_server.engines.videomama.network.shape import NetworkShape, shape_of

CARD = Device(torch.device("cuda:0"), torch.float16, torch.float16)
CPU = Device(torch.device("cpu"), torch.bfloat16, torch.float32)
TINY = NetworkShape(
    channels=(64, 128, 128, 128),
    layers=(1, 1, 1, 1),
    heads=(1, 2, 2, 2),
    down_attention=(True, True, True, False),
    up_attention=(False, True, True, True),
    inputs=12,
    outputs=4,
    vae_channels=(32, 32, 64, 64),
    vae_layers=1,
    latents=4,
)
FULL = shape_of(PUBLISHED_UNET, PUBLISHED_VAE)
CANVASES = [(256, 448), (192, 320), (128, 256), (64, 128)]
AMPLE = 10**14


@pytest.fixture
def card(monkeypatch):
    monkeypatch.setattr(kernels, "name", TRITON)
    return Workload(TINY, CARD, window=8, group=8)


@pytest.fixture
def cpu():
    return Workload(TINY, CPU, window=8, group=8)


@pytest.fixture
def small_allowance(monkeypatch):
    monkeypatch.setattr(planner, "_ALLOWANCE", 0)


def test_with_ample_memory_everything_is_at_once(card):
    ample = plan(card, CANVASES, AMPLE)
    assert ample.canvas == CANVASES[0]
    assert set(ample.passes.values()) == {8}
    assert ample.offload == "none"
    assert ample.peak_bytes < AMPLE


@pytest.mark.slow
def test_less_memory_takes_passes_then_offload_then_canvas(card, small_allowance):
    ample = plan(card, CANVASES, AMPLE)
    budget, seen = ample.peak_bytes, []
    while True:
        try:
            found = plan(card, CANVASES, budget)
        except OutOfMemory:
            break
        assert found.peak_bytes <= budget
        seen.append((found.canvas, planner.WAYS.index(found.offload), found.passes))
        budget = int(budget * 0.8)
    canvases = [canvas for canvas, _, _ in seen]
    assert canvases == sorted(canvases, reverse=True)
    assert canvases[-1] == CANVASES[-1]
    first = [row for row in seen if row[0] == CANVASES[0]]
    assert [way for _, way, _ in first] == sorted(way for _, way, _ in first)
    passes = [sum(row[2].values()) for row in first if row[1] == 0]
    assert passes == sorted(passes, reverse=True)
    assert passes[-1] < passes[0]
    assert {way for _, way, _ in seen} == {0, 1, 2}


@pytest.mark.parametrize("beside", [planner.nothing, lambda canvas: 200 * canvas[0] * canvas[1]])
def test_no_larger_canvas_would_have_fitted(card, small_allowance, beside):
    """Skipping canvases by area loses none: each on its own gives the same answer."""
    for budget in (3_000_000, 10_000_000, 20_000_000, 40_000_000, 80_000_000):
        fitting = [canvas for canvas in CANVASES if fits(card, canvas, budget, beside)]
        if fitting:
            assert plan(card, CANVASES, budget, beside).canvas == fitting[0]
        else:
            with pytest.raises(OutOfMemory):
                plan(card, CANVASES, budget, beside)


def fits(workload, canvas, budget, beside):
    try:
        return plan(workload, [canvas], budget, beside).canvas == canvas
    except OutOfMemory:
        return False


def test_what_is_held_beside_is_that_of_the_canvas_taken(card):
    """A large canvas may leave no room for its pictures where a small one, with small pictures, fits well."""
    whole, small = plan(card, CANVASES[:1], AMPLE).peak_bytes, CANVASES[-1]
    found = plan(card, [CANVASES[0], small], whole, lambda canvas: 0 if canvas == small else whole)
    assert found.canvas == small
    assert found.budget_bytes == whole


def test_nothing_fits_is_an_error_with_the_numbers(card):
    with pytest.raises(OutOfMemory, match=r"128x64 .* 8 frames.* GB on cuda:0; there are 0\.1 GB") as refusal:
        plan(card, CANVASES, 10**8)
    assert "max_vram_gb" in refusal.value.hint


@pytest.mark.slow
def test_on_a_cpu_only_the_canvas_depends_on_the_memory(cpu, small_allowance):
    seen = set()
    ample = plan(cpu, CANVASES, AMPLE)
    budget = ample.peak_bytes
    for _ in range(12):
        try:
            found = plan(cpu, CANVASES, budget)
        except OutOfMemory:
            break
        assert found.passes == {"encoder": 1, "unet": 8, "decoder": 1}
        assert found.offload == "none"
        seen.add(found.canvas)
        budget = int(budget * 0.8)
    assert ample.canvas == CANVASES[0]
    assert len(seen) > 1
    assert tighter(ample) is None


def test_tighter_goes_down_the_ladder_to_its_end(card):
    rung = plan(card, CANVASES, AMPLE)
    peaks, ways = [rung.peak_bytes], [rung.offload]
    while (following := tighter(rung)) is not None:
        assert following.canvas == rung.canvas
        assert (following.passes, following.offload) != (rung.passes, rung.offload)
        rung = following
        peaks.append(rung.peak_bytes)
        ways.append(rung.offload)
    assert peaks == sorted(peaks, reverse=True)
    assert set(rung.passes.values()) == {1}
    assert ways[-2:] == ["parts", "blocks"]
    assert peaks[-1] < peaks[0]


@pytest.mark.parametrize(("canvas", "decode"), [((576, 1024), 14), ((1088, 1856), 3)])
def test_no_pass_makes_a_tensor_of_more_numbers_than_kernels_can_count(canvas, decode):
    full = Workload(FULL, CARD, window=16, group=14)
    ladder = planner._ladder(full, canvas, "decoder")
    assert ladder[0] == decode
    assert ladder[-1] == 1
    assert max(ladder) * canvas[0] * canvas[1] * FULL.vae_channels[1] < 2**31
    assert planner._ladder(full, (64 * 200, 64 * 200), "decoder") == [1]


def test_a_plan_is_that_of_the_kernels_that_run(card, monkeypatch):
    """Triton's take no room of their own; what torch's take is planned for."""
    monkeypatch.setattr(planner, "peaks", KnownPeaks())
    monkeypatch.setattr(kernels, "name", TORCH)
    by_torch = plan(card, CANVASES[:1], AMPLE)
    monkeypatch.setattr(kernels, "name", TRITON)
    assert plan(card, CANVASES[:1], AMPLE).peak_bytes < by_torch.peak_bytes
    monkeypatch.setattr(kernels, "name", TORCH)
    assert plan(card, CANVASES[:1], AMPLE) == by_torch


def test_a_recording_needs_room_beside_the_plan_and_a_card_that_holds_all_weights(card, cpu):
    ample = plan(card, CANVASES[:1], AMPLE)
    assert planner.has_room_for_recording(ample)
    assert not planner.has_room_for_recording(replace(ample, budget_bytes=ample.peak_bytes))
    assert not planner.has_room_for_recording(replace(ample, offload="blocks"))
    assert not planner.has_room_for_recording(plan(cpu, CANVASES[:1], AMPLE))


def test_blocks_need_room_for_two_of_them(card):
    network = planner._network(TINY, torch.float16)
    blocks = sorted(resident_bytes(block) for block in planner.blocks_of(network, "unet"))
    kept = resident_bytes(network.unet) - sum(blocks)
    assert planner._weights(TINY, torch.float16, "unet", "blocks") == kept + blocks[-1] + blocks[-2]


def test_peaks_are_measured_once_per_machine(card, monkeypatch, tmp_path):
    def planned():
        monkeypatch.setattr(planner, "peaks", KnownPeaks())
        planner.peaks.use(tmp_path / "peaks.json")
        return plan(card, CANVASES[:1], AMPLE)

    first = planned()
    monkeypatch.setattr(planner, "peak_of", None)
    assert planned() == first


def test_describe(card):
    text = plan(card, CANVASES, 10**10).describe()
    assert text.startswith("cuda:0")
    assert "fp16, canvas 448x256, 8/8/8 frames a pass, offload none, " in text
    assert text.endswith("of 10.0 GB")


@pytest.mark.slow
def test_the_measured_peak_is_what_real_tensors_take(cpu):
    """The whole network in float32 on real tensors; not to the byte, as it has ways of its own on a CPU."""
    with torch.device("meta"):
        network = Network(TINY).to(torch.bfloat16)
    weights = {name: torch.zeros(weight.shape, dtype=weight.dtype) for name, weight in network.state_dict().items()}
    network.load_state_dict(weights, assign=True)
    canvas = (128, 256)
    for part in planner.PARTS:
        for passes in (1, 2):
            planned = planner._measured(cpu, canvas, part, passes)
            real = peak_of(planner._call(cpu, canvas, part, passes, network))
            assert real <= planned <= 1.4 * real  # a card takes the moments of more pixels at once


def test_weights_of_each_way(card):
    network = planner._network(TINY, torch.float16)
    assert planner._weights(TINY, torch.float16, "unet", "none") == resident_bytes(network)
    assert planner._weights(TINY, torch.float16, "unet", "parts") == resident_bytes(network.unet)
    assert planner._weights(TINY, torch.float16, "unet", "blocks") < resident_bytes(network.unet)


@pytest.mark.slow
def test_the_published_size_is_planned_in_seconds():
    workload = Workload(FULL, CARD, window=16, group=16)
    start = time.process_time()
    found = plan(workload, [(1664, 3136), (576, 1024)], 80 * 10**9)
    assert time.process_time() - start < 30
    assert found.canvas == (1664, 3136)
    assert found.offload == "none"


@pytest.mark.parametrize("part", planner.PARTS)
@pytest.mark.parametrize("passes", [1, 8])
def test_peaks_of_canvases_in_between_are_as_measured(card, part, passes):
    canvas = (320, 576)
    assert planner._peak(card, canvas, part, passes) == pytest.approx(
        planner._measured(card, canvas, part, passes), rel=0.02
    )


@pytest.fixture
def counted(monkeypatch):
    """Peaks and weights that can be reckoned: 100 bytes a pixel of the canvas and frame per pass, more by part."""
    more = {"encoder": 0, "unet": 7_000_000, "decoder": 3_000_000}
    weights = {"none": 3_000_000_000, "parts": 2_000_000_000, "blocks": 1_000_000_000}
    monkeypatch.setattr(
        planner, "_measured", lambda _, canvas, part, passes: 100 * canvas[0] * canvas[1] * passes + more[part]
    )
    monkeypatch.setattr(planner, "_weights", lambda _shape, _storage, _part, offload: weights[offload])
    monkeypatch.setattr(planner, "_numbers_a_pixel", lambda *_: 1.0)


def bytes_of(passes, weights=3_000_000_000, canvas=(640, 1024)):
    return weights + 512 * 2**20 + int((100 * canvas[0] * canvas[1] * passes + 7_000_000) * 1.05)


def test_a_plan_counts_weights_an_allowance_and_a_twentieth_more_than_activations(card, counted):
    found = plan(card, [(640, 1024)], AMPLE)
    assert (found.peak_bytes, found.budget_bytes) == (bytes_of(8), AMPLE)
    assert plan(card, [(640, 1024)], bytes_of(8)).passes["unet"] == 8
    assert plan(card, [(640, 1024)], bytes_of(8) - 1).passes == {"encoder": 8, "unet": 4, "decoder": 8}
    least = plan(card, [(640, 1024)], bytes_of(1, 1_000_000_000))
    assert (least.offload, least.passes, least.peak_bytes) == (
        "blocks",
        {"encoder": 1, "unet": 1, "decoder": 1},
        bytes_of(1, 1_000_000_000),
    )
    with pytest.raises(
        OutOfMemory, match=r"1024x640 pixels with windows of 8 frames, 8 decoded together, take 1\.6 GB"
    ):
        plan(card, [(640, 1024)], bytes_of(1, 1_000_000_000) - 1)


def test_a_smaller_canvas_is_taken_where_the_larger_does_not_fit(card, counted):
    canvases = [(1280, 2048), (640, 1024), (320, 512)]
    assert plan(card, canvases, bytes_of(1, 1_000_000_000)).canvas == (640, 1024)
    assert plan(card, canvases, bytes_of(1, 1_000_000_000) - 1).canvas == (320, 512)
    assert plan(card, canvases, bytes_of(1, 1_000_000_000, canvases[0])).canvas == canvases[0]


def test_tighter_halves_the_part_of_the_highest_peak_first(card, counted):
    rung, seen = plan(card, [(640, 1024)], AMPLE), []
    while rung is not None:
        seen.append((*rung.passes.values(), rung.offload))
        rung = tighter(rung)
    assert seen[:5] == [(8, 8, 8, "none"), (8, 4, 8, "none"), (8, 4, 4, "none"), (4, 4, 4, "none"), (4, 2, 4, "none")]
    assert seen[-3:] == [(1, 1, 1, "none"), (1, 1, 1, "parts"), (1, 1, 1, "blocks")]


@pytest.mark.parametrize(
    ("frames", "part", "rungs"), [(8, "unet", [8, 4, 2, 1]), (6, "encoder", [6, 3, 1]), (1, "decoder", [1])]
)
def test_frames_per_pass_are_halved_down_to_one(counted, frames, part, rungs):
    workload = Workload(TINY, CARD, window=frames, group=frames)
    assert planner._ladder(workload, (64, 64), part) == rungs
    assert planner._ladder(Workload(TINY, CPU, frames, frames), (64, 64), part) == ([frames] if part == "unet" else [1])


def test_the_longest_tensors_by_part():
    assert [planner._numbers_a_pixel(TINY, part) for part in planner.PARTS] == [32, 8, 32]
    assert [planner._numbers_a_pixel(FULL, part) for part in planner.PARTS] == [128, 40, 256]
    assert planner._MOST_NUMBERS == 2**31 - 1


def test_there_is_always_room_for_a_byte(card, counted):
    assert planner._room(card, 0) == 1
    assert planner._room(card, 10**9 + 512 * 2**20 + 5) == 5


def test_peaks_lie_on_the_line_through_two_canvases(card, monkeypatch):
    measured = {128 * 128: 1_000_000, 768 * 768: 9_000_000}
    monkeypatch.setattr(planner, "_measured", lambda _, canvas, *__: measured[canvas[0] * canvas[1]])
    assert planner._peak(card, (128, 128), "unet", 1) == 1_000_000
    assert planner._peak(card, (768, 768), "unet", 1) == 9_000_000
    assert planner._peak(card, (512, 512), "unet", 1) == pytest.approx(
        1e6 + 8e6 * (512**2 - 128**2) / (768**2 - 128**2), abs=1
    )
