from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch
from torch import nn
from videomama_client.errors import BadInput
from videomama_server.engines.base import DeviceLost
from videomama_server.engines.runtime import device
from videomama_server.engines.runtime.device import Device, choose

GB = 10**9


@pytest.fixture
def no_card(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def two_cards(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA H200")
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)


@pytest.fixture
def apple(no_card, monkeypatch):
    """Apple's graphics, 8 of 12 GB taken and 1 of them unused, on a system with 3 GB left."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_macos_or_newer", lambda *version: version <= (13, 3))
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 12 * GB)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 8 * GB)
    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 7 * GB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=3 * GB))


def plain_cpu(monkeypatch, *, bf16):
    for probe in device._CPU_BF16:
        monkeypatch.setattr(torch.cpu, probe, lambda: bf16, raising=False)


def test_auto_takes_the_first_card_in_fp16(two_cards):
    assert choose() == Device(torch.device("cuda:0"), torch.float16, torch.float16)
    assert choose("cuda").device == torch.device("cuda:0")
    assert choose("cuda:1", "fp32") == Device(torch.device("cuda:1"), torch.float32, torch.float32)
    assert device.has_card()


def test_auto_takes_the_cpu_where_there_is_no_card(no_card, monkeypatch):
    plain_cpu(monkeypatch, bf16=False)
    assert choose() == Device(torch.device("cpu"), torch.bfloat16, torch.float32)
    assert not device.has_card()


def test_a_cpu_calculates_in_bf16_only_where_it_is_in_hardware(no_card, monkeypatch):
    plain_cpu(monkeypatch, bf16=True)
    assert choose("cpu", "bf16").arithmetic == torch.bfloat16
    plain_cpu(monkeypatch, bf16=False)
    assert choose("cpu", "bf16").arithmetic == torch.float32


@pytest.mark.parametrize(("dtype", "storage"), [("fp16", torch.float16), ("fp32", torch.float32)])
def test_other_formats_on_a_cpu_are_stored_and_calculated_in_float32(dtype, storage):
    assert choose("cpu", dtype) == Device(torch.device("cpu"), storage, torch.float32)


def test_a_torch_without_the_probes_is_a_cpu_without_bf16(monkeypatch):
    for probe in device._CPU_BF16:
        monkeypatch.delattr(torch.cpu, probe, raising=False)
    assert not device.cpu_has_bf16()


def test_this_cpu_is_judged_by_what_the_system_says_of_it():
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
        flags = set(next(line for line in lines if line.startswith("flags")).split())
    except (OSError, StopIteration):
        pytest.skip("the system does not say")
    assert device.cpu_has_bf16() == bool(flags & {"amx_bf16", "avx512_bf16"})


@pytest.mark.parametrize("name", ["cuda:3", "cuda:-1", "gpu", "", "mps", "cuda:x"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(two_cards, name):
    with pytest.raises(BadInput, match="no device") as refusal:
        choose(name)
    assert "cpu, cuda:0, cuda:1" in refusal.value.hint


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:1", "mps"])
def test_a_card_that_is_named_and_not_there_is_refused(no_card, name):
    with pytest.raises(BadInput, match=f"no device '{name}'") as refusal:
        choose(name)
    assert refusal.value.hint == "There are: auto, cpu."


def test_a_card_that_the_driver_counts_and_torch_cannot_use_is_refused(no_card, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert choose().device.type == "cpu"
    with pytest.raises(BadInput, match="no device 'cuda:0'"):
        choose("cuda:0")


def test_apples_graphics_is_a_card_after_those_of_cuda(apple, monkeypatch):
    assert choose() == choose("mps") == Device(torch.device("mps"), torch.float16, torch.float16)
    assert choose("mps", "fp32").arithmetic == torch.float32
    assert device.has_card()
    assert device.is_card(choose().device)
    with pytest.raises(BadInput, match="mps does not calculate in bf16"):
        choose("mps", "bf16")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert choose().device == torch.device("cuda:0")


def test_what_is_free_of_apples_memory_is_what_metal_and_the_system_leave(apple, monkeypatch):
    mps = torch.device("mps")
    assert device.free_bytes(mps) == 4 * GB
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 9 * GB)
    assert device.free_bytes(mps) == 2 * GB
    assert device.peak_bytes(mps) is None


def test_apples_graphics_is_held_to_its_share(apple, monkeypatch):
    held = []
    monkeypatch.setattr(torch.mps, "set_per_process_memory_fraction", held.append)
    device.limit(torch.device("mps"), 0)
    device.limit(torch.device("mps"), 6 * GB)
    device.limit(torch.device("mps"), 60 * GB)
    assert held == [0.5, 1.0]


def test_a_card_of_amd_says_that_it_is_one(two_cards, monkeypatch):
    monkeypatch.setattr(torch.version, "hip", "7.1.0")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "AMD Instinct MI300X")
    assert choose("cuda:1").describe() == "cuda:1 AMD Instinct MI300X (ROCm), fp16"


def test_memory_goes_back_to_the_driver_of_the_card_that_has_it(monkeypatch):
    emptied = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append("cuda"))
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: emptied.append("mps"))
    monkeypatch.setattr(torch.accelerator, "empty_host_cache", lambda: emptied.append("pinned"), raising=False)
    for name in ("cpu", "cuda:0", "mps"):
        device.give_back(torch.device(name))
    assert emptied == ["cuda", "pinned", "mps"]


def test_a_torch_that_cannot_give_pinned_memory_back_keeps_it(monkeypatch):
    emptied = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append("cuda"))
    monkeypatch.delattr(torch.accelerator, "empty_host_cache", raising=False)
    device.give_back(torch.device("cuda:0"))
    assert emptied == ["cuda"]


def test_an_unknown_format_is_refused():
    with pytest.raises(BadInput, match="fp8") as refusal:
        choose("cpu", "fp8")
    assert "auto, fp16, bf16, fp32" in refusal.value.hint


def test_bf16_on_a_card_without_it_is_refused(two_cards):
    with pytest.raises(BadInput, match="bf16"):
        choose("cuda:0", "bf16")


def test_describe(two_cards):
    assert choose("cuda:1").describe() == "cuda:1 NVIDIA H200, fp16"
    assert Device(torch.device("cpu"), torch.bfloat16, torch.float32).describe() == "cpu, fp32 from bf16 weights"


def test_free_bytes_of_a_card_counts_what_torch_holds_unused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (1000, 9000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 500)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 200)
    assert device.free_bytes(torch.device("cuda:0")) == 1300


def test_free_and_peak_bytes_of_a_cpu_are_the_systems():
    cpu = torch.device("cpu")
    assert 0 < device.free_bytes(cpu) <= psutil.virtual_memory().total
    device.reset_peak(cpu)
    assert device.peak_bytes(cpu) >= psutil.Process().memory_info().rss / 2


def test_resident_bytes_counts_weights_in_their_format_and_shared_ones_once():
    layer = nn.Linear(3, 5).to(torch.bfloat16)
    assert device.resident_bytes(layer) == (15 + 5) * 2
    assert device.resident_bytes(nn.Sequential(layer, layer)) == 40
    assert device.resident_bytes(nn.BatchNorm1d(4, affine=False)) == 4 * 4 * 2 + 8


@pytest.mark.parametrize(("asked", "share"), [(10**10, 0.25), (10**12, 1.0)])
def test_torch_is_held_to_the_memory_that_may_be_used(monkeypatch, asked, share):
    held = []
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (10**9, 4 * 10**10))
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", lambda *given: held.append(given))
    device.limit(torch.device("cuda:1"), asked)
    assert held == [(share, torch.device("cuda:1"))]


def test_nothing_is_held_back_where_nothing_was_asked_or_on_a_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", lambda *_: pytest.fail("limited"))
    device.limit(torch.device("cuda:0"), 0)
    device.limit(torch.device("cpu"), 10**9)


@pytest.mark.parametrize(("asked", "total"), [("auto", 8e9), ("cuda", 8e9), ("cuda:1", 8e9), ("cpu", 0), ("cuda:7", 0)])
def test_the_memory_of_the_card_that_is_asked_for(two_cards, monkeypatch, asked, total):
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda which: SimpleNamespace(total_memory=int(8e9)))
    assert device.card_bytes(asked) == total
    assert device.card_bytes(asked, 6.0) == min(total, 6e9)


def test_apples_memory_is_no_cards(apple):
    assert device.card_bytes("auto") == 0


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), torch.OutOfMemoryError),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), torch.OutOfMemoryError),
        (torch.AcceleratorError("CUDA error: out of memory"), torch.OutOfMemoryError),
        (torch.AcceleratorError("CUDA error: an illegal memory access"), DeviceLost),
        (RuntimeError("shapes do not match"), RuntimeError),
        (KeyError("weight"), KeyError),
    ],
)
def test_faults_of_a_device_are_told_apart(error, kind):
    with pytest.raises(kind) as caught, device.faults():
        raise error
    assert caught.type is kind
    assert str(error) == str(caught.value)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(device.card_bytes) == {"most_gb": 0.0}
