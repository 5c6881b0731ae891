"""`videomama synthesize`: what it writes, and what it refuses before it writes anything."""

import pytest
from click.testing import CliRunner
from videomama_client.errors import BadInput
from videomama_server.cli.synthesize import synthesize
from videomama_server.synthetic.render import ClipSpec
from videomama_server.synthetic.suite import read_clip


def test_the_command_writes_what_is_asked_for(tmp_path):
    words = ["--out", tmp_path, "--kind", "crossing", "--background", "studio", "--size", "128x72", "--frames", "24"]
    said = CliRunner().invoke(synthesize, [*map(str, words), "--masks", "box+full", "--first", "10", "--seed", "3"])
    assert said.exit_code == 0, said.output
    assert "1 clip in" in said.output
    clip = read_clip(tmp_path / "crossing_studio")
    assert clip.spec == ClipSpec("crossing", "studio", 128, 72, 24, 10, 3)
    assert clip.masks.name == "box+full"
    assert clip.at("mask", 33).is_file()


@pytest.mark.parametrize(
    "words", [["--size", "big"], ["--size", "16x16"], ["--size", "960"], ["--masks", "nonsense"]], ids=" ".join
)
def test_bad_values_are_refused_before_anything_is_written(tmp_path, words):
    said = CliRunner().invoke(synthesize, ["--out", str(tmp_path / "out"), *words])
    assert isinstance(said.exception, BadInput)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [["--frames", "23"], ["--frames", "65"], ["--kind", "hare"], ["--each", "4"]])
def test_values_out_of_range_are_refused(words):
    assert CliRunner().invoke(synthesize, words).exit_code == 2
