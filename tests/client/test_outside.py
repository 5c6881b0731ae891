"""How a server is started on Windows, as far as that can be seen elsewhere: the calls, never the system."""

import ctypes
import subprocess
from types import SimpleNamespace

import pytest
from videomama_client import outside

COMMAND = [r"C:\My Tools\python.exe", "-I", "-m", "videomama_server", "serve"]


@pytest.fixture
def windows(monkeypatch):
    """A system whose WMI and process creation answer as a test says: `windows.wmi`, `windows.refused`."""
    seen = SimpleNamespace(runs=[], started=[], wmi="4711\r\n", refused=())

    def run(command, **options):
        seen.runs.append((command, options))
        if isinstance(seen.wmi, Exception):
            raise seen.wmi
        return subprocess.CompletedProcess(command, 0, seen.wmi, "")

    def popen(command, **options):
        if options["creationflags"] in seen.refused:
            raise PermissionError(13, "Access is denied")
        seen.started.append((command, options))
        return SimpleNamespace(poll=lambda: None)

    kernel = SimpleNamespace(OpenProcess=lambda *_: 8, GetExitCodeProcess=lambda handle, code: 1)
    monkeypatch.setattr(outside, "_kernel", lambda: kernel)
    monkeypatch.setattr(outside.subprocess, "run", run)
    monkeypatch.setattr(outside.subprocess, "Popen", popen)
    return seen


def test_wmi_starts_it_out_of_all_jobs_with_a_log_of_its_own_and_our_variables(windows, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/host")
    monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", "/cache")
    log = tmp_path / "server.log"
    assert outside.start(COMMAND, log).pid == 4711
    (command, options) = windows.runs[0]
    assert command[0].endswith("powershell.exe")
    assert options["env"]["VIDEOMAMA_START_COMMAND"] == (
        rf'"C:\My Tools\python.exe" -I -m videomama_server serve --log {log}'
    )
    assert options["env"]["VIDEOMAMA_CACHE_DIR"] == "/cache"
    assert "PYTHONPATH" not in options["env"]
    assert f"CreateFlags = [uint32]{0x01000000 | 0x8 | 0x200}" in command[-1]
    assert windows.started == []
    assert log.read_bytes() == b""


def test_where_wmi_is_forbidden_it_breaks_away_by_itself_and_the_log_says_so(windows, tmp_path):
    windows.wmi = subprocess.CalledProcessError(1, "powershell", stderr="Access\r\nis denied")
    outside.start(COMMAND, tmp_path / "server.log")
    ((command, options),) = windows.started
    assert command == COMMAND
    assert options["creationflags"] == 0x01000000 | 0x8 | 0x200
    said = (tmp_path / "server.log").read_text()
    assert said == "videomama: WMI cannot start the server outside of this program's processes: Access is denied\n"


def test_where_the_job_lets_nobody_out_it_stays_in_it_and_the_log_says_that_too(windows, tmp_path):
    windows.wmi = subprocess.TimeoutExpired("powershell", 20)
    windows.refused = (0x01000000 | 0x8 | 0x200,)
    outside.start(COMMAND, tmp_path / "server.log")
    assert windows.started[0][1]["creationflags"] == 0x8 | 0x200
    said = (tmp_path / "server.log").read_text().splitlines()
    assert [line.partition(":")[0] for line in said] == ["videomama", "videomama"]
    assert "the server stays in it: [Errno 13] Access is denied" in said[1]


def test_an_answer_that_is_no_process_is_a_fall_back_too(windows, tmp_path):
    windows.wmi = "nonsense"
    outside.start(COMMAND, tmp_path / "server.log")
    assert len(windows.started) == 1
    assert "nonsense" in (tmp_path / "server.log").read_text()


def test_what_windows_says_is_one_line_of_at_most_five_hundred_letters():
    assert outside._said(OSError("  access\n  denied ")) == "access denied"
    assert outside._said(subprocess.CalledProcessError(1, ["wmi"], stderr="no such class")) == "no such class"
    assert outside._said(OSError("x" * 999)) == "x" * 500


@pytest.mark.parametrize(
    ("handle", "told", "code", "ended"),
    [(8, 1, 259, None), (8, 1, 0, 0), (8, 1, 3, 3), (8, 0, 3, None), (None, 1, 3, None)],
    ids=["runs", "ended well", "failed", "cannot be asked", "cannot be opened"],
)
def test_a_process_outside_has_ended_when_windows_gives_a_code_for_it(monkeypatch, handle, told, code, ended):
    asked = []

    def give_code(handle, place):
        place._obj.value = code
        return told

    def open_process(*words):
        asked.append(words)
        return handle

    monkeypatch.setattr(
        outside, "_kernel", lambda: SimpleNamespace(OpenProcess=open_process, GetExitCodeProcess=give_code)
    )
    assert outside.Outside(4711).poll() == ended
    assert asked == [(0x1000, False, 4711)]  # PROCESS_QUERY_LIMITED_INFORMATION


def test_powershell_gets_twenty_seconds_and_no_window(windows, tmp_path):
    outside.start(COMMAND, tmp_path / "server.log")
    ((_, options),) = windows.runs
    assert (options["timeout"], options["creationflags"], options["check"]) == (20.0, 0x08000000, True)


def test_what_failed_is_in_the_log_before_a_server_writes_to_it(windows, tmp_path, monkeypatch):
    windows.wmi, log, found = OSError("forbidden"), tmp_path / "server.log", []
    monkeypatch.setattr(outside.subprocess, "Popen", lambda command, **options: found.append(log.read_text()))
    outside.start(COMMAND, log)
    assert found == ["videomama: WMI cannot start the server outside of this program's processes: forbidden\n"]


def test_handles_of_windows_are_as_wide_as_its_pointers(monkeypatch):
    kernel, loaded = SimpleNamespace(OpenProcess=SimpleNamespace(), GetExitCodeProcess=SimpleNamespace()), []

    def load(name, **options):
        loaded.append((name, options))
        return kernel

    monkeypatch.setattr(ctypes, "WinDLL", load, raising=False)
    assert outside._kernel() is kernel
    assert loaded == [("kernel32", {"use_last_error": True})]
    assert kernel.OpenProcess.restype is ctypes.c_void_p
    assert kernel.GetExitCodeProcess.argtypes == (ctypes.c_void_p, ctypes.c_void_p)
