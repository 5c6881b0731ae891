from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional
from videomama_server.engines.videomama.memory.footprint import _convolution, peak_of, stand_ins

KB = 1024


def kilobytes(count=1):
    return torch.empty(count * KB // 4)


@pytest.fixture(params=["real", "stand-ins"])
def world(request):
    if request.param == "real":
        yield
    else:
        with stand_ins(card=False):
            yield


def test_what_lives_together_adds_up(world):
    assert peak_of(lambda: [kilobytes(3), kilobytes(4)]) == 7 * KB


def test_what_was_freed_does_not_count(world):
    def call():
        kilobytes(3)
        kilobytes(4)
        x = kilobytes(2)
        x = x + 1
        x = x + 1

    assert peak_of(call) == 4 * KB


def test_views_and_operations_in_place_cost_nothing(world):
    def call():
        x = kilobytes(2)
        y = x.view(2, -1).transpose(0, 1)[3:].expand(4, -1, -1)
        x.add_(1)
        functional.silu(x, inplace=True)
        assert torch.mul(x, 2, out=x) is x
        return y

    assert peak_of(call) == 2 * KB


def test_a_view_keeps_all_of_what_it_looks_at(world):
    def call():
        tail = kilobytes(5)[:1]
        kilobytes(1)
        return tail

    assert peak_of(call) == 6 * KB


def test_what_was_there_before_is_not_counted_nor_are_views_of_it(world):
    weight = kilobytes(8)
    assert peak_of(lambda: weight.view(2, -1).mT) == 0
    assert peak_of(lambda: weight.add_(1)) == 0
    assert peak_of(lambda: weight * 2) == 8 * KB


def test_results_of_several_tensors_count_each(world):
    assert peak_of(lambda: torch.max(torch.empty(256, 256), dim=0)) == 256 * KB + 256 * (4 + 8)


def test_a_cast_counts_in_its_own_format(world):
    assert peak_of(lambda: kilobytes(4).to(torch.bfloat16)) == 6 * KB
    assert peak_of(lambda: kilobytes(4).to(torch.float32)) == 4 * KB


def test_attention_has_no_matrix(world):
    tokens, width = 512, 64

    def call():
        q = torch.empty(1, 1, tokens, width)
        return functional.scaled_dot_product_attention(q, q, q)

    assert peak_of(call) == 2 * tokens * width * 4 + tokens * 4


def test_inference_mode_around_it_hides_nothing():
    layer = nn.Linear(16, 16)

    def call():
        return layer(torch.empty(2, 8, 16).transpose(0, 1))

    with torch.inference_mode():
        inside = peak_of(call)
    assert inside == peak_of(call)


def test_an_error_in_the_call_passes_through():
    with pytest.raises(RuntimeError, match="shape"):
        peak_of(lambda: torch.empty(2, 3) @ torch.empty(2, 3))


class Small(nn.Module):
    """Convolutions, norms, attention, a skip and a resize, as the network has them."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 32, 3, padding=1)
        self.norm = nn.GroupNorm(8, 32)
        self.qkv = nn.Linear(32, 96)
        self.over_time = nn.Linear(32, 32)
        self.last = nn.Conv2d(64, 8, 3, padding=1)
        self.to(memory_format=torch.channels_last)

    def forward(self, x):
        x = self.first(x.contiguous(memory_format=torch.channels_last))
        skip = x
        x = functional.silu(self.norm(x), inplace=True)
        frames, channels, height, width = x.shape
        tokens = x.flatten(2).mT
        q, k, v = self.qkv(tokens).view(frames, -1, 3, 2, 16).permute(2, 0, 3, 1, 4).unbind(0)
        x = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(frames, height, width, channels)
        x = self.over_time(x).permute(0, 3, 1, 2) + skip
        x = torch.cat([x, skip], dim=1)
        return torch.cat([self.last(part) for part in x.split(2)])


@pytest.mark.parametrize("shape", [(4, 3, 16, 24), (1, 3, 32, 32)])
def test_stand_ins_measure_what_real_tensors_take(shape):
    real_model = Small()
    real = peak_of(lambda: real_model(torch.randn(shape)))
    with stand_ins(card=False):
        model = Small()
        measured = peak_of(lambda: model(torch.randn(shape)))
    assert measured == real


@pytest.mark.parametrize(("card", "copies"), [(True, 2), (False, 1)], ids=["card", "cpu"])
def test_a_card_brings_what_lies_channels_last_into_order_before_it_normalises(card, copies):
    with stand_ins(card=card):
        norm = nn.GroupNorm(8, 32)
        x = torch.empty(2, 32, 16, 16).to(memory_format=torch.channels_last)
        assert peak_of(lambda: norm(x)) == copies * x.nbytes


def test_it_agrees_with_the_allocator():
    """The sum of what torch's allocator gave and took back, for operations without workspaces of their own."""

    def call():
        x = torch.ones(256 * KB)
        y = (x * 2).view(KB, -1).mT.contiguous()
        del x
        y = torch.cat([y, y + 1])
        return y.sort(dim=0).values

    call()
    with torch.profiler.profile(profile_memory=True) as profile:
        kept = call()
    sizes = [event.nbytes() for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    live = peak = 0
    for size in sizes:
        live += size
        peak = max(peak, live)
    assert peak_of(call) == pytest.approx(peak, rel=0.01)
    del kept


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(_convolution) == {"stride": 1, "padding": 0}
