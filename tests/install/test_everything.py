"""`python install` without a verb: the plan, the question, and what is done after it."""

from __future__ import annotations

import io
from pathlib import Path

import check
import everything
import nuke_setup
import program
import pytest
import server_setup
import torch_build
import weights


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, in order; nothing really is, no GPU and no torch are here, and there is a Nuke."""
    seen: list[str] = []

    def note(name: str, code: int = 0):
        return lambda *_, **__: seen.append(name) or code

    monkeypatch.setattr(torch_build, "find_gpu", lambda: None)
    monkeypatch.setattr(server_setup, "finds_gpu", lambda _: True)
    monkeypatch.setattr(torch_build, "present", lambda _: None)
    monkeypatch.setattr(weights, "plan_lines", lambda _: ["weights: fetch 6.3 GB"])
    monkeypatch.setattr(nuke_setup, "plan_lines", lambda *_: ["Nuke 15.1 in /opt/Nuke15.1v3."])
    monkeypatch.setattr(server_setup, "run", note("server"))
    monkeypatch.setattr(weights, "run", note("weights"))
    monkeypatch.setattr(nuke_setup, "run", note("nuke"))
    monkeypatch.setattr(check, "run", note("check"))
    return seen


@pytest.fixture
def install(tmp_path: Path):
    """Run the installer for an environment in an empty folder."""
    return lambda *words: program.main(["--venv", str(tmp_path / "env"), *words])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_dry_run_shows_the_plan_and_does_nothing(done, install, capsys, tmp_path):
    assert install("--dry-run") == 0
    said = capsys.readouterr().out
    for line in (
        "env will be created",
        "for the processor (no GPU was found that torch computes on)",
        "weights: fetch 6.3 GB",
        "nuke: Nuke 15.1",
    ):
        assert line in said
    assert done == []
    assert not (tmp_path / "env").exists()


def test_yes_does_all_but_fetch_weights_whose_licence_nobody_accepted(done, install, capsys):
    assert install("--yes") == 0
    assert done == ["server", "nuke", "check"]
    assert "The weights were not fetched" in capsys.readouterr().out


def test_an_accepted_licence_fetches_them(done, install):
    assert install("--yes", "--accept-licence") == 0
    assert done == ["server", "weights", "nuke", "check"]


@pytest.mark.parametrize(("answer", "wanted"), [("y\n", ["server", "weights", "nuke", "check"]), ("\n", []), ("", [])])
def test_a_person_is_asked(done, install, monkeypatch, answer, wanted):
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert install() == (0 if wanted else 1)
    assert done == wanted


def test_nobody_there_to_ask_is_told(done, install, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert install() == 1
    assert "--yes" in capsys.readouterr().err
    assert done == []


def test_without_a_nuke_the_plan_says_so_and_goes_on(done, install, monkeypatch, capsys):
    monkeypatch.setattr(nuke_setup, "plan_lines", lambda *_: [])
    assert install("--yes") == 0
    assert done == ["server", "check"]
    assert "nuke: none was found" in capsys.readouterr().out


def test_weights_that_cannot_be_had_do_not_stop_the_rest(done, install, monkeypatch, capsys):
    monkeypatch.setattr(weights, "run", lambda *_: 1)
    assert install("--yes", "--accept-licence") == 0
    assert done == ["server", "nuke", "check"]
    assert "Continuing without the weights" in capsys.readouterr().out


def test_the_exit_code_says_whether_the_main_job_can_run(done, install, monkeypatch):
    monkeypatch.setattr(check, "run", lambda *_: 1)
    assert install("--yes") == 1


def test_what_is_there_already_is_said(done, install, monkeypatch, capsys):
    monkeypatch.setattr(torch_build, "present", lambda _: torch_build.Present("2.13.0+cpu", None, gpu=False))
    monkeypatch.setattr(
        everything.server_setup, "look", lambda _: type("State", (), {"ready": True, "python": 1, "rebuild": ""})
    )
    monkeypatch.setattr("environment.Environment.interpreter", lambda _: object())
    assert install("--dry-run", "--cpu") == 0
    said = capsys.readouterr().out
    assert "env is there already" in said
    assert "torch: 2.13.0+cpu is there and fits (asked for with --cpu)" in said


def test_weights_are_planned_only_where_a_gpu_is_or_their_licence_is_accepted(done, install, monkeypatch, capsys):
    monkeypatch.setattr(server_setup, "finds_gpu", lambda _: False)
    assert install("--yes") == 0
    said = capsys.readouterr().out
    assert "weights: not planned, since no GPU was found; `python install weights` fetches them" in said
    assert "fetch 6.3 GB" not in said
    assert "The weights were not fetched" not in said
    assert done == ["server", "nuke", "check"]
    assert install("--yes", "--accept-licence") == 0
    assert done[3:] == ["server", "weights", "nuke", "check"]


def test_it_ends_by_saying_where_the_program_is_and_how_it_gets_onto_the_path(done, install, capsys, tmp_path):
    install("--yes")
    last = capsys.readouterr().out.splitlines()[-1]
    assert str(tmp_path / "env") in last
    assert "python install path --install" in last
