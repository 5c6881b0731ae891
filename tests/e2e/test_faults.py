"""What is broken on purpose: processes killed, disks full, entries damaged. Finished work is never done twice."""

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from videomama_client import channel
from videomama_client.errors import Cancelled, NotPermitted, ServerUnreachable
from videomama_client.messages import FrameDone, MatteDone, MatteFailed
from videomama_client.settings import MatteSettings
from videomama_server import submission
from videomama_server.cache.entries import Cache
from videomama_server.media import frames


def run_until(events, count: int) -> list[int]:
    """Take in events until `count` frames are done."""
    done = []
    for event in events:
        if isinstance(event, FrameDone):
            done.append(event.frame)
        if len(done) == count:
            break
    return done


def alphas_are_whole(clip) -> bool:
    return all(np.array_equal(clip.read_alpha(frame), clip.read_mask(frame)) for frame in clip.numbers)


def test_a_client_is_told_within_15_seconds():
    assert channel.SILENCE_S + 2 * channel.PING_EVERY_S < 15


def test_a_killed_server_is_reported_and_a_new_run_computes_only_the_rest(start_server, make_long_clip, monkeypatch):
    server, clip = start_server(), make_long_clip(count=48)
    worker = server.worker()
    with server.client() as client:
        events = client.events(client.submit(clip.order()))
        run_until(events, 4)
        with server.held(worker):
            server.kill()
        monkeypatch.setattr(channel, "SILENCE_S", 1.5)  # the real one only makes this test longer
        monkeypatch.setattr(channel, "PING_EVERY_S", 0.3)
        with pytest.raises(ServerUnreachable, match=r"not been heard of for 1\.5 s") as caught:
            list(events)
        assert "cache" in caught.value.hint
    worker.wait(60)  # it does not outlive its server
    there = len(server.entries())
    assert 4 <= there < 48
    server.start()  # over the connection file that the killed one left behind
    outcome = server.refine(clip)
    assert (outcome.done.computed, outcome.done.cached) == (48 - there, there)
    assert alphas_are_whole(clip)


def test_a_killed_worker_is_replaced_and_the_job_goes_on(start_server, kill_worker, make_long_clip):
    server, clip = start_server(), make_long_clip(count=48)
    with server.client() as client:
        events = client.events(client.submit(clip.order(window=2, overlap=1)))
        heard = run_until(events, 4)
        kill_worker(client)
        rest = list(events)
        status = client.status()
    heard += [event.frame for event in rest if isinstance(event, FrameDone)]
    assert Counter(heard) == Counter(clip.numbers)
    assert isinstance(rest[-1], MatteDone)
    assert rest[-1].computed + rest[-1].cached == 48
    assert status.worker_restarts == 1
    assert all(clip.alpha_file(frame).exists() for frame in clip.numbers)
    assert len(server.entries()) == 48


def test_a_worker_that_dies_over_and_over_fails_the_job_and_not_the_server(start_server, make_clip, make_long_clip):
    server, clip = start_server(), make_long_clip(count=4, size=(1920, 1080))
    with server.client() as client:
        job = client.submit(clip.order(window=4))
        event, until = None, time.monotonic() + 60
        while not isinstance(event, MatteFailed) and time.monotonic() < until:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(client.status().worker_pid or 2**22).kill()
            event = client.next_event(job, 0.05)
    assert event.code == "internal"
    assert "died twice" in event.message
    assert "log" in event.hint
    assert server.refine(make_clip(count=1)).done.frame_count == 1


def test_an_inline_job_survives_a_killed_worker(start_server, kill_worker, make_long_clip):
    server, clip = start_server(), make_long_clip(count=20)
    order = submission.Submission(
        clip.plate, clip.mask, clip.out, MatteSettings(engine="passthrough", roi="off"), transport="inline"
    )
    with server.client() as client:
        events = submission.submit(client, order).events()
        run_until(events, 3)
        kill_worker(client)
        assert list(events)[-1].frame_count == 20
    assert alphas_are_whole(clip)


@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="limits are set from outside on Linux alone")
def test_a_worker_that_cannot_be_started_is_tried_again(start_server, make_clip, eventually):
    server, clip = start_server(), make_clip(count=2)
    with server.client() as client:
        known = client.status()
        process = psutil.Process(known.pid)
        soft, hard = process.rlimit(psutil.RLIMIT_NOFILE)
        process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds() - 2, hard))  # the worker's pipes become free
        psutil.Process(known.worker_pid).kill()
        eventually(lambda: "died" in server.log_file.read_text(), "the worker is lost")
        job = client.submit(clip.order())
        eventually(lambda: "cannot be started" in server.log_file.read_text(), "no other can be started")
        process.rlimit(psutil.RLIMIT_NOFILE, (soft, hard))
        event = None
        while not isinstance(event, (MatteDone, MatteFailed)):
            event = client.next_event(job, 20.0)
    assert isinstance(event, MatteDone), event
    assert "Traceback" not in server.log_file.read_text()


def test_an_inline_job_whose_client_left_ends_and_leaves_nothing(start_server, make_clip, eventually):
    server, clip = start_server("--supply-limit-s", "1"), make_clip(count=1)
    with server.client() as client:
        client.submit(clip.order(inline=True, inline_frame_numbers=[1001], plate_digests=["p"], mask_digests=["m"]))
    assert list(server.cache_dir.glob("spool/*")) != []
    with server.client() as client:
        eventually(lambda: not client.status().jobs_left, "the job is given up")
        (job,) = client.jobs()
    assert job.message == "plate frame 1001 was not sent within 1 s"
    assert list(server.cache_dir.glob("spool/*")) == []


def test_ctrl_c_cancels_on_the_server_and_the_next_run_computes_only_the_rest(
    start_server, make_long_clip, run_command, refine_by_command, eventually
):
    server, clip = start_server(), make_long_clip(count=160)
    command = run_command(*clip.flags("--connection-file", str(server.connection_file)))
    eventually(lambda: len(list(clip.folder.glob("out/alpha.*"))) >= 3, "a few frames are done")
    command.interrupt()
    code, out, err = command.end()
    assert code == 130
    assert out == ""
    assert "Cancelled. What was finished is kept." in err
    assert "Traceback" not in err
    status = server.status()
    assert (status.jobs_left, status.jobs_finished) == (0, 1)
    there = len(server.entries())
    assert 3 <= there < 160
    result = refine_by_command(server, clip)
    assert (result["computed"], result["cached"]) == (160 - there, there)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 3 MB that can grow: `small_disk("64m")`."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("no disk of a chosen size can be mounted here")

    def grow(size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)

    grow.folder = folder
    yield grow
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_fails_the_job_cleanly(small_disk, start_server, make_long_clip):
    clip = make_long_clip(count=40, size=(512, 288))
    server = start_server("--cache-dir", str(small_disk.folder / "cache"))
    server.cache_dir = small_disk.folder / "cache"
    with pytest.raises(NotPermitted, match="no space is left") as caught:
        server.refine(clip)
    assert "Free some space" in caught.value.hint
    there = server.entries()
    assert 0 < len(there) < 40
    assert list(server.cache_dir.glob("entries/*/.*")) == []
    assert Cache(server.cache_dir).verify().removed == 0
    assert all(np.array_equal(frames.read_mask(path).pixels[..., 0], clip.read_mask(1001)) for path in there)
    small_disk("128m")
    outcome = server.refine(clip)
    assert outcome.done.computed == 40 - len(there)
    assert alphas_are_whole(clip)
    assert server.status().worker_restarts == 0


def test_a_full_output_disk_fails_the_job_and_keeps_the_entries(small_disk, start_server, make_long_clip):
    clip = make_long_clip(count=30, size=(512, 288))
    server = start_server()
    with pytest.raises(NotPermitted, match="no space is left") as caught:
        server.refine(clip, out=str(small_disk.folder / "alpha.####.exr"))
    assert Path(caught.value.file).parent == small_disk.folder
    assert Path(caught.value.file).name.startswith("alpha.")
    assert ".videomama-" not in caught.value.message
    assert [path.name for path in small_disk.folder.iterdir() if path.name.startswith(".")] == []
    there = len(server.entries())
    assert there > 0
    small_disk("128m")
    assert server.refine(clip, out=str(small_disk.folder / "alpha.####.exr")).done.cached == there


def test_damaged_entries_are_computed_again(server, make_clip):
    clip = make_clip(count=4)
    server.refine(clip)
    expected = [clip.read_alpha(frame) for frame in clip.numbers]
    mine = {clip.alpha_file(frame).read_bytes(): frame for frame in clip.numbers}  # each holds its entry's seal
    entries = {mine[content]: path for path in server.entries() if (content := path.read_bytes()) in mine}
    whole = entries[1001].read_bytes()
    entries[1001].write_bytes(whole[: len(whole) // 2])
    entries[1002].write_bytes(b"garbage")
    entries[1003].write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    outcome = server.refine(clip)
    assert sorted(event.frame for event in outcome.frames if not event.cached) == [1001, 1002, 1003]
    assert (outcome.done.computed, outcome.done.cached) == (3, 1)
    for frame, alpha in zip(clip.numbers, expected, strict=True):
        np.testing.assert_array_equal(clip.read_alpha(frame), alpha)


def test_a_cancelled_job_keeps_what_it_finished(start_server, make_long_clip):
    server, clip = start_server(), make_long_clip(count=48)
    worker = server.worker()
    with server.client() as client:
        job = client.submit(clip.order())
        events = client.events(job)
        run_until(events, 3)
        with server.held(worker):
            client.cancel(job)
            client.hello()  # what it said before is taken in
        with pytest.raises(Cancelled):
            list(events)
        there = len(server.entries())
        assert 3 <= there < 48
        assert [path.name for path in server.cache_dir.glob("entries/*/.*")] == []
        assert list(client.events(client.submit(clip.order())))[-1].computed == 48 - there


def test_memos_that_are_garbage_are_not_believed(start_server, make_clip):
    server, clip = start_server(), make_clip(count=2)
    for path in clip.folder.iterdir():
        os.utime(path, (time.time() - 60, time.time() - 60))  # files younger than a second are not remembered
    server.refine(clip)
    books = list((server.cache_dir / "memo").glob("*.json"))
    assert books
    for book in books:
        book.write_bytes(b"\xff garbage")
    server.process.terminate()
    server.process.wait(60)
    server.start()
    assert server.refine(clip).done.computed == 0


def test_a_worker_that_hangs_is_started_again_and_its_job_goes_on(start_server, make_long_clip):
    server, clip = start_server("--engine-hang-s", "5"), make_long_clip(count=48)
    worker = server.worker()
    with server.client() as client:
        events = client.events(client.submit(clip.order(window=2, overlap=1)))
        heard = run_until(events, 4)
        worker.suspend()
        rest = list(events)
        assert client.status().worker_restarts == 1
    assert Counter(heard + [event.frame for event in rest if isinstance(event, FrameDone)]) == Counter(clip.numbers)
    assert alphas_are_whole(clip)


def test_a_job_ahead_of_hundreds_is_told_to_its_client_though_it_ends_last(start_server, make_long_clip, make_clip):
    server, long, short = start_server(), make_long_clip(count=60), make_clip(count=1)
    with server.client() as one, server.client() as other:
        events = one.events(one.submit(long.order(priority="batch")))
        run_until(events, 1)
        jobs = [other.submit(short.order(exposure=index / 100)) for index in range(210)]
        for job in jobs:
            assert list(other.events(job))[-1].frame_count == 1
        assert list(events)[-1].frame_count == 60


def test_a_full_disk_under_the_spool_refuses_the_job_and_leaves_none_behind(
    small_disk, start_server, make_long_clip, eventually
):
    server, clip = start_server("--cache-dir", str(small_disk.folder / "cache")), make_long_clip(count=4)
    ballast = small_disk.folder / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    order = submission.Submission(
        clip.plate, clip.mask, clip.out, MatteSettings(engine="passthrough", roi="off"), transport="inline"
    )
    with server.client() as client:
        with pytest.raises(NotPermitted, match="cannot keep the frames"):
            list(submission.submit(client, order).events())
        eventually(lambda: client.status().jobs_left == 0, "no job is left")
        ballast.unlink()
        assert list(submission.submit(client, order).events())[-1].frame_count == 4
    assert alphas_are_whole(clip)


def test_a_cache_that_became_read_only_gives_what_it_has(small_disk, start_server, make_clip):
    server = start_server("--cache-dir", str(small_disk.folder / "cache"))
    known, new = make_clip(count=3), make_clip(count=2)
    assert server.refine(known).done.computed == 3
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk.folder)], check=True)
    assert server.refine(known).done.cached == 3
    with pytest.raises(NotPermitted, match="read-only"):
        server.refine(new)
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk.folder)], check=True)
    assert server.refine(new).done.computed == 2


def test_a_cache_folder_that_is_deleted_under_a_job_is_made_anew(start_server, make_long_clip, videomama):
    server, clip = start_server(), make_long_clip(count=40)
    with server.client() as client:
        events = client.events(client.submit(clip.order()))
        run_until(events, 4)
        shutil.rmtree(server.cache_dir, ignore_errors=True)
        with suppress(NotPermitted):  # a file may be removed between two steps with it
            list(events)
    assert server.refine(clip).done.frame_count == 40
    assert alphas_are_whole(clip)
    assert server.cache_dir.stat().st_mode & 0o777 == 0o700
    assert videomama("cache", "--cache-dir", server.cache_dir, "verify").code == 0


def test_an_edit_that_its_stat_does_not_show_is_seen_by_rehash(start_server, make_clip):
    server, clip, other = start_server(), make_clip(count=1), make_clip(count=1)
    mask, edited = clip.file("mask", 1001), other.file("mask", 1001)
    size = max(mask.stat().st_size, edited.stat().st_size)
    for path in (mask, edited):
        os.truncate(path, size)
        os.utime(path, (time.time() - 60,) * 2)
    server.refine(clip)
    before = mask.stat()
    mask.write_bytes(edited.read_bytes())
    os.utime(mask, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert server.refine(clip).done.cached == 1  # the documented limit
    assert server.refine(clip, rehash=True).done.computed == 1
    np.testing.assert_array_equal(clip.read_alpha(1001), other.read_mask(1001))
