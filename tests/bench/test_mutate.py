from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
BENCH = ROOT / "bench"
REGION = "server/videomama_server/pipeline/region.py"
NAMING = [
    file
    for file in sorted((ROOT / "tests/server/pipeline").glob("test_*.py"))
    if "services" in file.read_text(encoding="utf-8")
]
SOURCE = """
import logging
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Box:
    side: int = 8


def check(box: Box, least: float = 0.5) -> str:
    log.info("checked")
    print(f"{box.side + 1}")
    if box.side < least:
        raise ValueError(box)
    return "whole"
"""


@pytest.fixture(scope="module")
def mutations(load_bench):
    return load_bench("mutations")


@pytest.fixture(scope="module")
def mutate(load_bench):
    sys.path.insert(0, str(BENCH))
    yield load_bench("mutate")
    sys.path.remove(str(BENCH))


def test_every_kind_of_fault_is_found_and_none_in_text_decorators_or_the_log(mutations):
    found = mutations.faults_of(SOURCE, "m.py")
    assert sorted((fault.line, fault.kind) for fault in found) == [
        (10, "off by one"),
        (13, "constant changed"),
        (15, "call removed"),
        (16, "comparison turned"),
        (16, "condition negated"),
        (16, "off by one"),
        (17, "raise removed"),
        (18, "return removed"),
    ]
    assert {fault.kind for fault in found} == mutations.KINDS.keys()


def test_one_fault_alone_is_planted_and_it_is_the_one_that_was_named(mutations):
    sound = mutations.ast.unparse(mutations.ast.parse(SOURCE)).splitlines()
    for fault in mutations.faults_of(SOURCE, "m.py"):
        faulty = mutations.planted(SOURCE, fault).splitlines()
        assert len(faulty) == len(sound)
        (line,) = [number for number, pair in enumerate(zip(sound, faulty, strict=True)) if len(set(pair)) == 2]
        old, new = fault.change.split("  ->  ")
        assert faulty[line] == sound[line].replace(old, new)


@pytest.mark.parametrize(
    ("module", "tests"),
    [
        (REGION, ["tests/server/pipeline/test_region.py"]),
        ("nuke_plugin/videomama_client/wire.py", ["tests/client/test_wire.py"]),
        ("nuke_plugin/videomama_nuke/walk.py", ["tests/nuke_plugin/plugin/test_walk.py"]),
        ("nuke_plugin/videomama_nuke/panel/style.py", ["tests/nuke_plugin/panel/test_style.py"]),
        ("server/videomama_server/cli/__init__.py", ["tests/server/cli/test_cli.py"]),
        (
            "server/videomama_server/pipeline/services.py",
            [str(file.relative_to(ROOT)) for file in NAMING],
        ),
        ("server/videomama_server/serving/no_test_names_it.py", ["tests/server/serving"]),
    ],
)
def test_a_modules_tests_are_its_own_or_those_that_name_it_or_all_beside_it(mutate, module, tests):
    assert mutate.tests_of(ROOT, module) == tests


def test_the_same_seed_plants_the_same_faults(mutate):
    modules = mutate.modules_of(ROOT, ["server/videomama_server/pipeline"])
    assert mutate.chosen(ROOT, modules, 12, 1) == mutate.chosen(ROOT, modules, 12, 1)
    assert mutate.chosen(ROOT, modules, 12, 1) != mutate.chosen(ROOT, modules, 12, 2)


@pytest.mark.parametrize(
    "name", ["bench/mutate.py", "server/videomama_server/nothing", "nuke_plugin/videomama_batch.py"]
)
def test_a_module_without_known_tests_is_refused(mutate, name):
    with pytest.raises(SystemExit, match="no tests are known"):
        mutate.modules_of(ROOT, [name])


STARTS_OTHERS = """
import subprocess
import sys
from pathlib import Path

WHERE = "import videomama_server; print(videomama_server.__file__)"


def test_it():
    for words in (["-c", WHERE], ["-I", "-c", WHERE]):
        said = subprocess.run([sys.executable, *words], env={}, capture_output=True, text=True, check=True).stdout
        assert Path(said.strip()).is_relative_to(Path(__file__).parents[1])
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    Path(__file__).with_name("pid").write_text(str(left.pid))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX's")
def test_every_python_of_a_trial_imports_the_copy_and_none_is_left_running(mutate, tmp_path):
    root = tmp_path / "tree"
    for folder in ("server/videomama_server", "tests"):
        (root / folder).mkdir(parents=True)
    (root / "server/videomama_server/__init__.py").touch()
    (root / "tests/test_it.py").write_text(STARTS_OTHERS)
    with mutate.Trial(root, 60) as trial:
        code, _, said = trial.run(["tests/test_it.py"], 60)
    assert code == 0, said
    assert not psutil.pid_exists(int((root / "tests/pid").read_text()))


BECOMES_ANOTHER = """
import os
import signal

def test_an_interrupt_is_noticed():
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

def test_that_ends_the_process():
    os.execv("/bin/true", ["true"])
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX's")
def test_tests_that_do_not_come_to_their_end_have_failed(mutate, tmp_path):
    root = tmp_path / "tree"
    for folder in ("server/videomama_server", "tests"):
        (root / folder).mkdir(parents=True)
    (root / "server/videomama_server/__init__.py").touch()
    (root / "tests/test_it.py").write_text(BECOMES_ANOTHER)
    (root / "tests/test_none.py").touch()
    with mutate.Trial(root, 60) as trial:
        assert [trial.run([f"tests/{name}"], 60)[0] for name in ("test_it.py", "test_none.py")] == [3, mutate.NO_TESTS]
        (root / "tests/test_it.py").write_text(BECOMES_ANOTHER.partition("def test_that")[0])
        assert trial.run(["tests/test_it.py"], 60)[0] == 0


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX's")
def test_a_fault_is_caught_in_a_copy_and_the_tree_stays_as_it_is():
    before = (ROOT / REGION).read_bytes()
    words = [sys.executable, str(BENCH / "mutate.py"), "--module", REGION, "--count", "2", "--seed", "2", "--json"]
    said = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    assert said == {"seed": 2, "planted": 2, "caught": 2, "not_tried": 0, "uncaught": []}
    assert (ROOT / REGION).read_bytes() == before
