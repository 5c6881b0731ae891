"""Edge refiners in a chain, through a real server: classic, a tiny ViTMatte with random weights, then adjustments."""

import numpy as np
import pytest
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput, WeightsError
from videomama_client.stages import Stage
from videomama_server.media import frames

CLASSIC = {"engine": "classic", "engine_options": (EngineOption("quality", "fast"),)}
ADJUST = Stage("adjust", (EngineOption("feather", 4.0),))


@pytest.fixture(scope="module")
def edges_server(run_server, tiny_edge_networks, tmp_path_factory):
    flags = ("--device", "cpu", "--weights", str(tiny_edge_networks))
    running = run_server(tmp_path_factory.mktemp("edges_server"), flags)
    yield running
    running.end()


def vitmatte(**options):
    return Stage("vitmatte", tuple(EngineOption(name, value) for name, value in options.items()))


def chain(*, last=ADJUST, edge=None, **more):
    return {**CLASSIC, "then": (edge or vitmatte(), last), **more}


def computed(outcome):
    return [stage.computed for stage in outcome.done.stages]


def alphas(clip, numbers=None):
    return {frame: clip.read_alpha(frame).tobytes() for frame in numbers or clip.numbers}


@pytest.mark.slow
def test_a_refiner_stands_between_a_matte_and_adjustments_and_each_stage_is_cached(edges_server, make_clip):
    clip = make_clip(count=6)
    first = edges_server.refine(clip, **chain())
    assert first.planned.stages == ["classic", "vitmatte", "adjust"]
    assert computed(first) == [6, 6, 6]
    assert "tiles of" in first.done.stages[1].plan
    made = alphas(clip)
    assert computed(edges_server.refine(clip, **chain(last=Stage("adjust", (EngineOption("feather", 8.0),))))) == [
        0,
        0,
        6,
    ]
    other = edges_server.refine(clip, **chain(edge=vitmatte(trimap_preset="wide")))
    assert computed(other) == [0, 6, 6]
    assert alphas(clip) != made
    assert computed(edges_server.refine(clip, **chain())) == [0, 0, 0]
    assert alphas(clip) == made
    with edges_server.client() as client:
        client.clear_cache()
    part = edges_server.refine(clip, **chain(frame_ranges="1003"))
    assert part.done.stages[-1].computed == 1
    assert part.done.stages[1].computed >= 1
    assert alphas(clip, [1003]) == {1003: made[1003]}


def test_frames_of_a_still_shot_are_reused_where_that_is_asked_for_and_the_result_says_so(edges_server, make_clip):
    clip = make_clip(count=3)
    for role in ("plate", "mask"):
        for number in (1002, 1003):
            clip.file(role, number).write_bytes(clip.file(role, 1001).read_bytes())
    still = {"engine": "passthrough", "then": (vitmatte(reuse=0.01, steady=0.0),)}
    outcome = edges_server.refine(clip, **still)
    assert computed(outcome) == [3, 3]
    assert "2 of 3 frames reused" in outcome.done.stages[1].plan
    assert "largest alpha difference 0.0000" in outcome.done.stages[1].plan
    assert len(set(alphas(clip).values())) == 1


def test_an_empty_band_is_an_error_that_names_stage_frames_and_settings(edges_server, make_clip):
    clip = make_clip(count=4)
    for number in clip.numbers:
        mask = np.zeros((64, 96), np.float32)
        mask[20:40, 30:60] = 0.5 if number == 1003 else 1
        frames.write_picture(clip.file("mask", number), mask, ("A",), "half")
    empty = vitmatte(trimap_mode="probability")
    with pytest.raises(BadInput, match=r"stage 2, vitmatte: .*frames 1001-1002, 1004: the trimap has no") as refused:
        edges_server.refine(clip, engine="passthrough", then=(empty,))
    assert "--trimap-background" in refused.value.hint
    assert "--trimap-foreground" in refused.value.hint


def test_missing_weights_fail_the_job_and_nothing_is_delivered_unrefined(edges_server, make_clip, tmp_path):
    clip = make_clip(count=2)
    with pytest.raises(WeightsError, match="the engine vitmatte has no weights") as refused:
        edges_server.refine(clip, engine="passthrough", then=(vitmatte(weights=str(tmp_path)),))
    assert "install weights --with vitmatte" in refused.value.hint
    assert not list((clip.folder / "out").glob("*"))


def test_the_trimap_is_delivered_on_request(edges_server, make_clip, videomama):
    clip = make_clip(count=2)
    trimaps = clip.folder / "trimap" / "trimap.####.exr"
    words = ("--connection-file", edges_server.connection_file, "--engine", "passthrough", "--trimap", trimaps)
    said = videomama(*clip.flags(), *words, "--then", "vitmatte trimap_preset=wide", "--then", "adjust feather=2")
    assert said.code == 0, said.err
    assert str(trimaps) in said.out
    for number in clip.numbers:
        found = frames.read_mask(trimaps.with_name(f"trimap.{number}.exr"), "A").pixels
        assert set(np.unique(found)) <= {0.0, 0.5, 1.0}
        assert 0.5 in found
        assert not np.isin(clip.read_alpha(number), (0.0, 0.5, 1.0)).all()


def test_quality_control_shows_the_trimaps_in_its_contact_sheet(edges_server, make_clip, videomama):
    clip = make_clip(count=2)
    folder = clip.folder / "qc"
    words = ("--connection-file", edges_server.connection_file, "--engine", "passthrough", "--qc", folder)
    widths = []
    for more in ((), ("--then", "vitmatte")):
        said = videomama(*clip.flags(), *words, *more)
        assert said.code == 0, said.err
        widths.append(frames.read_plate(folder / "qc_sheet.png").pixels.shape[1])
    assert widths[1] > widths[0]
    assert {path.name for path in folder.glob("trimap.*")} == {f"trimap.{number}.exr" for number in clip.numbers}
