"""Starts the server on Windows as no child of this process and in none of its jobs, with a fall-back that is logged.

Security tools watch what a host such as Nuke starts, and may forbid its children to load torch; a host's job object may
end them with it. A process that Windows Management Instrumentation (WMI) creates is a child of a system service.
Written from Microsoft's documents of `Win32_Process.Create` and never run on Windows yet.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

from videomama_client import private, surroundings

_DETACHED, _NEW_GROUP, _BREAKAWAY = 0x00000008, 0x00000200, 0x01000000
_NO_WINDOW = 0x08000000
_WAIT_S = 20.0
_STILL_ACTIVE = 259
_QUERY_LIMITED = 0x1000
_ORDER = "VIDEOMAMA_START_COMMAND"
# It hands on the folder and the variables that it was itself started with. WMI's own service runs in a job with little
# memory: the server has to break away from that, too.
_SCRIPT = f"""
$ErrorActionPreference = 'Stop'
$command = $env:{_ORDER}
Remove-Item Env:{_ORDER}
$startup = New-CimInstance -ClientOnly -CimClass (Get-CimClass -ClassName Win32_ProcessStartup) -Property @{{
    CreateFlags = [uint32]{_BREAKAWAY | _DETACHED | _NEW_GROUP}
    ShowWindow = [uint16]0
    EnvironmentVariables = [string[]]@(Get-ChildItem Env: | ForEach-Object {{ $_.Name + '=' + $_.Value }})
}}
$made = Invoke-CimMethod -ClassName Win32_Process -MethodName Create -Arguments @{{
    CommandLine = $command
    CurrentDirectory = [Environment]::CurrentDirectory
    ProcessStartupInformation = [CimInstance]$startup
}}
if ($made.ReturnValue -ne 0) {{ throw ('Win32_Process.Create returned ' + $made.ReturnValue) }}
[Console]::Out.WriteLine($made.ProcessId)
"""


class Outside:
    """A process that is not a child of this one.

    Args:
        pid: of the process.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._kernel = _kernel()
        self._handle = self._kernel.OpenProcess(_QUERY_LIMITED, False, pid)

    def poll(self) -> Optional[int]:
        """Return its exit code, or None while it runs; also None where this process may not look."""
        import ctypes

        code = ctypes.c_ulong()
        known = self._handle and self._kernel.GetExitCodeProcess(self._handle, ctypes.byref(code))
        return code.value if known and code.value != _STILL_ACTIVE else None


def start(command: Sequence[str], log: Path) -> Any:
    """Start a server and return its process, which has `poll`.

    Args:
        command: of the server; where WMI starts it, which lends no streams, ``--log FILE`` is added.
        log: it exists from then on, and says so when the server could not be started outside.

    Raises:
        OSError: it cannot be started at all.
    """
    variables = surroundings.environment()
    with os.fdopen(private.open_log(log), "ab") as output:
        try:
            return _by_wmi([*command, "--log", str(log)], variables)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            _note(output, f"WMI cannot start the server outside of this program's processes: {_said(error)}")
        try:
            return _by_itself(command, variables, output, _BREAKAWAY)
        except PermissionError as error:
            _note(output, f"this program's job lets no process out, the server stays in it: {error}")
        return _by_itself(command, variables, output, 0)


def _by_wmi(command: Sequence[str], variables: Mapping[str, str]) -> Outside:
    powershell = Path(variables.get("SYSTEMROOT", r"C:\Windows"), "System32", "WindowsPowerShell", "v1.0")
    words = ["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", _SCRIPT]
    done = subprocess.run(
        [str(powershell / "powershell.exe"), *words],
        env={**variables, _ORDER: subprocess.list2cmdline(command)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=_WAIT_S,
        check=True,
        creationflags=_NO_WINDOW,
    )
    return Outside(int(done.stdout))


def _by_itself(
    command: Sequence[str], variables: Mapping[str, str], output: Any, breakaway: int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=dict(variables),
        creationflags=_DETACHED | _NEW_GROUP | breakaway,
    )


def _note(output: Any, words: str) -> None:
    output.write(f"videomama: {words}\n".encode())
    output.flush()


def _said(error: Exception) -> str:
    said = getattr(error, "stderr", None)
    return " ".join(str(said or error).split())[:500]


def _kernel() -> Any:
    import ctypes  # here, as some Pythons on Linux have none

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    kernel.OpenProcess.restype = ctypes.c_void_p  # a handle: ctypes would cut it to 32 bits
    kernel.GetExitCodeProcess.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    return kernel
