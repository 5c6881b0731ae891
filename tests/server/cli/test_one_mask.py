import shlex

import pytest
from videomama_client.errors import BadInput
from videomama_client.settings import MatteSettings
from videomama_server.cli.one_mask import proposing_key_mask
from videomama_server.submission import Submission


@pytest.fixture
def one_mask(videomama, server, make_clip):
    """Run `matte` over three frames of which only the second has a mask, or none by its number."""

    def run(*words, mask="mask.####.exr"):
        clip = run.clip
        named = ["--plate", clip.plate, "--mask", clip.folder / mask, "--out", clip.out, "--engine", "classic"]
        return videomama("matte", *named, *words, "--connection-file", server.connection_file)

    run.clip = make_clip(count=3)
    for frame in (1001, 1003):
        run.clip.file("mask", frame).unlink()
    return run


@pytest.mark.parametrize("transport", ["path", "inline"])
def test_one_mask_of_a_clip_is_answered_with_the_very_option_that_follows_it(one_mask, transport):
    refused = one_mask("--transport", transport)
    assert refused.code == 1
    assert "the only mask is mask.1002.exr, and the clip is 1001-1003" in refused.err
    assert f"replace --mask by: --maker sam2 --key-mask 1002:{one_mask.clip.file('mask', 1002)}\n" in refused.err
    assert "--maker held" in refused.err


def test_what_is_proposed_can_be_copied(one_mask, videomama, server):
    said = one_mask().err
    words = shlex.split(said.partition("replace --mask by: ")[2].splitlines()[0].replace("sam2", "held"))
    clip = one_mask.clip
    named = ["--plate", clip.plate, "--out", clip.out, "--engine", "passthrough"]
    assert videomama("matte", *named, *words, "--connection-file", server.connection_file).code == 0
    assert clip.read_alpha(1003).max() > 0


def test_a_mask_without_a_number_is_proposed_for_the_first_frame(one_mask):
    painted = one_mask.clip.file("mask", 1002).rename(one_mask.clip.folder / "painted roto.exr")
    refused = one_mask(mask="painted roto.exr")
    assert refused.code == 1
    assert f"--key-mask '{painted}'\n" in refused.err


def test_where_the_only_mask_is_the_one_that_is_needed_nothing_is_proposed(one_mask):
    assert one_mask("--frames", "1002", "--engine", "passthrough").code == 0


def test_other_errors_and_clips_with_more_masks_are_left_as_they_are(make_clip):
    clip = make_clip(count=3)
    order = Submission(plate=clip.plate, mask=clip.mask, out=clip.out, settings=MatteSettings())
    clip.file("mask", 1003).unlink()
    for role, frame in (("mask", 1003), ("plate", 1003), ("mask", None)):
        with pytest.raises(BadInput, match=r"^as it was"), proposing_key_mask(order):
            raise BadInput("as it was", "A hint.", role=role, frame=frame)
    clip.file("mask", 1002).unlink()
    for role, frame in (("plate", 1003), ("mask", 1001), ("mask", None)):
        with pytest.raises(BadInput, match=r"^as it was"), proposing_key_mask(order):
            raise BadInput("as it was", "A hint.", role=role, frame=frame)
