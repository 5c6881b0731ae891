from __future__ import annotations

import pytest
import torch
from videomama_server.engines.runtime.device import resident_bytes
from videomama_server.engines.videomama.memory import offload as offload_module
from videomama_server.engines.videomama.memory.footprint import peak_of
from videomama_server.engines.videomama.memory.offload import PARTS, WAYS, Placement, PlainCopies, blocks_of
from videomama_server.engines.videomama.network.network import Network
from videomama_server.engines.videomama.network.shape import NetworkShape

CPU = torch.device("cpu")
TINY = NetworkShape(
    channels=(32, 64),
    layers=(1, 1),
    heads=(1, 2),
    down_attention=(True, False),
    up_attention=(False, True),
    inputs=12,
    outputs=4,
    vae_channels=(32, 64),
    vae_layers=2,
    latents=4,
)


def make_network():
    with torch.device("meta"):
        network = Network(TINY)
    source = torch.Generator().manual_seed(1)
    weights = {
        name: torch.randn(weight.shape, generator=source) * 0.05 for name, weight in network.state_dict().items()
    }
    network.load_state_dict(weights, assign=True)
    return network.requires_grad_(False)


@pytest.fixture
def network():
    return make_network()


def run(placement):
    source = torch.Generator().manual_seed(2)
    network = placement.network
    with torch.inference_mode():
        with placement.using("encoder"):
            plate = network.encoder.plate(torch.rand((2, 3, 16, 16), generator=source))
        with placement.using("unet"):
            latents = network.unet(torch.rand((2, 12, 8, 8), generator=source))
        with placement.using("decoder"):
            return plate, latents, network.decoder.grey(latents, 1, 2)


def addresses(network):
    return {name: weight.data_ptr() for name, weight in network.state_dict().items()}


@pytest.mark.parametrize("offload", WAYS)
def test_the_result_is_the_same_wherever_the_weights_are(network, offload):
    expected = run(Placement(network, CPU, "none"))
    placement = Placement(network, CPU, offload)
    for got, wanted in zip(run(placement), expected, strict=True):
        assert torch.equal(got, wanted)
    for got, wanted in zip(run(placement), expected, strict=True):
        assert torch.equal(got, wanted)


@pytest.mark.parametrize("offload", ["parts", "blocks"])
def test_the_hosts_weights_are_neither_written_nor_moved(network, offload):
    before, values = addresses(network), {name: weight.clone() for name, weight in network.state_dict().items()}
    placement = Placement(network, CPU, offload)
    run(placement)
    assert addresses(network) != before
    placement.release()
    assert addresses(network) == before
    assert placement.copied_bytes == 0
    assert all(torch.equal(weight, values[name]) for name, weight in network.state_dict().items())


def test_none_copies_everything_once_and_nothing_where_it_is_already(network):
    assert Placement(network, CPU, "none").copied_bytes == 0
    placement = Placement(network, torch.device("meta"), "none")
    assert placement.copied_bytes == resident_bytes(network)
    assert network.unet.conv_in.weight.is_meta
    placement.release()
    assert not network.unet.conv_in.weight.is_meta


def test_parts_holds_the_part_in_use_until_another_is_asked_for(network):
    placement = Placement(network, CPU, "parts")
    assert placement.copied_bytes == 0
    for part in PARTS:
        with placement.using(part):
            assert placement.copied_bytes == resident_bytes(getattr(network, part))
        assert placement.copied_bytes == resident_bytes(getattr(network, part))


def test_blocks_holds_one_block_and_what_is_in_no_block(network):
    placement = Placement(network, CPU, "blocks")
    seen = []
    for block in blocks_of(network, "unet"):
        block.register_forward_pre_hook(lambda *_: seen.append(placement.copied_bytes))
    blocks = [resident_bytes(block) for block in blocks_of(network, "unet")]
    rest = resident_bytes(network.unet) - sum(blocks)
    run(placement)
    assert seen == [rest + block for block in (seen_block - rest for seen_block in seen)]
    assert sorted(seen) == sorted(rest + block for block in blocks)
    placement.release()


@pytest.mark.parametrize("part", PARTS)
def test_copies_that_were_dropped_are_freed(network, part):
    """Followed by storages: with blocks, the peak is at most one block above what is never dropped."""
    call = {
        "encoder": lambda: network.encoder.plate(torch.ones(1, 3, 16, 16)),
        "unet": lambda: network.unet(torch.ones(2, 12, 8, 8), 1),
        "decoder": lambda: network.decoder.grey(torch.ones(2, 4, 8, 8), 1, 2),
    }[part]
    plain = peak_of(call)
    blocks = [resident_bytes(block) for block in blocks_of(network, part)]
    rest = resident_bytes(getattr(network, part)) - sum(blocks)
    placement = Placement(network, CPU, "blocks")

    def placed():
        with placement.using(part):
            call()
        placement.release()

    assert plain < peak_of(placed) <= plain + rest + max(blocks)


def test_a_block_that_fails_is_dropped(network):
    placement = Placement(network, CPU, "blocks")
    block = blocks_of(network, "decoder")[0]
    block.register_forward_pre_hook(lambda *_: 1 / 0)
    with placement.using("decoder"):
        rest = placement.copied_bytes
        with pytest.raises(ZeroDivisionError):
            network.decoder.grey(torch.ones(1, 4, 8, 8))
        assert placement.copied_bytes == rest


def call_hooks(blocks, kind, *args):
    for block in blocks:
        for hook in getattr(block, kind).values():
            hook(block, *args)


def test_every_weight_is_in_one_block_or_in_the_rest(network):
    for offload in WAYS:
        placement = Placement(network, torch.device("meta"), offload)
        for part in PARTS:
            blocks = blocks_of(network, part) if offload == "blocks" else ()
            with placement.using(part):
                call_hooks(blocks, "_forward_pre_hooks", ())
                assert all(weight.is_meta for weight in getattr(network, part).parameters())
                call_hooks(blocks, "_forward_hooks", (), None)
        placement.release()
        assert not any(weight.is_meta for weight in network.parameters())


def test_another_way_is_refused(network):
    with pytest.raises(ValueError, match="none, parts, blocks"):
        Placement(network, CPU, "some")


class CopiesAhead(PlainCopies):
    """Copies that come ahead, as on a stream of their own, and a log of what came and what was waited for."""

    ahead = True

    def __init__(self):
        super().__init__(CPU)
        self.log = []

    def bring(self, hosts):
        copies = super().bring(hosts)
        self.log.append(("brought", id(copies[0])))
        return copies

    def await_all(self, copies):
        self.log.append(("awaited", id(copies[0])))


def test_the_next_block_comes_while_one_runs(network):
    expected = run(Placement(network, CPU, "none"))
    copies = CopiesAhead()
    placement = Placement(network, CPU, "blocks", copies)
    for _ in range(2):  # the order of blocks is learned from the first run
        copies.log.clear()
        for got, wanted in zip(run(placement), expected, strict=True):
            assert torch.equal(got, wanted)
    kinds = [kind for kind, _ in copies.log]
    blocks = [len(blocks_of(network, part)) for part in PARTS]
    assert kinds.count("awaited") == kinds.count("brought") == sum(blocks)
    assert kinds[:5] == ["brought", "awaited", "brought", "awaited", "brought"]
    placement.release()
    assert placement.copied_bytes == 0


def test_no_more_than_two_blocks_are_there_at_once(network):
    placement = Placement(network, CPU, "blocks", CopiesAhead())
    most = []
    for block in blocks_of(network, "unet"):
        block.register_forward_hook(lambda *_: most.append(placement.copied_bytes))
    sizes = sorted(resident_bytes(block) for block in blocks_of(network, "unet"))
    rest = resident_bytes(network.unet) - sum(sizes)
    for _ in range(2):
        run(placement)
    assert max(most) <= rest + sizes[-1] + sizes[-2]
    placement.release()


@pytest.mark.parametrize("offload", WAYS)
@pytest.mark.parametrize("device", ["cuda", "cpu", "mps"])
def test_copies_have_a_stream_of_their_own_for_blocks_on_a_card(monkeypatch, device, offload):
    monkeypatch.setattr(offload_module, "StreamCopies", lambda device: ("a stream", device))
    found = offload_module.copies_for(torch.device(device), offload)
    if (device, offload) == ("cuda", "blocks"):
        assert found == ("a stream", torch.device("cuda"))
    else:
        assert type(found) is PlainCopies


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card here that pins")
def test_weights_that_cannot_be_pinned_for_a_card_are_copied_from_plain_memory(network):
    before = addresses(network)
    placement = Placement(network, torch.device("cuda:0"), "parts")  # torch pins nothing where there is no card
    assert placement.copied_bytes == 0
    placement.release()
    assert addresses(network) == before
