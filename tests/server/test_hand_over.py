"""A program that is handed plates and hole masks: run without a shell, and held to the names of the plates."""

import sys

import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.hand_over import HandOver

WRITES = """
import sys
pattern, frames = sys.argv[1:3]
first, last = map(int, frames.split("-"))
for frame in range(first, last + 1):
    open(pattern.replace("####", str(frame)), "w").write(repr(sys.argv[3:]))
"""


@pytest.fixture
def make(tmp_path):
    """Hand over to a program: `make("{python}", "-c", "...")`."""
    (tmp_path / "in").mkdir()

    def hand_over(*words, folder="clean"):
        plate, holes = str(tmp_path / "in" / "pl.%04d.exr"), str(tmp_path / "holes" / "h.####.png")
        return HandOver(words, plate, holes, tmp_path / folder)

    return hand_over


def test_the_words_reach_the_program_as_they_are_and_its_files_have_the_names_of_the_plates(make, tmp_path, capfd):
    words = (
        "{python}",
        "-c",
        WRITES,
        "{output}",
        "{frames}",
        "a b; $HOME *",
        "{plate}",
        "{hole_masks}",
        "{first}{last}",
    )
    given = make(*words, "{plate_folder}", "{hole_masks_folder}", "{output_folder}", "{HOME}")
    given.check()
    given.run([1001, 1002, 1003])
    assert sorted(path.name for path in (tmp_path / "clean").iterdir()) == [f"pl.{n}.exr" for n in (1001, 1002, 1003)]
    said = (tmp_path / "clean" / "pl.1002.exr").read_text()
    places = [str(tmp_path / name) for name in ("in/pl.####.exr", "holes/h.####.png")]
    folders = [str(tmp_path / name) for name in ("in", "holes", "clean")]
    assert said == repr(["a b; $HOME *", *places, "10011003", *folders, "{HOME}"])


def test_what_it_prints_goes_to_the_error_stream(make, capfd):
    given = make(sys.executable, "-c", "print('hello')")
    given.check()
    with pytest.raises(BadInput, match="wrote no clean plates for 1 frame: 5"):
        given.run([5])
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "hello\n")


def test_older_clean_plates_do_not_count(make, tmp_path):
    given = make("{python}", "-c", "pass")
    given.check()
    for frame in (1, 2):
        (tmp_path / "clean" / f"pl.000{frame}.exr").write_text("older")
    with pytest.raises(BadInput, match="2 frames: 1-2"):
        given.run([1, 2])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("{python}", "-c", "raise SystemExit(3)"), "ended with code 3"),
        (("/nowhere/lama",), "cannot run /nowhere/lama"),
        (("{python}\0",), "cannot run"),
    ],
)
def test_a_program_that_fails_is_named(make, words, said):
    given = make(*words)
    given.check()
    with pytest.raises(BadInput, match=said):
        given.run([1])


def test_what_cannot_be_is_refused_before_any_work(make, tmp_path):
    with pytest.raises(BadInput, match=r"unknown token \{plat\}") as refused:
        make("x", "{plat}").check()
    assert "plate" in refused.value.hint
    with pytest.raises(BadInput, match="would replace the plates"):
        make("x", folder="in").check()
    (tmp_path / "file").touch()
    with pytest.raises(NotPermitted):
        make("x", folder="file/clean").check()
