"""What a client announced that it would send."""

from dataclasses import replace

from videomama_client.messages import SubmitMatte
from videomama_client.objects import MaskObject
from videomama_client.prompts import Prompt
from videomama_client.settings import MatteSettings
from videomama_server.serving.announced import digest_of, key_mask_of

BY_PATH = SubmitMatte("r", "/shots/plate.####.exr", "/shots/mask.####.exr", "/out/a.####.exr", MatteSettings())
INLINE = replace(BY_PATH, inline=True, inline_frame_numbers=[7, 9], plate_digests=["p", "q"], mask_digests=["m", "n"])


def test_an_inline_frame_is_known_by_the_digest_that_was_announced():
    found = [digest_of(INLINE, role, number) for role in ("plate", "mask", "alpha") for number in (7, 8, 9)]
    assert found == ["p", None, "q", "m", None, "n", None, None, None]
    assert digest_of(BY_PATH, "plate", 7) is None


def test_masks_of_objects_are_known_apart():
    pair = (MaskObject("hero", "h", mask_digests=["d1", "d2"]), MaskObject("dog", "d", mask_digests=["d3", "d4"]))
    request = replace(INLINE, mask="", mask_digests=[], objects=pair)
    assert [digest_of(request, "mask", 9, name) for name in ("hero", "dog", "cat", "")] == ["d2", "d4", None, None]
    assert [digest_of(request, "plate", 7, name) for name in ("", "hero")] == ["p", None]


def test_a_key_mask_is_known_by_its_own_digest_and_other_frames_by_theirs():
    keys = (Prompt("mask", 7, file="k.exr", digest="key"), Prompt("mask", 9, file="l.exr"), Prompt("text", text="dog"))
    request = replace(INLINE, prompts=keys)
    role = keys[0].role
    assert [digest_of(request, role, frame) for frame in (7, 8, 9)] == ["key", None, None]
    assert [key_mask_of(request, role, frame) for frame in (7, 8, 9)] == [keys[0], None, keys[1]]
    assert key_mask_of(request, "plate", 7) is None
    assert [digest_of(request, "plate", 9), digest_of(request, "mask", 7)] == ["q", "m"]
