"""The option of the command line that adds stages."""

import click
from click.testing import CliRunner
from videomama_server.cli.then_option import then_option


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
