"""When servers and engine workers begin and end."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from videomama_client import channel, connection
from videomama_client.client import Client
from videomama_client.errors import ServerUnreachable


def answers_soon(start_server) -> bool:
    """Start a server; tell whether it answers within 3 s, or four times what its imports take on a busy machine."""
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "import videomama_server.serving.server"], check=True)
    imported = time.monotonic()
    with start_server().client() as client:
        client.hello()
    return time.monotonic() - imported < max(3.0, 4 * (imported - begun))


def test_hello_is_answered_soon_after_the_process_starts(start_server):
    assert any(answers_soon(start_server) for _ in range(3))  # other programs share the machine


def test_a_second_server_on_one_connection_file_leaves_the_first_alone(server, run_command):
    before = server.connection_file.read_bytes()
    command = run_command("serve", "--connection-file", server.connection_file, "--cache-dir", server.cache_dir)
    code, _, err = command.end()
    assert code == 0
    assert f"a server runs already; its connection file is {server.connection_file}" in err
    assert server.connection_file.read_bytes() == before
    server.status()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_the_server_in_the_middle_of_a_job_and_its_client_is_told(
    start_server, make_long_clip, name, monkeypatch
):
    monkeypatch.setattr(channel, "SILENCE_S", 240.0)  # the client is told, and does not find out
    server, clip = start_server(), make_long_clip(count=400)  # it is not over, however late the signal comes
    worker = server.worker()
    with server.client() as client:
        events = client.events(client.submit(clip.order()))
        next(events)
        server.process.send_signal(getattr(signal, name))
        with pytest.raises(ServerUnreachable, match="the server was ended") as caught:
            list(events)
        assert "cache" in caught.value.hint
    assert server.process.wait(60) == 0
    worker.wait(60)
    assert not server.connection_file.exists()
    assert "Traceback" not in server.log_file.read_text()


def test_a_server_that_is_stopped_leaves_no_inline_frames_behind(start_server, make_clip):
    server, clip = start_server(), make_clip(count=2)
    names = {f"{role}_digests": ["d1", "d2"] for role in ("plate", "mask")}
    with server.client() as client:
        client.submit(clip.order(inline=True, inline_frame_numbers=[1001, 1002], **names))
        assert list(server.cache_dir.glob("spool/*")) != []
        client.stop_server()
    assert server.process.wait(60) == 0
    assert list(server.cache_dir.glob("spool/*")) == []


def test_the_file_of_a_killed_server_is_replaced(start_server):
    server = start_server()
    first = connection.read(server.connection_file)
    server.kill()
    assert server.connection_file.exists()
    server.start()
    second = connection.read(server.connection_file)
    assert second.pid == server.process.pid != first.pid
    assert second.client_secret != first.client_secret
    with Client(first) as late, pytest.raises(ServerUnreachable):
        late.hello(timeout=0.3)
    server.status()


def test_an_idle_server_ends_by_itself(start_server):
    server = start_server("--server-idle-s", "1.5")
    assert server.process.wait(60) == 0
    assert not server.connection_file.exists()


def test_an_idle_worker_ends_and_comes_back_on_demand(start_server, make_clip, eventually):
    server = start_server("--engine-idle-s", "0.3")
    first = server.refine(make_clip(count=1))
    with server.client() as client:
        eventually(lambda: client.status().worker_pid is None, "the worker is ended")
        status = client.status()
        assert "the engine worker ends" in server.log_file.read_text()
        assert status.worker_memory_bytes is None
        assert status.worker_restarts == 0
    assert first.done.frame_count == server.refine(make_clip(count=1)).done.frame_count == 1
    assert server.status().worker_restarts == 0


def test_asking_how_the_server_is_does_not_keep_the_engine_in_memory(start_server, eventually):
    server = start_server("--engine-idle-s", "1")
    with server.client() as client:
        eventually(lambda: client.status().worker_pid is None, "the worker is ended")


def test_a_server_is_not_idle_while_a_client_waits_for_its_job(start_server, make_clip):
    clip, server = make_clip(count=2), start_server("--server-idle-s", "2", "--engine-idle-s", "2")
    with server.client() as client:
        client.cache_report()  # the worker is up
        worker = client.status().worker_pid
        assert worker is not None  # psutil would take that for this process
        psutil.Process(worker).suspend()
        job = client.submit(clip.order())
        time.sleep(4)  # longer than either may be idle
        assert client.status().worker_pid == worker
        psutil.Process(worker).resume()
        assert list(client.events(job))[-1].frame_count == 2


def test_a_read_only_cache_folder_still_serves(start_server, make_clip, tmp_path):
    (tmp_path / "file").write_text("in the way")
    server = start_server("--cache-dir", str(tmp_path / "file" / "cache"))
    clip = make_clip(count=2)
    first = server.refine(clip).done
    assert first.computed == 2
    assert [warning for warning in first.warnings if "cannot be written" in warning]
    assert server.refine(clip).done.cached == 2


def test_a_cache_folder_of_a_newer_format_is_left_alone_and_the_job_is_done(start_server, make_clip, tmp_path):
    folder = tmp_path / "newer"
    folder.mkdir()
    (folder / "format.txt").write_text("7\n")
    server, clip = start_server("--cache-dir", str(folder)), make_clip(count=2)
    done = server.refine(clip).done
    assert done.computed == 2
    assert [warning for warning in done.warnings if "has format 7" in warning]
    assert [path.name for path in folder.iterdir()] == ["format.txt"]


def test_the_server_process_imports_no_torch_and_opens_no_pictures():
    script = (
        "import sys; import videomama_server.serving.server; "
        "print([name for name in ('torch', 'OpenImageIO', 'cv2', 'numpy') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ)
    assert said.stdout.strip() == "[]"
