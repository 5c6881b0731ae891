"""The service files: what their own readers get out of them, whatever is in the paths."""

from __future__ import annotations

import configparser
import plistlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import service_files
from failure import InstallError
from service_files import Program

ARGUMENTS = ("-I", "-m", "videomama_server.background")
NASTY = [
    "/plain/bin/python",
    "/some where/bin/python",
    "/Grüße/日本/bin/python",
    "/a & b <c> 'd'/bin/python",
    "/100%/%h/bin/python",
    '/a "quoted" one/bin/python',
    "/back\\slash/bin/python",
    "/dol$lar/bin/python",
]
TASK = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}


def make(python: str = "/plain/bin/python", **variables: str) -> Program:
    return Program(python, ARGUMENTS, variables, "STUDIO\\jö & co", "/home/Library/Logs/a & b.log")


def unquoted(text: str) -> list[str]:
    """Words as systemd.syntax(7) and systemd.unit(5) say that they are read."""
    words = []
    for part in text.strip()[1:-1].split('" "'):
        plain = part.replace("%%", "%")
        words.append(plain.replace('\\"', '"').replace("\\\\", "\\"))
    return words


def unit(program: Program) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(service_files.systemd_unit(program).decode())
    return parser


@pytest.mark.parametrize("python", NASTY)
def test_the_unit_runs_the_command_to_the_letter(python: str) -> None:
    parsed = unit(make(python))
    words = [word.replace("$$", "$") for word in unquoted(parsed["Service"]["ExecStart"])]
    assert words[words[0] == "/usr/bin/env" :] == [python, *ARGUMENTS]
    assert parsed["Install"]["WantedBy"] == "default.target"
    assert parsed["Service"]["Restart"] == "on-failure"


def test_the_unit_without_variables_is_whole() -> None:
    parsed = unit(make())
    assert "Environment" not in parsed["Service"]
    assert parsed["Service"]["RestartSec"] == "5"


def test_arguments_of_the_unit_keep_their_dollars() -> None:
    content = service_files.systemd_unit(Program("/a$b/python", ("--x", "$HOME", "${HOME}"))).decode()
    assert 'ExecStart="/a$b/python" "--x" "$$HOME" "$${HOME}"\n' in content


def test_variables_of_the_unit() -> None:
    content = service_files.systemd_unit(make(VIDEOMAMA_CACHE_DIR='/a "b" 100%\\$x', OCIO="/é/config.ocio")).decode()
    lines = [line for line in content.splitlines() if line.startswith("Environment=")]
    assert lines == ['Environment="OCIO=/é/config.ocio"', 'Environment="VIDEOMAMA_CACHE_DIR=/a \\"b\\" 100%%\\\\$x"']


@pytest.mark.parametrize(
    "folder", ["plain", "some where", "Grüße", "100% real", "dol$lar", 'q"uote', "o'clock", "b\\s"]
)
def test_systemd_itself_accepts_the_unit(tmp_path: Path, folder: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    python = tmp_path / folder / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    file = tmp_path / "videomama.service"
    file.write_bytes(service_files.systemd_unit(make(str(python), VIDEOMAMA_CACHE_DIR="/some where/100%")))
    command = ["systemd-analyze", "--user", "verify", str(file)]
    # Its own folder for sockets has to be named where no session has set one up.
    variables = {"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    if "Failed to initialize manager" in done.stderr:
        pytest.skip(f"systemd-analyze cannot work here: {done.stderr.strip()}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("python", NASTY)
def test_the_agent_runs_the_command_to_the_letter(python: str) -> None:
    parsed = plistlib.loads(service_files.launchd_agent(make(python, VIDEOMAMA_PORT="5", OCIO="<&>")))
    assert parsed["ProgramArguments"] == [python, *ARGUMENTS]
    assert parsed["EnvironmentVariables"] == {"VIDEOMAMA_PORT": "5", "OCIO": "<&>"}
    assert parsed["Label"] == service_files.LABEL
    assert parsed["RunAtLoad"] is True
    assert parsed["KeepAlive"] == {"SuccessfulExit": False}
    assert parsed["StandardErrorPath"] == "/home/Library/Logs/a & b.log"


def test_the_agent_without_variables() -> None:
    assert plistlib.loads(service_files.launchd_agent(make()))["EnvironmentVariables"] == {}


@pytest.mark.parametrize("python", [*NASTY, "C:\\Users\\Jörg & Co\\.venv\\Scripts\\pythonw.exe"])
def test_the_task_runs_the_command_to_the_letter(python: str) -> None:
    content = service_files.windows_task(make(python))
    assert content.startswith((b"\xff\xfe", b"\xfe\xff"))
    root = ElementTree.fromstring(content)
    assert root.findtext(".//t:Exec/t:Command", namespaces=TASK) == python
    assert root.findtext(".//t:Exec/t:Arguments", namespaces=TASK) == "-I -m videomama_server.background"
    assert {element.text for element in root.findall(".//t:UserId", TASK)} == {"STUDIO\\jö & co"}
    assert root.findtext(".//t:ExecutionTimeLimit", namespaces=TASK) == "PT0S"


def test_arguments_of_the_task_are_quoted() -> None:
    root = ElementTree.fromstring(service_files.windows_task(Program("p", ("a b", 'c"d'))))
    assert root.findtext(".//t:Arguments", namespaces=TASK) == '"a b" c\\"d'


@pytest.mark.parametrize("text", ["/a\nb", "/a\x00b", "/a\udce9b"])
def test_what_no_file_can_hold_is_refused(text: str) -> None:
    for program in (make(text), make(VIDEOMAMA_ROOTS=text)):
        with pytest.raises(InstallError, match="letter"):
            program.check()


@pytest.mark.parametrize("platform", service_files.MAKERS)
def test_each_file_carries_the_mark(platform: str) -> None:
    text = service_files.text_of(service_files.MAKERS[platform](make()))
    assert service_files.MARKER in text
    assert "${" not in text
    assert "\r" not in text
