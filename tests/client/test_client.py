import gc
import os
import select
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import replace

import pytest
from videomama_client import __version__, client, connection, messages
from videomama_client.client import Client, InlineFrames, content_digest, file_proof
from videomama_client.errors import BadInput, Cancelled, ProtocolError, ServerUnreachable, VideoMaMaError, WeightsError
from videomama_client.settings import MatteSettings

CHILD_S = 20.0  # what a forked child may take; a client that hangs waits for ever


@pytest.fixture
def asked(server):
    with server.client() as client:
        yield client


def test_hello_is_answered_with_version_and_pid(asked, server):
    greeted = asked.hello()
    assert (greeted.protocol, greeted.server) == (messages.PROTOCOL_VERSION, __version__)
    assert greeted.pid == server.process.pid


@pytest.mark.parametrize(("ahead", "side"), [(-1, "client"), (1, "server")])
def test_another_protocol_version_says_which_side_to_update(asked, monkeypatch, ahead, side):
    monkeypatch.setattr(messages, "PROTOCOL_VERSION", messages.PROTOCOL_VERSION + ahead)
    with pytest.raises(ProtocolError, match=f"speaks protocol {messages.PROTOCOL_VERSION}") as caught:
        asked.hello()
    assert caught.value.hint.startswith(f"Update the {side}")


def test_status_tells_what_is_true_and_nothing_else(asked, server):
    status = asked.status()
    assert status.pid == server.process.pid
    assert status.cache_dir == str(server.cache_dir)
    assert status.uptime_s > 0
    assert status.engine is None
    assert status.jobs == []
    assert (status.worker_memory_bytes is None) == (status.worker_pid is None)


def test_jobs_of_all_clients_are_told_newest_first(asked, server, make_clip):
    clip = make_clip(count=2)
    with server.client() as other:
        first = other.submit(clip.order(label="shot010.nk\nVideoMaMa1"))
        list(other.events(first))
    second = asked.submit(clip.order(engine="nonsense"))
    with pytest.raises(BadInput):
        list(asked.events(second))
    newest, before = asked.jobs()[:2]
    assert (newest.job, newest.state, newest.message) == (second, "failed", "no engine is called 'nonsense'")
    assert (before.job, before.state, before.label) == (first, "done", "shot010.nk VideoMaMa1")
    assert (before.plate, before.engine, before.frame_count) == (clip.plate, "passthrough", 2)
    assert (before.done, before.computed) == (2, 2)
    assert before.seconds > 0


def test_the_frames_that_a_job_would_read_are_told_before_they_are_there(asked):
    planned = asked.plan_frames(MatteSettings(engine="classic"), "1001-1100", "1050")
    assert (planned.engine, planned.window, planned.overlap) == ("classic", 8, 2)
    assert planned.needed_ranges == "1038-1057"


@pytest.mark.parametrize(
    ("settings", "clip", "frames", "said"),
    [
        (MatteSettings(), "1001-1010", "1011", "1011"),
        (MatteSettings(), "", "", "''"),
        (MatteSettings(), "1001-1010", "x", "'x'"),
        (MatteSettings(engine="nonsense"), "1-10", "", "nonsense"),
        (MatteSettings(window=0), "1-10", "", "--window 0"),
    ],
    ids=["outside", "no clip", "no range", "engine", "window"],
)
def test_a_plan_that_makes_no_sense_is_refused(asked, settings, clip, frames, said):
    with pytest.raises(BadInput, match=said) as caught:
        asked.plan_frames(settings, clip, frames)
    assert caught.value.hint


def test_an_engine_that_cannot_run_here_is_refused(asked, tmp_path):
    with pytest.raises(WeightsError, match="weights"):
        asked.plan_frames(MatteSettings(engine="videomama", weights=str(tmp_path / "none")), "1-10", "")


def test_the_cache_is_reported_pruned_and_cleared(start_server, make_clip):
    server, clip = start_server("--cache-limit-gb", "3"), make_clip(count=3)
    server.refine(clip)
    with server.client() as client:
        full = client.cache_report()
        assert (full.folder, full.entries, full.limit_bytes) == (str(server.cache_dir), 3, 3_000_000_000)
        assert full.bytes == sum(path.stat().st_size for path in server.entries())
        assert client.prune_cache().removed == 0
        pruned = client.prune_cache(0.0)
        assert (pruned.removed, pruned.freed_bytes, pruned.entries) == (3, full.bytes, 0)
        assert pruned.limit_bytes == full.limit_bytes
    server.refine(clip)
    with server.client() as client:
        cleared = client.clear_cache()
        assert (cleared.removed, cleared.entries, cleared.bytes) == (3, 0, 0)
    assert server.entries() == []
    assert server.refine(clip).done.computed == 3


@pytest.mark.parametrize("limit", [-1.0, float("nan"), float("inf")])
def test_a_limit_of_the_cache_that_makes_no_sense_is_refused(asked, limit):
    with pytest.raises(BadInput, match="GB"):
        asked.prune_cache(limit)


def test_the_server_proves_that_it_sees_a_file(asked, tmp_path):
    path = tmp_path / "plate.exr"
    path.write_bytes(os.urandom(3 << 20))
    assert asked.sees_file(path)
    assert asked.sees_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["plate.exr"]


def test_a_file_of_other_content_or_none_is_no_proof(asked, tmp_path, monkeypatch):
    path = tmp_path / "plate.exr"
    path.write_bytes(b"as the server sees it")
    monkeypatch.setattr(client, "file_proof", lambda path, nonce: "0" * 32)
    assert not asked.sees_file(path)
    assert not asked.sees_file(tmp_path / "none.exr")
    assert not asked.sees_file(tmp_path)


def test_a_proof_is_of_the_content_and_the_nonce(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"one")
    proofs = {file_proof(path, "a"), file_proof(path, "b")}
    path.write_bytes(b"two")
    proofs.add(file_proof(path, "a"))
    assert len(proofs) == 3
    assert file_proof(path, "a") in proofs


def test_a_content_digest_is_of_every_byte(tmp_path):
    path = tmp_path / "file"
    content = bytearray(3 << 20)
    path.write_bytes(content)
    before = content_digest(path)
    content[-1] = 1
    path.write_bytes(content)
    assert content_digest(path) != before


def test_events_of_a_job_come_in_order(asked, make_clip):
    clip = make_clip(count=3)
    events = list(asked.events(asked.submit(clip.order())))
    assert isinstance(events[0], messages.MattePlanned)
    assert sorted(event.frame for event in events[1:-1]) == list(clip.numbers)
    assert isinstance(events[-1], messages.MatteDone)
    assert events[-1].job == events[0].job


def test_events_of_two_jobs_on_one_socket_do_not_mix(asked, make_clip):
    clips = [make_clip(count=2), make_clip(count=3)]
    jobs = [asked.submit(clip.order()) for clip in clips]
    for clip, job in zip(reversed(clips), reversed(jobs), strict=True):
        events = list(asked.events(job))
        assert {event.job for event in events} == {job}
        assert len(events) == clip.count + 2


def test_a_failed_job_raises_its_own_kind_of_error(asked, make_clip):
    clip = make_clip(count=1)
    job = asked.submit(clip.order(engine="nonsense"))
    with pytest.raises(BadInput, match="no engine is called 'nonsense'"):
        list(asked.events(job))


def test_a_cancelled_job_ends_with_cancelled(asked, make_long_clip):
    clip = make_long_clip()
    job = asked.submit(clip.order())
    events = asked.events(job)
    next(events)
    asked.cancel(job)
    with pytest.raises(Cancelled):
        list(events)
    assert asked.status().jobs_running == 0


def test_an_unknown_job_cannot_be_fetched_from(asked):
    with pytest.raises(BadInput, match="no job is called"):
        asked.fetch_alpha("nonsense", 1)


def test_a_finished_frame_can_be_fetched_and_another_not(asked, make_clip):
    clip = make_clip(count=1)
    job = asked.submit(clip.order())
    list(asked.events(job))
    assert asked.fetch_alpha(job, 1001) == clip.alpha_file(1001).read_bytes()
    with pytest.raises(BadInput, match="frame 1002 of this job is not done"):
        asked.fetch_alpha(job, 1002)


def test_an_inline_frame_that_cannot_be_read_ends_the_job(asked, server, make_clip):
    clip = make_clip(count=1)
    digests = {role: [content_digest(clip.file(role, 1001))] for role in ("plate", "mask")}
    request = clip.order(
        inline=True, inline_frame_numbers=[1001], plate_digests=digests["plate"], mask_digests=digests["mask"]
    )
    job = asked.submit(request)
    files = InlineFrames({1001: clip.file("plate", 1001)}, {1001: clip.folder / "gone.exr"})
    with pytest.raises(BadInput, match=r"mask frame 1001: cannot read .*gone\.exr: No such file"):
        list(asked.events(job, files))
    with pytest.raises(Cancelled):
        list(asked.events(job, files))


def test_no_event_in_time_is_none_and_no_error(asked):
    begun = time.monotonic()
    assert asked.next_event("nonsense", 0.2) is None
    assert time.monotonic() - begun < 2


def test_a_client_that_was_busy_elsewhere_goes_on(asked, make_clip, monkeypatch):
    """A host may not come back to its events for longer than a server may be silent."""
    monkeypatch.setattr(client, "SILENCE_S", 0.4)
    clip = make_clip(count=1)
    job = asked.submit(clip.order())
    time.sleep(0.8)
    assert isinstance(list(asked.events(job))[-1], messages.MatteDone)
    time.sleep(0.8)
    assert asked.next_event("nonsense", 0.1) is None


def test_a_server_that_falls_silent_is_reported(unheard, monkeypatch):
    monkeypatch.setattr(client, "SILENCE_S", 0.5)
    monkeypatch.setattr(client, "PING_EVERY_S", 0.1)
    with Client(unheard) as lonely, pytest.raises(ServerUnreachable, match="not been heard of") as caught:
        lonely.next_event("job", 10)
    assert "cache" in caught.value.hint


@pytest.mark.timeout(30)
def test_any_number_of_messages_to_a_dead_endpoint_holds_up_nobody(unheard):
    with Client(unheard) as lonely:
        for number in range(2000):  # ZeroMQ by itself waits for ever after a thousand
            lonely.cancel(str(number))


def test_a_dead_endpoint_is_reported_within_the_time_asked_for(unheard):
    begun = time.monotonic()
    with Client(unheard) as lonely, pytest.raises(ServerUnreachable, match="did not answer"):
        lonely.hello(timeout=0.3)
    assert time.monotonic() - begun < 3


def test_a_wrong_client_key_gets_no_answer(server):
    known = connection.read(server.connection_file)
    public, secret = connection.new_keys()
    stranger_known = replace(known, client_public=public, client_secret=secret)
    with Client(stranger_known) as stranger, pytest.raises(ServerUnreachable):
        stranger.hello(timeout=0.5)
    with server.client() as friend:
        friend.hello()


def test_a_wrong_server_key_gets_no_answer(server):
    known = connection.read(server.connection_file)
    with Client(replace(known, server_public=connection.new_keys()[0])) as misled, pytest.raises(ServerUnreachable):
        misled.hello(timeout=0.5)


@pytest.mark.parametrize(
    "change",
    [
        {"server_public": "short"},
        {"client_public": ""},
        {"client_secret": "#" * 40},
        {"server_public": "\N{SNOWMAN}" * 40},
        {"client_public": "\udce9" * 40},
        {"endpoint": "nonsense"},
        {"endpoint": ""},
        {"endpoint": "tcp://127.0.0.1:port"},
    ],
    ids=str,
)
def test_keys_or_an_endpoint_that_make_no_sense_are_reported(unheard, change):
    with pytest.raises(ServerUnreachable, match="make no sense"):
        Client(replace(unheard, **change))


def test_close_may_be_called_twice(unheard):
    lonely = Client(unheard)
    lonely.close()
    lonely.close()


def test_an_answer_to_an_older_request_is_passed_over(asked):
    asked._send(messages.ReportStatus(uuid.uuid4().hex))
    assert isinstance(asked.hello(), messages.Greeted)


def in_child(work) -> str:
    """Run `work` in a forked child and return what it returned there, or what it raised; a child that hangs fails."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = str(work())
        except VideoMaMaError as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        poll = select.poll()
        poll.register(stream, select.POLLIN)
        heard = poll.poll(CHILD_S * 1000)
        if not heard:
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return stream.read().decode() if heard else "it hung"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.parametrize(
    "use",
    [
        lambda asked: asked.status(),
        lambda asked: asked.submit(messages.SubmitMatte("r", "p", "m", "o", MatteSettings())),
        lambda asked: asked.next_event("job", 1),
        lambda asked: list(asked.events("job")),
        lambda asked: asked.cancel("job"),
        lambda asked: asked.fetch_alpha("job", 1),
    ],
    ids=["status", "submit", "next_event", "events", "cancel", "fetch_alpha"],
)
def test_a_client_says_at_once_that_it_is_in_a_forked_child(asked, use):
    asked.hello()
    begun = time.monotonic()
    said = in_child(lambda: use(asked))
    assert said.startswith(f"ServerUnreachable: this client belongs to process {os.getpid()} and cannot be used")
    assert "Make a new client in the child" in said
    assert time.monotonic() - begun < CHILD_S / 2
    assert asked.status().pid  # the parent's goes on


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_closing_in_a_forked_child_neither_hangs_nor_closes_the_parents(asked, server):
    def close() -> str:
        with asked:
            pass
        asked.close()
        gc.collect()
        return "closed"

    assert in_child(close) == "closed"
    assert asked.status().pid == server.process.pid


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_forked_child_can_make_a_client_of_its_own_and_end_as_programs_do(server):
    code = (
        "import os, sys; from pathlib import Path; from videomama_client import launch\n"
        "held = launch.connect(Path(sys.argv[1]), start=False)\n"
        "child = os.fork()\n"
        "with launch.connect(Path(sys.argv[1]), start=False) as own:\n"
        "    os.write(1, b'%d ' % own.status().pid)\n"  # at once: print writes the line's end by itself
        "if child:\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "    print(held.status().pid)\n"
    )
    command = [sys.executable, "-c", code, str(server.connection_file)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_S, check=False)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.split() == [str(server.process.pid)] * 3
