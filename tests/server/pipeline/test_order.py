from videomama_client.messages import FrameDone, StageFrameDone
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.media import frames
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.sources import EntrySource


def test_every_stage_has_an_order_with_its_engine_and_settings(bench, shot, temporal):
    order = bench.order(shot, PassthroughEngine(), then=[temporal()], window=1, exposure=1.5)
    first, second = order.stages()
    assert first is order
    assert (first.label, second.label) == ("stage 1, passthrough", "stage 2, temporal")
    assert (first.is_last, second.is_last) == (False, True)
    assert (second.engine_name, second.request.settings.engine) == ("temporal", "temporal")
    assert (second.request.settings.window, second.request.settings.exposure) == (None, 1.5)
    (only,) = bench.order(shot, PassthroughEngine()).stages()
    assert (only.label, only.is_last) == ("", True)


def test_a_later_stage_reads_the_same_plates_and_other_masks(bench, shot):
    _, second = bench.order(shot, PassthroughEngine(), then=[PassthroughEngine()]).stages()
    over = second.over(EntrySource("stage 1, passthrough", {1001: "ab" * 20}, lambda key: None))
    assert over.reader.plate is second.reader.plate
    assert over.reader.mask_digest(1001) == "ab" * 20
    assert second.reader.mask_digest(1001) != "ab" * 20


def test_only_the_alphas_of_the_last_stage_are_delivered(bench, shot):
    first, second = bench.order(shot, PassthroughEngine(), then=[PassthroughEngine()]).stages()
    entry = shot.mask_file(1001)
    assert first.deliver(entry, 1001, True) == [StageFrameDone(first.job, 0, 1001, True)]
    out = second.delivery.pattern.path(1001)
    assert not out.exists()
    assert second.deliver(entry, 1001, False) == [FrameDone(first.job, 1001, False, str(out))]
    assert (frames.read_mask(out).pixels == frames.read_mask(entry).pixels).all()


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Order) == {"index": 0}
