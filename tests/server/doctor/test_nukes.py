"""Nukes are looked for by the installer of the checkout, where there is one."""

from videomama_server.doctor import nukes, report
from videomama_server.doctor.lines import DoctorLine


def test_without_the_installer_beside_it_nukes_are_not_looked_at(monkeypatch, tmp_path):
    monkeypatch.setattr(nukes.videomama_server, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    (line,) = nukes.examine()
    assert line.what.startswith("Not looked at")
    (tmp_path / "install").mkdir()
    (tmp_path / "install" / "check_nukes.py").write_text("raise SystemExit('broken')")
    (line,) = nukes.examine()
    assert (line.state, "broken" in line.what) == ("warning", True)
    assert report.nukes is nukes


def test_lines_of_the_installer_are_taken_as_they_are_and_others_are_a_warning(monkeypatch, tmp_path):
    program = tmp_path / "install" / "check_nukes.py"
    program.parent.mkdir()
    monkeypatch.setattr(nukes.videomama_server, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    line = {"name": "Nuke 16.0", "state": "ok", "what": "plug-in 1.0", "fix": ""}
    program.write_text(f"import json; print(json.dumps([{line}]))")
    assert nukes.examine() == [DoctorLine(**line)]
    program.write_text("import json; print(json.dumps([{'name': 'of another version'}]))")
    (told,) = nukes.examine()
    assert (told.name, told.state) == ("nuke", "warning")
    assert "--dry-run" in told.fix


def test_the_installer_of_this_checkout_answers():
    lines = nukes.examine()
    assert lines
    assert not any("could not be looked for" in line.what for line in lines)


def test_the_installer_is_given_a_minute(monkeypatch):
    asked = []
    monkeypatch.setattr(nukes, "ask_python", lambda words, seconds: asked.append((words[0], seconds)) or [])
    assert nukes.examine() == []
    assert asked == [("-c", 60.0)]
