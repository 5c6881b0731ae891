"""Help in groups, and what is left out of it until all is asked for."""

import click
import pytest
from click.testing import CliRunner
from videomama_server.cli.help_groups import REST, GroupedCommand, help_all_option
from videomama_server.cli.matte import matte


class Rare(GroupedCommand):
    def is_rare(self, param):
        return param.name == "rare"


@pytest.fixture
def said():
    """Return the lines that a command with four options says."""

    @click.command(cls=Rare, groups={"Second": ("--b", "--a"), "Empty": (), "Help": ("--help",)}, examples=["--a 1"])
    @click.option("--a", help="The a.")
    @click.option("-b", "--b", help="The b.")
    @click.option("--other", help="Of no group.")
    @click.option("--rare", help="Seldom needed.")
    @help_all_option
    def tried(**_):
        """Try it."""

    def run(*words):
        result = CliRunner().invoke(tried, words, prog_name="videomama tried")
        assert result.exit_code == 0, result.output
        return [line.strip() for line in result.output.splitlines()]

    return run


def test_groups_come_in_their_order_with_their_options_in_theirs_and_the_rest_last(said):
    lines = said("--help")
    headings = [line for line in lines if line.endswith(":") and not line.startswith("Usage")]
    assert headings == ["Second:", "Help:", f"{REST}:", "Examples:"]
    named = [line.split()[0] for line in lines if line.startswith("-")]
    assert named == ["-b,", "--a", "--help", "--other", "--help-all"]


def test_rare_options_are_shown_where_all_is_asked_for(said):
    assert not any("--rare" in line for line in said("--help"))
    assert any(line.startswith("--rare TEXT") for line in said("--help-all"))


def test_examples_begin_with_the_command_as_it_was_called(said):
    assert said("--help")[-1] == "videomama tried --a 1"


def test_asking_for_all_runs_nothing(said):
    assert said("--help-all", "--a", "1")[0].startswith("Usage: ")


def test_every_option_of_matte_is_in_a_group_or_is_a_setting_of_some_engines():
    with matte.make_context("matte", [], resilient_parsing=True, help_option_names=["-h", "--help"]) as context:
        headings = {matte.heading(param) for param in matte.get_params(context)}
        named = {option for options in matte.groups.values() for option in options}
        known = {option for param in matte.get_params(context) for option in param.opts}
    assert REST not in headings
    assert named - known == set()


def test_the_short_help_of_matte_has_no_setting_of_one_engine_but_the_presets(videomama):
    short, whole = videomama("matte", "--help").out, videomama("matte", "--help-all").out
    assert all(option in short for option in ("--quality ", "--mask-quality ", "--help-all "))
    assert all(option in whole and option not in short for option in ("--trimap-erode ", "--seed ", "--offset-x "))


def test_the_examples_of_matte_name_options_that_there_are(videomama):
    known = videomama("matte", "--help-all").out
    words = {word for example in matte.examples for word in example.split() if word.startswith("--")}
    assert words
    assert all(f"{word} " in known for word in words)
