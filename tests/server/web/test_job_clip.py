from dataclasses import replace

import pytest
from videomama_client.engine_options import EngineOption
from videomama_client.engine_settings import TrimapSettings
from videomama_client.errors import BadInput
from videomama_client.messages import FOREGROUND, SideResult, SubmitMatte
from videomama_client.objects import MaskObject
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage
from videomama_server.web.job_clip import clip_of_job

SETTINGS = MatteSettings.of(plate_layer="beauty", mask_channel="roto.A", colorspace="ACEScg", exposure=1.0)
ONE = SubmitMatte(
    "r", "/s/plate.####.exr", "/s/mask.####.exr", "/s/out/alpha.####.exr", SETTINGS, frame_ranges="1001-1003"
)


def test_a_job_is_shown_as_it_was_read():
    found = clip_of_job(ONE)
    clip = found.clip
    assert (clip.plate, clip.mask, clip.alpha) == (ONE.plate, ONE.mask, ONE.out)
    assert (clip.how.plate_layer, clip.how.mask_channel, clip.how.colorspace) == ("beauty", "roto.A", "ACEScg")
    assert (clip.how.exposure, clip.how.alpha_channel, found.frame_ranges) == (1.0, "", "1001-1003")


def test_a_layer_and_a_foreground_that_were_asked_for_are_looked_at():
    side = SideResult(FOREGROUND, "/s/out/fg.####.exr", premultiplied=True)
    clip = clip_of_job(replace(ONE, layer="hero", side_results=(side,))).clip
    assert (clip.how.alpha_channel, clip.foreground, clip.premultiplied) == ("hero.A", "/s/out/fg.####.exr", True)


@pytest.mark.parametrize(
    ("out", "alpha", "channel"),
    [("/s/alpha.####.exr", "/s/alpha.####.exr", "dog.A"), ("/s/{object}.####.exr", "/s/dog.####.exr", "")],
)
def test_of_several_objects_one_is_shown_and_all_are_named(out, alpha, channel):
    objects = (MaskObject("hero", "/s/hero.####.exr"), MaskObject("dog", "/s/dog.####.exr", mask_channel="d.A"))
    job = replace(ONE, mask="", out=out, objects=objects)
    found = clip_of_job(job, "dog")
    assert (found.clip.mask, found.clip.alpha, found.clip.how.alpha_channel) == ("/s/dog.####.exr", alpha, channel)
    assert (found.clip.how.mask_channel, found.object, found.objects) == ("d.A", "dog", ("hero", "dog"))
    assert clip_of_job(job).object == "hero"
    with pytest.raises(BadInput, match="no object 'cat'"):
        clip_of_job(job, "cat")


@pytest.mark.parametrize("job", [None, replace(ONE, out=""), replace(ONE, inline=True)])
def test_a_job_without_files_to_look_at_says_so(job):
    with pytest.raises(BadInput) as error:
        clip_of_job(job)
    assert error.value.hint


def test_the_trimap_is_that_of_the_jobs_refiner():
    options = (EngineOption("trimap_preset", "wide"), EngineOption("trimap_inside", 3.0), EngineOption("tile", 512))
    job = replace(ONE, then=(Stage("adjust"), Stage("vitmatte", options=options), Stage("adjust")))
    trimap = clip_of_job(job).trimap
    assert (trimap.trimap_preset, trimap.trimap_inside) == ("wide", 3.0)
    assert clip_of_job(ONE).trimap == TrimapSettings()
