"""Nuke's terminal modes in the stand-in, each in a process of its own: start-up, -t, -x, exit codes and messages."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from nuke_standin import terminal

HERE = Path(__file__).parents[1]


@pytest.fixture
def run(tmp_path):
    """`run(arguments, **environment)` runs the stand-in with an empty home; returns code, output and errors."""
    (tmp_path / "home" / ".nuke").mkdir(parents=True)

    def call(*arguments, **more):
        environment = {**os.environ, "PYTHONPATH": str(HERE), "HOME": str(tmp_path / "home")}
        environment.pop("NUKE_PATH", None)
        environment.update(more)
        command = [sys.executable, "-m", "nuke_standin", *map(str, arguments)]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    return call


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


@pytest.fixture
def comp(exr, tmp_path):
    """A script with a plate of 1001-1004 and the Writes Write1 and Write2, of which the second is off."""
    for frame in range(1001, 1005):
        exr.flat(tmp_path / "plate" / f"p.{frame}.exr", (frame / 1024, 0, 0, 1))
    return script(
        tmp_path / "comp.nk",
        f"""\
        version 15.0 v1
        Root {{
         inputs 0
         first_frame 1001
         last_frame 1004
        }}
        Read {{
         inputs 0
         file_type exr
         file "{tmp_path}/plate/p.%04d.exr"
         first 1001
         last 1004
         raw true
         name Read1
        }}
        set N1 [stack 0]
        Write {{
         file "{tmp_path}/one/a.%04d.exr"
         file_type exr
         raw true
         create_directories true
         name Write1
        }}
        push $N1
        Write {{
         file "{tmp_path}/two/b.%04d.exr"
         file_type exr
         raw true
         create_directories true
         name Write2
         disable true
        }}
        """,
    )


def frames(folder):
    return sorted(int(p.name.split(".")[1]) for p in folder.glob("*.exr"))


# The command line


def test_options_stand_before_the_script():
    line = "-x -X Write1,Write2 -F 1-10x2 -F 20 -V 2 --cont --view left,right comp.nk".split()  # noqa: SIM905
    options = terminal.parse(line)
    assert (options.script, options.ranges, options.writes) == ("comp.nk", ("1-10x2", "20"), ("Write1", "Write2"))
    assert options.views == ["left", "right"]
    assert options.has("--cont")


def test_what_follows_a_python_script_is_its_own():
    options = terminal.parse(["-t", "batch.py", "-x", "--node", "A"])
    assert (options.script, options.arguments) == ("batch.py", ("-x", "--node", "A"))


@pytest.mark.parametrize("line", ["", "-t", "comp.nk", "-t -x comp.nk", "-F", "--nonsense -t a.py"])
def test_a_command_line_that_nuke_would_not_take(line):
    with pytest.raises(terminal.Usage):
        terminal.parse(line.split())


# -t


def test_arguments_of_a_script(run, tmp_path):
    path = script(tmp_path / "a.py", "import sys\nprint(sys.argv)\nimport nuke\nprint(nuke.rawArgs)\nprint(nuke.GUI)")
    code, out, err = run("-t", path, "node=A", "b c")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        str([str(path), "node=A", "b c"]),
        str(["nuke", "-t", str(path), "node=A", "b c"]),
        "False",
    ]


@pytest.mark.parametrize("last", ["3", "1-10", "1,10", "1-10x2"])
def test_a_trailing_range_is_taken_from_the_arguments_with_a_warning(run, tmp_path, last):
    path = script(tmp_path / "a.py", "import sys\nprint(sys.argv[1:])")
    _, out, err = run("-t", path, "1", last)
    assert out.strip() == "['1']"
    assert "Warning" in err
    assert repr(last) in err


@pytest.mark.parametrize(
    ("line", "code"), [("sys.exit(3)", 3), ("sys.exit()", 0), ("sys.exit('no frames')", 1), ("1 / 0", 1)]
)
def test_exit_codes(run, tmp_path, line, code):
    found, _, err = run("-t", script(tmp_path / "a.py", f"import sys\n{line}"))
    assert found == code
    assert ("no frames" in err) == ("no frames" in line)
    assert ("ZeroDivisionError" in err) == ("1 / 0" in line)


def test_a_script_that_is_not_there(run):
    code, _, err = run("-t", "gone.py")
    assert (code, err.strip()) == (1, "gone.py: No such file or directory")


def test_a_script_renders(run, comp, exr, tmp_path):
    text = f"""\
        import nuke
        nuke.scriptOpen({str(comp)!r})
        nuke.execute("Write1", 1001, 1002)
        """
    code, out, err = run("-t", script(tmp_path / "a.py", text))
    assert (code, err) == (0, "")
    assert "Frame 1001 (1 of 2)" in out
    assert frames(tmp_path / "one") == [1001, 1002]


def test_a_long_thread_that_is_a_daemon_does_not_hold_the_exit(run, tmp_path):
    # for longer than `run` waits
    text = "import threading, time\nthreading.Thread(target=time.sleep, args=(300,), daemon=True).start()"
    assert run("-t", script(tmp_path / "a.py", text))[0] == 0


# Start-up


@pytest.fixture
def plugins(tmp_path):
    """Folders a and b on NUKE_PATH and ~/.nuke, each with an init.py and a menu.py that say so."""
    for name, folder in (("a", tmp_path / "a"), ("b", tmp_path / "b"), ("home", tmp_path / "home" / ".nuke")):
        script(folder / "init.py", f"print('init of {name}')")
        script(folder / "menu.py", "raise RuntimeError('a menu in a terminal')")
    return os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b")])


def test_init_of_the_last_entry_first_and_home_last_and_no_menu(run, plugins, tmp_path):
    path = script(tmp_path / "a.py", "import nuke\nprint([p.rpartition('/')[2] for p in nuke.pluginPath()])")
    code, out, err = run("-t", path, NUKE_PATH=plugins)
    assert (code, err) == (0, "")
    assert out.splitlines() == ["init of b", "init of a", "init of home", "['.nuke', 'a', 'b']"]


def test_safe_skips_them(run, plugins, tmp_path):
    code, out, _ = run("-t", "--safe", script(tmp_path / "a.py", "print('script')"), NUKE_PATH=plugins)
    assert (code, out.strip()) == (0, "script")


def test_an_error_in_init_ends_the_start(run, plugins, tmp_path):
    script(tmp_path / "b" / "init.py", "import nothing_of_that_name")
    code, _, err = run("-t", script(tmp_path / "a.py", "print('script')"), NUKE_PATH=plugins)
    assert code == 1
    assert "nothing_of_that_name" in err


def test_modules_beside_init_can_be_imported(run, plugins, tmp_path):
    script(tmp_path / "b" / "beside.py", "WORD = 'found'")
    code, out, _ = run("-t", script(tmp_path / "a.py", "import beside\nprint(beside.WORD)"), NUKE_PATH=plugins)
    assert (code, out.splitlines()[-1]) == (0, "found")


def test_a_folder_added_by_init_has_its_own_init_run(run, plugins, tmp_path):
    script(tmp_path / "tools" / "init.py", "print('init of tools')")
    script(tmp_path / "tools" / "tool.py", "WORD = 'tool'")
    script(
        tmp_path / "b" / "init.py", f"import nuke\nnuke.pluginAddPath({str(tmp_path / 'tools')!r})\nprint('init of b')"
    )
    code, out, err = run("-t", script(tmp_path / "a.py", "import tool\nprint(tool.WORD)"), NUKE_PATH=plugins)
    assert (code, err) == (0, "")
    assert out.splitlines()[:2] == ["init of tools", "init of b"]
    assert out.splitlines()[-1] == "tool"


def test_forbidden_modules(run, tmp_path):
    path = script(
        tmp_path / "a.py", "import json\ntry:\n    import numpy.linalg\nexcept ImportError as e:\n    print(e)"
    )
    code, out, _ = run("-t", path, NUKE_STANDIN_FORBID="numpy,torch")
    assert (code, out.strip()) == (0, "numpy is not to be imported here")


def test_pixels_work_while_numpy_is_forbidden(run, comp, tmp_path):
    code, _, err = run("-x", comp, NUKE_STANDIN_FORBID="numpy,torch,OpenImageIO")
    assert (code, err) == (0, "")
    assert len(frames(tmp_path / "one")) == 4


def test_a_python_without_numpy_for_the_pixels_says_what_to_do(run, comp, tmp_path):
    pythons = sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin/python3"))
    bare = next((one for one in pythons if not has_numpy(one)), None)
    if bare is None:
        pytest.skip("no Python without numpy here")
    code, _, err = run("-x", comp, NUKE_STANDIN_PYTHON=str(bare))
    assert code == 1
    assert f"{bare} needs numpy and OpenImageIO" in err


def has_numpy(python):
    return subprocess.run([python, "-I", "-c", "import numpy"], capture_output=True).returncode == 0


# -x


def test_x_renders_what_is_on_over_the_roots_range(run, comp, tmp_path):
    code, out, err = run("-x", comp)
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if line.startswith("Frame")] == [
        f"Frame {1000 + n} ({n} of 4)" for n in (1, 2, 3, 4)
    ]
    assert frames(tmp_path / "one") == [1001, 1002, 1003, 1004]
    assert not (tmp_path / "two").exists()


def test_x_with_ranges(run, comp, tmp_path):
    assert run("-x", "-F", "1001-1003x2", "-F", "1004", comp)[0] == 0
    assert frames(tmp_path / "one") == [1001, 1003, 1004]


@pytest.mark.parametrize(
    ("words", "found"),
    [(["1002,1003"], [1002, 1003]), (["1002-1003"], [1002, 1003]), (["1001-1004x3"], [1001, 1004]),
     (["1001", "1003-1004"], [1001, 1003, 1004]), (["1002"], [1002])],
)  # fmt: skip
def test_x_with_a_range_after_the_script(run, comp, tmp_path, words, found):
    assert run("-x", comp, *words)[0] == 0
    assert frames(tmp_path / "one") == found


def test_a_write_by_name_that_is_off_is_an_error(run, comp):
    code, _, err = run("-X", "Write2", comp)
    assert (code, err.strip()) == (1, "ERROR: Write2 cannot be executed")


def test_a_write_that_is_not_there_is_an_error(run, comp):
    code, _, err = run("-X", "Write9", comp)
    assert code == 1
    assert "Write9" in err


def test_a_missing_frame_is_an_error(run, comp, tmp_path):
    (tmp_path / "plate" / "p.1002.exr").unlink()
    code, _, err = run("-x", comp)
    assert (code, err.strip()) == (1, f"ERROR: Read1: {tmp_path}/plate/p.1002.exr: No such file or directory")
    assert frames(tmp_path / "one") == [1001]


def test_cont_renders_the_rest_and_fails_all_the_same(run, comp, tmp_path):
    (tmp_path / "plate" / "p.1002.exr").unlink()
    assert run("-x", "--cont", comp)[0] == 1
    assert frames(tmp_path / "one") == [1001, 1003, 1004]


def test_a_guard_in_init_ends_the_render(run, comp, tmp_path):
    guard = """\
        import nuke
        def guard():
            raise RuntimeError("VideoMaMa: 2 frames missing: 1003-1004")
        nuke.addBeforeRender(guard)
        """
    script(tmp_path / "a" / "init.py", guard)
    code, _, err = run("-x", comp, NUKE_PATH=str(tmp_path / "a"))
    assert code == 1
    assert "VideoMaMa: 2 frames missing: 1003-1004" in err
    assert not (tmp_path / "one").exists()


def test_an_unknown_class_is_a_warning_and_an_error_once_a_render_needs_it(run, comp):
    comp.write_text(comp.read_text() + "NoSuchThing {\n name NoSuchThing1\n}\n")
    code, _, err = run("-x", comp)
    assert (code, "NoSuchThing: Unknown command" in err) == (0, True), err
    comp.write_text(comp.read_text() + "Write {\n file /x/a.%04d.exr\n file_type exr\n name Below\n}\n")
    code, _, err = run("-x", "-X", "Below", comp)
    assert code == 1
    assert "ERROR: NoSuchThing1: the stand-in has no pixels for the class NoSuchThing" in err


def test_a_script_that_does_not_exist(run, tmp_path):
    code, _, err = run("-x", tmp_path / "gone.nk")
    assert code == 1
    assert "gone.nk" in err


def test_sro_lets_a_later_read_use_what_an_earlier_write_wrote(run, comp, tmp_path):
    comp.write_text(
        comp.read_text()
        + f"""Read {{
 inputs 0
 file_type exr
 file "{tmp_path}/one/a.%04d.exr"
 first 1001
 last 1004
 raw true
 before hold
 frame_mode expression
 frame 2005-frame
 name Read2
}}
Write {{
 file "{tmp_path}/three/c.%04d.exr"
 file_type exr
 raw true
 create_directories true
 render_order 2
 name Write3
}}
"""
    )
    assert run("-x", comp)[0] == 1
    code, _, err = run("-x", "--sro", comp)
    assert (code, err) == (0, "")
    assert frames(tmp_path / "three") == [1001, 1002, 1003, 1004]


def test_proxy_and_full(run, comp, exr, tmp_path):
    assert run("-x", "-p", "-F", "1001", comp)[0] == 0
    assert exr.read(tmp_path / "one" / "a.1001.exr").display == (0, 0, 4, 3)
    assert run("-x", "-f", "-F", "1001", comp)[0] == 0
    assert exr.read(tmp_path / "one" / "a.1001.exr").display == (0, 0, 8, 6)


def test_paths_with_spaces_and_letters_of_all_kinds(run, comp, exr, tmp_path):
    folder = tmp_path / "Schöner Ort" / "плёнка"
    folder.mkdir(parents=True)
    moved = folder / "comp ä.nk"
    moved.write_text(comp.read_text("utf-8").replace(f"{tmp_path}/one", str(folder / "out put")), encoding="utf-8")
    code, _, err = run("-x", "-F", "1001", moved)
    assert (code, err) == (0, "")
    assert frames(folder / "out put") == [1001]


# The oldest Python


@pytest.mark.parametrize("version", ["3.9", "3.10"])
def test_older_pythons(run, comp, tmp_path, version):
    found = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    if not found:
        pytest.skip(f"no Python {version} from pyenv here")
    environment = {**os.environ, "PYTHONPATH": str(HERE), "HOME": str(tmp_path / "home")}
    environment |= {"NUKE_STANDIN_PYTHON": sys.executable}
    command = [str(found[-1]), "-W", "error", "-m", "nuke_standin", "-x", "-F", "1001-1002", str(comp)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert frames(tmp_path / "one") == [1001, 1002]
