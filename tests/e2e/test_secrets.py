"""The keys of the connection file stand in that file, and in nothing else that a session leaves or shows."""

import sys

import psutil
import pytest
from videomama_client import connection
from videomama_client.errors import VideoMaMaError
from videomama_nuke.panel import report


def shown_by_the_system(pid: int) -> str:
    """Return command line and environment of a process, as `ps` and /proc show them."""
    process = psutil.Process(pid)
    return " ".join([*process.cmdline(), *map("=".join, process.environ().items())])


@pytest.mark.skipif(sys.platform == "win32", reason="other processes' environments are not shown there")
def test_no_key_is_in_any_output_of_a_session(start_server, make_clip, run_command, monkeypatch):
    server, clip = start_server(), make_clip(count=2)
    known = connection.read(server.connection_file)
    named = ("--connection-file", server.connection_file)
    monkeypatch.setenv("VIDEOMAMA_CONNECTION_FILE", str(server.connection_file))
    monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", str(server.cache_dir))
    server.refine(clip)
    with pytest.raises(VideoMaMaError) as refused:
        server.refine(clip, plate="/no/such.####.exr")
    status = server.status()
    seen = [str(refused.value), repr(status), report.text(report.lines(server.connection_file))]
    seen += [shown_by_the_system(pid) for pid in (status.pid, status.worker_pid)]
    for words in (["status", *named], ["status", "--json", *named], ["doctor"], clip.flags(*map(str, named))):
        seen += run_command(*words).end(120)[1:]
    broken = server.connection_file.with_name("broken.json")
    broken.write_bytes(server.connection_file.read_bytes() + b"\xff")
    seen += run_command("status", "--connection-file", broken).end()[1:]
    seen += run_command("stop", *named).end()[1:]
    server.process.wait(60)
    broken.unlink()
    files = [path for path in server.log_file.parent.rglob("*") if path.is_file()]
    assert server.log_file in files
    assert not server.connection_file.exists()
    for key in (known.client_secret, known.client_public, known.server_public):
        assert not [text[:200] for text in seen if key in text]
        assert not [path for path in files if key.encode() in path.read_bytes()]
    assert any("refused" in text or "no frames match" in text for text in seen)  # that it was looked at, at all
