from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from environment import Environment
from project_checks import Step, check_steps, run_steps


def python(code: str, name: str) -> Step:
    return Step(name, (sys.executable, "-c", code))


def test_all_steps_run_after_a_failure_and_the_summary_names_each(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    steps = [
        python("raise SystemExit(4)", "first"),
        Step("second", (str(tmp_path / "no-such-tool"),)),
        python("open('third-ran', 'w').close(); print('said by third')", "third"),
    ]
    assert run_steps(steps, tmp_path, os.environ) == 1
    assert (tmp_path / "third-ran").exists()
    shown, summary = capfd.readouterr().out.split("Summary\n")
    # The heading stands before what the step itself prints, although that is another process.
    assert shown.index("== third") < shown.index("said by third") < shown.index("-- third: ok")
    lines = [line.split() for line in summary.splitlines()]
    assert [line[:-2] for line in lines] == [["first", "FAILED", "(4)"], ["second", "FAILED", "(127)"], ["third", "ok"]]
    assert all(line[-1] == "s" and float(line[-2]) >= 0 for line in lines)


def test_a_step_beside_the_others_runs_while_they_do_and_says_all_at_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # Each waits for what the other leaves: neither would end if they were run one after the other.
    waits = "import pathlib, sys, time\nprint('said by', {0!r}, flush=True)\npathlib.Path({0!r}).touch()\n"
    waits += "while not pathlib.Path({1!r}).exists(): time.sleep(0.02)\nsys.exit({2})"
    long = replace(python(waits.format("long", "short", 3), "long"), beside=True)
    missing = Step("missing", (str(tmp_path / "no-such-tool"),), beside=True)
    steps = [missing, long, python(waits.format("short", "long", 0), "short")]
    assert run_steps(steps, tmp_path, os.environ) == 1
    shown, summary = capfd.readouterr().out.split("Summary\n")
    assert "== long\nsaid by long\n-- long: FAILED (3), " in shown
    assert "no-such-tool does not start" in shown
    assert [line.split()[:2] for line in summary.splitlines()] == [
        ["missing", "FAILED"],
        ["long", "FAILED"],
        ["short", "ok"],
    ]


def test_all_passed_is_zero(tmp_path: Path) -> None:
    assert run_steps([python("", "one"), python("", "two")], tmp_path, os.environ) == 0


def test_a_check_that_could_not_be_made_is_told_and_is_no_failure(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_steps([python("raise SystemExit(77)", "asks")], tmp_path, os.environ) == 0
    assert "asks                  skipped" in capfd.readouterr().out


def test_steps_get_the_variables(tmp_path: Path) -> None:
    code = "import os, sys; sys.exit(os.environ['MARK'] != 'here')"
    assert run_steps([python(code, "one")], tmp_path, {**os.environ, "MARK": "here"}) == 0


# Fails until it has been asked as often as its name says.
ASKED = """
import pathlib, pytest
@pytest.mark.parametrize("fails", {fails})
def test_it(fails, request):
    asked = pathlib.Path(request.node.name.replace("[", "-").replace("]", ""))
    with asked.open("a") as file: file.write("x")
    assert asked.stat().st_size > fails
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fails", "code", "verdict", "named"),
    [
        ([0, 1], 0, "unsteady (1)", ["test_it.py::test_it[1]"]),
        ([0, 1, 2], 1, "FAILED (1)", []),  # what fails alone, too, is a failure
        ([1, 1, 1, 1], 1, "FAILED (1)", []),  # and many failures are not chance
    ],
)
def test_a_few_tests_that_failed_are_run_once_more_and_named_where_they_pass_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], fails: list[int], code: int, verdict: str, named: list[str]
) -> None:
    (tmp_path / "test_it.py").write_text(ASKED.format(fails=fails))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environment = Environment(Path(sys.prefix))
    assert run_steps(check_steps(environment, [])[-1:], tmp_path, environment.variables()) == code
    said = capfd.readouterr().out
    assert f"pytest                {verdict} " in said.split("Summary\n")[1]
    told = said.partition("passed alone. A test or the product depends on chance; mend it:\n")[2]
    assert [line.strip() for line in told.splitlines() if line.startswith("  test_it")] == named


@pytest.mark.slow
def test_the_tests_say_which_took_longest_and_a_few_that_took_no_time_are_not_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_it.py").write_text("import time\ndef test_long(): time.sleep(1.2)\ndef test_short(): pass\n")
    environment = Environment(Path(sys.prefix))
    steps = check_steps(environment, ["-n", "0", "-p", "no:cacheprovider", "test_it.py"])
    assert run_steps(steps[-1:], tmp_path, environment.variables()) == 0
    said = capfd.readouterr().out
    assert "slowest 40 durations" in said
    assert "call     test_it.py::test_long" in said
    assert "test_short" not in said
