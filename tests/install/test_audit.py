from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import audit
import pytest


@pytest.fixture
def service() -> Iterator[Callable[[bytes], str]]:
    """Serve an answer: `service(b"{}")` returns its address."""
    servers = []

    def serve(answer: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_service_that_knows_the_control_can_be_asked(service: Callable[[bytes], str]) -> None:
    assert audit.out_of_reach(service(b'{"vulnerabilities": [{"id": "PYSEC-2021-108"}]}')) == ""


@pytest.mark.parametrize("answer", [b"", b"{}", b"[]", b"<html>blocked</html>", b'{"vulnerabilities": []}'])
def test_an_answer_of_something_else_is_out_of_reach(service: Callable[[bytes], str], answer: bytes) -> None:
    assert audit.out_of_reach(service(answer))


def test_a_service_that_does_not_answer_is_out_of_reach_within_seconds() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert audit.out_of_reach(f"http://127.0.0.1:{silent.getsockname()[1]}/", 0.5)


def test_advisories_need_a_reason() -> None:
    assert audit.accepted("# why\n\nGHSA-1 not called\n PYSEC-2   neither \n") == {
        "GHSA-1": "not called",
        "PYSEC-2": "neither",
    }
    with pytest.raises(ValueError, match="GHSA-1 is accepted without a reason"):
        audit.accepted("GHSA-1\n")


def test_the_projects_own_list_makes_sense() -> None:
    assert all(audit.accepted(audit.ADVISORIES.read_text(encoding="utf-8")).values())


def test_accepted_advisories_are_named_to_pip_audit() -> None:
    assert audit.command({"GHSA-1": "x"})[-2:] == ["--ignore-vuln", "GHSA-1"]


def test_it_is_skipped_with_a_reason(tmp_path: Path) -> None:
    folder, nowhere = str(audit.ADVISORIES.parent), "http://127.0.0.1:1/"
    code = f"import sys; sys.path.insert(0, {folder!r}); import audit; audit.CONTROL = {nowhere!r}; "
    code += f"audit.out_of_reach.__defaults__ = ({nowhere!r}, 5.0); sys.exit(audit.main())"
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == audit.SKIPPED, ended.stderr
    assert ended.stdout.startswith("skipped: ")
