import logging

import pytest
import torch
from videomama_client.errors import BadInput
from videomama_server.engines.videomama.network import fusing
from videomama_server.engines.videomama.network.fusing import Activation, plain

CPU, CARD = torch.device("cpu"), torch.device("cuda:0")


@pytest.fixture
def step():
    generator = torch.Generator().manual_seed(0)
    x, scale, shift = (torch.randn(size, generator=generator) for size in ((3, 8, 32), (3, 1, 32), (3, 1, 32)))
    return x, scale, shift, torch.empty_like(x)


def test_plain_is_silu_of_a_line(step):
    x, scale, shift, onto = step
    assert plain(*step) is onto
    torch.testing.assert_close(onto, torch.nn.functional.silu(x * scale + shift))


@pytest.mark.parametrize(
    ("mode", "device", "compiled"),
    [
        ("auto", CPU, False),
        ("auto", CARD, True),
        ("on", CPU, True),
        ("off", CARD, False),
    ],
)
def test_a_card_is_compiled_for_unless_told_otherwise(mode, device, compiled, monkeypatch):
    monkeypatch.setattr(fusing.torch, "compile", lambda step, **_: step)
    activation = Activation()
    activation.choose(mode, device)
    assert activation.compiled is compiled


def test_an_unknown_mode_is_an_error(raises_with_hint):
    with raises_with_hint(BadInput, "'perhaps'"):
        Activation().choose("perhaps", CPU)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_it_gives_the_same(step):
    activation = Activation()
    activation.choose("on", CPU)
    expected = plain(step[0], step[1], step[2], torch.empty_like(step[3]))
    torch.testing.assert_close(activation(*step), expected, rtol=1e-6, atol=1e-6)


def test_where_compiling_fails_it_says_so_once_and_goes_on(step, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("no compiler")

    monkeypatch.setattr(fusing.torch, "compile", lambda *_, **__: broken)
    activation = Activation()
    activation.choose("on", CPU)
    with caplog.at_level(logging.WARNING):
        first = activation(*step).clone()
        second = activation(*step)
    torch.testing.assert_close(first, second)
    assert [record.message for record in caplog.records] == [
        "compiling does not work here, so the network runs uncompiled: no compiler"
    ]
    assert not activation.compiled


def test_memory_that_runs_out_is_not_taken_for_a_broken_compiler(step, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("full")

    monkeypatch.setattr(fusing.torch, "compile", lambda *_, **__: full)
    activation = Activation()
    activation.choose("on", CPU)
    with pytest.raises(torch.OutOfMemoryError):
        activation(*step)
    assert activation.compiled
