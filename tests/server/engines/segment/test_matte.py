from pathlib import Path

import numpy as np
import pytest
import torch
from videomama_client.errors import BadInput
from videomama_client.settings import MatteSettings
from videomama_server.engines.base import EngineConfig, EngineFrame
from videomama_server.engines.sam2matte import Sam2Matte
from videomama_server.engines.segment.lift import lifted
from videomama_server.engines.segment.matte import AlphaMaker
from videomama_server.engines.segment.pictures import mask_of
from videomama_server.engines.sequential import Brief, FramePrompts

SIZE = (48, 80)
# Memories are kept in bfloat16: the last bit of a float, which no machine promises, moves some of them by one step,
# and an alpha by 2e-5. Plates that differ by a hundredth move it by 2e-2.
REMEMBERED = 1e-4


def disc(at):
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    return (np.hypot(x - 20 - 1.5 * at, y - 22) < 10).astype(np.float32)


@pytest.fixture(scope="module")
def model(make):
    return make.sam2()


@pytest.fixture(scope="module")
def engine(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    model.save_pretrained(folder / "sam2matte")
    return AlphaMaker(Sam2Matte, EngineConfig(weights=folder, folded_dir=Path("folded"), device="cpu"))


@pytest.fixture(scope="module")
def seen(engine, clip):
    """All frames with their masks; those of the first two are empty."""
    masks = [disc(at) if at > 1 else np.zeros(SIZE, np.float32) for at in range(24)]
    frames = [EngineFrame(at, masks[at], SIZE, lambda plate=plate: plate) for at, plate in enumerate(clip)]
    return {frame.number: engine.encode(frame, resolved(engine)) for frame in frames}


def resolved(engine, **options):
    return engine.resolve(MatteSettings(engine="sam2matte").with_options(**options), SIZE)


def walk(engine, seen, *prompts, start=0, **options):
    settings = resolved(engine, **options)
    return engine.begin(Brief(prompts, "", start, False, seen.get), settings), settings


def reference(model, engine, clip):
    from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

    video = torch.cat([engine.network.values(plate) for plate in clip])
    return Sam2VideoInferenceSession(video=video, video_height=48, video_width=80, dtype=torch.float32)


def test_after_its_first_mask_alpha_is_the_sigmoid_of_the_reference(model, engine, seen, clip):
    session = reference(model, engine, clip)
    session.add_mask_inputs(session.obj_id_to_idx(1), 2, mask_of(disc(2), 64))
    session.obj_with_new_inputs = [1]
    state, settings = walk(engine, seen)
    assert [engine.logits(state, at, seen[at], settings) for at in (0, 1)] == [None, None]
    engine.logits(state, 2, seen[2], settings)
    for theirs in list(model.propagate_in_video_iterator(session, start_frame_idx=2))[1:]:
        found = torch.sigmoid(engine.logits(state, theirs.frame_idx, seen[theirs.frame_idx], settings))
        assert float((found - torch.sigmoid(theirs.pred_masks[0, 0])).abs().max()) < REMEMBERED


def test_clicks_guide_it_in_place_of_masks(model, engine, seen, clip):
    session = reference(model, engine, clip)
    told = {"point_coords": torch.tensor([[[[16.0, 22 * 64 / 48]]]]), "point_labels": torch.tensor([[[1]]])}
    session.add_point_inputs(session.obj_id_to_idx(1), 0, told)
    session.obj_with_new_inputs = [1]
    click = FramePrompts(0, points=np.float32([[20, 22]]), labels=np.array([True]))
    state, settings = walk(engine, seen, click)
    for theirs in model.propagate_in_video_iterator(session, start_frame_idx=0, max_frame_num_to_track=8):
        found = torch.sigmoid(engine.logits(state, theirs.frame_idx, seen[theirs.frame_idx], settings))
        assert float((found - torch.sigmoid(theirs.pred_masks[0, 0])).abs().max()) < REMEMBERED


def test_a_mask_per_frame_guides_each_frame_alone(model, engine, seen, clip):
    state, settings = walk(engine, seen, guidance="every")
    assert engine.logits(state, 1, seen[1], settings) is None
    for at in (2, 9):
        with torch.inference_mode():
            features = model.get_image_features(engine.network.values(clip[at]), return_dict=True).fpn_hidden_states
            maps = [x.permute(1, 2, 0).view(1, -1, side, side) for x, side in zip(features, (16, 8, 4), strict=True)]
            shown = model.mask_downsample(mask_of(disc(at), 64))
            expected = model._single_frame_forward(
                input_masks=shown, image_embeddings=maps, multimask_output=False
            ).pred_masks[0, 0]
        found = engine.logits(state, at, seen[at], settings)
        assert float((torch.sigmoid(found) - torch.sigmoid(expected)).abs().max()) < 1e-5


def test_alphas_are_lifted_to_the_plate(engine, seen, clip):
    state, settings = walk(engine, seen)
    alphas = [engine.step(state, at, seen[at], settings) for at in range(5)]
    assert [bool(alpha.any()) for alpha in alphas] == [False, False, True, True, True]
    again, _ = walk(engine, seen)
    for at in range(4):
        engine.logits(again, at, seen[at], settings)
    logits = engine.logits(again, 4, seen[4], settings)
    assert np.array_equal(alphas[4], lifted(torch.sigmoid(logits).numpy(), clip[4]))


def test_a_walk_goes_on_bit_for_bit(engine, seen):
    state, settings = walk(engine, seen)
    for at in range(6):
        engine.step(state, at, seen[at], settings)
    told = Brief((), "", 0, False, seen.get)
    again = engine.restore(engine.export(state), told, settings)
    for at in range(6, 12):
        assert np.array_equal(*(engine.step(one, at, seen[at], settings) for one in (state, again)))


def test_a_key_mask_and_clicks_on_one_frame_are_an_error(engine, seen):
    both = FramePrompts(3, np.float32([[20, 22]]), np.array([True]), load_mask=lambda: disc(3))
    with pytest.raises(BadInput, match="frame 3 has both"):
        walk(engine, seen, both, start=3)
