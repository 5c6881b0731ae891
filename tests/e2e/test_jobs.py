"""Jobs beside each other: the urgent first, nothing twice, and news as it happens."""

import threading
from pathlib import Path

import numpy as np
import pytest
from videomama_client import messages, wire
from videomama_client.errors import Cancelled
from videomama_client.messages import BATCH, RUNNING, FrameDone, MatteDone
from videomama_server.media import frames


def first_frame(client, job) -> FrameDone:
    """Wait until a job has finished a frame."""
    return next(event for event in client.events(job) if isinstance(event, FrameDone))


def has_ended(client, job) -> bool:
    """Whether the end of a job came before what the client has taken in last; a server's messages keep their order."""
    return any(isinstance(event, MatteDone) for event in client._channel._events[job])


def test_events_arrive_as_frames_land(server, make_long_clip):
    clip, worker = make_long_clip(count=60), server.worker()
    with server.client() as client:
        job = client.submit(clip.order())
        event = first_frame(client, job)
        with server.held(worker):
            assert Path(event.path).exists()
            assert client.status().jobs_left == 1
        rest = [event for event in client.events(job) if isinstance(event, FrameDone)]
        assert len(rest) == 59
    assert event.path == str(clip.alpha_file(event.frame))


def test_hello_and_status_are_answered_while_a_job_runs(server, make_long_clip):
    clip, worker = make_long_clip(count=80), server.worker()
    with server.client() as artist, server.client() as visitor:
        job = artist.submit(clip.order())
        first_frame(artist, job)
        with server.held(worker):
            visitor.hello()
            status = visitor.status()
        assert status.jobs_left == 1
        assert status.engine == "passthrough"
        assert (status.jobs[0].plate, status.jobs[0].state) == (clip.plate, RUNNING)
        assert status.jobs[0].frame_count == 80
        assert isinstance(list(artist.events(job))[-1], MatteDone)


def test_an_interactive_job_goes_before_a_batch_job_that_was_there_first(server, make_clip, make_long_clip):
    slow, quick, worker = make_long_clip(count=60), make_clip(count=3), server.worker()
    with server.client() as client:
        batch = client.submit(slow.order(priority=BATCH, window=2, overlap=1))
        first_frame(client, batch)
        with server.held(worker):
            assert [(job.priority, job.state) for job in client.status().jobs] == [(BATCH, RUNNING)]
            urgent = client.submit(quick.order())
        assert list(client.events(urgent))[-1].computed == 3
        assert not has_ended(client, batch)
        done = list(client.events(batch))[-1]
    assert done.frame_count == 60


def test_two_clients_with_the_same_job_compute_each_frame_once(server, make_long_clip):
    clip = make_long_clip(count=12)
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(server.refine(clip))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [outcome.done.frame_count for outcome in outcomes] == [12, 12, 12]
    assert sum(outcome.done.computed for outcome in outcomes) == 12
    assert all(outcome.numbers == list(clip.numbers) for outcome in outcomes)


def test_a_job_of_many_frames_that_are_all_cached_lets_an_urgent_one_in(server, make_clip, make_long_clip):
    slow, quick = make_long_clip(count=160, size=(256, 144)), make_clip(count=1)
    server.refine(slow)
    worker = server.worker()
    with server.client() as client:
        batch = client.submit(slow.order(priority=BATCH))
        first_frame(client, batch)
        with server.held(worker):
            urgent = client.submit(quick.order())
        list(client.events(urgent))
        assert not has_ended(client, batch)
        assert list(client.events(batch))[-1].computed == 0


def test_anybody_may_cancel_a_job_and_its_submitter_is_told(server, make_long_clip):
    clip, worker = make_long_clip(count=60), server.worker()
    with server.client() as artist, server.client() as supervisor:
        job = artist.submit(clip.order(window=2, overlap=1))
        first_frame(artist, job)
        with server.held(worker):
            (state,) = [state for state in supervisor.jobs() if state.job == job]
            assert (state.state, state.frame_count) == ("running", 60)
            supervisor.cancel(job)
            supervisor.hello()  # what it said before is taken in
        with pytest.raises(Cancelled):
            list(artist.events(job))
        assert supervisor.jobs()[0].state == "cancelled"
        assert supervisor.next_event(job, 0.1) is None


def test_a_waiting_job_ends_at_once_when_another_client_cancels_it(server, make_clip, make_long_clip):
    slow, waiting, worker = make_long_clip(count=60), make_clip(count=1), server.worker()
    with server.client() as artist, server.client() as farm, server.client() as supervisor:
        first = artist.submit(slow.order())
        first_frame(artist, first)
        with server.held(worker):
            second = farm.submit(waiting.order(priority=BATCH, label="farm"))
            newest, running = supervisor.jobs()[:2]
            assert (newest.job, newest.state, newest.label, newest.frame_count) == (second, "waiting", "farm", None)
            assert (running.job, running.state) == (first, "running")
            supervisor.cancel(second)
            with pytest.raises(Cancelled):
                list(farm.events(second))
            assert [state.state for state in supervisor.jobs()[:2]] == ["cancelled", "running"]
        supervisor.cancel(second)  # over already: nothing happens
        assert list(artist.events(first))[-1].frame_count == 60
    assert not waiting.alpha_file(1001).exists()


def test_a_label_is_shown_in_place_of_the_plate(server, make_long_clip, videomama):
    clip, worker = make_long_clip(count=40), server.worker()
    with server.client() as client:
        job = client.submit(clip.order(label="shot010.nk VideoMaMa1"))
        first_frame(client, job)
        with server.held(worker):
            said = videomama("status", "--connection-file", server.connection_file)
        list(client.events(job))
    (line,) = [line for line in said.out.splitlines() if line.strip().startswith("job ")]
    assert line.split()[:2] == ["job", job[:8]]
    assert " shot010.nk VideoMaMa1: running, interactive, " in line
    assert clip.plate not in said.out


def test_a_job_waiting_for_its_turn_can_be_cancelled(server, make_clip, make_long_clip):
    slow, waiting, worker = make_long_clip(count=60), make_clip(count=1), server.worker()
    with server.client() as client:
        first = client.submit(slow.order())
        first_frame(client, first)
        with server.held(worker):
            second = client.submit(waiting.order(priority=BATCH))
            client.cancel(second)
            client.hello()  # what it said before is taken in
        assert list(client.events(first))[-1].frame_count == 60
        assert client.status().jobs_finished > 0
    assert not waiting.alpha_file(1001).exists()


def test_a_client_that_leaves_does_not_stop_its_job(server, make_long_clip, eventually):
    clip = make_long_clip(count=10)
    with server.client() as client:
        client.submit(clip.order())
    eventually(lambda: server.status().jobs_left == 0, "the job is done")
    assert all(clip.alpha_file(frame).exists() for frame in clip.numbers)


def test_two_servers_share_a_cache_folder(start_server, make_long_clip, tmp_path):
    clip, shared = make_long_clip(count=10), str(tmp_path / "shared")
    servers = [start_server("--cache-dir", shared) for _ in range(2)]
    outcomes = []
    threads = [threading.Thread(target=lambda one=one: outcomes.append(one.refine(clip))) for one in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [outcome.numbers for outcome in outcomes] == [list(clip.numbers)] * 2
    assert 10 <= sum(outcome.done.computed for outcome in outcomes) <= 20
    assert len(list((tmp_path / "shared").glob("entries/*/*.exr"))) == 10
    assert [servers[0].refine(clip).done.computed, servers[1].refine(clip).done.computed] == [0, 0]


def test_a_client_that_sends_no_frames_holds_nobody_up(server, make_peer, make_clip):
    clip = make_clip(count=2)
    silent = make_peer(server)
    digests = [f"{number:032x}" for number in (1, 2)]
    request = clip.order(inline=True, inline_frame_numbers=[1001, 1002], plate_digests=digests, mask_digests=digests)
    silent.send(wire.encode(request))
    job = silent.answer().job
    assert isinstance(silent.answer(), messages.FrameWanted)
    assert server.refine(make_clip(count=3)).done.frame_count == 3
    silent.send(wire.encode(messages.CancelJob("r", job)))
    answer = silent.answer()
    while isinstance(answer, messages.FrameWanted):
        answer = silent.answer()
    assert isinstance(answer, messages.MatteFailed)
    assert answer.code == "cancelled"


def test_flags_are_in_the_result_and_in_the_list_of_jobs(server, make_clip):
    clip = make_clip(count=6)
    for frame in clip.numbers:
        mask = np.zeros((64, 96), np.float32)
        mask[16:48, 24:72] = frame != 1004
        frames.write_picture(clip.file("mask", frame), mask, ("A",))
    with server.client() as client:
        *_, done = client.events(client.submit(clip.order()))
        newest = client.jobs()[0]
    assert [(flag.kind, flag.frame_numbers) for flag in done.flags] == [("mask missed", [1004])]
    assert (done.judged, newest.flags) == (6, "mask missed on 1004")
