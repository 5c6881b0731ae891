import gc

import numpy as np
import pytest
import torch
from videomama_client.errors import OutOfMemory
from videomama_server.engines.segment.pictures import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Normalisation,
    mask_of,
    pixel_values,
)
from videomama_server.engines.segment.tracker import Network, Track, within_memory
from videomama_server.engines.sequential import FramePrompts

SIDE, SIZE, CPU = 64, (48, 80), torch.device("cpu")
NORMAL = Normalisation(IMAGENET_MEAN, IMAGENET_STD)


def painted():
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    return (np.hypot(x - 20, y - 22) < 10).astype(np.float32)


def clicks(*marks):
    points = np.float32([(x, y) for x, y, _ in marks])
    return {"points": points, "labels": np.array([on for *_, on in marks])}


PROMPTS = {
    "click": clicks((20, 22, True)),
    "clicks": clicks((20, 22, True), (60, 10, False)),
    "box": {"box": (9.0, 11.0, 31.0, 33.0)},
    "box and click": {"box": (9.0, 11.0, 31.0, 33.0), **clicks((60, 10, False))},
    "mask": {"load_mask": painted},
}


def at_frame(frame, kind):
    return FramePrompts(frame, **PROMPTS[kind])


def network_of(model):
    return Network(model, NORMAL, CPU)


@pytest.fixture(scope="module")
def network(sam2):
    return network_of(sam2)


@pytest.fixture(scope="module")
def encoded(network, clip):
    """The clip's frames, each encoded once for all tracks."""
    return [network.encode(plate) for plate in clip]


def reference_session(model, clip):
    """Return transformers' own session over the whole clip."""
    from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

    video = torch.stack([pixel_values(plate, (SIDE, SIDE), NORMAL) for plate in clip])
    return Sam2VideoInferenceSession(video=video, video_height=SIZE[0], video_width=SIZE[1], dtype=torch.float32)


def told(session, prompts, name=1):
    """Add prompts as transformers' processor does, which cannot be had without torchvision."""
    index, at = session.obj_id_to_idx(name), prompts.frame
    if prompts.load_mask is not None:
        session.add_mask_inputs(index, at, mask_of(prompts.load_mask(), SIDE))
    else:
        corners = [prompts.box[:2], prompts.box[2:]] if prompts.box else []
        points = torch.tensor([[[*corners, *prompts.points.tolist()]]], dtype=torch.float32)
        points[..., 0] = points[..., 0] * (SIDE / SIZE[1])
        points[..., 1] = points[..., 1] * (SIDE / SIZE[0])
        labels = torch.tensor([[[*((2, 3) if prompts.box else ()), *prompts.labels.tolist()]]], dtype=torch.int32)
        session.add_point_inputs(index, at, {"point_coords": points, "point_labels": labels})
    session.obj_with_new_inputs = [name]


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("kind", PROMPTS)
def test_a_clip_followed_frame_by_frame_equals_transformers_own_session(sam2, clip, network, encoded, kind, reverse):
    start, order = (23, range(23, -1, -1)) if reverse else (0, range(24))
    session = reference_session(sam2, clip)
    told(session, at_frame(start, kind))
    expected = list(sam2.propagate_in_video_iterator(session, start_frame_idx=start, reverse=reverse))

    track = Track(network)
    found = [track.prompt(encoded[start], at_frame(start, kind))]
    found += [track.follow(at, encoded[at], reverse) for at in list(order)[1:]]

    assert [output.frame_idx for output in expected] == list(order)
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.equal(ours.logits, theirs.pred_masks[0, 0])
        assert ours.score == theirs.object_score_logits.item()
    assert len({ours.logits.numpy().tobytes() for ours in found}) == 24  # each frame is another


def test_prompts_on_several_frames_equal_transformers_own_session(sam2, clip, network, encoded):
    session, track = reference_session(sam2, clip), Track(network)
    for at, kind in ((3, "clicks"), (12, "mask"), (20, "box")):
        told(session, at_frame(at, kind))
        sam2(session, frame_idx=at)
        track.prompt(encoded[at], at_frame(at, kind))
    expected = sam2.propagate_in_video_iterator(session, start_frame_idx=3)
    for at, theirs in zip(range(3, 24), expected, strict=True):
        assert torch.equal(track.follow(at, encoded[at]).logits, theirs.pred_masks[0, 0])


def test_each_object_is_as_it_is_alone(network, encoded):
    together = {kind: Track(network) for kind in ("clicks", "mask")}
    seen = {kind: [track.prompt(encoded[0], at_frame(0, kind))] for kind, track in together.items()}
    for at in range(1, 8):
        for kind, track in together.items():
            seen[kind].append(track.follow(at, encoded[at]))
    for kind in together:
        alone = Track(network)
        alone.prompt(encoded[0], at_frame(0, kind))
        for at in range(1, 8):
            assert torch.equal(alone.follow(at, encoded[at]).logits, seen[kind][at].logits)


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "backward"])
def test_a_restored_state_goes_on_bit_for_bit(network, encoded, reverse):
    start, order = (23, list(range(22, -1, -1))) if reverse else (0, list(range(1, 24)))
    track = Track(network)
    track.prompt(encoded[start], at_frame(start, "click"))
    states, seen = {}, {}
    for at in order:
        seen[at] = track.follow(at, encoded[at], reverse)
        states[at] = track.export()
    for begin in (0, 6, 17):
        other = Track(network)
        other.prompt(encoded[start], at_frame(start, "click"))
        other.restore(states[order[begin]])
        for at in order[begin + 1 :]:
            again = other.follow(at, encoded[at], reverse)
            assert torch.equal(again.logits, seen[at].logits)
            assert again.score == seen[at].score
    sizes = [sum(array.nbytes for array in states[at].values()) for at in order]
    assert sizes[-1] == sizes[-4]
    assert {array.dtype.name for array in states[order[-1]].values()} == {"int16", "float32"}


def test_a_state_may_hold_prompts_too(network, encoded):
    track, other = Track(network), Track(network)
    for one in (track, other):
        one.prompt(encoded[0], at_frame(0, "click"))
    track.prompt(encoded[6], at_frame(6, "mask"))
    track.follow(7, encoded[7])
    other.restore(track.export(prompted=(6,)))
    for at in (8, 9, 10):
        assert torch.equal(other.follow(at, encoded[at]).logits, track.follow(at, encoded[at]).logits)


def test_rewinding_forgets_all_but_the_prompts(network, encoded):
    track = Track(network)
    assert not track.is_prompted
    track.prompt(encoded[8], at_frame(8, "click"))
    assert track.is_prompted
    before = [track.follow(at, encoded[at]).logits for at in range(9, 14)]
    track.rewind()
    backward = track.follow(7, encoded[7], reverse=True).logits
    track.rewind()
    again = [track.follow(at, encoded[at]).logits for at in range(9, 14)]
    assert all(torch.equal(a, b) for a, b in zip(before, again, strict=True))
    fresh = Track(network)
    fresh.prompt(encoded[8], at_frame(8, "click"))
    assert torch.equal(fresh.follow(7, encoded[7], reverse=True).logits, backward)


@pytest.mark.parametrize("first", [-300, 1001])
def test_frame_numbers_do_not_matter(network, encoded, first):
    one, other = Track(network), Track(network)
    one.prompt(encoded[0], at_frame(0, "box"))
    other.prompt(encoded[0], at_frame(first, "box"))
    for at in range(1, 20):
        assert torch.equal(one.follow(at, encoded[at]).logits, other.follow(first + at, encoded[at]).logits)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length_of_the_clip(network, encoded):
    track = Track(network)
    track.prompt(encoded[0], at_frame(0, "click"))
    held, tensors = {}, {}
    for number in range(1, 401):
        track.follow(number, encoded[number % 24])
        if number in (40, 400):
            gc.collect()
            held[number] = track.held_bytes()
            tensors[number] = sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())
    assert held[400] == held[40]
    assert tensors[400] <= tensors[40] + 2


def test_an_absent_object_has_a_score_below_zero(make, encoded):
    model = make.sam2()
    with torch.no_grad():
        model.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(-100.0)
    seen = Track(network_of(model)).prompt(encoded[0], at_frame(0, "click"))
    assert seen.score < 0
    assert float(seen.logits.max()) == -1024.0


def test_a_network_that_was_released_is_loaded_again(sam2, encoded):
    network = Network(sam2, NORMAL, CPU, reload=lambda: sam2)
    track = Track(network)
    track.prompt(encoded[0], at_frame(0, "click"))
    network.release()
    assert not network.is_loaded
    track.follow(1, encoded[1])
    assert network.is_loaded


def test_a_device_without_room_is_an_error_that_the_pipeline_knows(sam2, clip, monkeypatch):
    def fail(*args, **kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(type(sam2), "get_image_features", fail)
    with pytest.raises(OutOfMemory, match="the device ran out of memory"):
        network_of(sam2).encode(clip[0])
    with within_memory():
        pass


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Track.follow) == {"reverse": False}
    assert numbers_left_out(Track.look) == {"reverse": False}
