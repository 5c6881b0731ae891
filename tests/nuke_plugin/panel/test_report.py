"""The doctor's report: what it finds, and what it says to do."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import videomama_client
from videomama_client import connection, messages
from videomama_nuke.panel import report


@pytest.fixture
def healthy(scripted, tmp_path):
    """A server with nothing wrong."""
    (tmp_path / "cache").mkdir()
    scripted.log_file.write_text("hello\n")
    return scripted


def wrong(found) -> list[str]:
    return [line.what for line in found if not line.ok]


def about(found, words: str):
    """Return the line that has these words; each one says what to do exactly where something is wrong."""
    assert [line for line in found if line.ok is bool(line.fix)] == []
    return next(line for line in found if words in line.what)


def test_everything_in_order_says_so(healthy):
    found = report.lines(healthy.file)
    assert wrong(found) == []
    assert report.text(found).splitlines()[-2] == "Everything is as it should be."
    assert "`videomama doctor`" in report.text(found).splitlines()[-1]
    assert about(found, "pyzmq ").ok
    assert about(found, "msgpack ").ok
    assert videomama_client.__version__ in about(found, "Plug-in").what
    assert f"protocol {messages.PROTOCOL_VERSION}" in about(found, "Plug-in").what


def test_no_server_at_all(tmp_path):
    found = report.lines(tmp_path / "connection.json")
    assert about(found, "No connection file").fix
    assert about(found, "The server cannot be reached").fix
    assert not list(tmp_path.iterdir())


def test_a_server_that_is_gone(healthy):
    healthy.end()
    assert "gone" in about(report.lines(healthy.file), "The server cannot be reached").what


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
def test_a_connection_file_that_others_can_read(healthy):
    healthy.file.chmod(0o644)
    line = about(report.lines(healthy.file), "mode 0644")
    assert not line.ok
    assert "stop it" in line.fix


def test_a_connection_file_that_makes_no_sense(healthy):
    healthy.file.write_text("{")
    healthy.file.chmod(0o600)
    assert "The connection file" in wrong(report.lines(healthy.file))[0]


OTHERS = [("0.0.9", "the server"), ("0.1.1", "the plug-in"), ("0.10.0", "the plug-in")]


@pytest.mark.parametrize(("theirs", "older"), OTHERS)
def test_other_versions_name_the_side_to_update(healthy, theirs, older):
    connection.write(healthy.file, replace(connection.read(healthy.file), version=theirs))
    line = about(report.lines(healthy.file), "The server is version")
    assert (line.ok, line.fix) == (False, f"Update {older}.")


def test_another_protocol_names_the_side_to_update(healthy):
    healthy.refusals["Hello"] = ("protocol", "the client speaks protocol 2, the server 9", "Update the client.")
    line = about(report.lines(healthy.file), "The client speaks protocol 2")
    assert (line.ok, line.fix) == (False, "Update the client.")


def test_a_cache_folder_that_no_job_has_made_yet(healthy, tmp_path):
    (tmp_path / "cache").rmdir()
    assert about(report.lines(healthy.file), "is not made yet").ok


def test_a_cache_folder_that_this_machine_does_not_see(healthy):
    healthy.status_changes["cache_dir"] = "/nowhere/at/all/cache"
    line = about(report.lines(healthy.file), "is not there")
    assert not line.ok
    assert "--cache-dir" in line.fix


def test_a_cache_folder_that_cannot_be_written(healthy, tmp_path, monkeypatch):
    def refused(dir):  # noqa: A002 (as tempfile calls it); the superuser, who may run the tests, can write anywhere
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr(report.tempfile, "TemporaryFile", refused)
    line = about(report.lines(healthy.file), "cannot be written")
    assert line == report.ReportLine(
        False, f"The cache folder {tmp_path / 'cache'} cannot be written: Permission denied", "Ask for its permissions."
    )


def test_an_engine_that_died(healthy):
    healthy.status_changes["worker_restarts"] = 2
    assert about(report.lines(healthy.file), "died 2 times").fix == "Its log says why."


def test_a_server_without_a_log_file_is_no_fault(healthy):
    healthy.log_file.unlink()
    assert about(report.lines(healthy.file), "No log").ok


def test_missing_packages_are_named(monkeypatch, tmp_path):
    for name in ("connection", "zeromq"):
        monkeypatch.delitem(sys.modules, f"videomama_client.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "zmq", None)
    found = report.lines(tmp_path / "connection.json")
    line = about(found, "pyzmq cannot be imported")
    assert (line.ok, "python install nuke" in line.fix) == (False, True)


def test_a_client_that_cannot_be_loaded_is_said_last(monkeypatch, tmp_path):
    monkeypatch.delattr(videomama_client, "connection")
    monkeypatch.setitem(sys.modules, "videomama_client.connection", None)
    line = report.lines(tmp_path / "connection.json")[-1]
    assert line.what.startswith("The server cannot be asked: ")
    assert (line.ok, line.fix) == (False, "Install what is missing above.")


@pytest.mark.parametrize(("major", "ok"), [(13, False), (14, True), (15, True)])
def test_nuke_is_asked_for_its_version(monkeypatch, tmp_path, major, ok):
    nuke = SimpleNamespace(NUKE_VERSION_MAJOR=major, NUKE_VERSION_STRING=f"{major}.1v2")
    monkeypatch.setitem(sys.modules, "nuke", nuke)
    assert about(report.lines(tmp_path / "connection.json"), f"Nuke {major}.1v2").ok is ok


@pytest.mark.parametrize(("version", "ok"), [((3, 8), False), ((3, 9), True), ((3, 13), True)])
def test_python_is_old_enough_or_it_is_said_which_one_is_needed(monkeypatch, tmp_path, version, ok):
    monkeypatch.setattr(report.sys, "version_info", (*version, 0))
    line = report._python()
    assert (line.ok, bool(line.fix)) == (ok, not ok)
    assert line.what.startswith("Python ")


def test_what_is_as_it_should_be_has_nothing_to_do(healthy, monkeypatch):
    nuke = SimpleNamespace(NUKE_VERSION_MAJOR=15, NUKE_VERSION_STRING="15.1v2")
    monkeypatch.setitem(sys.modules, "nuke", nuke)
    assert [line.fix for line in report.lines(healthy.file) if line.ok and line.fix] == []


def test_the_text_has_what_to_do_below_what_is_wrong():
    found = [report.ReportLine(True, "fine"), report.ReportLine(False, "broken", "Mend it.")]
    text = report.text(found)
    assert text.startswith("ok    fine\nFAIL  broken\n      Mend it.\n\n1 of 2 need attention.\n")


def test_a_variable_that_the_server_does_not_go_by_is_named_with_both_values(healthy, monkeypatch):
    healthy.status_changes["config"] = [
        messages.ConfigValue("cache_dir", "/the/server's"),
        messages.ConfigValue("cache_limit_gb", "100.0"),
    ]
    monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", "/mine")
    monkeypatch.setenv("VIDEOMAMA_CACHE_LIMIT_GB", "100")
    (line,) = [line for line in report.lines(healthy.file) if not line.ok]
    assert line.what == "Cache_dir: the running server uses /the/server's, but $VIDEOMAMA_CACHE_DIR sets /mine"
    assert "videomama stop" in line.fix


@pytest.mark.parametrize(
    ("engine", "loaded", "said"),
    [
        ("videomama", [messages.LoadedEngine("videomama", "cuda:0", "fp16", 1)], "Engine: videomama on cuda:0, fp16"),
        ("classic", [], "Engine: classic"),
        (None, [], "Engine: not loaded"),
    ],
)
def test_of_the_engine_is_said_what_is_known(healthy, engine, loaded, said):
    healthy.status_changes.update(engine=engine, loaded=loaded)
    assert about(report.lines(healthy.file), "Engine").what == said


def test_what_is_found_is_said_in_order_and_in_full(healthy, tmp_path):
    known = connection.read(healthy.file)
    whats = [line.what for line in report.lines(healthy.file)]
    assert whats[6:] == [
        f"Connection file {healthy.file}, mode 0600",
        f"It names {known.endpoint}, pid {known.pid}, version {known.version}",
        f"The server answers; it is version {known.version} too",
        "Engine: videomama on cuda:0, bf16",
        f"The cache folder {tmp_path / 'cache'} can be written",
        f"Log {healthy.log_file}, 6 bytes",
    ]
    assert whats[5].startswith("Qt")
    folder = Path(videomama_client.__file__).parent.parent
    assert about(report.lines(healthy.file), "Plug-in").what.endswith(f", in {folder}")


def test_outside_of_nuke_and_without_qt_the_report_says_so_and_finds_no_fault(monkeypatch):
    monkeypatch.setitem(sys.modules, "nuke", None)
    monkeypatch.setitem(sys.modules, "Qt", None)
    assert [report._nuke(), report._qt()] == [
        report.ReportLine(True, "Nuke: not inside Nuke"),
        report.ReportLine(True, "Qt: not loaded"),
    ]


def test_a_package_says_its_version_and_where_it_lies_or_what_to_do(monkeypatch, tmp_path):
    (tmp_path / "made_up.py").write_text("version = (1, 2, 3)\n")
    (tmp_path / "nameless.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert report._package("made_up", "made-up").what == f"made-up 1.2.3 from {tmp_path}"
    assert report._package("nameless", "nameless").what == f"nameless unknown from {tmp_path}"
    missing = report._package("not_installed", "not-installed")
    assert not missing.ok
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert missing.fix == f"Put not-installed for Python {python} on Nuke's Python path."


@pytest.mark.parametrize(("named", "beside", "found"), [(True, True, "named"), (False, True, "beside")])
def test_the_log_that_is_named_counts_before_the_one_beside_the_connection_file(tmp_path, named, beside, found):
    paths = {"named": tmp_path / "named.log", "beside": tmp_path / "beside.log"}
    for name, there in (("named", named), ("beside", beside)):
        if there:
            paths[name].write_bytes(b"x" * 1234)
    line = report._log(paths["named"], paths["beside"])
    assert line == report.ReportLine(True, f"Log {paths[found]}, 1,234 bytes")
