from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from videomama_client.errors import BadInput
from videomama_client.settings import MatteSettings
from videomama_server.engines import base
from videomama_server.engines.base import EngineConfig, EngineFrame, licence_of
from videomama_server.engines.sam2 import Sam2
from videomama_server.engines.segment import maker
from videomama_server.engines.segment.maker import MaskMaker, probability
from videomama_server.engines.sequential import Brief, FramePrompts

SIZE = (48, 80)


@pytest.fixture(scope="module")
def engine(tmp_path_factory, make):
    folder = tmp_path_factory.mktemp("weights")
    make.sam2().save_pretrained(folder / "sam2")
    return MaskMaker(Sam2, EngineConfig(weights=folder, folded_dir=Path("folded"), device="cpu"))


@pytest.fixture(scope="module")
def encoded(engine, clip):
    """All frames, from 1001 on, as the pipeline gives them."""
    settings = resolved(engine)
    return {1001 + at: engine.encode(frame(1001 + at, plate), settings) for at, plate in enumerate(clip)}


def frame(number, plate):
    return EngineFrame(number, np.zeros(SIZE, np.float32), SIZE, lambda: plate)


def resolved(engine, **options):
    return engine.resolve(MatteSettings(engine=engine.name).with_options(**options), SIZE)


def click(number, x=20.0, y=22.0):
    return FramePrompts(number, points=np.float32([[x, y]]), labels=np.array([True]))


def brief(encoded, *prompts, backward=False, start=None):
    given = tuple(sorted(prompts, key=lambda one: one.frame))
    return Brief(given, "", start or prompts[0].frame, backward, encoded.get)


def walked(engine, state, numbers, encoded, settings):
    return {number: engine.step(state, number, encoded[number], settings) for number in numbers}


def test_a_walk_gives_the_probability_of_the_networks_logits(engine, encoded):
    settings = resolved(engine)
    state = engine.begin(brief(encoded, click(1001)), settings)
    masks = walked(engine, state, range(1001, 1006), encoded, settings)
    from videomama_server.engines.segment.tracker import Track

    track = Track(engine.network)
    track.prompt(encoded[1001], click(1001))
    for number, mask in masks.items():
        logits = track.follow(number, encoded[number]).logits
        assert mask.shape == SIZE
        assert mask.dtype == np.float32
        assert np.array_equal(mask, probability(logits, SIZE))
    assert 0 < masks[1003].mean() < 1


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("reanchor", [False, True])
def test_a_kept_state_walks_on_bit_for_bit(engine, encoded, backward, reanchor):
    settings = resolved(engine, reanchor=reanchor)
    order = list(range(1012, 1001, -1) if backward else range(1012, 1024))
    told = brief(encoded, click(1012), click(1024), start=1012, backward=backward)
    state = engine.begin(told, settings)
    masks, kept = {}, {}
    for number in order:
        masks[number] = engine.step(state, number, encoded[number], settings)
        kept[number] = engine.export(state)
    for begin in (0, 5):
        again = engine.restore(kept[order[begin]], told, settings)
        for number in order[begin + 1 :]:
            assert np.array_equal(engine.step(again, number, encoded[number], settings), masks[number])


def test_frames_in_which_the_subject_is_absent_are_black_and_not_looked_at(engine, encoded, clip):
    settings = resolved(engine, absent="1003-1004,1007")

    def load_plate():
        raise AssertionError

    blank = engine.encode(EngineFrame(1003, np.zeros(SIZE, np.float32), SIZE, load_plate), settings)
    frames = encoded | dict.fromkeys((1003, 1004, 1007), blank)
    state = engine.begin(brief(frames, click(1001)), settings)
    masks = walked(engine, state, range(1001, 1010), frames, settings)
    assert [number for number, mask in masks.items() if not mask.any()] == [1003, 1004, 1007]
    assert masks[1003].shape == SIZE


def test_a_prompt_where_the_subject_is_absent_is_an_error(engine, encoded):
    settings = resolved(engine, absent="1001-1002")
    frames = encoded | {1001: maker.Blank(SIZE)}
    with pytest.raises(BadInput, match="frame 1001 has a prompt, and the setting absent says"):
        engine.begin(brief(frames, click(1001)), settings)


def test_absent_frames_must_be_a_range(engine):
    with pytest.raises(BadInput, match="'whenever' is not a valid frame range"):
        resolved(engine, absent="whenever")


def test_a_key_mask_and_clicks_on_one_frame_are_an_error(engine, encoded):
    both = replace(click(1001), load_mask=lambda: np.ones(SIZE, np.float32))
    with pytest.raises(BadInput, match="frame 1001 has both a key mask and clicks"):
        engine.begin(brief(encoded, both), resolved(engine))


def test_the_folder_of_the_weights_is_not_in_the_key(engine):
    assert resolved(engine, weights="/elsewhere") == resolved(engine)


def test_no_prompt_is_an_error(engine, encoded):
    with pytest.raises(BadInput, match="the engine sam2 has no prompt"):
        engine.begin(Brief((), "", 1001, False, encoded.get), resolved(engine))


def test_a_key_mask_comes_back_as_it_was_painted(engine, encoded):
    painted = np.zeros(SIZE, np.float32)
    painted[10:40, 20:60] = 1
    settings = resolved(engine)
    state = engine.begin(brief(encoded, FramePrompts(1001, load_mask=lambda: painted)), settings)
    found = engine.step(state, 1001, encoded[1001], settings)
    assert np.mean((found > 0.5) != (painted > 0.5)) < 0.03


def test_trusting_a_frame_again_is_asked_for_and_happens_at_most_twice(engine, encoded, monkeypatch):
    monkeypatch.setattr(maker, "drifts", lambda before, after: True)
    for asked, trusted in ((False, []), (True, [1001, 1002])):
        settings = resolved(engine, reanchor=asked)
        state = engine.begin(brief(encoded, click(1001)), settings)
        walked(engine, state, range(1001, 1009), encoded, settings)
        assert state.own == trusted


def test_another_network_has_another_fingerprint(engine, tmp_path, make):
    make.sam2(seed=1).save_pretrained(tmp_path / "sam2")
    other = MaskMaker(Sam2, EngineConfig(weights=tmp_path, folded_dir=Path("folded"), device="cpu"))
    assert other.fingerprint != engine.fingerprint
    assert other.describe(resolved(other)) == "sam2 on cpu, fp32, about 1.6 GB; licence of the weights: Apache-2.0"
    assert licence_of(other, resolved(other)) == "Apache-2.0"


def test_a_released_engine_holds_nothing_and_works_on(engine, encoded, clip):
    settings = resolved(engine)
    assert engine.usage().resident_bytes > 0
    engine.release()
    assert engine.usage() is None
    again = engine.encode(frame(1001, clip[0]), settings)
    assert all(torch.equal(a, b) for a, b in zip(again.levels, encoded[1001].levels, strict=True))
    assert engine.usage() is not None


@pytest.fixture
def counted(engine, monkeypatch):
    """Count what the image encoder is asked; nothing is kept from other tests."""
    asked, encode = [], engine.network.encode
    monkeypatch.setattr(engine.network, "encode", lambda plate: asked.append(plate) or encode(plate))
    monkeypatch.setattr(engine, "_prompted", {})
    return asked


def keyed(number, plate):
    return replace(frame(number, plate), plate_key=f"plate {number}")


def test_frames_of_prompts_are_encoded_once_for_all_walks_and_objects(engine, counted, clip, encoded):
    settings = resolved(engine)
    seen = lambda number: engine.encode(keyed(number, clip[number - 1001]), settings)  # noqa: E731
    masks = []
    for backward in (False, True, False):  # walks of one object, and one of another that is clicked on the same frames
        told = Brief((click(1003), click(1005)), "", 1003, backward, seen)
        state = engine.begin(told, settings)
        masks.append(engine.step(state, 1003, seen(1003), settings))
    assert len(counted) == 2
    fresh = engine.begin(Brief((click(1003), click(1005)), "", 1003, False, encoded.get), settings)
    assert np.array_equal(engine.step(fresh, 1003, encoded[1003], settings), masks[2])


def test_frames_that_are_only_walked_over_are_not_kept_and_few_of_prompts_are(engine, counted, clip):
    settings = resolved(engine)
    seen = lambda number: engine.encode(keyed(number, clip[number - 1001]), settings)  # noqa: E731
    for number in (1001, 1002, 1001):
        seen(number)
    assert len(counted) == 3
    engine.begin(Brief(tuple(click(number) for number in range(1001, 1009)), "", 1001, False, seen), settings)
    assert len(engine._prompted) == maker._MOST_PROMPTED
    engine.release()
    assert not engine._prompted


def test_frames_without_a_key_are_never_taken_for_each_other(engine, counted, clip):
    settings = resolved(engine)
    told = Brief((click(1001),), "", 1001, False, lambda number: engine.encode(frame(number, clip[0]), settings))
    engine.begin(told, settings)
    engine.begin(told, settings)
    assert len(counted) == 2


def test_it_fits_where_its_weights_and_a_picture_do(engine, monkeypatch):
    settings = resolved(engine)
    engine.network.model  # noqa: B018 - loads it
    stored = sum(path.stat().st_size for path in engine._files.files())
    for free, loaded, fits in (
        (maker.loading._WORKING_BYTES, True, True),
        (maker.loading._WORKING_BYTES - 1, True, False),
        (maker.loading._WORKING_BYTES, False, False),
        (maker.loading._WORKING_BYTES + stored, False, True),
    ):
        if not loaded:
            engine.network.release()
        monkeypatch.setattr(maker.loading.device, "free_bytes", lambda device, free=free: free)
        assert base.fits(engine, settings) is fits


def test_a_limit_of_the_config_counts_for_all_engines_together(engine, monkeypatch):
    held = [0]
    config = replace(engine._config, max_vram_gb=2.0, others_hold=lambda device: held[0])
    engine.network.model  # noqa: B018 - what is loaded counts, too
    monkeypatch.setattr(engine, "_config", config)
    monkeypatch.setattr(maker.loading.device, "is_card", lambda device: True)
    monkeypatch.setattr(maker.loading.device, "free_bytes", lambda device: 10**12)
    assert base.fits(engine, resolved(engine))
    held[0] = 2 * 10**9 - maker.loading.needed_bytes(engine._files) + 1
    assert not base.fits(engine, resolved(engine))
