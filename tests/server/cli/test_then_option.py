"""The option of the command line that adds stages."""

import click
import pytest
from click.testing import CliRunner
from videomama_server.cli.then_option import take_then, then_option
from videomama_server.cli.usage import WrongUse


@click.command()
@then_option
def spoken(then):
    click.echo("|".join(then))


def test_stages_are_given_one_after_the_other_and_there_need_be_none():
    said = CliRunner().invoke(spoken, ["--then", "classic window=8", "--then", "adjust grow=2"])
    assert (said.exit_code, said.output) == (0, "classic window=8|adjust grow=2\n")
    assert CliRunner().invoke(spoken, []).output == "\n"


def test_the_help_shows_how_a_stage_is_written():
    assert "'ENGINE NAME=VALUE" in CliRunner().invoke(spoken, ["--help"]).output


def test_stages_are_taken_out_of_the_flags_as_engine_and_values():
    flags = {"then": ["classic window=8 'note=a b'", "adjust"], "out": "a"}
    assert take_then(flags) == [["classic", "window=8", "note=a b"], ["adjust"]]
    assert flags == {"out": "a"}


def test_a_quote_that_does_not_end_is_an_error_of_the_command_line():
    with pytest.raises(WrongUse):
        take_then({"then": ["classic 'window=8"]})
