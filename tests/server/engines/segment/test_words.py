from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from videomama_client.errors import BadInput, WeightsError
from videomama_client.settings import MatteSettings
from videomama_server.engines.base import EngineConfig, EngineFrame
from videomama_server.engines.sam3 import Sam3
from videomama_server.engines.segment import words
from videomama_server.engines.segment.families import SAM3, find
from videomama_server.engines.segment.loading import load_tracker
from videomama_server.engines.segment.maker import probability
from videomama_server.engines.segment.pictures import mask_of
from videomama_server.engines.segment.tracker import Track
from videomama_server.engines.segment.words import WordMaskMaker
from videomama_server.engines.sequential import Brief, FramePrompts

SIZE, SIDE = (48, 80), 64
STEPS = 10  # of a walk that are compared: more than the masks that the tracker looks back at


@pytest.fixture(scope="module")
def config(tmp_path_factory, make):
    folder = tmp_path_factory.mktemp("weights")
    make.sam3().save_pretrained(folder / "sam3")
    make.words(folder / "sam3")
    return EngineConfig(weights=folder, folded_dir=Path("folded"), device="cpu")


@pytest.fixture(scope="module")
def engine(config):
    return WordMaskMaker(Sam3, config)


@pytest.fixture(scope="module")
def settings(engine):
    return engine.resolve(MatteSettings(engine="sam3"), SIZE)


@pytest.fixture(scope="module")
def encoded(engine, settings, clip):
    frames = [
        EngineFrame(at, np.zeros(SIZE, np.float32), SIZE, lambda plate=plate: plate) for at, plate in enumerate(clip)
    ]
    return {frame.number: engine.encode(frame, settings) for frame in frames}


def brief(encoded, *prompts, text=""):
    return Brief(prompts, text, 0, False, encoded.get)


def painted():
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    return (np.hypot(x - 20, y - 22) < 10).astype(np.float32)


def click():
    return FramePrompts(0, points=np.float32([[20, 22]]), labels=np.array([True]))


@pytest.fixture
def least(monkeypatch):
    """Set the score from which a detection counts."""
    return lambda score: monkeypatch.setattr(words, "LEAST_SCORE", score)


def test_clicks_are_followed_as_by_the_tracker_alone(engine, settings, encoded, config, clip):
    state = engine.begin(brief(encoded, click()), settings)
    network = load_tracker(find(config.weights, "sam3", SAM3), config, "sam3")
    track = Track(network)
    track.prompt(network.encode(clip[0]), click())
    for at in range(8):
        expected = track.follow(at, network.encode(clip[at])).logits
        assert np.array_equal(engine.step(state, at, encoded[at], settings), probability(expected, SIZE))


def reference_session(config, network, clip):
    """Return transformers' own tracker, and its session over the whole clip."""
    from transformers import Sam3TrackerVideoModel
    from transformers.models.sam3_tracker_video import modeling_sam3_tracker_video as theirs

    model = Sam3TrackerVideoModel.from_pretrained(config.weights / "sam3").eval()
    video = torch.cat([network.values(plate) for plate in clip])
    session = theirs.Sam3TrackerVideoInferenceSession(video=video, video_height=48, video_width=80, dtype=torch.float32)
    return model, session


def tell(session, kind, at):
    """Add a prompt as transformers' processor does, which cannot be had without torchvision."""
    index = session.obj_id_to_idx(1)
    if kind == "mask":
        session.add_mask_inputs(index, at, mask_of(painted(), SIDE))
    else:
        places, labels = {"click": ([[20, 22]], [1]), "box": ([[9, 11], [31, 33]], [2, 3])}[kind]
        points = torch.tensor([[places]], dtype=torch.float32)
        points[..., 0] = points[..., 0] * (SIDE / SIZE[1])
        points[..., 1] = points[..., 1] * (SIDE / SIZE[0])
        told = {"point_coords": points, "point_labels": torch.tensor([[labels]], dtype=torch.int32)}
        session.add_point_inputs(index, at, told)
    session.obj_with_new_inputs = [1]


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("kind", ["click", "box", "mask"])
def test_prompts_equal_transformers_own_session(config, clip, encoded, engine, settings, kind, backward):
    start, order = (23, range(23, 23 - STEPS, -1)) if backward else (0, range(STEPS))
    model, session = reference_session(config, engine.network, clip)
    tell(session, kind, start)
    asked = {
        "click": replace(click(), frame=start),
        "box": FramePrompts(start, box=(9.0, 11.0, 31.0, 33.0)),
        "mask": FramePrompts(start, load_mask=painted),
    }
    state = engine.begin(Brief((asked[kind],), "", start, backward, encoded.get), settings)
    walk = model.propagate_in_video_iterator(session, start_frame_idx=start, reverse=backward)
    for at, output in zip(order, walk, strict=False):
        assert output.frame_idx == at
        mask = engine.step(state, output.frame_idx, encoded[output.frame_idx], settings)
        assert np.array_equal(mask, probability(output.pred_masks[0, 0], SIZE))


def test_words_are_found_and_followed(engine, settings, encoded, least):
    least(0.0)
    state = engine.begin(brief(encoded, text="dog"), settings)
    ids, mask = engine.network.ids("dog")
    found = engine.network.whole.detector_model(vision_embeds=encoded[0].vision, input_ids=ids, attention_mask=mask)
    scores = found.pred_logits[0].sigmoid() * found.presence_logits[0].sigmoid()
    expected = probability(found.pred_masks[0, int(scores.argmax())].detach(), SIZE)
    assert np.array_equal(engine.step(state, 0, encoded[0], settings), expected)
    other = engine.begin(brief(encoded, FramePrompts(0, load_mask=lambda: expected)), settings)
    engine.step(other, 0, encoded[0], settings)
    for at in range(1, 6):
        assert np.array_equal(*(engine.step(one, at, encoded[at], settings) for one in (state, other)))


def test_until_the_words_are_found_masks_are_black(engine, settings, encoded, least):
    least(2.0)
    state = engine.begin(brief(encoded, text="dog"), settings)
    kept = []
    for at in range(3):
        assert not engine.step(state, at, encoded[at], settings).any()
        kept.append(engine.export(state))
    least(0.0)
    again = engine.restore(kept[-1], brief(encoded, text="dog"), settings)
    assert engine.step(again, 3, encoded[3], settings).any()


def test_a_walk_of_words_goes_on_bit_for_bit(engine, settings, encoded, least):
    least(0.0)
    told = brief(encoded, text="dog")
    state = engine.begin(told, settings)
    engine.step(state, 0, encoded[0], settings)
    engine.step(state, 1, encoded[1], settings)
    again = engine.restore(engine.export(state), told, settings)
    for at in range(2, 12):
        assert np.array_equal(*(engine.step(one, at, encoded[at], settings) for one in (state, again)))


def test_too_many_words_are_an_error(engine, settings, encoded):
    with pytest.raises(BadInput, match="are too long for SAM 3"):
        engine.begin(brief(encoded, text="the dog with the very long name"), settings)


def test_of_too_many_words_eighty_letters_are_repeated(engine, settings, encoded):
    text = "dog " * 50
    with pytest.raises(BadInput) as raised:
        engine.begin(brief(encoded, text=text), settings)
    assert raised.value.message == f"the words {text[:80]!r} are too long for SAM 3"


def test_a_network_without_a_tokenizer_is_named(tmp_path, config):
    folder = tmp_path / "sam3"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).symlink_to(config.weights / "sam3" / name)
    with pytest.raises(WeightsError, match="has no tokenizer that can be read"):
        WordMaskMaker(Sam3, EngineConfig(weights=tmp_path, folded_dir=Path("folded"), device="cpu"))


def test_a_released_engine_is_loaded_again(engine, settings, encoded, clip):
    engine.release()
    assert engine.usage() is None
    frame = EngineFrame(0, np.zeros(SIZE, np.float32), SIZE, lambda: clip[0])
    assert torch.equal(engine.encode(frame, settings).levels[0], encoded[0].levels[0])
    assert engine.usage() is not None
