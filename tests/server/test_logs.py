import logging
import os
import subprocess
import sys

import pytest
from videomama_server import logs


def record(message, *arguments, trace=None):
    return logging.LogRecord("name", logging.WARNING, "file.py", 1, message, arguments, trace)


@pytest.fixture
def plain():
    return logs.Plain("%(levelname)s %(message)s")


def test_a_name_with_line_breaks_forges_no_entry(plain):
    said = plain.format(record("damaged: %s", "a\nERROR all is lost\r\x1b[2Jb\u2028c\x85d"))
    first, second = said.split("\n")
    assert first == "WARNING damaged: a"
    assert second == "    ERROR all is lost\\r\\x1b[2Jb\\u2028c\\x85d"


def test_a_traceback_is_indented(plain):
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        lines = plain.format(record("it failed", trace=sys.exc_info())).split("\n")
    assert lines[0] == "WARNING it failed"
    assert len(lines) > 3
    assert all(line.startswith("    ") for line in lines[1:])


def test_a_name_that_is_not_utf8_can_be_written(plain):
    plain.format(record("%s", "caf\udce9")).encode("utf-8")


def test_all_that_a_process_and_its_children_say_goes_to_a_private_log(tmp_path):
    log = tmp_path / "server.log"
    code = (
        "import os, subprocess, sys; from pathlib import Path; from videomama_server import logs\n"
        "logs.divert(Path(sys.argv[1])); logs.set_up('server')\n"
        "import logging; logging.getLogger('x').error('entry')\n"
        "subprocess.run([sys.executable, '-c', 'import sys; print(1); print(2, file=sys.stderr)'])\n"
    )
    said = subprocess.run([sys.executable, "-c", code, str(log)], capture_output=True, text=True, check=True)
    assert (said.stdout, said.stderr) == ("", "")
    assert sorted(line.split()[-1] for line in log.read_text().splitlines()) == ["1", "2", "entry"]
    assert os.name != "posix" or log.stat().st_mode & 0o077 == 0


def test_a_process_without_streams_gets_some(tmp_path, monkeypatch):
    log = tmp_path / "server.log"
    code = (
        "import sys; from pathlib import Path; from videomama_server import logs\n"
        "sys.stdout = sys.stderr = None\n"
        "logs.divert(Path(sys.argv[1])); print('out'); print('err', file=sys.stderr)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(log)], check=True)
    assert log.read_text() == "out\nerr\n"


@pytest.mark.skipif(os.name != "posix", reason="counts descriptors as POSIX has them")
def test_a_log_takes_no_further_descriptor(tmp_path):
    code = (
        "import psutil, sys; from pathlib import Path; from videomama_server import logs\n"
        "own = psutil.Process(); own.num_fds(); before = own.num_fds()\n"
        "logs.divert(Path(sys.argv[1])); print(own.num_fds() - before)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "server.log")], check=True)
    assert (tmp_path / "server.log").read_text() == "0\n"
