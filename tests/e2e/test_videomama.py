"""The engine `videomama` through a real server, with a tiny checkpoint of random weights."""

import json
import shutil

import numpy as np
import pytest
from videomama_client.errors import BadInput, WeightsError

pytestmark = pytest.mark.slow

CPU = ("--device", "cpu", "--dtype", "fp32")
QUICK = {"engine": "videomama", "canvas": "128x64", "window": 6, "overlap": 2, "roi": "off"}


@pytest.fixture(scope="module")
def model_server(run_server, tiny_checkpoint, tmp_path_factory):
    """A server with weights of its own."""
    running = run_server(tmp_path_factory.mktemp("model"), (*CPU, "--weights", str(tiny_checkpoint)))
    yield running
    running.end()


@pytest.fixture
def other_checkpoint(tiny_checkpoint, make_checkpoint, tmp_path):
    folder = tmp_path / "other"
    make_checkpoint("tiny", folder, seed=1)
    return folder


def alphas(clip, numbers=None):
    return {frame: clip.read_alpha(frame).tobytes() for frame in numbers or clip.numbers}


def test_a_clip_is_refined_once_and_then_found(model_server, make_clip):
    clip = make_clip(count=9)
    first = model_server.refine(clip, **QUICK)
    assert first.numbers == list(clip.numbers)
    assert (first.done.engine, first.done.computed) == ("videomama", 9)
    assert first.planned.plan == first.done.plan
    assert "128x64" in first.done.plan
    alpha = np.stack([clip.read_alpha(frame) for frame in clip.numbers])
    assert 0 <= alpha.min() < alpha.max() <= 1
    assert alpha.std() > 0.005
    again = model_server.refine(clip, **QUICK)
    assert (again.done.computed, again.done.cached) == (0, 9)


def test_another_process_and_another_range_give_the_same_bits(model_server, start_server, tiny_checkpoint, make_clip):
    clip = make_clip(count=22, first=1003)
    model_server.refine(clip, **QUICK)
    whole = alphas(clip)
    shutil.rmtree(clip.folder / "out")
    other = start_server(*CPU, "--weights", str(tiny_checkpoint))
    part = other.refine(clip, frame_ranges="1010-1013,1024", **QUICK)
    assert part.done.computed == 5
    assert alphas(clip, part.numbers) == {frame: whole[frame] for frame in part.numbers}


def test_weights_of_a_job_change_its_keys(model_server, make_clip, other_checkpoint, tiny_checkpoint):
    clip = make_clip(count=3)
    model_server.refine(clip, **QUICK)
    own = alphas(clip)
    changed = model_server.refine(clip, weights=str(other_checkpoint), **QUICK)
    assert changed.done.computed == 3
    assert alphas(clip) != own
    assert model_server.refine(clip, weights=str(tiny_checkpoint), **QUICK).done.computed == 0
    assert alphas(clip) == own


def test_weights_replaced_under_the_same_path_are_noticed(
    start_server, make_clip, make_checkpoint, tiny_checkpoint, tmp_path
):
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "weights")
    server, clip = start_server(*CPU, "--weights", str(folder)), make_clip(count=2)
    server.refine(clip, **QUICK)
    make_checkpoint("tiny", folder, seed=3)
    assert server.refine(clip, **QUICK).done.computed == 2


def test_the_command_line_says_what_ran(model_server, make_clip, videomama, tiny_checkpoint):
    clip = make_clip(count=2)
    flags = ["--engine", "videomama", "--canvas", "64x64", "--weights", str(tiny_checkpoint)]
    said = videomama(*clip.flags("--connection-file", str(model_server.connection_file), *flags))
    assert said.code == 0, said.err
    assert "videomama" in said.out
    assert "64x64" in said.out


def test_status_tells_what_the_engine_holds_and_unload_frees_it(model_server, make_clip, videomama):
    model_server.refine(make_clip(count=1), **QUICK)
    status = model_server.status()
    assert [(one.name, one.device, one.dtype) for one in status.loaded] == [("videomama", "cpu", "fp32")]
    assert status.loaded[0].resident_bytes > 1_000_000
    assert status.loaded[0].peak_bytes > status.loaded[0].resident_bytes
    connection = ("--connection-file", str(model_server.connection_file))
    shown = [line.split() for line in videomama("status", *connection).out.splitlines() if " loaded  " in line]
    assert [line[:5] for line in shown] == [["loaded", "videomama", "on", "cpu,", "fp32:"]]
    said = videomama("unload", *connection)
    assert (said.code, said.out) == (0, "The engine is unloaded.\n")
    status = json.loads(videomama("status", "--json", *connection).out)
    assert status["worker_pid"] is None
    assert status["loaded"] == []
    assert model_server.refine(make_clip(count=1), **QUICK).done.computed == 1


def test_unload_is_refused_while_a_job_runs(model_server, make_long_clip):
    clip = make_long_clip()
    with model_server.client() as client:
        job = client.submit(clip.order(**QUICK))
        with pytest.raises(BadInput) as raised:
            client.unload_engine()
        assert "1 job" in raised.value.message
        client.cancel(job)


def test_no_weights_is_an_error_that_names_the_folder(start_server, make_clip, tmp_path):
    server = start_server(*CPU, "--weights", str(tmp_path / "nowhere"))
    with pytest.raises(WeightsError) as raised:
        server.refine(make_clip(count=1), **QUICK)
    assert str(tmp_path / "nowhere") in raised.value.message
    assert raised.value.hint


def test_auto_does_without_weights(start_server, make_clip, tmp_path):
    server = start_server(*CPU, "--weights", str(tmp_path / "nowhere"))
    assert server.refine(make_clip(count=1), engine="auto").done.engine == "classic"


def test_weights_outside_the_roots_are_not_opened(start_server, make_clip, tiny_checkpoint):
    clip = make_clip(count=1)
    server = start_server(*CPU, "--roots", str(clip.folder))
    with pytest.raises(Exception, match=str(tiny_checkpoint)) as raised:
        server.refine(clip, weights=str(tiny_checkpoint), **QUICK)
    assert raised.value.code == "not-permitted"
