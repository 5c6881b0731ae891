import logging
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
